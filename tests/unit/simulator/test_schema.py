"""The validator's words, to the letter: a client finds indices in them."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from unit.simulator.worlds import resource
from zendesk_push.simulator.schema import is_rfc3339, push_errors, validate_token_errors
from zendesk_push.simulator.strict_json import HugeInteger

FILES = "file:///bundle/gems/any_channel_json_schemas-0.15.0/json_schemas"
RESOURCE = f"in schema {FILES}/external_resource.json#"
BODY = f"in schema {FILES}/push_parameters.json#"
ONE_OF = "one or more of the following types"


def body(*resources: Any, **more: Any) -> dict[str, Any]:
    return {"instance_push_id": "a", "external_resources": list(resources), **more}


def without(key: str) -> dict[str, Any]:
    return {name: value for name, value in resource("1").items() if name != key}


@pytest.mark.parametrize(
    ("bad", "complaint"),
    [
        (
            without("external_id"),
            "#/external_resources/1' did not contain a required property of 'external_id'",
        ),
        (
            without("created_at"),
            "#/external_resources/1' did not contain a required property of 'created_at'",
        ),
        (resource(""), "#/external_resources/1/external_id' was not of a minimum string length of 1"),
        (
            resource("x" * 256),
            "#/external_resources/1/external_id' was not of a maximum string length of 255",
        ),
        (
            resource(" x"),
            "#/external_resources/1/external_id' must not include leading or trailing whitespace",
        ),
        (
            resource("1", message="x" * 65_536),
            "#/external_resources/1/message' was not of a maximum string length of 65535",
        ),
        (
            resource("1", author={"external_id": "a", "name": 7}),
            "#/external_resources/1/author/name' of type integer did not match the following type: string",
        ),
        (
            resource("1", author={"name": "Ann"}),
            "#/external_resources/1/author' did not contain a required property of 'external_id'",
        ),
        (
            resource("1", created_at="yesterday"),
            "#/external_resources/1/created_at' must be a valid RFC3339 date/time string",
        ),
        (resource("1", file_urls=["http://a"]), "#/external_resources/1/file_urls/0' must be an https url"),
        (
            resource("1", fields=[{"id": 1, "value": 1}] * 65),
            "#/external_resources/1/fields' had more items than the allowed 64",
        ),
        (
            resource("1", fields=[{"id": None, "value": 1}]),
            f"#/external_resources/1/fields/0/id' of type null did not match {ONE_OF}: integer, string",
        ),
        (
            resource("1", display_info=[{"type": "a", "data": "text"}]),
            "#/external_resources/1/display_info/0/data' of type string did not match the following type: object",
        ),
        (
            resource("1", internal_note="yes"),
            "#/external_resources/1/internal_note' of type string did not match the following type: boolean",
        ),
        ("text", "#/external_resources/1' of type string did not match the following type: object"),
        (None, "#/external_resources/1' of type null did not match the following type: object"),
        ([], "#/external_resources/1' of type array did not match the following type: object"),
        (Decimal("1.5"), "#/external_resources/1' of type number did not match the following type: object"),
        (True, "#/external_resources/1' of type boolean did not match the following type: object"),
    ],
)
def test_names_the_resource_and_the_fault(bad: Any, complaint: str) -> None:
    assert push_errors(body(resource("0"), bad, resource("2"))) == [f"The property '{complaint} {RESOURCE}"]


@pytest.mark.parametrize(
    ("bad", "complaint"),
    [
        ({"external_resources": []}, "#/' did not contain a required property of 'instance_push_id'"),
        ({"instance_push_id": "a"}, "#/' did not contain a required property of 'external_resources'"),
        (body(request_id=""), "#/request_id' was not of a minimum string length of 1"),
        (body(request_id="x" * 65), "#/request_id' was not of a maximum string length of 64"),
        (
            body(instance_push_id=1, request_id="1"),
            "#/instance_push_id' of type integer did not match the following",
        ),
        (
            body(*map(resource, map(str, range(257)))),
            "#/external_resources' had more items than the allowed 256",
        ),
        ([], "#/' of type array did not match the following type: object"),
        (None, "#/' of type null did not match the following type: object"),
    ],
)
def test_names_no_resource_when_the_body_is_at_fault(bad: Any, complaint: str) -> None:
    [error] = push_errors(bad)
    assert error.startswith(f"The property '{complaint}")
    assert error.endswith(BODY)


def test_collects_every_error_of_every_resource() -> None:
    bad = resource("", created_at="?", author={})
    errors = push_errors(body(bad, resource("1"), bad, request_id=""))
    assert [error.split("'")[1] for error in errors] == [
        "#/request_id",
        "#/external_resources/0/external_id",
        "#/external_resources/0/created_at",
        "#/external_resources/0/author",
        "#/external_resources/2/external_id",
        "#/external_resources/2/created_at",
        "#/external_resources/2/author",
    ]


def test_takes_what_the_schema_takes() -> None:
    full = resource(
        "é" * 255,
        html_message="<p>x</p>",
        parent_id="p",
        thread_id="t",
        internal_note=True,
        allow_channelback=False,
        display_info=[{"type": "a", "data": {"any": [1]}}],
        fields=[{"id": HugeInteger("9" * 5000), "value": None}, {"id": "x", "value": {}}],
        file_urls=["https://example.com/a"],
        unknown={"key": 1},
    )
    assert push_errors(body(full, request_id="x" * 64, unknown=1)) == []
    assert push_errors(body(*[resource("1")] * 256)) == []
    assert validate_token_errors({"instance_push_id": "a"}) == []


@pytest.mark.parametrize(
    "text",
    [
        "2025-02-28T23:59:59Z",
        "2025-02-28t23:59:59.123456789+05:30",
        " 2025-02-28 23:59:60-00:00 ",
        "2024-02-29T00:00:00z",
    ],
)
def test_rfc3339_as_ruby_reads_it(text: str) -> None:
    assert is_rfc3339(text)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "2025-02-29T00:00:00Z",
        "2025-02-28",
        "2025-02-28T00:00:00",
        "2025-02-28T24:00:01Z",
        "2025-02-28T00:00:61Z",
        "٢٠٢٥-02-28T00:00:00Z",
        "2025-02-28T00:00:00+24:00",
    ],
)
def test_not_rfc3339(text: str) -> None:
    assert not is_rfc3339(text)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.decimals(allow_nan=False) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)


@given(bad=JSON, at=st.integers(0, 4))
def test_only_the_bad_resource_is_named(bad: Any, at: int) -> None:
    resources = [resource(str(index)) for index in range(5)]
    resources[at] = bad
    errors = push_errors(body(*resources))
    assert errors
    assert all(error.startswith(f"The property '#/external_resources/{at}'") for error in errors)
