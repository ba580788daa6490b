"""The body of an event callback, read into events in the order in which they happened.

Zendesk does not sign it: until something in an event's metadata says otherwise, a stranger sent it.
"""

import json
import math
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, Final

from admin_callback.accounts.event import Event
from admin_callback.http.http_body import BodyError, text_of

MAX_EVENT_BYTES: Final = 1024 * 1024


def parse_events(request: Mapping[str, Any], now: float) -> list[Event]:
    """The events of an HTTP API request, oldest first; entries that are not objects are left out.

    Raises:
        BodyError: too large (413), or not a JSON object with an array ``events`` (400).
    """
    try:
        body = json.loads(text_of(request, MAX_EVENT_BYTES), parse_int=_integer)
    except (ValueError, RecursionError):
        raise BodyError(400, "not_readable") from None
    events = body.get("events") if isinstance(body, dict) else None
    if not isinstance(events, list):
        raise BodyError(400, "not_readable")
    # Where Zendesk's clock is ahead of this one, all of them count as now, and are still in their own order.
    timed = [
        (_epoch_seconds(entry.get("timestamp"), now), entry) for entry in events if isinstance(entry, dict)
    ]
    return [_event(entry, min(at, now)) for at, entry in sorted(timed, key=lambda pair: pair[0])]


def _event(entry: Mapping[str, Any], at: float) -> Event:
    data = entry.get("data")
    if not isinstance(data, dict):
        data = {}
    return Event(
        type_id=_text(entry.get("type_id")),
        # Whole milliseconds are what the account's record keeps. Rounded up only there, an event would make the
        # next one of the same moment look older than itself.
        timestamp=round(at, 3),
        subdomain=_text(entry.get("subdomain")),
        metadata=_text(data.get("metadata")),
        data=data,
    )


def _integer(digits: str) -> int | float:
    """JSON sets no limit to a number; Python does."""
    try:
        return int(digits)
    except ValueError:
        return float(digits)


def _text(value: Any) -> str:
    return value if isinstance(value, str) else ""


def _epoch_seconds(value: Any, now: float) -> float:
    """A timestamp's time. Zendesk publishes no format: ISO 8601 and epoch seconds or milliseconds are understood.

    Anything else counts as now, so that a format nobody foresaw leaves events in the order in which they arrive.
    """
    if isinstance(value, str):
        # Numbers first: some of them are dates of former centuries to ISO 8601 (17961201, a character, 23:45).
        try:
            value = float(value)
        except ValueError:
            return _iso_seconds(value, now)
    if isinstance(value, bool) or not isinstance(value, int | float):
        return now
    try:
        seconds = float(value)
    except OverflowError:
        return now
    if not math.isfinite(seconds) or seconds < 0:
        return now
    return seconds / 1000 if seconds > 1e11 else seconds


def _iso_seconds(text: str, now: float) -> float:
    try:
        moment = datetime.fromisoformat(text.strip().removesuffix(" UTC"))
    except ValueError:
        return now
    seconds = (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()
    return seconds if seconds >= 0 else now
