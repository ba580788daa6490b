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
    reset: int | None = None
    """The same seconds for any request, where Zendesk tells them."""

    @property
    def headers(self) -> tuple[tuple[str, str], ...]:
        told = (("X-Rate-Limit", str(self.limit)), ("X-Rate-Limit-Remaining", str(self.remaining)))
        return told if self.reset is None else (*told, ("ratelimit-reset", str(self.reset)))


class RateLimits:
    def __init__(self, default_limit: int = DEFAULT_LIMIT) -> None:
        self.default_limit = default_limit
        self.tells_reset = False
        """Whether answers have ``ratelimit-reset``; Zendesk's have it on some plans and endpoints."""
        self._limits: dict[str, int] = {}
        self._used: dict[str, tuple[int, int]] = {}

    def set_limit(self, subdomain: str, limit: int) -> None:
        self._limits[subdomain] = limit

    def limit(self, subdomain: str) -> int:
        return self._limits.get(subdomain, self.default_limit)

    def take(self, subdomain: str, now: float) -> Quota:
        """Count one request of ``subdomain`` at ``now`` (epoch seconds)."""
        limit, used = self.limit(subdomain), self._used_in_window(subdomain, now)
        seconds_left = self._seconds_left(now)
        reset = seconds_left if self.tells_reset else None
        if used >= limit:
            return Quota(limit, 0, seconds_left, reset)
        self._used[subdomain] = (self._window(now), used + 1)
        return Quota(limit, limit - used - 1, None, reset)

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
