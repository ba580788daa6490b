"""Shipped events are AWS's as they lie there, and fit a local stack once filled in."""

import hashlib
import json
from typing import Any

import pytest

from zendesk_push.errors import CommandError
from zendesk_push.sam_local.environment import in_container, read_ready_file
from zendesk_push.sam_local.events import EVENTS, METADATA, Circumstances, fit, form_of, load

NAMES = sorted(path.stem for path in EVENTS.glob("*.json"))
LOCAL = Circumstances("http://host.docker.internal:8080", 1_800_000_000.5, '{"v": 1}')


@pytest.mark.parametrize("name", NAMES)
def test_nothing_is_left_to_fill_in(name: str) -> None:
    fitted = fit(load(name), LOCAL)
    assert METADATA not in json.dumps(fitted)
    if name.startswith("admin-ui"):
        assert METADATA not in str(form_of(fitted))


@pytest.mark.parametrize("name", NAMES)
def test_the_shipped_event_stays_as_it_is(name: str) -> None:
    event = load(name)
    fit(event, LOCAL)
    assert event == load(name)


def test_the_customer_moves_to_the_simulator() -> None:
    fields = form_of(fit(load("admin-ui-edit"), LOCAL))
    assert fields["return_url"].startswith("http://host.docker.internal:8080/zendesk/channels/")
    assert fields["metadata"] == '{"v": 1}'
    assert fields["instance_push_id"] == form_of(load("admin-ui-edit"))["instance_push_id"]


def test_an_attackers_address_stays_the_attackers() -> None:
    fields = form_of(fit(load("admin-ui-other-origin"), LOCAL))
    assert fields["return_url"].startswith("https://acme.zendesk.com.attacker.example/")


def test_callbacks_happen_now() -> None:
    body = json.loads(fit(load("event-several"), LOCAL)["body"])
    assert {event["timestamp"] for event in body["events"]} == {"2027-01-15T08:00:00Z"}
    assert [event["data"]["metadata"] for event in body["events"]] == ["not ours", '{"v": 1}', '{"v": 1}']


@pytest.mark.parametrize("name", [name for name in NAMES if name.startswith("sqs-")])
def test_records_are_whole_and_sent_now(name: str) -> None:
    records: list[dict[str, Any]] = fit(load(name), LOCAL)["Records"]
    assert len({record["messageId"] for record in records}) == len(records)
    for record in records:
        assert record["md5OfBody"] == hashlib.md5(record["body"].encode(), usedforsecurity=False).hexdigest()
        assert record["attributes"]["SentTimestamp"] == "1800000000500"
        assert record["eventSource"] == "aws:sqs"


@pytest.mark.parametrize(
    ("here", "there"),
    [
        ("http://127.0.0.1:4566/123456789012/q", "http://host.docker.internal:4566/123456789012/q"),
        ("http://localhost", "http://host.docker.internal"),
        ("http://[::1]:80/a?b#c", "http://host.docker.internal:80/a?b#c"),
        ("https://{subdomain}.zendesk.com", "https://{subdomain}.zendesk.com"),
        ("arn:aws:kms:us-east-1:123456789012:key/a", "arn:aws:kms:us-east-1:123456789012:key/a"),
        ("", ""),
        ("900", "900"),
    ],
)
def test_only_this_machine_has_another_name_in_a_container(here: str, there: str) -> None:
    assert in_container(here) == there


def test_a_stack_that_is_not_running_is_said_so(tmp_path: Any) -> None:
    with pytest.raises(CommandError, match="no stack is running"):
        read_ready_file(tmp_path / "local.json")
    for content in ("{", "[]", '{"api_url": ""}'):
        (tmp_path / "local.json").write_text(content)
        with pytest.raises(CommandError, match="not a ready file"):
            read_ready_file(tmp_path / "local.json")
