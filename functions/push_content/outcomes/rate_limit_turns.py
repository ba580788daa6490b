"""Whose turn it is when more waits for a customer's rate limit than a minute has room for."""

import threading
from typing import Final

from zendesk_channel.contract import Subdomain

_UNTIL_SEEN: Final = 200  # requests a minute: Zendesk's smallest limit
_REMEMBERED: Final = 10_000  # subdomains


class RateLimitTurns:
    """Spreads what waits for a subdomain's rate limit over time, as fast as the limit allows.

    Otherwise a backlog of 20,000 messages would be received and hidden again every minute, all of it. Of the
    messages in other containers it knows nothing, so with several of them the times are closer together than they
    should be: what comes too early is given a later one.
    """

    def __init__(self, reserve_percent: float) -> None:
        self._share = max(0.1, 1 - reserve_percent / 100)
        self._per_minute: dict[Subdomain, float] = {}
        self._next: dict[Subdomain, float] = {}
        self._lock = threading.Lock()

    def seen(self, subdomain: Subdomain, requests_per_minute: float) -> None:
        """Zendesk has named the subdomain's limit."""
        with self._lock:
            _remember(self._per_minute, subdomain, max(1.0, requests_per_minute))

    def take(self, subdomain: Subdomain, requests: float, not_before: float, within: float) -> float:
        """The time (epoch seconds) for what takes so many requests, a fraction of one perhaps.

        Args:
            not_before: epoch seconds, when the limit's pause ends, or now.
            within: seconds after ``not_before``; what has no room in them begins again at the start.
        """
        with self._lock:
            turn = max(not_before, self._next.get(subdomain, 0.0))
            if turn > not_before + within:
                turn = not_before
            seconds = requests * 60 / (self._per_minute.get(subdomain, _UNTIL_SEEN) * self._share)
            _remember(self._next, subdomain, turn + seconds)
        return turn


def _remember(values: dict[Subdomain, float], subdomain: Subdomain, value: float) -> None:
    values.pop(subdomain, None)
    values[subdomain] = value
    if len(values) > _REMEMBERED:
        del values[next(iter(values))]
