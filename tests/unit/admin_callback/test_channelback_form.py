"""The form of an agent's answer: what is taken, exactly as it was written, and what is refused."""

from typing import Any
from urllib.parse import urlencode

import pytest
from hypothesis import given
from hypothesis import strategies as st

from admin_callback.http.channelback_form import MAX_MESSAGE, Channelback, parse_channelback
from admin_callback.http.form import FormError
from unit.admin_callback.callback_forms import http_event

VALID = {
    "message": "Thank you!",
    "metadata": '{"v":2}',
    "parent_id": "review-4711",
    "thread_id": "thread-1",
    "recipient_id": "customer-1",
    "request_unique_identifier": "d9f9b1a0",
}


def parse(**changes: str | None) -> Channelback:
    fields = {**VALID, **changes}
    return parse_channelback(
        http_event(urlencode({name: value for name, value in fields.items() if value is not None}))
    )


def refusal(event: dict[str, Any]) -> tuple[int, str, str]:
    with pytest.raises(FormError) as caught:
        parse_channelback(event)
    return caught.value.status, caught.value.problem, caught.value.field


def changed(**changes: str) -> dict[str, Any]:
    return http_event(urlencode({**VALID, **changes}))


def test_all_of_it() -> None:
    channelback = parse()
    assert {name: getattr(channelback, name) for name in VALID} == VALID


@pytest.mark.parametrize("name", ["parent_id", "thread_id", "recipient_id", "request_unique_identifier"])
@pytest.mark.parametrize("nothing", [None, "", "null"])
def test_what_zendesk_does_not_send_is_none(name: str, nothing: str | None) -> None:
    assert getattr(parse(**{name: nothing}), name) is None


@pytest.mark.parametrize(
    "message",
    [
        "null",
        " ",
        "one\r\ntwo\n\tthree ",
        "\x00\x01\x7f\x85\ufffe\uffff",
        "👩‍👩‍👧‍👦 é é 日本語 + % & = \U0010ffff",
        "a" * MAX_MESSAGE,
        "😀" * MAX_MESSAGE,
    ],
    ids=["null", "blank", "lines", "control", "emoji", "longest", "longest-emoji"],
)
def test_the_message_is_what_the_agent_wrote(message: str) -> None:
    assert parse(message=message).message == message


@given(st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=200))
def test_any_text_comes_through(message: str) -> None:
    assert parse(message=message).message == message


@pytest.mark.parametrize("surrogate", ["%ED%A0%BD", "%ED%B8%80", "%ED%A0%BD%ED%B8%80", "%FF", "%C3"])
@pytest.mark.parametrize("field", ["message", "parent_id", "metadata", "other"])
def test_halves_of_a_pair_and_other_bytes_that_are_no_text_are_refused(field: str, surrogate: str) -> None:
    event = http_event(f"{urlencode({k: v for k, v in VALID.items() if k != field})}&{field}=x{surrogate}")
    assert refusal(event) == (400, "not_readable", "")


def test_a_lone_surrogate_in_a_body_that_is_not_base64_is_refused() -> None:
    event = {**http_event("message=x", base64_encoded=False), "body": "message=\ud800"}
    assert refusal(event) == (400, "not_readable", "")


def test_without_a_message_there_is_nothing_to_pass_on() -> None:
    without = urlencode({k: v for k, v in VALID.items() if k != "message"})
    assert refusal(http_event(without)) == (400, "missing_field", "message")
    assert refusal(changed(message="")) == (400, "missing_field", "message")


@pytest.mark.parametrize(
    ("name", "limit"),
    [
        ("message", 65_535),
        ("metadata", 5_000),
        ("parent_id", 511),
        ("thread_id", 511),
        ("recipient_id", 255),
        ("request_unique_identifier", 255),
    ],
)
def test_the_longest_that_zendesk_documents_and_no_longer(name: str, limit: int) -> None:
    for character in ("a", "é", "😀"):
        assert getattr(parse(**{name: character * limit}), name) == character * limit
        assert refusal(changed(**{name: character * (limit + 1)})) == (400, "invalid_field", name)


@pytest.mark.parametrize("name", [name for name in VALID if name != "message"])
@pytest.mark.parametrize("character", ["\x00", "\n", "\x7f", "\x85"])
def test_control_characters_outside_the_message_are_refused(name: str, character: str) -> None:
    assert refusal(changed(**{name: f"a{character}b"})) == (400, "invalid_field", name)


@pytest.mark.parametrize("name", VALID)
def test_a_field_that_is_there_twice_is_refused(name: str) -> None:
    event = http_event(f"{urlencode(VALID)}&{name}=other")
    assert refusal(event) == (400, "repeated_field", name)


def test_fields_that_nobody_knows_are_ignored() -> None:
    body = f"{urlencode(VALID)}&file_urls[]=https%3A%2F%2Fx%2F1&file_urls[]=https%3A%2F%2Fx%2F2&new=%00"
    assert parse_channelback(http_event(body)).message == VALID["message"]


@pytest.mark.parametrize("content_type", [None, "application/json", "multipart/form-data; boundary=x"])
def test_what_is_no_form_is_refused(content_type: str | None) -> None:
    assert refusal(http_event(urlencode(VALID), content_type)) == (415, "not_a_form", "")


@pytest.mark.parametrize("base64_encoded", [True, False])
def test_what_is_larger_than_a_form_may_be_is_refused(base64_encoded: bool) -> None:
    for padding in ("x" * 300_000, "x" * 10_000_000):
        event = http_event(f"{urlencode(VALID)}&p={padding}", base64_encoded=base64_encoded)
        assert refusal(event) == (413, "too_large", "")


def test_a_form_of_ever_so_many_fields_is_not_read() -> None:
    some = "".join(f"&x{number}=" for number in range(900))
    assert parse_channelback(http_event(urlencode(VALID) + some)).message == VALID["message"]
    assert refusal(http_event(urlencode(VALID) + "&" * 100_000)) == (400, "not_readable", "")
    assert refusal(http_event(urlencode(VALID) + "&x=" * 25_000)) == (400, "not_readable", "")


def test_nothing_that_was_written_is_in_an_error_or_a_repr() -> None:
    secret = "canary-4711"
    assert secret not in repr(parse(message=secret, metadata=secret))
    with pytest.raises(FormError) as caught:
        parse_channelback(changed(message=secret, parent_id=f"{secret}\n"))
    assert secret not in str(caught.value)
