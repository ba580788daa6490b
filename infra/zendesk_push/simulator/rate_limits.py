"""Zendesk's rate limit: requests per subdomain and clock minute, shared with everything else the customer runs.

Not thread-safe: ``core.ZendeskState`` holds the lock.
"""

from __future__ import annotations

import math
from typing import NamedTuple

DEFAULT_LIMIT = 700  # Enterprise; 200 is Team, 400 Growth and Professional, 2,500 High Volume
WINDOW_SECONDS = 60


class Quota(NamedTuple):
    limit: int
    remaining: int
    retry_after: int | None
    """Seconds until the next window when this request is one too many, else None."""

    @property
    def headers(self) -> tuple[tuple[str, str], ...]:
        return (("X-Rate-Limit", str(self.limit)), ("X-Rate-Limit-Remaining", str(self.remaining)))


class RateLimits:
    def __init__(self, default_limit: int = DEFAULT_LIMIT) -> None:
        self.default_limit = default_limit
        self._limits: dict[str, int] = {}
        self._used: dict[str, tuple[int, int]] = {}

    def set_limit(self, subdomain: str, limit: int) -> None:
        self._limits[subdomain] = limit

    def limit(self, subdomain: str) -> int:
        return self._limits.get(subdomain, self.default_limit)

    def take(self, subdomain: str, now: float) -> Quota:
        """Count one request of ``subdomain`` at ``now`` (epoch seconds)."""
        limit, used = self.limit(subdomain), self._used_in_window(subdomain, now)
        if used >= limit:
            return Quota(limit, 0, self._seconds_left(now))
        self._used[subdomain] = (self._window(now), used + 1)
        return Quota(limit, limit - used - 1, None)

    def leave(self, subdomain: str, remaining: int, now: float) -> None:
        """Let the customer's other integrations use up all but ``remaining`` of this minute."""
        self._used[subdomain] = (self._window(now), max(0, self.limit(subdomain) - remaining))

    def remaining(self, subdomain: str, now: float) -> int:
        return max(0, self.limit(subdomain) - self._used_in_window(subdomain, now))

    def _used_in_window(self, subdomain: str, now: float) -> int:
        window, used = self._used.get(subdomain, (0, 0))
        return used if window == self._window(now) else 0

    @staticmethod
    def _window(now: float) -> int:
        return int(now // WINDOW_SECONDS)

    @staticmethod
    def _seconds_left(now: float) -> int:
        return max(1, math.ceil(WINDOW_SECONDS - now % WINDOW_SECONDS))
