"""Every API request that reached the simulator, newest last, with its bytes: what tests compare content with."""

from __future__ import annotations

import itertools
from collections import Counter, deque
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

MAX_REQUESTS = 10_000
MAX_BYTES = 128 * 1024 * 1024


@dataclass(frozen=True)
class RecordedRequest:
    number: int
    endpoint: str
    """``push`` or ``validate_token``; ``channelback`` for an agent's answer, which Zendesk sent."""
    at: float
    """Epoch seconds, by the simulator's clock."""
    subdomain: str | None
    instance_push_id: str | None
    headers: tuple[tuple[str, str], ...]
    body: bytes
    """Exactly as it came; empty if the connection was dropped before it was read."""
    status: int | None
    """None when there was no answer."""
    outcome: str
    """``answered``, ``dropped``, ``reply_lost``, ``delay`` or ``hang``."""
    resources: int
    codes: tuple[str, ...]
    """The result codes of the import, whatever the client was told."""

    @property
    def summary(self) -> str:
        """The result codes and how often each came: ``3 success, 1 halted``."""
        return ", ".join(f"{count} {code}" for code, count in Counter(self.codes).items())

    def as_json(self) -> dict[str, Any]:
        return {
            "number": self.number,
            "endpoint": self.endpoint,
            "at": self.at,
            "subdomain": self.subdomain,
            "instance_push_id": self.instance_push_id,
            "headers": [list(header) for header in self.headers],
            "body": self.body.decode("utf-8", "backslashreplace"),
            "status": self.status,
            "outcome": self.outcome,
            "resources": self.resources,
            "codes": list(self.codes),
        }


class RequestLog:
    """The last MAX_REQUESTS requests, and no more than MAX_BYTES of their bodies."""

    def __init__(self) -> None:
        self._requests: deque[RecordedRequest] = deque()
        self._bytes = 0
        self._numbers = itertools.count(1)

    def __iter__(self) -> Iterator[RecordedRequest]:
        return iter(self._requests)

    def __len__(self) -> int:
        return len(self._requests)

    def next_number(self) -> int:
        return next(self._numbers)

    def append(self, request: RecordedRequest) -> None:
        self._requests.append(request)
        self._bytes += len(request.body)
        while len(self._requests) > MAX_REQUESTS or (self._bytes > MAX_BYTES and len(self._requests) > 1):
            self._bytes -= len(self._requests.popleft().body)
