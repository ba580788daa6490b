"""Delivers event callbacks to the integration from a thread of its own, several events at a time.

Whether Zendesk repeats a failed delivery is not published, so each is tried once.
"""

from __future__ import annotations

import json
import threading
import time
from collections import deque
from dataclasses import dataclass
from typing import TYPE_CHECKING

import urllib3

from zendesk_push.simulator.integration import ManifestError

if TYPE_CHECKING:
    from collections.abc import Callable

    from zendesk_push.simulator.events import Event
    from zendesk_push.simulator.integration import Integration

MAX_EVENTS_PER_DELIVERY = 100
MAX_WAITING = 10_000
MAX_DELIVERIES = 1_000
TIMEOUT = urllib3.Timeout(connect=5, read=10)


@dataclass(frozen=True)
class EventDelivery:
    at: float
    events: tuple[Event, ...]
    status: int | None
    """None if there was no answer."""
    error: str | None = None


class EventSender:
    """``post`` is the core's listener; events of integrations without event_callback_url are not sent."""

    def __init__(self, integration: Integration, clock: Callable[[], float] = time.time) -> None:
        self._integration = integration
        self._clock = clock
        self._pool = urllib3.PoolManager(num_pools=2, timeout=TIMEOUT, retries=False)
        self._changed = threading.Condition()
        self._waiting: deque[Event] = deque(maxlen=MAX_WAITING)
        self._busy = self._paused = self._closed = False
        self.deliveries: deque[EventDelivery] = deque(maxlen=MAX_DELIVERIES)
        self._thread = threading.Thread(target=self._run, name="simulated-zendesk-events")

    def start(self) -> None:
        self._thread.start()

    def close(self) -> None:
        """Finish the delivery under way, drop what waits, end the thread."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()
        self._thread.join()
        self._pool.clear()

    def post(self, event: Event) -> None:
        with self._changed:
            self._waiting.append(event)
            self._changed.notify_all()

    def pause(self, *, paused: bool) -> None:
        """Keep events waiting (Zendesk sends them late, too), or let them go."""
        with self._changed:
            self._paused = paused
            self._changed.notify_all()

    def settle(self, timeout: float) -> bool:
        """Wait until every event so far is delivered or given up; False if ``timeout`` seconds were not enough."""
        with self._changed:
            return self._changed.wait_for(lambda: not self._busy and not self._waiting, timeout)

    def _run(self) -> None:
        while (events := self._next()) is not None:
            delivery = self._deliver(events)
            with self._changed:
                self._busy = False
                if delivery is not None:
                    self.deliveries.append(delivery)
                self._changed.notify_all()

    def _next(self) -> tuple[Event, ...] | None:
        with self._changed:
            self._changed.wait_for(lambda: self._closed or (self._waiting and not self._paused))
            if self._closed:
                return None
            count = min(len(self._waiting), MAX_EVENTS_PER_DELIVERY)
            self._busy = True
            return tuple(self._waiting.popleft() for _ in range(count))

    def _deliver(self, events: tuple[Event, ...]) -> EventDelivery | None:
        try:
            url = self._integration.last_manifest().event_callback_url
        except ManifestError as error:
            return EventDelivery(self._clock(), events, None, str(error))
        if url is None:
            return None
        body = json.dumps({"events": events}).encode("ascii")
        try:
            response = self._pool.request(
                "POST", url, body=body, headers={"Content-Type": "application/json"}
            )
        except urllib3.exceptions.HTTPError as error:
            return EventDelivery(self._clock(), events, None, type(error).__name__)
        return EventDelivery(self._clock(), events, response.status)
