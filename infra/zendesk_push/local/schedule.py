"""Scheduled events: each is given to its function when its time has come, or at once when asked."""

import logging
import threading
from collections.abc import Callable
from typing import Any, Final

from zendesk_push.local.event_wiring import Schedule
from zendesk_push.local.invocation import InvocationResult

_LOG: Final = logging.getLogger(__name__)

_DRAIN_SECONDS: Final = 3


class ScheduledEvent:
    """Fires one schedule from ``start`` to ``stop``, the first time after one interval, as EventBridge does."""

    def __init__(self, schedule: Schedule, invoke: Callable[[Any], InvocationResult]) -> None:
        self.schedule: Final = schedule
        self._invoke = invoke
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name=schedule.logical_id, daemon=True)

    def start(self) -> None:
        """Begin to wait; returns at once. A schedule that is not a rate never fires by itself."""
        if self.schedule.seconds is not None:
            self._thread.start()

    def stop(self) -> None:
        """Fire no more, and give the invocation under way a while to end."""
        self._stopping.set()
        if self._thread.is_alive():
            self._thread.join(_DRAIN_SECONDS)

    def fire(self) -> InvocationResult:
        """Give the event to the function now, and wait for the result."""
        result = self._invoke(self.schedule.event)
        if result.function_error:
            _LOG.error("the scheduled event %s failed: %s", self.schedule.logical_id, result.error)
        return result

    def _run(self) -> None:
        while not self._stopping.wait(self.schedule.seconds):
            self.fire()
