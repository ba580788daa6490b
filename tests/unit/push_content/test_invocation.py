"""Whole invocations, scenario by scenario: what Zendesk, AWS and upstream do, and where each message ends."""

import json
import math
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from worlds.messages import body, resource
from worlds.push_memory import PushWorld
from zendesk_channel.accounts import AccountState
from zendesk_channel.client import Response
from zendesk_channel.contract import InstancePushId, PushToken, Subdomain
from zendesk_push.simulator import Fault, FaultKind, ValidateTokenPolicy


@pytest.fixture
def world() -> PushWorld:
    return PushWorld()


@pytest.fixture
def account(world: PushWorld) -> str:
    return world.connect("acme")


def drop_many(world: PushWorld, account: str, count: int, bad: set[int] | None = None) -> list[str]:
    """Messages of one resource each; Zendesk refuses the bad ones."""
    return [
        world.drop(account, resource(f"e{n}", **({"created_at": "never"} if n in (bad or ()) else {})))
        for n in range(count)
    ]


# Delivery


def test_good_messages_are_delivered_in_as_few_requests_as_possible(world: PushWorld, account: str) -> None:
    drop_many(world, account, 300)

    assert world.invoke() == []
    assert world.pushes == [256, 44]
    assert world.waits() == {}
    assert world.dead() == []


@settings(max_examples=25, deadline=None)
@given(st.dictionaries(st.sampled_from(["acme", "globex", "initech"]), st.integers(1, 600), min_size=1))
def test_invariant_3_requests_for_good_messages(counts: dict[str, int]) -> None:
    world = PushWorld()
    for subdomain, count in counts.items():
        drop_many(world, world.connect(subdomain), count)

    assert world.invoke() == []
    assert len(world.pushes) == sum(math.ceil(count / 256) for count in counts.values())


def test_a_repeat_makes_no_second_ticket(world: PushWorld, account: str) -> None:
    world.drop(account, resource("1"))
    event = world.source.receive(10)
    assert event is not None
    world.run(event["Records"])

    assert world.run(event["Records"]) == []
    assert [each.codes for each in world.zendesk.requests] == [("success",), ("already_imported",)]


def test_a_message_that_is_twice_in_a_batch_gets_one_outcome(world: PushWorld, account: str) -> None:
    bad, good = world.drop(account, resource("")), world.drop(account, resource("1"))
    waiting = world.drop("nobody", resource("1"))
    event = world.source.receive(10)
    assert event is not None
    records = event["Records"] * 2

    assert world.run(records) == [waiting]
    assert world.pushes == [2, 1]
    assert [each["message_id"] for each in world.contexts()] == [bad]
    assert good not in world.run(records)


def test_a_reply_in_a_later_message_finds_its_parent(world: PushWorld, account: str) -> None:
    world.drop(account, resource("reply", parent_id="parent"))
    world.drop(account, resource("parent"))

    assert world.invoke() == []
    assert world.zendesk.ticket_of(account, "reply") is world.zendesk.ticket_of(account, "parent")


def test_a_message_larger_than_a_request_is_delivered_when_all_of_it_is() -> None:
    small = PushWorld(MAX_RESOURCES_PER_REQUEST="2")
    key = small.connect()
    small.drop(key, *(resource(str(n)) for n in range(5)))
    small.zendesk.switch_on(Fault(FaultKind.PROCESSING_ERROR, external_id="4", count=1))

    assert len(small.invoke()) == 1
    assert small.pushes == [2, 2, 1]
    small.clock.advance(10)
    assert small.invoke() == []


def test_of_a_message_that_is_split_nothing_more_is_sent_after_a_failure() -> None:
    small = PushWorld(MAX_RESOURCES_PER_REQUEST="2")
    key = small.connect()
    small.drop(key, resource("0"), resource(""), resource("2"), resource("3"), resource("4"))

    assert small.invoke() == []
    assert small.pushes == [2]
    (letter,) = small.dead()
    assert (
        "'#/external_resources/1/external_id'" in letter["MessageAttributes"]["ErrorMessage"]["StringValue"]
    )


# Refused content


@settings(max_examples=25, deadline=None)
@given(st.integers(1, 256), st.data())
def test_invariant_2_refused_resources_cost_at_most_two_requests_more(
    count: int, data: st.DataObject
) -> None:
    bad = data.draw(st.sets(st.integers(0, count - 1)))
    world = PushWorld()
    key = world.connect()
    ids = drop_many(world, key, count, bad)

    assert world.invoke() == []
    assert len(world.pushes) <= 1 + (2 if bad else 0)
    letters = world.dead()
    assert sorted(
        json.loads(letter["MessageAttributes"]["Context"]["StringValue"])["message_id"] for letter in letters
    ) == (sorted(ids[n] for n in bad))
    assert all(world.zendesk.ticket_of(key, f"e{n}") for n in range(count) if n not in bad)
    for letter in letters:
        assert letter["MessageAttributes"]["ErrorCode"]["StringValue"] == "zendesk_400"
        assert letter["MessageAttributes"]["ErrorMessage"]["StringValue"].startswith(
            "The property '#/external_resources/0/created_at' must be a valid RFC3339 date/time string"
        )


def test_who_names_nobody_is_found_by_halving(world: PushWorld, account: str) -> None:
    ids = drop_many(world, account, 64)
    world.zendesk.switch_on(Fault(FaultKind.BAD_REQUEST, external_id="e17"))

    assert world.invoke() == []
    assert len(world.pushes) == 1 + 2 * 6
    assert [each["message_id"] for each in world.contexts()] == [ids[17]]


def test_what_is_delivered_behind_a_failure_does_not_wait_with_it(world: PushWorld, account: str) -> None:
    failed = world.drop(account, resource("a", thread_id="t"))
    world.drop(account, resource("b", thread_id="t"))
    codes = {"a": "processing_error", "b": "success"}
    results = [
        {"external_resource_id": external_id, "status": {"code": code}} for external_id, code in codes.items()
    ]
    said = json.dumps({"results": results}).encode()
    world.client.push = lambda *_, **__: Response(200, {}, said)  # type: ignore[method-assign]

    assert world.invoke() == [failed]


@pytest.mark.parametrize("path", ["request_id", "external_resources/1"])
@pytest.mark.parametrize("form", [lambda text: json.dumps({"error": text}), str], ids=["string", "page"])
def test_no_message_is_refused_for_a_text_that_another_quotes(
    world: PushWorld, account: str, path: str, form: Callable[[str], str]
) -> None:
    evil = f"hello\nThe property '#/{path}' is bad"
    culprit = world.drop(account, resource("bad", created_at=evil))
    drop_many(world, account, 5)
    push = world.client.push

    def quoting(subdomain: Subdomain, token: PushToken, body: bytes, *, timeout: float) -> Response:
        resources = json.loads(body)["external_resources"]
        named = [index for index, each in enumerate(resources) if each["created_at"] == evil]
        if not named:
            return push(subdomain, token, body, timeout=timeout)
        said = f"The property '#/external_resources/{named[0]}/created_at' of value \"{evil}\" must be a date"
        return Response(400, {}, form(said).encode())

    world.client.push = quoting  # type: ignore[method-assign]

    assert world.invoke() == []
    assert [each["message_id"] for each in world.contexts()] == [culprit]


def test_a_request_that_is_too_large_is_halved_until_it_fits(world: PushWorld, account: str) -> None:
    drop_many(world, account, 8)
    world.zendesk.switch_on(Fault(FaultKind.TOO_LARGE, min_resources=3))

    assert world.invoke() == []
    assert world.pushes == [8, 4, 2, 2, 4, 2, 2]


def test_a_message_that_is_too_large_alone_is_rejected(world: PushWorld, account: str) -> None:
    world.drop(account, resource("1"), resource("2"))
    world.zendesk.switch_on(Fault(FaultKind.TOO_LARGE))

    assert world.invoke() == []
    assert world.reasons() == ["zendesk_413"]


def test_one_that_fails_in_processing_holds_up_nobody(world: PushWorld, account: str) -> None:
    ids = drop_many(world, account, 5)
    world.zendesk.switch_on(Fault(FaultKind.PROCESSING_ERROR, external_id="e1"))
    world.zendesk.switch_on(Fault(FaultKind.PROCESSING_ERROR, external_id="e3"))

    assert world.invoke() == [ids[1], ids[3]]
    assert world.pushes == [5, 3, 1]


def test_a_missing_parent_is_waited_for(world: PushWorld, account: str) -> None:
    reply = world.drop(account, resource("reply", parent_id="parent"))
    assert world.invoke() == [reply]
    world.drop(account, resource("parent"))
    assert world.invoke() == []
    world.clock.advance(2)

    assert world.invoke() == []
    assert world.zendesk.ticket_of(account, "reply")


@pytest.mark.parametrize(
    "text",
    [
        "not JSON",
        "[" * 100_000,
        '{"instance_push_id": "x", "external_resources": [NaN]}',
        body("x", []),
        body("x", [0] * 257),
        body("x", [1], request_id=""),
        "null",
    ],
)
def test_what_is_not_a_message_is_rejected_beside_its_neighbours(
    world: PushWorld, account: str, text: str
) -> None:
    world.drop(account, resource("1"))
    world.send(text)
    world.drop(account, resource("2"))

    assert world.invoke() == []
    assert world.pushes == [2]
    (letter,) = world.dead()
    assert letter["Body"] == text
    assert letter["MessageAttributes"]["ErrorCode"]["StringValue"] == "invalid_message"
    assert letter["MessageAttributes"]["RequestID"]["StringValue"] == "lambda-1"


@pytest.mark.parametrize(
    ("text", "account_id", "request_id"),
    [
        (body("acme-1", [0] * 257, request_id="order-7"), "acme-1", "order-7"),
        (body("acme-1", [], request_id=7), "acme-1", "lambda-1"),
        (body("../acme", [0], request_id="order-7"), None, "order-7"),
        ('{"instance_push_id": "acme-1", "request_id": "order-7"', None, "lambda-1"),
    ],
)
def test_what_is_not_a_message_is_told_apart_by_what_can_be_read_of_it(
    world: PushWorld, text: str, account_id: str | None, request_id: str
) -> None:
    world.send(text)

    assert world.invoke() == []
    (letter,) = world.dead()
    assert letter["MessageAttributes"]["RequestID"]["StringValue"] == request_id
    assert json.loads(letter["MessageAttributes"]["Context"]["StringValue"])["account"] == account_id


@pytest.mark.parametrize("value", [5, None, "x", [], {}, [[]]])
def test_what_zendesk_judges_is_refused_by_zendesk(world: PushWorld, account: str, value: Any) -> None:
    world.drop(account, value)
    world.drop(account, resource("1"))

    assert world.invoke() == []
    assert world.pushes == [2, 1]
    assert world.reasons() == ["zendesk_400"]


def test_a_dead_letter_has_the_messages_attributes_group_and_request_id(
    world: PushWorld, account: str
) -> None:
    attributes = {
        "Source": {"DataType": "String", "StringValue": "crm"},
        "Blob": {"DataType": "Binary", "BinaryValue": b"\x00\xff"},
    }
    world.send(body(account, [resource("")], request_id="upstream-7"), attributes, group="tenant-1")

    assert world.invoke() == []
    (letter,) = world.dead()
    assert {name: letter["MessageAttributes"][name] for name in attributes} == attributes
    assert letter["MessageAttributes"]["RequestID"]["StringValue"] == "upstream-7"
    assert letter["Attributes"]["MessageGroupId"] == "tenant-1"


# Rate limits


def test_429_pauses_the_subdomain_for_every_worker(world: PushWorld, account: str) -> None:
    other = world.connect("acme")
    elsewhere = world.connect("globex")
    world.zendesk.switch_on(Fault(FaultKind.THROTTLED, subdomain="acme", count=1, retry_after=30))
    ids = [world.drop(account, resource("1")), world.drop(other, resource("1"))]
    world.drop(elsewhere, resource("1"))

    assert world.invoke() == ids
    assert world.pushes == [1, 1]
    assert all(30 <= wait <= 38 for wait in world.waits().values())
    world.restart()
    late = world.drop(account, resource("2"))
    assert world.invoke() == [late]
    assert world.pushes == [1, 1]
    world.clock.advance(38)
    assert world.invoke() == []


def test_at_the_reserve_the_rest_of_the_minute_is_left_to_the_customer() -> None:
    world = PushWorld(RATE_LIMIT_RESERVE_PERCENT="99", MAX_RESOURCES_PER_REQUEST="1")
    account = world.connect("acme")
    first, *rest = drop_many(world, account, 10)
    # 700 a minute: the seventh leaves 693, which is 99 %.
    assert world.invoke() == [first, *rest][7:]
    assert world.pushes == [1] * 7
    assert world.table.paused_until[Subdomain("acme")] == world.clock() + 60
    world.clock.advance(75)
    assert world.invoke() == []


# Zendesk's bad days


def test_an_account_that_fails_is_paused_and_twice_as_long_each_time(world: PushWorld, account: str) -> None:
    fault = world.zendesk.switch_on(Fault(FaultKind.SERVER_ERROR))
    ids = drop_many(world, account, 600)
    pauses = []
    for _ in range(12):
        assert sorted(world.invoke()) == sorted(ids)
        pauses.append(world.account(account).paused_until - world.clock())
        world.clock.advance(max(world.waits().values()))

    assert pauses == [2, 4, 8, 16, 32, 64, 128, 256, 512, 900, 900, 900]
    assert world.pushes == [256, 128, 64, 32, 16, 8, 4, 2, 1, 1, 1, 1]
    world.zendesk.switch_off(fault.id)
    assert world.invoke() == []
    record = world.account(account)
    assert (record.paused_until, record.pause_seconds, record.pause_reason) == (0, 0, None)


def test_after_a_failure_an_account_is_sent_nothing_more_in_the_invocation(
    world: PushWorld, account: str
) -> None:
    """Even if its pause is over by its next turn, because others' turns took so long."""
    slow = world.connect("globex")
    world.zendesk.switch_on(Fault(FaultKind.SERVER_ERROR, subdomain="acme", count=1))
    drop_many(world, account, 300)
    world.drop(slow, resource("1"))
    world.client.before_push = lambda subdomain: world.clock.advance(10 if subdomain == "globex" else 0)

    assert len(world.invoke()) == 300
    assert [each.subdomain for each in world.zendesk.requests] == ["acme", "globex"]


@pytest.mark.parametrize(
    "kind", [FaultKind.DROP_CONNECTION, FaultKind.HTML, FaultKind.UNAVAILABLE, FaultKind.HANG]
)
def test_a_bad_day_of_one_account_is_no_others(kind: FaultKind) -> None:
    world = PushWorld(PUSH_TIMEOUT_SECONDS="10")
    account = world.connect("acme")
    world.zendesk.switch_on(Fault(kind, subdomain="acme"))
    ids = drop_many(world, account, 3)
    other = world.connect("globex")
    drop_many(world, other, 3)

    assert world.invoke() == ids
    assert world.account(account).pause_reason == "unavailable"
    assert world.zendesk.ticket_of(other, "e2")


def test_a_wrong_address_is_paused_and_the_next_success_clears_it(world: PushWorld, account: str) -> None:
    world.zendesk.switch_on(Fault(FaultKind.REDIRECT, count=1))
    world.zendesk.switch_on(Fault(FaultKind.NOT_FOUND, count=1))
    ids = drop_many(world, account, 1)
    for pause in (2, 4):
        assert world.invoke() == ids
        assert world.account(account).pause_reason == "wrong_address"
        assert world.account(account).paused_until == world.clock() + pause
        world.clock.advance(10)

    assert world.invoke() == []
    assert world.account(account).paused_until == 0


def test_what_waits_for_a_pause_keeps_the_pauses_reason(world: PushWorld, account: str) -> None:
    world.drop(account, resource("1"))
    world.wear()
    world.change(account, paused_until=world.clock() + 500, pause_seconds=500, pause_reason="wrong_address")

    assert world.invoke() == []
    assert world.reasons() == ["wrong_address"]
    assert world.pushes == []


def test_requests_shrink_after_a_timeout_and_grow_again(world: PushWorld, account: str) -> None:
    world.zendesk.switch_on(Fault(FaultKind.HANG, min_resources=65))
    drop_many(world, account, 256)
    limits = []
    for _ in range(5):
        world.invoke(seconds=200)
        limits.append(world.account(account).request_limit)
        world.clock.advance(100)

    assert world.pushes == [256, 128, 64, 128, 64, 128, 64, 64]
    assert limits == [128, 64, 64, 64, None]
    assert world.waits() == {}


def test_a_limit_grows_by_and_by(world: PushWorld, account: str) -> None:
    world.change(account, request_limit=2)
    drop_many(world, account, 4)
    world.invoke()
    grown = world.account(account).request_limit
    drop_many(world, account, 1)
    world.invoke()

    assert (grown, world.account(account).request_limit) == (8, 16)


def test_an_answer_that_got_lost_makes_no_second_ticket(world: PushWorld, account: str) -> None:
    world.zendesk.switch_on(Fault(FaultKind.REPLY_LOST, count=1))
    ids = drop_many(world, account, 3)
    assert world.invoke() == ids
    world.clock.advance(10)

    assert world.invoke() == []
    codes = [each.codes for each in world.zendesk.requests]
    assert codes == [("success",) * 3, ("already_imported",), ("already_imported",) * 2]


# Accounts that may not be pushed to


@pytest.mark.parametrize("state", [AccountState.INACTIVE, AccountState.DELETED])
def test_nothing_is_sent_for_an_account_that_is_switched_off(
    world: PushWorld, account: str, state: AccountState
) -> None:
    world.change(account, state=state)
    ids = drop_many(world, account, 2)

    assert world.invoke() == ids
    assert world.pushes == []
    world.change(account, state=AccountState.ACTIVE)
    world.clock.advance(2)
    assert world.invoke() == []


def test_an_unknown_account_is_waited_for(world: PushWorld) -> None:
    unknown = world.drop("not-yet", resource("1"))

    assert world.invoke() == [unknown]
    assert world.pushes == []


def test_a_new_token_in_the_record_is_tried_at_once(world: PushWorld, account: str) -> None:
    """The record was read before an administrator registered it."""
    token = world.zendesk.rotate_token(account)
    world.pauses.instead = world.pauses.snapshot([InstancePushId(account)])
    world.register(account, token)
    drop_many(world, account, 2)

    assert world.invoke() == []
    assert [each.status for each in world.zendesk.requests if each.endpoint == "push"] == [401, 200]
    assert not world.account(account).refused


def test_a_token_that_zendesk_refuses_is_used_no_more_until_there_is_a_newer_one(
    world: PushWorld, account: str
) -> None:
    token = world.zendesk.rotate_token(account)
    ids = drop_many(world, account, 2)

    assert world.invoke() == ids
    assert world.account(account).refused
    asked = len(world.zendesk.requests)
    for _ in range(3):
        world.clock.advance(20)
        assert sorted(world.invoke()) == sorted(ids)
    assert len(world.zendesk.requests) == asked
    world.register(account, token)
    world.clock.advance(60)
    assert world.invoke() == []


def test_an_unconfirmed_token_that_zendesk_confirms_by_now_is_tried_at_once(
    world: PushWorld, account: str
) -> None:
    token = PushToken(world.zendesk.rotate_token(account))
    version = world.credentials.store(InstancePushId(account), token, pending=True)
    world.change(account, pending_version=version, pending_since=world.clock())
    drop_many(world, account, 2)

    assert world.invoke() == []
    assert world.account(account).token_version == version
    assert world.account(account).pending_version is None


def test_who_registers_while_zendesk_is_asked_is_not_marked_as_refused(
    world: PushWorld, account: str
) -> None:
    token = world.zendesk.rotate_token(account)
    world.client.after_validation = lambda: world.register(account, token)
    drop_many(world, account, 2)

    assert world.invoke() == []
    assert not world.account(account).refused
    assert [each.status for each in world.zendesk.requests] == [401, 401, 200]


def test_an_account_that_is_removed_meanwhile_is_inactive(world: PushWorld, account: str) -> None:
    world.zendesk.rotate_token(account)

    def meanwhile(_: str) -> None:
        world.accounts.save(replace(world.account(account), state=AccountState.DELETED, token_version=""))

    world.client.before_push = meanwhile
    world.drop(account, resource("1"))
    world.wear()

    assert world.invoke() == []
    assert world.reasons() == ["inactive_account"]


def test_who_failed_the_last_time_takes_turns_last(world: PushWorld) -> None:
    keys = [world.connect(name) for name in ("failing", "shrunk", "fine", "new")]
    world.change(keys[0], pause_seconds=4, paused_until=world.clock() - 1)
    world.change(keys[1], request_limit=16)
    for key in keys:
        world.drop(key, resource("1"))
    world.invoke()

    assert [each.subdomain for each in world.zendesk.requests] == ["fine", "new", "failing", "shrunk"]


@pytest.mark.parametrize("kind", [FaultKind.UNAUTHORIZED, FaultKind.FORBIDDEN])
def test_a_refused_push_with_a_token_that_is_good_is_a_bad_day(
    world: PushWorld, account: str, kind: FaultKind
) -> None:
    world.zendesk.switch_on(Fault(kind))
    ids = drop_many(world, account, 2)

    assert world.invoke() == ids
    record = world.account(account)
    assert not record.refused
    assert (record.paused_until, record.pause_reason) == (world.clock() + 2, "unavailable")


@pytest.mark.parametrize(
    ("rotated", "status", "reason"), [(True, 401, "unauthorized"), (False, 403, "unavailable")]
)
def test_the_dead_letter_of_a_refused_push_says_how_zendesk_refused_it(
    world: PushWorld, account: str, rotated: bool, status: int, reason: str
) -> None:
    if rotated:
        world.zendesk.rotate_token(account)
    else:
        world.zendesk.switch_on(Fault(FaultKind.FORBIDDEN))
    world.drop(account, resource("1"), request_id="sent")
    world.drop(account, resource("2"), request_id="not sent")
    world.wear()
    assert world.invoke() == []

    letters = {
        letter["MessageAttributes"]["RequestID"]["StringValue"]: letter["MessageAttributes"]
        for letter in world.dead()
    }
    assert {letter["ErrorCode"]["StringValue"] for letter in letters.values()} == {reason}
    assert {key: json.loads(each["Context"]["StringValue"])["status"] for key, each in letters.items()} == {
        "sent": status,
        "not sent": None,
    }


def test_an_answer_that_repeats_the_token_does_not_carry_it_to_the_dead_letters(
    world: PushWorld, account: str
) -> None:
    token = world.zendesk.rotate_token(account)
    world.register(account, token)
    page = f"<html>Authorization: Bearer {token}</html>"
    cut_off = "x" * 4080 + token
    said = json.dumps({"error": {"message": [f"The property '#/external_resources/0' {token} is odd"]}})
    for body_of_answer in (page, cut_off, said):
        world.zendesk.switch_on(Fault(FaultKind.STATUS, status=400, body=body_of_answer, count=1))
        world.drop(account, resource("1"))
        assert world.invoke() == []
    world.zendesk.switch_on(Fault(FaultKind.UNKNOWN_CODE, code=f"odd {token}"))
    world.drop(account, resource("1"))
    world.wear()
    assert world.invoke() == []

    dead = [letter["MessageAttributes"] for letter in world.dead()]
    assert len(dead) == 4
    assert token[:8] not in json.dumps(dead)
    assert "<html>Authorization: Bearer ****</html>" in [each["ErrorMessage"]["StringValue"] for each in dead]


@pytest.mark.parametrize("policy", [ValidateTokenPolicy.ERROR, ValidateTokenPolicy.HANG])
def test_no_verdict_is_no_refusal(world: PushWorld, account: str, policy: ValidateTokenPolicy) -> None:
    world.zendesk.rotate_token(account)
    world.zendesk.validate_token_policy = policy
    ids = drop_many(world, account, 2)

    assert world.invoke() == ids
    assert not world.account(account).refused
    assert world.account(account).paused_until > 0


def test_a_secret_that_is_not_there_pauses_the_account(world: PushWorld, account: str) -> None:
    world.credentials.schedule_deletion(InstancePushId(account))
    ids = drop_many(world, account, 2)

    assert world.invoke() == ids
    assert world.pushes == []
    assert world.account(account).paused_until > world.clock()


def test_a_token_is_read_once_for_each_container(world: PushWorld, account: str) -> None:
    for number in range(3):
        world.drop(account, resource(str(number)))
        world.invoke()
    assert world.faults.calls.count("read") == 1
    world.restart()
    world.drop(account, resource("again"))
    world.invoke()

    assert world.faults.calls.count("read") == 2


# AWS's bad days


def test_an_invocation_that_begins_too_late_leaves_everything_for_soon(
    world: PushWorld, account: str
) -> None:
    world.drop(account, resource("1"))
    for _ in range(20):
        assert world.source.receive(10)
        world.clock.advance(max(world.waits().values()))
    staying = world.invoke(seconds=0.9)

    assert len(staying) == 1
    assert world.pushes == []
    assert world.waits()[staying[0]] <= 60


def test_when_the_table_cannot_be_read_everything_waits_and_what_is_no_message_is_rejected(
    world: PushWorld, account: str
) -> None:
    world.faults.broken = {"snapshot"}
    ids = drop_many(world, account, 3)
    world.send("not JSON")

    assert world.invoke() == ids
    assert world.reasons() == ["invalid_message"]
    assert set(world.waits().values()) == {2}
    world.faults.broken = set()
    world.clock.advance(2)
    assert world.invoke() == []


@pytest.mark.parametrize("broken", ["pause_subdomain", "pause_account", "clear_pause", "note", "read"])
def test_what_cannot_be_written_or_read_costs_nothing_but_time(
    world: PushWorld, account: str, broken: str
) -> None:
    world.zendesk.switch_on(Fault(FaultKind.SERVER_ERROR, count=1))
    world.zendesk.switch_on(Fault(FaultKind.THROTTLED, count=1))
    world.faults.broken = {broken}
    drop_many(world, account, 3)
    for _ in range(3):
        world.invoke()
        world.clock.advance(100)
    world.faults.broken = set()
    for _ in range(3):
        world.clock.advance(1000)
        world.invoke()

    assert world.waits() == {}
    assert world.dead() == []
    assert world.zendesk.ticket_of(account, "e2")


def test_a_message_whose_dead_letter_is_not_there_stays(world: PushWorld, account: str) -> None:
    bad = [world.send("not JSON"), world.drop(account, resource(""))]
    del world.sqs._queues[world.settings.dead_letter_queue_url]

    assert sorted(world.invoke()) == sorted(bad)
    assert all(1 <= wait <= 60 for wait in world.waits().values())
    world.sqs.create_queue(QueueName="DeadLetterQueue")
    world.clock.advance(60)
    assert world.invoke() == []
    assert sorted(world.reasons()) == ["invalid_message", "zendesk_400"]


def test_when_a_wait_cannot_be_set_the_message_is_back_after_the_queues_own_time(world: PushWorld) -> None:
    waiting = world.drop("unknown", resource("1"))
    event = world.source.receive(10)
    assert event is not None
    event["Records"][0]["receiptHandle"] = "not a handle"

    assert world.run(event["Records"]) == [waiting]
    assert world.waits() == {waiting: 360}


def test_a_failure_that_nobody_foresaw_costs_its_account_a_retry(capsys: pytest.CaptureFixture[str]) -> None:
    world = PushWorld()
    account = world.connect("acme")
    ids = drop_many(world, account, 3)
    other = world.connect("globex")
    world.drop(other, resource("1"))

    def break_down(subdomain: str) -> None:
        if subdomain == "acme":
            raise ZeroDivisionError("text of a message")

    world.client.before_push = break_down
    world.surprises_expected = True

    assert world.invoke() == ids
    printed = capsys.readouterr().out
    assert "ZeroDivisionError" in printed
    assert "text of a message" not in printed


# Time


def test_without_time_nothing_is_sent_and_everything_is_back_soon(world: PushWorld, account: str) -> None:
    ids = drop_many(world, account, 3)

    assert world.invoke(seconds=1.5) == ids
    assert world.pushes == []
    assert all(1 <= wait <= 3 for wait in world.waits().values())
    assert world.account(account).paused_until == 0


def test_a_request_does_not_last_longer_than_the_invocation(world: PushWorld, account: str) -> None:
    ids = drop_many(world, account, 3)
    world.zendesk.switch_on(Fault(FaultKind.HANG))
    begun = world.clock()

    assert world.invoke(seconds=20) == ids
    assert world.clock() - begun < 20


def test_what_is_left_when_time_is_up_goes_out_the_next_time() -> None:
    world = PushWorld(MAX_RESOURCES_PER_REQUEST="1")
    key = world.connect()
    ids = drop_many(world, key, 10)
    world.client.before_push = lambda _: world.clock.advance(4)

    assert world.invoke(seconds=30) == ids[5:]
    assert world.account(key).paused_until == 0
    world.clock.advance(10)
    world.invoke(seconds=60)
    assert world.waits() == {}


# Giving up


def test_who_waits_too_long_is_rejected_with_the_last_reason(world: PushWorld, account: str) -> None:
    world.change(account, state=AccountState.INACTIVE)
    world.drop(account, resource("1"))
    world.drop("unknown", resource("1"))
    receipts = 0
    while world.waits():
        world.invoke()
        receipts += 1
        world.clock.advance(max(world.waits().values(), default=0))

    assert receipts < 900
    letters = world.dead()
    assert sorted(letter["MessageAttributes"]["ErrorCode"]["StringValue"] for letter in letters) == [
        "inactive_account",
        "unknown_account",
    ]
    contexts = [json.loads(letter["MessageAttributes"]["Context"]["StringValue"]) for letter in letters]
    assert {context["subdomain"] for context in contexts} == {"acme", None}


def test_when_too_many_are_in_flight_those_that_depend_on_people_are_rejected(
    world: PushWorld, account: str
) -> None:
    world.zendesk.switch_on(Fault(FaultKind.THROTTLED, retry_after=600))
    waiting = drop_many(world, account, 51)
    for number in range(50):
        world.drop("unknown", resource(str(number)))
    world.sqs.in_flight = 60_001

    assert sorted(world.invoke()) == sorted(waiting)
    assert world.reasons() == ["unknown_account"] * 50
    assert set(world.waits().values()) == {60}


# What is written, and how often


def test_the_last_delivery_is_noted_every_fifteen_minutes_at_most(world: PushWorld, account: str) -> None:
    other = world.connect("globex")
    for minute in range(31):
        world.drop(account, resource(f"a{minute}"))
        world.drop(other, resource(f"b{minute}"))
        world.invoke()
        world.clock.advance(60)

    assert world.faults.calls.count("note") == 3 * 2
    assert world.account(account).last_delivery_at == world.clock() - 60


def test_only_a_delivery_moves_the_last_delivery(world: PushWorld, account: str) -> None:
    world.zendesk.switch_on(Fault(FaultKind.PROCESSING_ERROR))
    world.drop(account, resource("1"))
    world.invoke()

    record = world.account(account)
    assert (record.last_delivery_at, record.last_failure_reason) == (None, "processing_error")
    assert record.last_failure_at == world.clock()


def test_in_the_steady_state_nothing_is_written(world: PushWorld, account: str) -> None:
    world.drop(account, resource("first"))
    world.invoke()
    writes = world.table.writes
    for number in range(5):
        drop_many(world, account, 300)
        world.drop(account, resource(f"x{number}"))
        world.invoke()

    assert world.table.writes == writes
