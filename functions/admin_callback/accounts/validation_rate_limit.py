"""How often this container asks Zendesk on behalf of those who have proved nothing: a forger must not make us a hammer.

Callbacks and events are counted apart, so that neither can use up what the other needs.
"""

import ipaddress
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
        while self._taken and self._taken[0][0] <= now - WINDOW:
            _, keys = self._taken.popleft()
            self._counts.subtract(keys)
            self._drop_zeros(keys)
        full = {key for key, limit in limits.items() if self._counts[key] >= limit}
        if full:
            return max(1, math.ceil(max(self._oldest(key) for key in full) + WINDOW - now))
        self._taken.append((now, tuple(limits)))
        self._counts.update(limits.keys())
        return 0

    def _oldest(self, key: str) -> float:
        return next(at for at, keys in self._taken if key in keys)

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
        return self._strangers.take(
            {
                "all": IN_ALL,
                f"subdomain {subdomain}": PER_SUBDOMAIN,
                f"source {_network(source)} {subdomain}": PER_SOURCE_AND_SUBDOMAIN,
            }
        )

    def account(self, instance_push_id: InstancePushId) -> int:
        """Likewise for one that proved that it knows this account."""
        return self._accounts.take({instance_push_id: PER_ACCOUNT})


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
