"""What Zendesk's headers say about its rate limit, which is per subdomain and minute. Pure."""

import re
from collections.abc import Mapping
from email.utils import parsedate_to_datetime
from typing import Final

DEFAULT_PAUSE: Final = 60.0  # seconds, for a 429 that does not say; the limit is per minute
# Seconds. Zendesk asks for a minute or two, in maintenance for longer. What asks for more than an hour is a
# mistake that must not stop a customer's messages for days; asking again after an hour costs one request.
LONGEST_PAUSE: Final = 3600.0
SHORTEST_PAUSE: Final = 1.0
_SECONDS: Final = re.compile(r"[0-9]{1,18}(?:\.[0-9]{1,9})?")


def retry_after_seconds(headers: Mapping[str, str], now: float) -> float | None:
    """Retry-After, in seconds or as an HTTP date, within bounds; None if it is missing or makes no sense."""
    text = (headers.get("Retry-After") or "").strip()
    if _SECONDS.fullmatch(text):
        seconds = float(text)
    else:
        try:
            seconds = parsedate_to_datetime(text).timestamp() - now
        except (ValueError, TypeError, IndexError, OverflowError):
            return None
    return min(max(seconds, SHORTEST_PAUSE), LONGEST_PAUSE)


def rate_limit(
    headers: Mapping[str, str], reserve_percent: float, *, sent_at: float, now: float
) -> tuple[int | None, float | None]:
    """The subdomain's requests a minute, and when the limit is full again if its reserve is reached (epoch seconds).

    What remains then is the customer's other integrations'. The limit is full at the end of the minute in which the
    request was sent, unless Zendesk says when. None: the answer does not say; there is more than the reserve.
    """
    limit, remaining = _count(headers.get("X-Rate-Limit")), _count(headers.get("X-Rate-Limit-Remaining"))
    if remaining is None or remaining > (limit or 0) * reserve_percent / 100:
        return limit, None
    reset = _count(headers.get("ratelimit-reset"))
    if reset is not None and reset <= DEFAULT_PAUSE:
        return limit, now + reset
    return limit, (sent_at // 60 + 1) * 60


def _count(text: str | None) -> int | None:
    text = (text or "").strip()
    return int(text) if text.isascii() and text.isdigit() and len(text) <= 18 else None
