"""What the headers say about Zendesk's rate limit."""

from datetime import UTC, datetime
from email.utils import format_datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from push_content.answers.rate_limit_headers import (
    LONGEST_PAUSE,
    SHORTEST_PAUSE,
    rate_limit,
    retry_after_seconds,
)

NOW = 1_800_000_010.0  # ten seconds into a minute


def http_date(at: float) -> str:
    return format_datetime(datetime.fromtimestamp(at, UTC), usegmt=True)


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        ("17", 17),
        (" 93 ", 93),
        ("1.5", 1.5),
        ("0", SHORTEST_PAUSE),
        ("999999999", LONGEST_PAUSE),
        ("9" * 18, LONGEST_PAUSE),
        (http_date(NOW + 30), 30),
        (http_date(NOW - 500), SHORTEST_PAUSE),
        (http_date(NOW + 10**8), LONGEST_PAUSE),
    ],
)
def test_retry_after(value: str, seconds: float) -> None:
    assert retry_after_seconds({"Retry-After": value}, NOW) == seconds


@pytest.mark.parametrize("value", ["", "-5", "soon", "NaN", "inf", "1e3", "٣", "9" * 30, "Mon, 99 Foo 2026"])
def test_a_retry_after_that_makes_no_sense_is_none(value: str) -> None:
    assert retry_after_seconds({"Retry-After": value}, NOW) is None
    assert retry_after_seconds({}, NOW) is None


@given(st.text(max_size=40))
def test_retry_after_is_always_within_bounds(value: str) -> None:
    seconds = retry_after_seconds({"Retry-After": value}, NOW)

    assert seconds is None or SHORTEST_PAUSE <= seconds <= LONGEST_PAUSE


@pytest.mark.parametrize(
    ("limit", "remaining", "percent", "paused"),
    [
        ("700", "141", 20, False),
        ("700", "140", 20, True),
        ("700", "0", 20, True),
        ("700", "1", 0, False),
        ("700", "0", 0, True),
        ("700", "700", 100, True),
        (None, "3", 20, False),
        (None, "0", 20, True),
        ("700", None, 20, False),
        ("700", "", 20, False),
        ("700", "-1", 20, False),
        ("x", "5", 20, False),
        ("700", "٣", 20, False),
    ],
)
def test_at_the_reserve_the_rest_of_the_minute_is_the_customers(
    limit: str | None, remaining: str | None, percent: float, paused: bool
) -> None:
    headers = {"X-Rate-Limit": limit, "X-Rate-Limit-Remaining": remaining}
    given_headers = {name: value for name, value in headers.items() if value is not None}

    limit_said, until = rate_limit(given_headers, percent, sent_at=NOW, now=NOW)
    assert until == (1_800_000_060.0 if paused else None)
    assert limit_said == (700 if limit == "700" else None)


def test_the_minute_is_the_one_in_which_the_request_was_sent() -> None:
    """An answer that crosses the minute speaks of the one before it: that is over, and nothing has to wait."""
    headers = {"X-Rate-Limit": "700", "X-Rate-Limit-Remaining": "0"}
    end = 1_800_000_060.0

    assert rate_limit(headers, 20, sent_at=end - 1, now=end + 1) == (700, end)


@pytest.mark.parametrize(
    ("reset", "until"), [("17", NOW + 17), ("0", NOW), ("61", 1_800_000_060.0), ("x", 1_800_000_060.0)]
)
def test_where_zendesk_says_when_the_limit_is_full_again_that_counts(reset: str, until: float) -> None:
    headers = {"X-Rate-Limit": "700", "X-Rate-Limit-Remaining": "0", "ratelimit-reset": reset}

    assert rate_limit(headers, 20, sent_at=NOW - 3, now=NOW) == (700, until)
