"""Which messages go together, in which order."""

import math
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from push_content.messages.message import Message
from push_content.requests.conversation_order import cycles, stable_order
from push_content.requests.conversations import Conversations
from push_content.requests.push_request import PushRequest, by_account
from push_content.requests.request_queue import RequestQueue
from worlds.messages import message


def ids(request: PushRequest) -> list[str | None]:
    return [each.external_id for _, _, each in request.resources]


def cut(messages: list[Message], limit: int = 256, **more: Any) -> list[PushRequest]:
    """All requests, if every one of them succeeds."""
    queue = RequestQueue(messages, limit, **more)
    requests: list[PushRequest] = []
    while request := queue.next(limit, ()):
        requests.append(request)
    return requests


def in_order(messages: list[Message]) -> list[Message]:
    """Messages of one request_id as they go out."""
    (group,) = Conversations(messages).groups({each.id for each in messages})
    return group


def test_accounts_keep_the_order_of_arrival() -> None:
    first, second, third = message("1", account="b"), message("2", account="a"), message("3", account="b")

    assert list(by_account([first, second, third]).items()) == [("b", [first, third]), ("a", [second])]


def test_arrival_is_the_queues_and_not_the_batchs() -> None:
    """Of messages of the same millisecond the batch's order is all that is known."""
    sent_at = {"third": 2.0, "first": 1.0, "fourth": 2.0, "second": 1.5}
    messages = [
        replace(each, record=replace(each.record, sent_at=sent_at[name]))
        for name, each in ((name, message(name)) for name in sent_at)
    ]

    (own,) = by_account(messages).values()

    assert [each.resources[0].external_id for each in own] == ["first", "second", "third", "fourth"]


@given(st.integers(1, 1100), st.integers(1, 256))
def test_single_resource_messages_fill_their_requests(count: int, limit: int) -> None:
    requests = cut([message(str(number)) for number in range(min(count, 600))], limit)

    assert len(requests) == math.ceil(min(count, 600) / limit)


@given(st.lists(st.integers(1, 12), min_size=1, max_size=20), st.integers(1, 10))
def test_everything_is_sent_once_in_order_within_the_limit(sizes: list[int], limit: int) -> None:
    messages = [message(*(f"{number}.{part}" for part in range(size))) for number, size in enumerate(sizes)]

    requests = cut(messages, limit)

    assert [key for request in requests for key in ids(request)] == [
        each.external_id for one in messages for each in one.resources
    ]
    assert all(len(request) <= limit for request in requests)
    for one in messages:
        holding = [r for r in requests if any(part.message is one for part in r.parts)]
        assert len(holding) == 1 or len(one.resources) > limit


def test_a_message_that_is_larger_than_a_request_is_split_and_its_rest_shared() -> None:
    requests = cut([message("a"), message("1", "2", "3", "4", "5"), message("b")], 2)

    assert [ids(request) for request in requests] == [["a"], ["1", "2"], ["3", "4"], ["5", "b"]]
    assert [index for _, index, _ in requests[2].resources] == [2, 3]


def test_request_ids_are_not_mixed_and_further_members_make_no_difference() -> None:
    messages = [
        message("1"),
        message("2", request_id="r"),
        message("3", note=[2]),
        message("4", request_id="r"),
        message("5", request_id="r", note=1),
    ]
    requests = cut(messages, 256)

    assert [ids(request) for request in requests] == [["1", "3"], ["2", "4", "5"]]
    assert b"note" not in requests[0].body() + requests[1].body()


def test_a_reply_comes_after_its_parent_and_nothing_else_moves() -> None:
    messages = [message("reply", parents={"reply": "parent"}), message("x"), message("parent"), message("y")]

    (request,) = cut(messages, 256)

    assert ids(request) == ["x", "parent", "reply", "y"]


def test_a_message_moves_as_a_whole_and_is_not_sorted_inside() -> None:
    parents = {"b2": "a1", "b1": "b2"}
    messages = [message("b1", "b2", parents=parents), message("a1")]

    (request,) = cut(messages, 256)

    assert ids(request) == ["a1", "b1", "b2"]


def test_a_cycle_keeps_the_order_of_arrival_and_still_waits_for_others() -> None:
    messages = [
        message("a", "a2", parents={"a": "b", "a2": "p"}),
        message("b", parents={"b": "a"}),
        message("p"),
    ]

    assert [each.resources[0].external_id for each in in_order(messages)] == ["p", "a", "b"]


def test_a_request_comes_after_the_one_that_holds_its_parents() -> None:
    messages = [message("reply", parents={"reply": "p"}, request_id="r"), message("p"), message("q")]

    assert [ids(request) for request in cut(messages, 256)] == [["p", "q"], ["reply"]]


def test_requests_that_need_each_other_take_turns() -> None:
    """Sent with the first, the third would be refused for its missing parent, and come back for another request."""
    messages = [
        message("3", parents={"3": "2"}),
        message("1"),
        message("2", parents={"2": "1"}, request_id="r"),
        message("4", request_id="r"),
        message("5"),
        message("6", parents={"6": "5"}),
    ]

    assert [ids(request) for request in cut(messages, 256)] == [["1"], ["2", "4"], ["3", "5", "6"]]


def test_a_cycle_over_several_requests_keeps_the_order_of_arrival() -> None:
    messages = [
        message("a", parents={"a": "b"}),
        message("b", parents={"b": "a"}, request_id="r"),
        message("c"),
    ]

    assert [ids(request) for request in cut(messages, 256)] == [["a", "c"], ["b"]]


@given(st.data())
def test_no_reply_is_sent_before_its_parent(data: st.DataObject) -> None:
    """Whatever request ids they have; and where those do not need each other, one group is one request."""
    count = data.draw(st.integers(1, 12))
    names = data.draw(st.permutations([str(number) for number in range(count)]))
    parents = {
        name: names[data.draw(st.integers(0, position - 1))]
        for position, name in enumerate(names)
        if position and data.draw(st.booleans())
    }
    request_ids = {name: data.draw(st.sampled_from(["r", "s", "t"])) for name in names}
    messages = [
        message(str(number), parents=parents, request_id=request_ids[str(number)]) for number in range(count)
    ]
    requests = cut(messages, 256)
    sent = [name for request in requests for name in ids(request)]

    assert sorted(sent, key=str) == sorted(names)
    assert all(sent.index(parent) < sent.index(reply) for reply, parent in parents.items())
    assert all(len({part.message.request_id for part in request.parts}) == 1 for request in requests)
    if all(request_ids[reply] <= request_ids[parent] for reply, parent in parents.items()):
        assert len(requests) == len(set(request_ids.values()))


def test_a_long_conversation_is_sorted_without_recursion() -> None:
    count = 5_000
    messages = [
        message(str(number), parents={str(number): str(number - 1)}) for number in range(count, 0, -1)
    ]

    assert [int(each.resources[0].external_id or "") for each in in_order(messages)] == list(
        range(1, count + 1)
    )


def test_the_first_of_two_with_the_same_id_is_the_parent() -> None:
    first, reply, repeat = message("p"), message("r", parents={"r": "p"}), message("p")

    assert in_order([first, reply, repeat]) == [first, reply, repeat]


@st.composite
def graphs(draw: st.DrawFn) -> tuple[int, list[tuple[int, int]]]:
    count = draw(st.integers(1, 9))
    node = st.integers(0, count - 1)
    return count, draw(st.lists(st.tuples(node, node), max_size=14))


@given(graphs())
def test_stable_order(graph: tuple[int, list[tuple[int, int]]]) -> None:
    count, edges = graph
    order = stable_order(count, edges)
    place = {node: index for index, node in enumerate(order)}
    reach = [[b == a for b in range(count)] for a in range(count)]
    for _ in range(count):
        for before, after in edges:
            for node in range(count):
                reach[node][after] = reach[node][after] or reach[node][before]

    assert sorted(order) == list(range(count))
    together = cycles(count, edges)
    for a in range(count):
        for b in range(count):
            in_cycle = reach[a][b] and reach[b][a]
            assert (together[a] == together[b]) == in_cycle
            if in_cycle and a < b:
                assert place[a] < place[b]
    for before, after in edges:
        if together[before] != together[after]:
            assert place[before] < place[after]
    if all(before <= after for before, after in edges):
        assert order == list(range(count))


@pytest.mark.parametrize("count", [0, 1, 7])
def test_without_edges_nothing_moves(count: int) -> None:
    assert stable_order(count, []) == list(range(count))


def test_no_messages_need_no_request() -> None:
    assert cut([], 256) == []


# Threads, and what waits behind


def test_messages_of_a_thread_keep_their_order_whatever_request_they_go_into() -> None:
    messages = [
        message("1", thread="t", request_id="r"),
        message("2", thread="t"),
        message("3", thread="t", request_id="r"),
        message("4"),
    ]

    assert [ids(request) for request in cut(messages)] == [["1"], ["2", "4"], ["3"]]


def test_what_is_behind_a_message_in_its_conversation() -> None:
    first, second, reply = (
        message("1", thread="t"),
        message("2", thread="t"),
        message("3", parents={"3": "2"}),
    )
    after_reply, other = message("4", parents={"4": "3"}), message("5", thread="u")
    conversations = Conversations([first, second, reply, after_reply, other])

    assert conversations.behind([first.id]) == {second.id, reply.id, after_reply.id}
    assert conversations.behind([reply.id]) == {after_reply.id}
    assert conversations.behind([other.id, after_reply.id]) == set()
    assert Conversations([other]).behind([other.id]) == set()


def test_in_a_cycle_everything_is_behind_everything() -> None:
    one, other = message("a", parents={"a": "b"}), message("b", parents={"b": "a"})

    assert Conversations([one, other]).behind([one.id]) == {one.id, other.id}


def test_what_was_received_least_goes_first_but_never_before_what_it_is_behind() -> None:
    receipts = {"old": 9, "new": 1, "first": 5, "reply": 2, "fresh": 1}
    parents = {"reply": "first"}
    messages = [
        replace(each, record=replace(each.record, receive_count=receipts[name]))
        for name, each in ((name, message(name, parents=parents)) for name in receipts)
    ]

    (request,) = cut(messages, least_received_first=True)

    assert ids(request) == ["new", "fresh", "first", "reply", "old"]


def test_what_failed_by_itself_goes_last_alone_and_what_is_behind_it_after_that() -> None:
    failed, behind, good, also_failed, end = (
        message("1", thread="t"),
        message("2", thread="t"),
        message("3"),
        message("4"),
        message("5"),
    )

    requests = cut([failed, behind, good, also_failed, end], last=[failed.id, also_failed.id])

    assert [ids(request) for request in requests] == [["3", "5"], ["1"], ["4"], ["2"]]


def test_of_several_that_failed_in_one_conversation_only_the_first_is_asked_about() -> None:
    messages = [message(str(number), thread="t") for number in range(3)]
    queue = RequestQueue(messages, 256, last=[each.id for each in messages])

    assert queue.alone == {messages[0].id}


# Cutting one request at a time


def test_a_request_is_cut_when_it_is_needed_from_what_is_left() -> None:
    messages = [message(str(number)) for number in range(10)]
    queue = RequestQueue(messages, 256)
    sizes = []
    limit = 1
    while request := queue.next(limit, {messages[5].id}):
        sizes.append(len(request))
        limit *= 2

    assert sizes == [1, 2, 4, 2]


def test_what_is_put_back_goes_with_what_comes_behind_it() -> None:
    messages = [message(str(number)) for number in range(6)]
    queue = RequestQueue(messages, 256)
    first = queue.next(3, ())
    assert first
    queue.put_back(first.parts[1:])

    second = queue.next(3, ())

    assert second
    assert ids(second) == ["1", "2", "3"]


def test_halves_stay_by_themselves_and_keep_the_order() -> None:
    messages = [message(str(number)) for number in range(5)]
    queue = RequestQueue(messages, 256)
    first = queue.next(4, ())
    assert first
    queue.put_back_halves(first.parts)
    half = queue.next(4, ())
    assert half
    queue.put_back(half.parts[:1])
    sent = []
    while request := queue.next(4, ()):
        sent.append(ids(request))

    assert (ids(half), sent) == (["0", "1"], [["0"], ["2", "3"], ["4"]])


def test_a_half_that_fails_as_a_whole_is_halved_again_whatever_the_limit() -> None:
    """Put back as it was, it would go out as it was, again and again."""
    messages = [message(str(number)) for number in range(8)]
    queue = RequestQueue(messages, 256)
    first = queue.next(8, ())
    assert first
    queue.put_back_halves(first.parts)
    half = queue.next(8, ())
    assert half
    queue.put_back(half.parts)
    sent = []
    while request := queue.next(8, ()):
        sent.append(ids(request))

    assert sent == [["0", "1"], ["2", "3"], ["4", "5", "6", "7"]]


def test_a_message_is_not_split_for_a_limit_that_is_lower_than_what_it_holds() -> None:
    queue = RequestQueue([message("1", "2", "3"), message("4")], 256)
    sizes = []
    while request := queue.next(2, ()):
        sizes.append(len(request))

    assert sizes == [3, 1]
