"""The outcome table, whole: each test names a row, and every answer there can be has exactly one outcome."""

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from push_content.answers.answer_judge import AccountSignal, Decision, before_sending, judge
from push_content.messages.message import Message
from push_content.outcomes.outcome import Delivered, ErrorCode, Rejected, Retry
from push_content.requests.push_request import Part, PushRequest
from worlds.messages import message
from zendesk_channel.accounts import Account, AccountState
from zendesk_channel.client import Response
from zendesk_channel.contract import InstancePushId, Subdomain
from zendesk_channel.errors import ZendeskError, ZendeskTimeoutError, ZendeskUnreachableError

NOW = 1_800_000_010.0
MINUTE_ENDS = 1_800_000_060.0
CODES = (
    "success",
    "already_imported",
    "could_not_locate_parent_external_resource",
    "processing_error",
    "halted",
    "a_code_of_tomorrow",
)


def request_of(*messages: Message) -> PushRequest:
    return PushRequest(tuple(Part(each, 0, len(each.resources)) for each in messages))


def answer(status: int, body: object = "", **headers: str) -> Response:
    text = body if isinstance(body, str) else json.dumps(body)
    return Response(status, {name.replace("_", "-"): value for name, value in headers.items()}, text.encode())


def result(external_id: object, code: str, description: str = "") -> dict[str, Any]:
    return {"external_resource_id": external_id, "status": {"code": code, "description": description}}


def results(*codes: str) -> dict[str, Any]:
    return {"results": [result(str(number), code) for number, code in enumerate(codes)]}


def errors(*paths: str) -> dict[str, Any]:
    return {"error": {"message": [f"The property '#/{path}' is wrong" for path in paths]}}


def judged(request: PushRequest, came_back: Response | ZendeskError, percent: float = 20) -> Decision:
    return judge(request, came_back, sent_at=NOW, now=NOW, reserve_percent=percent)


def numbered(count: int) -> list[Message]:
    return [message(str(number)) for number in range(count)]


def short(decision: Decision, messages: list[Message]) -> list[str]:
    """For each message: delivered, a rejection's or retry's reason, or again."""
    again = {part.message.id for part in decision.again + decision.halved}
    words = []
    for one in messages:
        outcome = decision.outcomes.get(one.id)
        if outcome is None:
            words.append("again" if one.id in again else "open")
        elif isinstance(outcome, Delivered):
            words.append("delivered")
        else:
            words.append(f"{'rejected' if isinstance(outcome, Rejected) else 'retry'} {outcome.reason}")
    return words


# 2xx


@pytest.mark.parametrize("status", [200, 201, 202, 299])
def test_success_and_already_imported_are_delivered(status: int) -> None:
    messages = numbered(2)
    decision = judged(request_of(*messages), answer(status, results("success", "already_imported")))

    assert short(decision, messages) == ["delivered", "delivered"]
    assert decision.signal is AccountSignal.HEALTHY


def test_a_message_is_delivered_when_all_its_resources_are() -> None:
    messages = [message("0", "1"), message("2", "3")]
    codes = results("success", "already_imported", "success", "processing_error")

    assert short(judged(request_of(*messages), answer(200, codes)), messages) == [
        "delivered",
        "retry processing_error",
    ]


def test_what_was_halted_behind_a_failure_goes_again_without_it() -> None:
    messages = numbered(5)
    codes = results("success", "processing_error", "halted", "halted", "halted")
    decision = judged(request_of(*messages), answer(200, codes))

    assert short(decision, messages) == ["delivered", "retry processing_error", "again", "again", "again"]
    assert [part.message for part in decision.again] == messages[2:]
    assert decision.halted


def test_a_missing_parent_halts_others_but_is_retried_itself() -> None:
    messages = numbered(2)
    codes = results("could_not_locate_parent_external_resource", "halted")

    assert short(judged(request_of(*messages), answer(200, codes)), messages) == [
        "retry missing_parent",
        "again",
    ]


def test_the_first_failure_in_order_names_the_reason() -> None:
    messages = [message("0", "1", "2", "3")]
    codes = results(
        "success", "could_not_locate_parent_external_resource", "processing_error", "a_code_of_tomorrow"
    )

    assert short(judged(request_of(*messages), answer(200, codes)), messages) == ["retry missing_parent"]


def test_halted_behind_its_own_failure_the_message_is_retried_for_that() -> None:
    messages = [message("0", "1"), message("2")]
    decision = judged(request_of(*messages), answer(200, results("processing_error", "halted", "halted")))

    assert short(decision, messages) == ["retry processing_error", "again"]


def test_what_is_halted_after_a_success_behind_a_failure_was_halted_for_that_failure() -> None:
    messages = numbered(4)
    codes = results("processing_error", "success", "halted", "halted")

    assert short(judged(request_of(*messages), answer(200, codes)), messages) == [
        "retry processing_error",
        "delivered",
        "again",
        "again",
    ]


def test_halted_without_a_failure_before_it_is_not_sent_again_at_once() -> None:
    messages = numbered(3)
    decision = judged(request_of(*messages), answer(200, results("halted", "success", "halted")))

    assert short(decision, messages) == ["retry unavailable", "delivered", "retry unavailable"]


def test_an_unknown_code_is_a_failure_that_nobody_knows() -> None:
    messages = numbered(2)
    decision = judged(request_of(*messages), answer(200, results("a_code_of_tomorrow", "halted")))

    assert short(decision, messages) == ["retry unavailable", "again"]


@pytest.mark.parametrize(
    "body", [{}, {"results": []}, {"results": [{}, {}, {}]}, {"results": [1, None, "x"]}]
)
def test_without_results_the_messages_are_retried(body: object) -> None:
    messages = numbered(3)
    decision = judged(request_of(*messages), answer(200, body))

    assert short(decision, messages) == ["retry unavailable"] * 3
    assert decision.signal is AccountSignal.NONE


def test_too_few_results_concern_those_without_one() -> None:
    messages = numbered(3)
    decision = judged(request_of(*messages), answer(200, results("success", "success")))

    assert short(decision, messages) == ["delivered", "delivered", "retry unavailable"]


def test_reordered_results_are_matched_by_external_id() -> None:
    messages = numbered(3)
    body = {"results": [result("2", "processing_error"), result("0", "success"), result("1", "success")]}

    assert short(judged(request_of(*messages), answer(200, body)), messages) == [
        "delivered",
        "delivered",
        "retry processing_error",
    ]


@pytest.mark.parametrize(
    ("ids", "expected"),
    [
        ([1, 0], ["retry processing_error", "delivered"]),
        ([0, 1], ["delivered", "retry processing_error"]),
        ([True, 0.0], ["retry unavailable", "retry unavailable"]),
        ([["1"], {"0": 0}], ["retry unavailable", "retry unavailable"]),
    ],
)
def test_an_id_that_is_no_string_still_says_whose_a_result_is(ids: list[object], expected: list[str]) -> None:
    messages = numbered(2)
    body = {"results": [result(ids[0], "success"), result(ids[1], "processing_error")]}

    assert short(judged(request_of(*messages), answer(200, body)), messages) == expected


def test_reordered_results_of_an_id_that_is_not_unique_are_nobodys() -> None:
    messages = [message("0"), message("1"), message("0")]
    body = {"results": [result("1", "success"), result("0", "success"), result("0", "success")]}

    assert short(judged(request_of(*messages), answer(200, body)), messages) == [
        "retry unavailable",
        "delivered",
        "retry unavailable",
    ]


@pytest.mark.parametrize(
    ("asked", "answered", "expected"),
    [
        (["0", "1", "0"], ["1", "0"], ["retry unavailable", "delivered", "retry unavailable"]),
        (["0", "1"], ["1", "0", "0"], ["retry unavailable", "delivered"]),
    ],
)
def test_an_id_must_be_unique_on_both_sides(
    asked: list[str], answered: list[str], expected: list[str]
) -> None:
    messages = [message(key) for key in asked]
    body = {"results": [result(key, "success") for key in answered]}

    assert short(judged(request_of(*messages), answer(200, body)), messages) == expected


def test_the_same_external_id_twice_is_fine_as_long_as_the_order_is() -> None:
    messages = [message("0"), message("0")]
    body = {"results": [result("0", "success"), result("0", "already_imported")]}

    assert short(judged(request_of(*messages), answer(200, body)), messages) == ["delivered", "delivered"]


@pytest.mark.parametrize(
    "body",
    ["", "<html>OK</html>", "null", "[]", '{"results": 5}', '{"results": {}}', "[" * 100_000],
)
def test_nonsense_in_a_2xx_is_no_answer(body: str) -> None:
    messages = numbered(2)
    decision = judged(request_of(*messages), answer(200, body))

    assert short(decision, messages) == ["retry unavailable"] * 2
    assert decision.signal is AccountSignal.FAILED


def test_a_failures_text_and_results_are_the_messages_own() -> None:
    messages = [message("0", "1"), message("2", "3")]
    body = results("processing_error", "halted", "success", "processing_error")
    body["results"][3]["status"]["description"] = "of three"
    outcome = judged(request_of(*messages), answer(200, body)).outcomes[messages[1].id]

    assert isinstance(outcome, Retry)
    assert outcome.text == "#/external_resources/1: processing_error: of three"
    assert [each.code for each in outcome.results.values()] == ["success", "processing_error"]


# 400, 422, 413


@pytest.mark.parametrize("status", [400, 422])
def test_who_is_named_is_rejected_and_all_others_go_again_together(status: int) -> None:
    messages = [message("0"), message("1", "2"), message("3"), message("4")]
    decision = judged(
        request_of(*messages),
        answer(
            status, errors("external_resources/2/author", "external_resources/2", "external_resources/4/x")
        ),
    )

    assert short(decision, messages) == [
        "again",
        f"rejected zendesk_{status}",
        "again",
        f"rejected zendesk_{status}",
    ]
    assert [part.message for part in decision.again] == [messages[0], messages[2]]
    assert not decision.halted
    outcome = decision.outcomes[messages[1].id]
    assert isinstance(outcome, Rejected)
    assert outcome.text == (
        "The property '#/external_resources/1/author' is wrong; The property '#/external_resources/1' is wrong"
    )


def test_the_indices_of_a_part_are_those_of_its_message() -> None:
    split = message("0", "1", "2")
    request = PushRequest((Part(message("x"), 0, 1), Part(split, 1, 3)))
    outcome = judged(request, answer(400, errors("external_resources/2"))).outcomes[split.id]

    assert isinstance(outcome, Rejected)
    assert "'#/external_resources/2'" in outcome.text


@pytest.mark.parametrize("path", ["request_id", "instance_push_id"])
def test_an_error_of_what_all_share_is_everybodys(path: str) -> None:
    messages = numbered(3)
    decision = judged(request_of(*messages), answer(400, errors(path, "external_resources/1")))

    assert short(decision, messages) == ["rejected zendesk_400"] * 3
    texts = [getattr(decision.outcomes[one.id], "text", "") for one in messages]
    assert texts[0] == texts[2] == f"The property '#/{path}' is wrong"
    assert texts[1] == f"The property '#/external_resources/0' is wrong; The property '#/{path}' is wrong"


@pytest.mark.parametrize(
    "came_back",
    [
        answer(400, "<html>Bad Request</html>"),
        answer(400, errors("")),
        answer(400, errors("external_resources")),
        answer(400, errors("external_resources/3")),
        answer(422, {"error": "RecordInvalid"}),
        answer(413, "<html>Too large</html>"),
        answer(413, errors("external_resources/0")),
    ],
)
def test_who_names_nobody_is_asked_again_in_halves(came_back: Response) -> None:
    messages = numbered(3)
    decision = judged(request_of(*messages), came_back)

    assert decision.outcomes == {}
    assert [part.message for part in decision.halved] == messages


@pytest.mark.parametrize(
    ("status", "body", "text"),
    [
        (400, "<html>Bad Request</html>", "<html>Bad Request</html>"),
        (400, {"error": {"message": ["one", "two"]}}, "one; two"),
        (422, "", "status 422"),
        (413, "", "the request is too large"),
    ],
)
def test_who_is_left_alone_with_it_is_rejected(status: int, body: object, text: str) -> None:
    messages = [message("0", "1")]
    decision = judged(request_of(*messages), answer(status, body))

    assert short(decision, messages) == [f"rejected zendesk_{status}"]
    assert getattr(decision.outcomes[messages[0].id], "text", None) == text


def test_nobody_is_told_what_is_said_of_others() -> None:
    messages = numbered(4)
    body = {
        "error": {
            "message": [
                f"The property '#/external_resources/{n}' value \"secret of {n}\" is wrong" for n in (0, 2)
            ]
        }
    }
    decision = judged(request_of(*messages), answer(400, body))

    for number, one in enumerate(messages):
        text = getattr(decision.outcomes.get(one.id), "text", "")
        assert [n for n in range(4) if f"secret of {n}" in text] == ([number] if number in (0, 2) else [])


# Everything else


@pytest.mark.parametrize(
    ("headers", "until"),
    [({"Retry_After": "17"}, NOW + 17), ({}, NOW + 60), ({"Retry_After": "whenever"}, NOW + 60)],
)
def test_429_pauses_the_subdomain(headers: dict[str, str], until: float) -> None:
    messages = numbered(2)
    decision = judged(request_of(*messages), answer(429, "Slow down", **headers))

    assert short(decision, messages) == ["retry throttled"] * 2
    assert (decision.subdomain_paused_until, decision.signal) == (until, AccountSignal.THROTTLED)


def test_503_with_retry_after_is_a_throttle_and_without_it_is_not() -> None:
    request = request_of(*numbered(1))

    assert judged(request, answer(503, Retry_After="5")).subdomain_paused_until == NOW + 5
    for unclear in (answer(503), answer(503, Retry_After="later"), answer(500, Retry_After="5")):
        assert judged(request, unclear).signal is AccountSignal.FAILED
        assert judged(request, unclear).subdomain_paused_until is None


@pytest.mark.parametrize("status", [401, 403])
def test_401_and_403_leave_it_to_the_credentials(status: int) -> None:
    decision = judged(request_of(*numbered(2)), answer(status))

    assert (decision.signal, decision.outcomes, decision.again) == (AccountSignal.CREDENTIALS, {}, ())


@pytest.mark.parametrize("status", [300, 301, 302, 303, 307, 308, 399, 404])
def test_404_and_redirects_are_a_wrong_address(status: int) -> None:
    messages = numbered(1)
    decision = judged(request_of(*messages), answer(status, Location="https://elsewhere.example"))

    assert short(decision, messages) == ["retry wrong_address"]
    assert decision.signal is AccountSignal.WRONG_ADDRESS


@pytest.mark.parametrize("error", [ZendeskTimeoutError("late"), ZendeskUnreachableError("broke")])
def test_no_answer(error: ZendeskError) -> None:
    messages = numbered(2)
    decision = judged(request_of(*messages), error)

    assert short(decision, messages) == ["retry unavailable"] * 2
    assert decision.signal is AccountSignal.FAILED


def test_the_reserve_changes_nothing_for_its_own_response() -> None:
    messages = numbered(1)
    reached = answer(200, results("success"), X_Rate_Limit="700", X_Rate_Limit_Remaining="140")
    decision = judged(request_of(*messages), reached)

    assert short(decision, messages) == ["delivered"]
    assert decision.subdomain_paused_until == MINUTE_ENDS
    assert decision.signal is AccountSignal.HEALTHY


def test_what_waits_for_the_rate_limit_is_nobodys_failure() -> None:
    (outcome,) = judged(request_of(*numbered(1)), answer(429)).outcomes.values()
    waits = before_sending(account(), NOW + 1, NOW)

    assert isinstance(outcome, Retry)
    assert outcome.nobodys
    assert waits
    assert waits.nobodys


def test_a_429s_own_time_is_not_replaced_by_the_minutes_end() -> None:
    throttled = answer(429, "", Retry_After="7", X_Rate_Limit="700", X_Rate_Limit_Remaining="0")

    assert judged(request_of(*numbered(1)), throttled).subdomain_paused_until == NOW + 7


@pytest.mark.parametrize("status", range(100, 600))
def test_every_status_has_one_outcome_for_every_message(status: int) -> None:
    messages = numbered(2)
    words = set(short(judged(request_of(*messages), answer(status, results("success", "success"))), messages))

    if 200 <= status < 300:
        assert words == {"delivered"}
    elif status in (400, 413, 422):
        assert words == {"again"}
    elif status in (401, 403):
        assert words == {"open"}
    elif status == 404 or 300 <= status < 400:
        assert words == {"retry wrong_address"}
    elif status == 429:
        assert words == {"retry throttled"}
    else:
        assert words == {"retry unavailable"}


ENTRIES: st.SearchStrategy[Any] = st.builds(
    result, st.none() | st.sampled_from("0123456"), st.sampled_from(CODES), st.text(max_size=5)
) | st.sampled_from([None, 5, "x", {}, {"status": {}}, {"status": {"code": 5}}])


@given(
    sizes=st.lists(st.integers(1, 3), min_size=1, max_size=5),
    entries=st.lists(ENTRIES, max_size=8),
    status=st.sampled_from([200, 400]),
    paths=st.lists(
        st.builds("external_resources/{}".format, st.integers(0, 12)) | st.just("request_id"), max_size=5
    ),
)
def test_every_message_is_accounted_for_exactly_once_and_repeats_end(
    sizes: list[int], entries: list[Any], status: int, paths: list[str]
) -> None:
    names = iter("0123456012345601234560")
    messages = [message(*(next(names) for _ in range(size))) for size in sizes]
    request = request_of(*messages)
    body = {"results": entries, **errors(*paths)}
    decision = judged(request, answer(status, body))

    again = [part.message.id for part in decision.again + decision.halved]
    assert sorted([*decision.outcomes, *again]) == sorted(one.id for one in messages)
    assert again == [one.id for one in messages if one.id in again]
    assert sum(map(len, decision.again)) < len(request)
    assert not decision.halved or (len(decision.halved) > 1 and not decision.outcomes)
    assert "open" not in short(decision, messages)


@given(st.permutations(range(6)), st.lists(st.sampled_from(CODES), min_size=6, max_size=6))
def test_the_order_of_the_results_does_not_matter_where_ids_are_unique(
    order: list[int], codes: list[str]
) -> None:
    messages = numbered(6)
    request = request_of(*messages)
    in_order = results(*codes)["results"]

    assert short(judged(request, answer(200, {"results": [in_order[n] for n in order]})), messages) == short(
        judged(request, answer(200, {"results": in_order})), messages
    )


# Before anything is sent


def account(**more: Any) -> Account:
    fields: dict[str, Any] = {
        "instance_push_id": InstancePushId("account"),
        "subdomain": Subdomain("acme"),
        "state": AccountState.ACTIVE,
        "revision": 1,
        "token_version": "v2",
    }
    return Account(**(fields | more))


@pytest.mark.parametrize(
    ("record", "subdomain_paused_until", "reason"),
    [
        (None, 0, ErrorCode.UNKNOWN_ACCOUNT),
        (account(state=AccountState.INACTIVE), 0, ErrorCode.INACTIVE_ACCOUNT),
        (account(state=AccountState.DELETED), 0, ErrorCode.INACTIVE_ACCOUNT),
        (account(refused_version="v2"), 0, ErrorCode.UNAUTHORIZED),
        (account(paused_by_operator_at=NOW - 5), 0, ErrorCode.PAUSED),
        (account(paused_by_operator_at=0.0, paused_until=NOW + 1), NOW + 1, ErrorCode.PAUSED),
        (account(refused_version="v1"), 0, None),
        (account(paused_until=NOW + 1, pause_reason="wrong_address"), 0, ErrorCode.WRONG_ADDRESS),
        (account(paused_until=NOW + 1, pause_reason="of another version"), 0, ErrorCode.UNAVAILABLE),
        (account(paused_until=NOW + 1), NOW + 1, ErrorCode.UNAVAILABLE),
        (account(paused_until=NOW, pause_reason="wrong_address"), NOW, None),
        (account(), NOW + 1, ErrorCode.THROTTLED),
        (account(), 0, None),
    ],
)
def test_nothing_is_sent(
    record: Account | None, subdomain_paused_until: float, reason: ErrorCode | None
) -> None:
    retry = before_sending(record, subdomain_paused_until, NOW)

    assert (retry.reason if retry else None) == reason


# The documents


@pytest.mark.parametrize("code", ErrorCode)
def test_every_error_code_is_in_the_message_contract(code: ErrorCode) -> None:
    contract = Path(__file__).parents[3] / "docs" / "message.md"

    assert f"`{code}`" in contract.read_text("utf-8")
