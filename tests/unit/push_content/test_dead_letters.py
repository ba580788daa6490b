"""A dead letter: the message unchanged, the reason beside it, and a way back."""

import json
import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from push_content.messages.sqs_record import Attributes, SqsRecord
from push_content.outcomes.dead_letters import (
    OWN_NAMES,
    DeadLetter,
    dead_letter,
    read_context,
    readable,
    restore_attributes,
)
from push_content.outcomes.outcome import ErrorCode, Rejected, Result
from push_content.outcomes.sqs_limits import MAX_ATTRIBUTES, MAX_BYTES, attributes_size
from zendesk_channel.contract import Subdomain

SUBDOMAIN = Subdomain("acme")
REJECTED = Rejected(
    ErrorCode.ZENDESK_400, "The property '#/external_resources/0' is wrong", 400, {0: Result("halted", "why")}
)


def text_attribute(value: str, data_type: str = "String") -> dict[str, Any]:
    return {"DataType": data_type, "StringValue": value}


def letter_of(record: SqsRecord, rejected: Rejected = REJECTED, request_id: str = "r-1") -> DeadLetter:
    return dead_letter(
        record,
        rejected,
        account_id="account-1",
        subdomain=SUBDOMAIN,
        request_id=request_id,
        failed_at=1_800_000_100.5,
    )


def record(body: str = "{}", attributes: Attributes | None = None, **more: Any) -> SqsRecord:
    return SqsRecord(
        "m-1", "handle", body, attributes or {}, sent_at=1_800_000_000.25, receive_count=3, **more
    )


def test_the_message_is_unchanged_and_the_reason_beside_it() -> None:
    originals = {
        "Text": text_attribute("original"),
        "Number": text_attribute("1.50", "Number.price"),
        "Blob": {"DataType": "Binary.png", "BinaryValue": b"\x00\xff"},
    }
    letter = letter_of(record('{"a": 1e400}', originals, group_id="tenant"))

    assert (letter.id, letter.body, letter.group_id) == ("m-1", '{"a": 1e400}', "tenant")
    assert {name: letter.attributes[name] for name in originals} == originals
    assert [letter.attributes[name]["DataType"] for name in OWN_NAMES] == ["String"] * 4
    assert letter.attributes["ErrorCode"]["StringValue"] == "zendesk_400"
    assert letter.attributes["ErrorMessage"]["StringValue"] == REJECTED.text
    assert letter.attributes["RequestID"]["StringValue"] == "r-1"
    assert json.loads(letter.attributes["Context"]["StringValue"]) == {
        "v": 1,
        "status": 400,
        "subdomain": "acme",
        "account": "account-1",
        "message_id": "m-1",
        "sent_at": "2027-01-15T08:00:00.250+00:00",
        "failed_at": "2027-01-15T08:01:40.500+00:00",
        "receive_count": 3,
        "results": [{"index": 0, "code": "halted", "description": "why"}],
    }


def test_what_is_not_a_message_has_neither_account_nor_status() -> None:
    letter = dead_letter(
        record("not JSON"),
        Rejected(ErrorCode.INVALID_MESSAGE, "message is not JSON"),
        account_id=None,
        subdomain=None,
        request_id="lambda",
        failed_at=0,
    )
    context = read_context(letter.attributes)

    assert context is not None
    assert (context["account"], context["subdomain"], context["status"]) == (None, None, None)


@pytest.mark.parametrize("count", [0, 6])
def test_six_attributes_have_room_beside_ours(count: int) -> None:
    originals = {f"Name{number}": text_attribute("x") for number in range(count)}
    letter = letter_of(record(attributes=originals))

    assert len(letter.attributes) == count + 4
    assert "attributes" not in (read_context(letter.attributes) or {})
    assert restore_attributes(letter.attributes) == originals


@pytest.mark.parametrize("count", [7, 10])
def test_more_than_six_are_packed_whole_and_come_back(count: int) -> None:
    originals: dict[str, Any] = {
        f"Name{number}": text_attribute(f"value {number}") for number in range(count - 1)
    }
    originals["Blob"] = {"DataType": "Binary", "BinaryValue": bytes(range(256))}
    letter = letter_of(record(attributes=originals))

    assert set(letter.attributes) == set(OWN_NAMES)
    assert restore_attributes(letter.attributes) == originals


def test_attributes_that_have_our_names_are_packed_if_they_are_not_ours() -> None:
    originals = {
        "ErrorCode": text_attribute("E17"),
        "Context": text_attribute('{"v": 1}'),
        "Other": text_attribute("x"),
    }
    letter = letter_of(record(attributes=originals))

    assert letter.attributes["ErrorCode"]["StringValue"] == "zendesk_400"
    assert restore_attributes(letter.attributes) == originals


def test_ours_from_an_earlier_death_are_replaced_by_the_new_ones() -> None:
    """Somebody redrove the dead letter in the console, which keeps its attributes."""
    originals = {f"Name{number}": text_attribute("x") for number in range(8)}
    first = letter_of(record(attributes=originals))
    second = letter_of(
        record(attributes=first.attributes), Rejected(ErrorCode.PROCESSING_ERROR, "later"), "r-2"
    )

    assert second.attributes["ErrorCode"]["StringValue"] == "processing_error"
    assert second.attributes["RequestID"]["StringValue"] == "r-2"
    assert restore_attributes(second.attributes) == originals


@pytest.mark.parametrize(
    "context",
    ["", "[]", "{", '{"v": 2, "message_id": "m"}', '{"v": 1}', "[" * 100_000, "null"],
)
def test_what_only_looks_like_ours_is_left_alone(context: str) -> None:
    attributes = {name: text_attribute("zendesk_400") for name in OWN_NAMES} | {
        "Context": text_attribute(context)
    }

    assert restore_attributes(attributes) == attributes


def test_awss_own_dead_letter_attributes_are_left_alone() -> None:
    attributes = {
        "ErrorCode": text_attribute("200"),
        "ErrorMessage": text_attribute("text"),
        "RequestID": text_attribute("id"),
    }

    assert restore_attributes(attributes) == attributes
    assert restore_attributes({}) == {}


@pytest.mark.parametrize("packed", [5, {"A": None}, {"A": {"binary": "no base64!"}}, {"A": {"type": 5}}])
def test_packed_attributes_that_make_no_sense_do_not_fail(packed: Any) -> None:
    letter = letter_of(record())
    context = read_context(letter.attributes) or {}
    attributes = {
        **letter.attributes,
        "Context": text_attribute(json.dumps(context | {"attributes": packed})),
    }

    restore_attributes(attributes)


def test_results_are_cut_first() -> None:
    rejected = Rejected(
        ErrorCode.PROCESSING_ERROR, "t" * 4000, 200, {n: Result("halted", "d" * 200) for n in range(256)}
    )
    body = "x" * (MAX_BYTES - 6000)
    letter = letter_of(record(body), rejected)
    context = read_context(letter.attributes) or {}

    assert letter.body == body
    assert letter.attributes["ErrorMessage"]["StringValue"] == "t" * 4000
    assert (context["results"], context["results_cut"]) == ([], True)
    assert letter.size() <= MAX_BYTES


def test_then_the_text() -> None:
    letter = letter_of(record("x" * (MAX_BYTES - 1000)), Rejected(ErrorCode.ZENDESK_400, "é" * 4000, 400))
    text = letter.attributes["ErrorMessage"]["StringValue"]

    assert letter.size() <= MAX_BYTES
    assert text.endswith("é…")
    assert len(text) > 100


def test_originals_that_grow_when_packed_are_packed_as_few_as_possible() -> None:
    originals: dict[str, Any] = {
        f"Blob{number}": {"DataType": "Binary", "BinaryValue": bytes(140_000)} for number in range(7)
    }
    letter = letter_of(record("{}", originals))

    assert letter.size() <= MAX_BYTES
    assert len(letter.attributes) == MAX_ATTRIBUTES
    assert restore_attributes(letter.attributes) == originals


def test_a_body_that_leaves_no_room_for_a_reason_goes_without_one_rather_than_cut() -> None:
    letter = letter_of(record("x" * (MAX_BYTES - 50)))

    assert letter.body == "x" * (MAX_BYTES - 50)
    assert (letter.attributes, letter.refusal()) == ({}, None)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", "-"),
        ("\x00\n", "-"),
        ("one\r\n\ttwo\x7f\x85three", "one two three"),
        ("\ud800x\ufffe\uffff", "x"),
        ("plain ü 😀", "plain ü 😀"),
    ],
)
def test_values_are_one_line_of_characters_that_sqs_takes(text: str, expected: str) -> None:
    assert readable(text) == expected


@given(st.text(st.characters(), max_size=50), st.integers(3, 30))
def test_readable_fits(text: str, limit: int) -> None:
    value = readable(text, limit)

    assert 0 < len(value.encode()) <= limit
    assert not re.search("[\x00-\x1f\x7f-\x9f]", value)


NAMES = st.text("abcXYZ_-", min_size=1, max_size=8) | st.sampled_from(OWN_NAMES)
SQS_TEXT = st.text(
    st.characters(
        exclude_categories=["Cs"],
        exclude_characters=[chr(n) for n in range(32) if n not in (9, 10, 13)] + ["\ufffe", "\uffff"],
    ),
    min_size=1,
    max_size=30,
)
ATTRIBUTES = st.dictionaries(
    NAMES,
    st.builds(text_attribute, SQS_TEXT, st.sampled_from(["String", "String.x", "Number"]))
    | st.builds(lambda data: {"DataType": "Binary", "BinaryValue": data}, st.binary(min_size=1, max_size=40)),
    max_size=10,
)


@given(
    originals=ATTRIBUTES,
    text=st.text(st.characters(), max_size=100),
    request_id=st.text(st.characters(), min_size=1, max_size=64),
    descriptions=st.lists(st.text(st.characters(), max_size=20), max_size=5),
    body=st.text(st.characters(), max_size=50),
)
def test_any_dead_letter_is_one_that_sqs_takes_and_can_be_undone(
    originals: dict[str, Any], text: str, request_id: str, descriptions: list[str], body: str
) -> None:
    results = {number: Result("code", each) for number, each in enumerate(descriptions)}
    rejected = Rejected(ErrorCode.ZENDESK_422, text, 422, results)
    letter = letter_of(record(body, originals), rejected, request_id)

    assert letter.refusal() is None
    assert set(OWN_NAMES) <= set(letter.attributes)
    assert all(not re.search("[\x00-\x1f]", letter.attributes[name]["StringValue"]) for name in OWN_NAMES)
    assert restore_attributes(letter.attributes) == originals
    again = letter_of(record(body, letter.attributes), rejected, request_id)
    assert again.attributes == letter.attributes


def test_size_counts_names_types_and_values() -> None:
    assert attributes_size(
        {"Näme": text_attribute("ü"), "B": {"DataType": "Binary", "BinaryValue": b"123"}}
    ) == ((5 + 6 + 2) + (1 + 6 + 3))


def test_a_group_id_that_a_standard_queue_does_not_take_is_left_out() -> None:
    groups = [
        letter_of(record(group_id=group)).group_id for group in ("with space", "x" * 129, "tenant-1", None)
    ]

    assert groups == [None, None, "tenant-1", None]


@pytest.mark.parametrize(
    "value",
    [
        {"DataType": "String", "StringValue": '"' * 700_000},
        {"DataType": "Binary", "BinaryValue": bytes(range(256)) * 3_900},
    ],
)
def test_what_cannot_be_packed_goes_whole_without_a_reason_rather_than_not_at_all(
    value: dict[str, Any],
) -> None:
    originals = {"Context": value}
    letter = letter_of(record("{}", originals))

    assert letter.refusal() is None
    assert (letter.body, letter.attributes) == ("{}", originals)
