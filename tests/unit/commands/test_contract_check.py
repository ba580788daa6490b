"""What ``send --check`` says of a resource."""

from typing import Any

import pytest

from zendesk_push.contract_check.external_resource import check_resource

GOOD: dict[str, Any] = {
    "external_id": "e-1",
    "message": "Hello",
    "author": {"external_id": "a-1", "name": "Ann", "locale": "en-US", "fields": [{"id": 7, "value": None}]},
    "created_at": "2026-01-31T12:00:00.5+01:00",
    "html_message": "<p>Hello</p>",
    "parent_id": "p-1",
    "internal_note": False,
    "allow_channelback": True,
    "display_info": [{"type": "x", "data": {}}],
    "fields": [{"id": "subject", "value": [1]}],
    "file_urls": ["https://example.com/a"],
    "something_new": 1,
}


def said(resource: Any) -> list[str]:
    return [f"{'warning: ' if finding.warning else ''}{finding}" for finding in check_resource(resource)]


def test_a_good_resource_passes() -> None:
    assert said(GOOD) == []


def test_the_smallest_good_resource_passes() -> None:
    assert (
        said(
            {name: GOOD[name] for name in ("external_id", "message", "created_at")}
            | {"author": {"external_id": "a"}}
        )
        == []
    )


@pytest.mark.parametrize("resource", ["text", 1, None, [], True])
def test_what_is_no_object(resource: Any) -> None:
    assert said(resource) == ["must be of type object"]


def test_every_missing_key_is_named() -> None:
    assert said({}) == [
        "author is missing",
        "created_at is missing",
        "external_id is missing",
        "message is missing",
    ]


@pytest.mark.parametrize(
    ("changed", "expected"),
    [
        ({"external_id": ""}, "external_id must not be empty"),
        ({"external_id": "x" * 256}, "external_id must have at most 255 characters"),
        ({"external_id": " x"}, "external_id must not begin or end with white space"),
        ({"external_id": 7}, "external_id must be of type string"),
        ({"external_id": "é"}, "warning: external_id should be ASCII, according to Zendesk's documentation"),
        ({"message": ""}, "message must not be empty"),
        ({"message": "x" * 65_536}, "message must have at most 65,535 characters"),
        ({"html_message": None}, "html_message must be of type string"),
        ({"author": []}, "author must be of type object"),
        ({"author": {}}, "author.external_id is missing"),
        ({"author": {"external_id": "a", "name": 3}}, "author.name must be of type string"),
        (
            {"author": {"external_id": "a", "image_url": "x" * 512}},
            "author.image_url must have at most 511 characters",
        ),
        (
            {"author": {"external_id": "a", "image_url": "x" * 256}},
            "warning: author.image_url should have at most 255 characters, according to Zendesk's documentation",
        ),
        (
            {"created_at": "2026-02-31T00:00:00Z"},
            "created_at must be an RFC 3339 date-time such as 2026-01-31T12:00:00Z",
        ),
        (
            {"created_at": "2026-01-31"},
            "created_at must be an RFC 3339 date-time such as 2026-01-31T12:00:00Z",
        ),
        (
            {"created_at": "2026-01-31T24:00:00Z"},
            "created_at must be an RFC 3339 date-time such as 2026-01-31T12:00:00Z",
        ),
        (
            {"thread_id": "t"},
            "warning: parent_id and thread_id should not both be there, according to Zendesk's documentation",
        ),
        ({"parent_id": "p" * 256}, "parent_id must have at most 255 characters"),
        ({"internal_note": "yes"}, "internal_note must be of type boolean"),
        ({"display_info": [{"type": "x", "data": {}}] * 17}, "display_info must have at most 16 entries"),
        (
            {"display_info": [{"type": "x", "data": "y"}]},
            "warning: display_info[0].data is a string, as in Zendesk's documentation; its published schema wants an object",  # noqa: E501
        ),
        ({"display_info": [{"type": "x"}]}, "display_info[0].data is missing"),
        ({"fields": [{"id": 1}]}, "fields[0].value is missing"),
        ({"parent_id": "p "}, "parent_id must not begin or end with white space"),
        (
            {"fields": [{"id": 1.5, "value": 1}]},
            "fields[0].id must be a string of 1 to 255 characters or an integer",
        ),
        ({"fields": [{"id": 1, "value": 1}] * 65}, "fields must have at most 64 entries"),
        ({"file_urls": ["https://a/b", "http://a/b"]}, "file_urls[1] must be an https URL"),
        (
            {"file_urls": ["https://a/b"] * 11},
            "warning: file_urls should have at most 10 entries, according to Zendesk's documentation",
        ),
        ({"file_urls": ["https://a/b"] * 65}, "file_urls must have at most 64 entries"),
    ],
)
def test_one_rule_broken_is_one_finding_that_names_it(changed: dict[str, Any], expected: str) -> None:
    assert said(GOOD | changed) == [expected]


def test_findings_never_hold_the_customers_text() -> None:
    secret = "confidential" * 30
    findings = said(
        {"external_id": secret, "message": [secret], "author": {"external_id": secret}, "created_at": secret}
    )
    assert findings
    assert not any("confidential" in finding for finding in findings)
