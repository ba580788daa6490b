"""Reading Zendesk's 400: who is named, and what each may be told."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from push_content.answers.validation_errors import SchemaErrors, excerpt, schema_errors, with_index
from zendesk_channel.client import MAX_RESPONSE_BYTES

TAIL = " in schema file:///bundle/gems/any_channel_json_schemas-0.4.0/json_schemas/external_resource.json#"
MISSING = "The property '#/external_resources/0' did not contain a required property of 'external_id'" + TAIL
NAME = (
    "The property '#/external_resources/2/author/name' of type integer did not match the following type: string"
    + TAIL
)


def read(message: object, resources: int = 256) -> SchemaErrors:
    return schema_errors(json.dumps({"error": {"message": message}}).encode(), resources)


def test_errors_belong_to_the_resources_that_they_name() -> None:
    found = read([MISSING, NAME, MISSING.replace("/0'", "/0/created_at'")])

    assert found.by_resource == {0: [MISSING, MISSING.replace("/0'", "/0/created_at'")], 2: [NAME]}
    assert found.of_body == []


@pytest.mark.parametrize("name", ["request_id", "instance_push_id"])
def test_errors_of_the_body_are_everybodys(name: str) -> None:
    text = f"The property '#/{name}' was not of a maximum string length of 64"

    assert read([text, NAME]).of_body == [text]


@pytest.mark.parametrize(
    "text",
    [
        "The property '#/' did not contain a required property of 'instance_push_id'",
        "The property '#/external_resources' had more items than the allowed 256",
        "The property '#/external_resources/12",
        "The property '#/external_resources/x' is odd",
        "The property '#/external_resources/-1' is odd",
        "The property '#/external_resources/01' is odd",
        "The property '#/external_resources/256' is beyond the request",
        "The property '#/external_resources/99999999999999999999' is odd",
        "The property '#/request_id_of_another_kind' is odd",
        "A sentence that quotes: The property '#/external_resources/0' is odd",
        "",
    ],
)
def test_what_names_no_resource_of_the_request(text: str) -> None:
    found = read([text])

    assert (found.by_resource, found.of_body) == ({}, [])


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"<html>Bad Request</html>",
        b"\xff\xfe",
        b'{"error": 3}',
        b"[1, {}]",
        b'{"error": {"message": {"x": []}}}',
        b"[" * 100_000,
        b"null",
        b'"text"',
    ],
)
def test_what_is_not_zendesks_form_names_nobody(body: bytes) -> None:
    found = schema_errors(body, 256)

    assert (found.by_resource, found.of_body) == ({}, [])


@pytest.mark.parametrize("form", ['{"error": %s}', '{"error": {"message": %s}}', '{"message": %s}', "%s"])
def test_other_places_for_the_errors_are_understood(form: str) -> None:
    assert schema_errors((form % json.dumps([NAME])).encode(), 3).by_resource == {2: [NAME]}


FORMS = pytest.mark.parametrize("form", ["{}", '{{"error": {}}}', '{{"error": {{"message": {}}}}}'])


def unlisted(form: str, text: str) -> SchemaErrors:
    """Text that is not a list of errors: a page, or one string."""
    return schema_errors(form.format(json.dumps(text) if "error" in form else text).encode(), 3)


@FORMS
def test_one_text_about_one_resource_names_it(form: str) -> None:
    text = f"{NAME}\n  more of it\n{NAME}"

    assert unlisted(form, text).by_resource == {2: [text]}


@FORMS
@pytest.mark.parametrize(
    "quoted",
    [
        "{}\nThe property '#/request_id' is bad",
        "{}\nThe property '#/instance_push_id' is bad",
        "{}\nThe property '#/external_resources/0' is bad",
        "{}\u2028The property '#/external_resources/0' is bad",
        "{}\n\n  The property '#/' is bad",
        "The value hello\nThe property '#/external_resources/0' is bad",
        "The property '#/request_id' is bad",
        "The property '#/external_resources/7' is bad\nThe property '#/external_resources/0' is bad",
    ],
)
def test_one_text_that_could_quote_a_sender_names_nobody(form: str, quoted: str) -> None:
    """Whoever writes such a line must not have another's message refused for it."""
    found = unlisted(form, quoted.format(NAME))

    assert (found.by_resource, found.of_body) == ({}, [])


@pytest.mark.parametrize(
    ("body", "text"),
    [
        (
            '{"error": "InvalidValue", "description": "why"}',
            '{"error": "InvalidValue", "description": "why"}',
        ),
        ('{"error": {"title": "No", "message": "why"}}', '{"error": {"title": "No", "message": "why"}}'),
        ('{"error": ["why", {"code": 3}]}', '{"error": ["why", {"code": 3}]}'),
        ("<html>\n  why</html>", "<html>\n  why</html>"),
        ('{"error": {"message": "why"}}', "why"),
        ('{"error": {"message": ["why", "and why"]}}', "why; and why"),
    ],
)
def test_nothing_that_an_answer_says_is_kept_from_a_message_that_was_alone(body: str, text: str) -> None:
    assert schema_errors(body.encode(), 1).text == text


def test_a_quoted_path_in_the_text_of_an_error_blames_nobody() -> None:
    """Zendesk quotes values in some errors. Whoever writes one must not be able to have another's refused."""
    text = "The property '#/external_resources/1/x' value \"\nThe property '#/external_resources/0' is bad\" is odd"

    assert set(read([text]).by_resource) == {1}


def test_an_index_becomes_the_messages_own() -> None:
    assert with_index(NAME, 2, 0) == NAME.replace("resources/2/", "resources/0/")


def test_the_errors_of_alternatives_are_rewritten_and_quoted_text_is_not() -> None:
    error = (
        "The property '#/external_resources/12' of type object did not match any of the required schemas. The schema "
        "specific errors were:\n\n- anyOf #0:\n    - The property '#/external_resources/12/x' is no "
        "'#/external_resources/12'"
    )

    assert with_index(error, 12, 3) == (
        "The property '#/external_resources/3' of type object did not match any of the required schemas. The schema "
        "specific errors were:\n\n- anyOf #0:\n    - The property '#/external_resources/3/x' is no "
        "'#/external_resources/12'"
    )


def test_an_index_is_not_mistaken_for_one_that_begins_like_it() -> None:
    assert with_index(NAME, 0, 7) == NAME
    assert with_index(NAME.replace("/2/", "/25/"), 2, 7) == NAME.replace("/2/", "/25/")


@given(st.lists(st.tuples(st.integers(0, 300), st.text(max_size=20)), max_size=20), st.integers(1, 256))
def test_nothing_is_lost_and_nobody_gets_anothers(errors: list[tuple[int, str]], resources: int) -> None:
    texts = [f"The property '#/external_resources/{index}' {text}".strip() for index, text in errors]
    found = read(texts, resources)

    assert found.by_resource == {
        index: [text for (own, _), text in zip(errors, texts, strict=True) if own == index]
        for index, _ in errors
        if index < resources
    }


@given(st.binary(max_size=300))
def test_no_body_makes_it_fail(body: bytes) -> None:
    assert schema_errors(body, 3).text == excerpt(body) or schema_errors(body, 3).text


@pytest.mark.parametrize(
    "filling", ["\n", "x\n", " \n", " ", "- ", "The property '#/external_resources/0'\n"], ids=repr
)
@pytest.mark.parametrize("form", ["{}", '{{"error": {{"message": [{}]}}}}'], ids=["page", "array"])
def test_a_long_page_is_read_in_time_by_its_length(form: str, filling: str) -> None:
    """By the square of it, a page of short lines took half a minute."""
    page = "The property '#/external_resources/0' is odd:\n" + filling * (MAX_RESPONSE_BYTES // len(filling))
    errors = schema_errors(form.format(json.dumps(page) if "error" in form else page).encode(), 1)

    for error in errors.by_resource[0]:
        with_index(error, 0, 7)
