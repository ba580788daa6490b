"""What a scenario makes of an answer."""

import json
from typing import Any

import pytest

from zendesk_push.sam_local.scenario import ADMIN, PUSH, STEPS, AdminPage, Scenario, Step, StepOutcome

METADATA = json.dumps(
    {
        "v": 2,
        "instance_push_id": "3cd1d2a5-aaf2-41fe-a9f1-519499605854",
        "sealed": "c2VhbGVk",
        "nonce": "0a1b",
        "issued_at": 1769850024.5,
        "mac": "9f8e",
    }
)


def _page(state: str, sealed: str = "c2VhbGVk", origin: str = "http://127.0.0.1:1") -> dict[str, Any]:
    metadata = METADATA.replace("c2VhbGVk", sealed).replace('"', "&#34;")
    body = (
        f'<body data-state="{state}"><form action="{origin}/x"><input type="text" name="name">'
        f'<input type="hidden" name="metadata" value="{metadata}"></form>'
        "<p>0b7e9a52-6d3c-4f1e-8a70-2f6d1c9b4e55</p></body>"
    )
    return {"statusCode": 200, "body": body}


def test_a_page_is_read() -> None:
    page = AdminPage.parse(_page("connected")["body"])
    assert page.state == "connected"
    assert json.loads(page.fields["metadata"]) == json.loads(METADATA)


def test_what_differs_between_runs_is_not_compared() -> None:
    step = Step("admin-ui-new", ADMIN, status=200, state="connected")
    one = StepOutcome(step, _page("connected"), None)
    other = _page("connected", "YW5vdGhlcg==", "http://host.docker.internal:65535")
    for own, others in (
        ("0b7e9a52", "1c8f0b63"),
        ("0a1b", "2c3d"),
        ("1769850024.5", "1769850025.0"),
        ("9f8e", "7d6c"),
    ):
        other["body"] = other["body"].replace(own, others)
    assert one.comparable() == StepOutcome(step, other, None).comparable()


@pytest.mark.parametrize("change", [("connected", "unconfirmed"), ("3cd1d2a5", "4de2e3b6"), ("/x", "/y")])
def test_everything_else_is(change: tuple[str, str]) -> None:
    step = Step("admin-ui-new", ADMIN, status=200)
    other = _page("connected")
    other["body"] = other["body"].replace(*change)
    assert (
        StepOutcome(step, _page("connected"), None).comparable()
        != StepOutcome(step, other, None).comparable()
    )


def _play(answers: dict[str, Any], *, replies: bool = True) -> dict[str, str | None]:
    scenario = Scenario(
        "http://127.0.0.1:1", "http://127.0.0.1:1", clock=lambda: 1_800_000_000, replies=replies
    )
    numbers = iter(range(len(STEPS)))

    def invoke(function: str, event: dict[str, Any]) -> Any:
        step = STEPS[next(numbers)]
        if step.event in answers:
            return answers[step.event]
        if function == PUSH:
            staying = [event["Records"][number]["messageId"] for number in step.staying or ()]
            return {"batchItemFailures": [{"itemIdentifier": message_id} for message_id in staying]}
        return _page(step.state) if step.state else {"statusCode": step.status, "body": "{}"}

    return {outcome.step.event: outcome.problem for outcome in scenario.play(invoke)}


def test_answers_as_they_should_be_are_no_problem() -> None:
    assert set(_play({}).values()) == {None}


def test_without_replies_there_is_no_route_for_agents() -> None:
    problems = _play({}, replies=False)
    assert {event for event, problem in problems.items() if problem} == {"channelback", "channelback-forged"}
    missing = {"statusCode": 404, "body": "{}"}
    assert set(_play({"channelback": missing, "channelback-forged": missing}, replies=False).values()) == {
        None
    }


@pytest.mark.parametrize(
    ("event", "answer", "problem"),
    [
        ("http-healthcheck", {"statusCode": 503, "body": "{}"}, "answered 503, not 200"),
        ("admin-ui-forged", _page("connected"), "the page says connected, not unconfirmed"),
        ("sqs-not-json", {"batchItemFailures": [{"itemIdentifier": "x"}]}, "answered"),
        ("sqs-one-message", None, "answered null"),
    ],
)
def test_others_are(event: str, answer: Any, problem: str) -> None:
    found = _play({event: answer})[event]
    assert found is not None
    assert problem in found
