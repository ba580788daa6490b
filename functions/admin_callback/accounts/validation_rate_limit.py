"""How often this container asks Zendesk on behalf of those who have proved nothing: a forger must not make us a hammer.

Callbacks and events are counted apart, so that neither can use up what the other needs. A third of what all sources
share is kept for a source's first questions: a few that ask without end can't keep out one that has just come.
"""

import ipaddress
import itertools
import math
from collections import Counter, deque
from collections.abc import Iterable
from typing import Final

from zendesk_channel.clock import Clock
from zendesk_channel.contract import InstancePushId, Subdomain

WINDOW: Final = 60.0  # seconds
PER_SOURCE_AND_SUBDOMAIN: Final = 10  # validate_token calls in a window
PER_SUBDOMAIN: Final = 60
IN_ALL: Final = 300
FIRST: Final = 2  # questions of a source: about the token, and the control question of a first registration
PER_ACCOUNT: Final = 10  # of callbacks that prove themselves
_IPV6_NETWORK: Final = 64  # bits: what one customer of a provider has


class _SlidingWindow:
    """Counts by several keys at once over the last minute. What is counted bounds what is remembered."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._taken: deque[tuple[float, tuple[str, ...]]] = deque()
        self._counts: Counter[str] = Counter()

    def take(self, limits: dict[str, int]) -> int:
        """Count one call under each key, or none at all.

        Returns:
            0, or the whole seconds until the call is within all limits again.
        """
        now = self._clock.monotonic()
        self._forget(now)
        excess = {
            key: self._counts[key] - limit for key, limit in limits.items() if self._counts[key] >= limit
        }
        if excess:
            last = max(self._taken_at(key, skip) for key, skip in excess.items())
            return max(1, math.ceil(last + WINDOW - now))
        self._taken.append((now, tuple(limits)))
        self._counts.update(limits.keys())
        return 0

    def count(self, key: str) -> int:
        """Calls of the last minute under this key."""
        self._forget(self._clock.monotonic())
        return self._counts[key]

    def _forget(self, now: float) -> None:
        while self._taken and self._taken[0][0] <= now - WINDOW:
            _, keys = self._taken.popleft()
            self._counts.subtract(keys)
            self._drop_zeros(keys)

    def _taken_at(self, key: str, skip: int) -> float:
        """When the oldest call under this key was made, after so many older ones."""
        return next(itertools.islice((at for at, keys in self._taken if key in keys), skip, None))

    def _drop_zeros(self, keys: Iterable[str]) -> None:
        for key in keys:
            if self._counts[key] <= 0:
                del self._counts[key]


class ValidationLimits:
    """Of one kind of request."""

    def __init__(self, clock: Clock) -> None:
        self._strangers = _SlidingWindow(clock)
        self._accounts = _SlidingWindow(clock)

    def stranger(self, source: str, subdomain: Subdomain) -> int:
        """Count one validate_token for a request that proves nothing; the seconds to wait where it is one too many."""
        network = f"source {_network(source)}"
        here = f"{network} {subdomain}"
        return self._strangers.take(
            {
                "all": self._shared(IN_ALL, asked_by=network),
                f"subdomain {subdomain}": self._shared(PER_SUBDOMAIN, asked_by=here),
                network: IN_ALL,
                here: PER_SOURCE_AND_SUBDOMAIN,
            }
        )

    def account(self, instance_push_id: InstancePushId) -> int:
        """Likewise for one that proved that it knows this account."""
        return self._accounts.take({instance_push_id: PER_ACCOUNT})

    def _shared(self, limit: int, *, asked_by: str) -> int:
        """What a source may use of a limit that all share: all of it with its first questions."""
        return limit if self._strangers.count(asked_by) < FIRST else limit * 2 // 3


def _network(source: str) -> str:
    """An IPv6 address stands for its network: whoever has one of its addresses has all of them."""
    try:
        address = ipaddress.ip_address(source)
    except ValueError:
        return source
    if address.version == 4:
        return str(address)
    if mapped := address.ipv4_mapped:
        return str(mapped)
    return str(ipaddress.ip_network((int(address), _IPV6_NETWORK), strict=False))
