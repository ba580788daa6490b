"""Every fault: what the client sees of it, and what Zendesk has imported all the same."""

from __future__ import annotations

import json
from typing import Any

import pytest

from unit.simulator.worlds import SimulatorWorld, codes, resource
from zendesk_push.simulator import Fault, FaultError, FaultKind, NoAnswerError, ValidateTokenPolicy
from zendesk_push.simulator.faults import fault_from_json


def imported(world: SimulatorWorld) -> bool:
    return world.zendesk.ticket_of("account-1", "1") is not None


@pytest.mark.parametrize(
    ("fault", "status", "headers", "start"),
    [
        (Fault(FaultKind.THROTTLED), 429, {}, b"Number of allowed"),
        (Fault(FaultKind.THROTTLED, retry_after=30), 429, {"Retry-After": "30"}, b"Number of allowed"),
        (Fault(FaultKind.THROTTLED, retry_after="soon"), 429, {"Retry-After": "soon"}, b"Number of allowed"),
        (Fault(FaultKind.SERVER_ERROR), 500, {}, b"<html>"),
        (Fault(FaultKind.UNAVAILABLE), 503, {}, b"<html>"),
        (Fault(FaultKind.UNAVAILABLE, retry_after=7), 503, {"Retry-After": "7"}, b"<html>"),
        (Fault(FaultKind.UNAUTHORIZED), 401, {}, b'{"error":"invalid_token"'),
        (Fault(FaultKind.FORBIDDEN), 403, {}, b'{"error"'),
        (Fault(FaultKind.NOT_FOUND), 404, {}, b"<html>"),
        (
            Fault(FaultKind.REDIRECT, location="https://x.example/"),
            302,
            {"Location": "https://x.example/"},
            b"<html>",
        ),
        (Fault(FaultKind.REDIRECT, status=307), 307, {}, b"<html>"),
        (Fault(FaultKind.TOO_LARGE), 413, {}, b"<html>"),
        (Fault(FaultKind.BAD_REQUEST), 400, {}, b'{"error":{"title"'),
        (Fault(FaultKind.BAD_REQUEST, body='"no"', content_type="application/json"), 400, {}, b'"no"'),
        (Fault(FaultKind.BAD_REQUEST, body="<html>", content_type="text/html"), 400, {}, b"<html>"),
        (Fault(FaultKind.STATUS, status=418, body="tea"), 418, {}, b"tea"),
        (Fault(FaultKind.HTML), 200, {}, b"<html>"),
    ],
)
def test_answers_instead_of_working(
    world: SimulatorWorld, fault: Fault, status: int, headers: dict[str, str], start: bytes
) -> None:
    world.zendesk.switch_on(fault)
    answer = world.push(resource("1"))
    assert answer.status == status
    assert {name: value for name, value in answer.headers if name in ("Retry-After", "Location")}.items() >= (
        headers.items()
    )
    assert ("Retry-After" in dict(answer.headers)) == ("Retry-After" in headers)
    assert answer.body.startswith(start)
    assert not imported(world)
    world.zendesk.switch_off()
    assert codes(world.push(resource("1"))) == ["success"]


@pytest.mark.parametrize(
    ("fault", "reason", "done"),
    [
        (Fault(FaultKind.DROP_CONNECTION), "dropped", False),
        (Fault(FaultKind.HANG), "hang", False),
        (Fault(FaultKind.HANG, after_import=True), "hang", True),
        (Fault(FaultKind.REPLY_LOST), "reply_lost", True),
    ],
)
def test_gives_no_answer(world: SimulatorWorld, fault: Fault, reason: str, done: bool) -> None:
    world.zendesk.switch_on(fault)
    with pytest.raises(NoAnswerError) as caught:
        world.push(resource("1"))
    assert caught.value.reason == reason
    assert imported(world) == done
    last = world.zendesk.requests[-1]
    assert (last.status, last.outcome, last.codes) == (None, reason, ("success",) if done else ())
    world.zendesk.switch_off()
    assert codes(world.push(resource("1"))) == (["already_imported"] if done else ["success"])


def test_a_hang_after_the_import_keeps_the_answer_for_later(world: SimulatorWorld) -> None:
    world.zendesk.switch_on(Fault(FaultKind.HANG, after_import=True))
    with pytest.raises(NoAnswerError) as caught:
        world.push(resource("1"))
    assert caught.value.answer is not None
    assert codes(caught.value.answer) == ["success"]
    assert ("X-Rate-Limit", "700") in caught.value.answer.headers


@pytest.mark.parametrize(
    ("fault", "expected"),
    [
        (Fault(FaultKind.NO_RESULTS), {}),
        (Fault(FaultKind.FEW_RESULTS), {"results": ["1 success", "2 success"]}),
        (Fault(FaultKind.REORDERED_RESULTS), {"results": ["3 success", "2 success", "1 success"]}),
        (Fault(FaultKind.UNKNOWN_CODE), {"results": ["1 deferred", "2 success", "3 success"]}),
        (
            Fault(FaultKind.UNKNOWN_CODE, code="later", external_id="2"),
            {"results": ["1 success", "2 later", "3 success"]},
        ),
        (Fault(FaultKind.OTHER_SUCCESS), {"results": ["1 success", "2 success", "3 success"]}),
    ],
)
def test_spoils_the_results(world: SimulatorWorld, fault: Fault, expected: dict[str, Any]) -> None:
    world.zendesk.switch_on(fault)
    answer = world.push(resource("1"), resource("2"), resource("3"))
    body = json.loads(answer.body)
    body = {
        key: [f"{each['external_resource_id']} {each['status']['code']}" for each in value]
        for key, value in body.items()
    }
    assert body == expected
    assert answer.status == (201 if fault.kind is FaultKind.OTHER_SUCCESS else 200)
    assert imported(world)


def test_html_after_the_import(world: SimulatorWorld) -> None:
    world.zendesk.switch_on(Fault(FaultKind.HTML, after_import=True))
    answer = world.push(resource("1"))
    assert (answer.status, answer.body[:6], imported(world)) == (200, b"<html>", True)


def test_a_processing_error_halts_what_follows(world: SimulatorWorld) -> None:
    world.zendesk.switch_on(Fault(FaultKind.PROCESSING_ERROR, external_id="2", description="broken"))
    answer = world.push(resource("1"), resource("2"), resource("3"))
    assert codes(answer) == ["success", "processing_error", "halted"]
    assert json.loads(answer.body)["results"][1]["status"]["description"] == "broken"
    assert codes(world.push(resource("3"), resource("1"))) == ["success", "already_imported"]


def test_what_is_imported_already_is_not_processed_again(world: SimulatorWorld) -> None:
    world.push(resource("1"))
    world.zendesk.switch_on(Fault(FaultKind.PROCESSING_ERROR, count=1))
    assert codes(world.push(resource("1"), resource("2"))) == ["already_imported", "processing_error"]


def test_a_processing_error_is_counted_by_resource(world: SimulatorWorld) -> None:
    world.zendesk.switch_on(Fault(FaultKind.PROCESSING_ERROR, count=1))
    assert codes(world.push(resource("1"), resource("2"))) == ["processing_error", "halted"]
    assert codes(world.push(resource("1"), resource("2"))) == ["success", "success"]


@pytest.mark.parametrize(
    ("condition", "struck"),
    [
        ({"instance_push_id": "account-1"}, {"one", "large"}),
        ({"instance_push_id": "account-2"}, {"other"}),
        ({"subdomain": "acme"}, {"one", "large"}),
        ({"subdomain": "globex"}, {"other"}),
        ({"external_id": "b"}, {"large"}),
        ({"min_resources": 2}, {"large"}),
        ({"min_bytes": 1_000}, {"large"}),
        ({"text": "Text of a"}, {"one"}),
        ({"text": "é\n\U0001f600"}, {"large"}),
        ({"endpoint": "validate_token"}, {"validate"}),
        ({"endpoint": "any"}, {"one", "large", "other", "validate"}),
        ({}, {"one", "large", "other"}),
    ],
)
def test_strikes_only_what_its_conditions_name(
    world: SimulatorWorld, condition: dict[str, Any], struck: set[str]
) -> None:
    other = world.zendesk.create_account("globex")
    world.zendesk.switch_on(Fault(FaultKind.SERVER_ERROR, **condition))
    answers = {
        "one": world.push(resource("a")),
        "large": world.push(resource("b"), resource("c", message="é\n\U0001f600" + "x" * 1_000)),
        "other": world.push(resource("d"), account=other),
        "validate": world.validate(world.account.token, "account-1"),
    }
    assert {name for name, answer in answers.items() if answer.status == 500} == struck


def test_ends_after_its_count_and_the_next_takes_over(world: SimulatorWorld) -> None:
    world.zendesk.switch_on(Fault(FaultKind.SERVER_ERROR, count=2))
    second = world.zendesk.switch_on(Fault(FaultKind.THROTTLED))
    assert [world.push(resource("1")).status for _ in range(3)] == [500, 500, 429]
    assert world.zendesk.switch_off(second.id) == 1
    assert world.zendesk.switch_off(second.id) == 0
    assert world.push(resource("1")).status == 200


def test_a_refused_request_does_not_use_up_a_fault_of_the_import(world: SimulatorWorld) -> None:
    world.zendesk.switch_on(Fault(FaultKind.REPLY_LOST, count=1))
    assert world.push(resource("")).status == 400
    with pytest.raises(NoAnswerError):
        world.push(resource("1"))


@pytest.mark.parametrize(
    ("policy", "before", "after"),
    [
        (ValidateTokenPolicy.BEFORE_SAVE, 200, 200),
        (ValidateTokenPolicy.AFTER_SAVE, 401, 200),
        (ValidateTokenPolicy.ERROR, 500, 500),
        (ValidateTokenPolicy.ALWAYS, 200, 200),
    ],
)
def test_validate_token_policies(
    world: SimulatorWorld, policy: ValidateTokenPolicy, before: int, after: int
) -> None:
    world.zendesk.validate_token_policy = policy
    editor = world.zendesk.open_new("acme")
    token, identity = editor.token.value, editor.account.instance_push_id
    assert world.validate(token, identity).status == before
    assert world.push(resource("1"), account=editor.account).status == 403
    world.zendesk.save(editor.id, None, name="New", metadata="")
    answer = world.validate(token, identity)
    assert answer.status == after
    assert answer.status != 200 or answer.body == b"null"
    assert world.push(resource("1"), account=editor.account).status == 200


@pytest.mark.parametrize("status", [400, 403, 413, 500])
def test_content_fails_without_being_named(world: SimulatorWorld, status: int) -> None:
    """As by a firewall in front of Zendesk, or by a crash on certain text."""
    world.zendesk.switch_on(Fault(FaultKind.STATUS, status=status, text="<script>"))
    poison = resource("2", message="An <script> of sorts")
    assert world.push(resource("1"), poison).status == status
    assert not imported(world)
    assert codes(world.push(resource("1"))) == ["success"]


def test_an_answer_comes_late_whatever_it_is(world: SimulatorWorld) -> None:
    world.zendesk.switch_on(Fault(FaultKind.DELAY, subdomain="acme", seconds=2.5))
    with pytest.raises(NoAnswerError) as caught:
        world.push(resource("1"))
    assert (caught.value.reason, caught.value.fault.seconds) == ("delay", 2.5)
    assert caught.value.answer is not None
    assert codes(caught.value.answer) == ["success"]
    assert imported(world)
    world.zendesk.switch_on(Fault(FaultKind.THROTTLED, retry_after=1))
    with pytest.raises(NoAnswerError) as caught:
        world.push(resource("1"))
    assert caught.value.answer is not None
    assert caught.value.answer.status == 429
    assert [each.outcome for each in world.zendesk.requests] == ["delay", "delay"]


def test_a_host_that_says_yes_to_everything(world: SimulatorWorld) -> None:
    world.zendesk.validate_token_policy = ValidateTokenPolicy.ALWAYS
    answer = world.validate("0" * 64, "anybody", host="nowhere")
    assert (answer.status, answer.body) == (200, b"null")


def test_the_end_of_the_minute_is_told_where_it_is_wanted(world: SimulatorWorld) -> None:
    assert "ratelimit-reset" not in dict(world.push(resource("1")).headers)
    world.zendesk.rate_limits.tells_reset = True
    world.now += 12
    assert dict(world.push(resource("2")).headers)["ratelimit-reset"] == "48"
    world.zendesk.rate_limits.leave("acme", 0, world.now)
    refused = world.push(resource("3"))
    assert (refused.status, dict(refused.headers)["ratelimit-reset"]) == (429, "48")


def test_the_hang_policy_ends_with_another_or_with_all_faults(world: SimulatorWorld) -> None:
    for end in (
        lambda: setattr(world.zendesk, "validate_token_policy", ValidateTokenPolicy.BEFORE_SAVE),
        None,
    ):
        world.zendesk.validate_token_policy = ValidateTokenPolicy.HANG
        with pytest.raises(NoAnswerError):
            world.validate(world.account.token, "account-1")
        (end or world.zendesk.switch_off)()
        assert world.zendesk.validate_token_policy is ValidateTokenPolicy.BEFORE_SAVE
        assert world.validate(world.account.token, "account-1").status == 200


def test_whoever_waits_is_woken_once(world: SimulatorWorld) -> None:
    fault = world.zendesk.switch_on(Fault(FaultKind.HANG))
    woken: list[str] = []
    fault.on_release(lambda: woken.append("waited"))
    gone = lambda: woken.append("gone")  # noqa: E731 - it is compared by identity
    fault.on_release(gone)
    fault.forget(gone)
    world.zendesk.switch_off(fault.id)
    fault.on_release(lambda: woken.append("late"))
    assert woken == ["waited", "late"]


@pytest.mark.parametrize(
    "value",
    [
        None,
        [],
        {},
        {"kind": "unheard_of"},
        {"kind": "hang", "unknown": 1},
        {"kind": "hang", "count": "3"},
        {"kind": "hang", "count": True},
        {"kind": "hang", "count": 0},
        {"kind": "hang", "after_import": 1},
        {"kind": "hang", "endpoint": "elsewhere"},
        {"kind": "hang", "hits": 1},
        {"kind": "status"},
        {"kind": "status", "status": 99},
        {"kind": "delay", "seconds": 0},
        {"kind": "hang", "text": ""},
    ],
)
def test_nonsense_is_refused(value: object) -> None:
    with pytest.raises(FaultError):
        fault_from_json(value)


def test_a_fault_can_be_described_in_json() -> None:
    fault = fault_from_json(
        {"kind": "throttled", "subdomain": "acme", "count": 2, "retry_after": 30, "body": None}
    )
    described = fault.as_json()
    assert (described["kind"], described["subdomain"], described["retry_after"]) == ("throttled", "acme", 30)
    assert (described["hits"], described["spent"]) == (0, False)
    json.dumps(described)


def test_a_fault_is_switched_on_once(world: SimulatorWorld) -> None:
    fault = world.zendesk.switch_on(Fault(FaultKind.HANG))
    with pytest.raises(FaultError):
        world.zendesk.switch_on(fault)
