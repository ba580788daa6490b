"""How often requests that nothing authenticates may make this function ask Zendesk."""

import math
from collections import OrderedDict, deque
from collections.abc import Callable
from typing import Final

from zendesk_channel.contract import Subdomain
from zendesk_channel.errors import ZendeskChannelError

LIMIT: Final = 10  # validate_token calls per subdomain and container ...
WINDOW: Final = 60.0  # ... in so many seconds
_MAX_SUBDOMAINS: Final = 10_000  # remembered at once; the one asked for longest ago goes first


class ThrottledError(ZendeskChannelError):
    """The limit is reached; ``retry_after`` in whole seconds."""

    def __init__(self, retry_after: int) -> None:
        super().__init__(f"try again in {retry_after} s")
        self.retry_after = retry_after


class ValidationThrottle:
    """A sliding window for each subdomain, in this container's memory: a forger must not make us his hammer."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._calls: OrderedDict[Subdomain, deque[float]] = OrderedDict()

    def acquire(self, subdomain: Subdomain) -> None:
        """Count one call.

        Raises:
            ThrottledError: this would be one too many.
        """
        now = self._clock()
        calls = self._calls.setdefault(subdomain, deque())
        self._calls.move_to_end(subdomain)
        while calls and calls[0] <= now - WINDOW:
            calls.popleft()
        if len(calls) >= LIMIT:
            raise ThrottledError(max(1, math.ceil(calls[0] + WINDOW - now)))
        calls.append(now)
        if len(self._calls) > _MAX_SUBDOMAINS:
            self._calls.popitem(last=False)
