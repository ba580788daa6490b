"""Event bodies: whatever they hold, they become events in order, or a refusal."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from admin_callback.accounts.event import RESOURCES_CREATED, Event
from admin_callback.http.event_body import parse_events
from admin_callback.http.http_body import BodyError
from admin_callback.http.import_reports import receipts_of

NOW = 1_800_000_000.0


def parse(events: Any) -> list[Event]:
    return parse_events({"body": json.dumps({"events": events})}, NOW)


def one(**changes: Any) -> Event:
    (event,) = parse([{"type_id": "x", "timestamp": "2026-01-01T00:00:00Z", "data": {}, **changes}])
    return event


@pytest.mark.parametrize(
    ("timestamp", "expected"),
    [
        ("2026-01-01T00:00:00Z", 1767225600),
        ("2026-01-01T00:00:00.250Z", 1767225600.25),
        ("2026-01-01T01:00:00+01:00", 1767225600),
        ("2026-01-01 00:00:00 UTC", 1767225600),
        ("2026-01-01T00:00:00", 1767225600),
        (1767225600, 1767225600),
        (1767225600123, 1767225600.123),
        ("1767225600", 1767225600),
        ("1796120112345", 1796120112.345),  # not the evening of 1 December 1796
        ("2026-01-01 00:00:00 +0000", 1767225600),
        ("2026-01-01T00:00:00.123900Z", 1767225600.124),
        (0, 0),
    ],
)
def test_timestamps(timestamp: Any, expected: float) -> None:
    assert one(timestamp=timestamp).timestamp == expected


@pytest.mark.parametrize(
    "timestamp",
    [
        "2099-01-01T00:00:00Z",
        "1969-12-31T23:59:59Z",
        "0001-01-01T00:00:00+23:59",  # a year 0, in UTC
        10**400,
        1e999,
        "soon",
        "",
        None,
        True,
        [],
        -1,
        "nan",
        4e9,
    ],
)
def test_what_is_no_time_or_lies_ahead_is_now(timestamp: Any) -> None:
    assert one(timestamp=timestamp).timestamp == NOW


def test_oldest_first_and_as_they_came_at_the_same_time() -> None:
    times = [30, 10, 20, 10]
    events = parse([{"type_id": str(n), "timestamp": time} for n, time in enumerate(times)])
    assert [event.type_id for event in events] == ["1", "3", "2", "0"]


def test_events_ahead_of_this_clock_are_now_and_still_in_their_own_order() -> None:
    times = [NOW + 9, NOW + 5, None, NOW - 1]
    events = parse([{"type_id": str(n), "timestamp": time} for n, time in enumerate(times)])
    assert [event.type_id for event in events] == ["3", "2", "1", "0"]
    assert [event.timestamp for event in events] == [NOW - 1, NOW, NOW, NOW]


@given(
    st.recursive(st.none() | st.booleans() | st.floats() | st.integers() | st.text(), st.lists, max_leaves=8)
)
def test_whatever_an_entry_holds(value: Any) -> None:
    keys = ("type_id", "timestamp", "subdomain", "data")
    parse([dict.fromkeys(keys, value), value, {"data": {"metadata": value, "resource_events": value}}])


def test_a_number_of_any_length_is_json() -> None:
    digits = "9" * 5_000
    body = f'{{"n": -{digits}, "events": [{{"type_id": "x", "timestamp": {digits}}}]}}'
    assert [event.timestamp for event in parse_events({"body": body}, NOW)] == [NOW]


@given(st.binary(max_size=200))
def test_bytes_that_are_no_body_are_refused(data: bytes) -> None:
    try:
        parse_events({"body": data.decode("latin-1")}, NOW)
    except BodyError as error:
        assert error.status == 400  # noqa: PT017 (a lucky body is fine)


RESOURCE = {
    "type_id": "comment_on_new_ticket",
    "external_id": "e-1",
    "ticket_id": 35,
    "comment_id": 36,
    "follow_up_ticket_id": 37,
}


def receipts(**data: Any) -> list[dict[str, Any]]:
    return list(receipts_of(one(type_id=RESOURCES_CREATED, subdomain="acme", data=data)))


def test_a_receipt_joins_the_ids_and_says_that_nothing_authenticates_it() -> None:
    assert receipts(request_id="r-1", resource_events=[RESOURCE]) == [
        {
            "version": 1,
            "type": RESOURCES_CREATED,
            "authenticated": False,
            "subdomain": "acme",
            "request_id": "r-1",
            "timestamp": "2026-01-01T00:00:00.000+00:00",
            "resources": [RESOURCE],
        }
    ]


def test_what_is_not_of_the_published_form_is_left_out() -> None:
    odd = {"external_id": "x" * 256, "ticket_id": True, "comment_id": {"a": 1}, "type_id": 1e9, "evil": "x"}
    (receipt,) = receipts(request_id="r" * 65, resource_events=[odd, "x", None, RESOURCE])
    assert (receipt["request_id"], receipt["resources"]) == (None, [{}, RESOURCE])


@pytest.mark.parametrize("reported", [None, [], {}, "x", 7])
def test_no_resources_no_receipt(reported: Any) -> None:
    assert receipts(resource_events=reported) == []


def test_a_receipt_holds_as_many_resources_as_a_push_at_most() -> None:
    assert [len(receipt["resources"]) for receipt in receipts(resource_events=[RESOURCE] * 600)] == [
        256,
        256,
        88,
    ]


def test_the_largest_receipts_fit_into_an_sqs_message_and_a_log_line() -> None:
    largest = dict.fromkeys(RESOURCE, "😀" * 255)
    parts = receipts(resource_events=[largest] * 60)
    assert sum(len(part["resources"]) for part in parts) == 60
    assert max(len(json.dumps(part)) for part in parts) < 256 * 1024


def test_a_subdomain_that_is_none_is_not_passed_on() -> None:
    (receipt,) = receipts_of(
        one(type_id=RESOURCES_CREATED, subdomain="evil.com/", data={"resource_events": [RESOURCE]})
    )
    assert receipt["subdomain"] is None
