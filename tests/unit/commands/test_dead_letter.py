"""Reading one dead letter, and choosing among them. Nobody promises that what lies there is ours."""

import json
from typing import Any

import pytest

from zendesk_push.dead_letters.dead_letter import (
    MOVED_BY_SQS,
    ReceivedDeadLetter,
    Selection,
    received_dead_letter,
)
from zendesk_push.dead_letters.reading import hold_seconds

BODY = '{"instance_push_id": "acc-1", "external_resources": [{"n": 1e400}], "big": ' + "9" * 5000 + "}"


def received(body: str = BODY, **attributes: str) -> dict[str, Any]:
    return {
        "MessageId": "id-1",
        "ReceiptHandle": "handle",
        "Body": body,
        "Attributes": {"SentTimestamp": "1700000000500", "MessageGroupId": "acc-1"},
        "MessageAttributes": {
            name: {"DataType": "String", "StringValue": value} for name, value in attributes.items()
        },
    }


def test_what_the_function_dead_lettered_says_why() -> None:
    context = json.dumps({"v": 1, "account": "acc-2", "subdomain": "acme", "message_id": "source"})
    letter = received_dead_letter(
        received(ErrorCode="zendesk_400", ErrorMessage="no", RequestID="r", Context=context)
    )
    assert (letter.reason, letter.explanation, letter.request_id) == ("zendesk_400", "no", "r")
    assert (letter.account, letter.subdomain, letter.source_message_id) == ("acc-2", "acme", "source")
    assert letter.dead_since == 1_700_000_000.5
    assert letter.group_id == "acc-1"


def test_what_sqs_moved_has_no_reason_and_its_own_id() -> None:
    letter = received_dead_letter(received())
    assert (letter.reason, letter.account, letter.source_message_id) == (MOVED_BY_SQS, "acc-1", "id-1")


@pytest.mark.parametrize(
    "body", ["", "nonsense", "[" * 100_000, '"text"', "[]", '{"instance_push_id": 7}', '{"a": NaN}']
)
def test_a_hostile_body_has_no_account(body: str) -> None:
    assert received_dead_letter(received(body)).account is None


@pytest.mark.parametrize(
    "context",
    ["nonsense", "[]", "7", '{"v": 1, "message_id": 7, "account": 7, "subdomain": {}}', "[" * 100_000],
)
def test_a_hostile_context_is_as_none(context: str) -> None:
    letter = received_dead_letter(
        received(ErrorCode="throttled", ErrorMessage="m", RequestID="r", Context=context)
    )
    assert (letter.account, letter.subdomain) == ("acc-1", None)


def test_a_senders_own_attributes_of_these_names_are_no_reason() -> None:
    letter = received_dead_letter(received(ErrorCode="E42", ErrorMessage="ours", RequestID="r", Context="{}"))
    assert (letter.reason, letter.explanation, letter.request_id) == (MOVED_BY_SQS, None, None)


def letter(**values: Any) -> ReceivedDeadLetter:
    defaults: dict[str, Any] = {
        "message_id": "m",
        "receipt_handle": "h",
        "body": "",
        "attributes": {},
        "group_id": None,
        "dead_since": 1000.0,
        "reason": "throttled",
        "account": "a",
        "subdomain": "acme",
        "source_message_id": "s",
    }
    return ReceivedDeadLetter(**(defaults | values))


@pytest.mark.parametrize(
    ("selection", "taken"),
    [
        (Selection(), True),
        (Selection(reasons=frozenset({"throttled", "x"})), True),
        (Selection(reasons=frozenset({"x"})), False),
        (Selection(accounts=frozenset({"a"})), True),
        (Selection(accounts=frozenset({"b"})), False),
        (Selection(subdomains=frozenset({"acme"})), True),
        (Selection(subdomains=frozenset({"b"})), False),
        (Selection(ids=frozenset({"m"})), True),
        (Selection(ids=frozenset({"s"})), True),
        (Selection(ids=frozenset({"h"})), False),
        (Selection(older_than=99), True),
        (Selection(older_than=100), False),
        (Selection(newer_than=101), True),
        (Selection(newer_than=100), False),
        (Selection(reasons=frozenset({"throttled"}), accounts=frozenset({"b"})), False),
    ],
)
def test_a_selection_takes_what_fits_all_of_it(selection: Selection, *, taken: bool) -> None:
    assert selection.takes(letter(), now=1100.0) is taken


@pytest.mark.parametrize(("messages", "seconds"), [(0, 300), (20_000, 1300), (10_000_000, 43_200)])
def test_the_more_there_are_the_longer_they_are_held(messages: int, seconds: int) -> None:
    assert hold_seconds(messages) == seconds
