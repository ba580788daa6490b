"""A served manifest against the contract."""

from typing import Any

import pytest

from zendesk_push.commands.doctor.manifest_rules import manifest_problems

ORIGIN = "https://push.example.com"
GOOD: dict[str, Any] = {
    "name": "Push",
    "id": "urn:push",
    "push_client_id": "zdg-push",
    "version": "1",
    "author": "Someone",
    "channelback_files": False,
    "urls": {"admin_ui": f"{ORIGIN}/admin_ui", "event_callback_url": f"{ORIGIN}/event_callback"},
    "unknown": 1,
}


def test_a_good_one() -> None:
    assert manifest_problems(GOOD, ORIGIN) == []


def test_a_simulated_one_on_this_machine_may_be_plain_http() -> None:
    local = "http://127.0.0.1:8080"
    urls = {name: url.replace(ORIGIN, local) for name, url in GOOD["urls"].items()}
    assert manifest_problems(GOOD | {"urls": urls}, local) == []


@pytest.mark.parametrize(
    ("changed", "expected"),
    [
        ({"name": ""}, "name must be a string of 1 to 255 characters"),
        ({"name": None}, "name is missing"),
        ({"id": "x" * 512}, "id must be a string of 1 to 511 characters"),
        ({"push_client_id": "x" * 128}, "push_client_id must be a string of 1 to 127 characters"),
        ({"push_client_id": None}, "push_client_id is missing"),
        ({"version": 1}, "version must be a string of 1 to 255 characters"),
        ({"channelback_files": "no"}, "channelback_files must be true or false"),
        ({"urls": []}, "urls must be an object"),
    ],
)
def test_each_rule(changed: dict[str, Any], expected: str) -> None:
    assert manifest_problems(GOOD | changed, ORIGIN) == [expected]


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("./admin_ui", "must be an absolute https URL"),
        ("http://push.example.com/admin_ui", "must be an absolute https URL"),
        ("https://other.example.com/admin_ui", "is at another host (other.example.com) than the manifest"),
        (f"{ORIGIN}/" + "x" * 511, "must be a string of 1 to 511 characters"),
        (7, "must be a string of 1 to 511 characters"),
        ("https://[x/", "is not a URL"),
    ],
)
def test_each_rule_of_a_url(url: Any, expected: str) -> None:
    assert manifest_problems(GOOD | {"urls": GOOD["urls"] | {"admin_ui": url}}, ORIGIN) == [
        f"urls.admin_ui {expected}"
    ]


def test_the_urls_that_push_needs() -> None:
    assert manifest_problems(GOOD | {"urls": {}}, ORIGIN) == [
        "urls.admin_ui is missing",
        "urls.event_callback_url is missing",
    ]


@pytest.mark.parametrize("manifest", [None, [], "text"])
def test_what_is_no_object(manifest: Any) -> None:
    assert manifest_problems(manifest, ORIGIN) == ["it is not a JSON object"]
