"""What each part of an invocation's time is for, so that it ends before Lambda ends it."""

from collections.abc import Callable
from typing import Final

SENDING: Final = (
    20.0  # seconds, after which no request is begun: a slow account holds nobody's deletions up for longer
)
_SHARE: Final = 0.15  # of the time at the start, kept for what comes after sending
_LEAST: Final = 1.0  # seconds
_MOST: Final = 10.0


class InvocationDeadlines:
    """One end after the other: for beginning requests, for their answers, for waiting for them, for calls to AWS.

    ``time_left`` says how many seconds are left until Lambda ends the invocation.
    """

    def __init__(self, time_left: Callable[[], float]) -> None:
        self._time_left = time_left
        self._sending_since = time_left()
        self._reserve = min(_MOST, max(_LEAST, _SHARE * time_left()))

    def start_sending(self) -> None:
        """Start the time for sending."""
        self._sending_since = self._time_left()

    def for_next_request(self, most: float, least: float) -> float | None:
        """Seconds that a request may take, ``most`` at most; None: too late to begin one that takes ``least``."""
        left = min(self.for_requests(), most)
        sending = self._sending_since - self._time_left()
        return left if sending < SENDING and left >= least else None

    def for_requests(self) -> float:
        """Seconds until the last request to Zendesk must have its answer."""
        return self._time_left() - self._reserve

    def for_answers(self) -> float:
        """Seconds until whatever has not been answered is given up."""
        return self._time_left() - 0.8 * self._reserve

    def for_rejecting(self) -> float:
        """Seconds until dead letters that are not sent are given up."""
        return self._time_left() - 0.3 * self._reserve

    def for_effects(self) -> float:
        """Seconds until everything else is given up, and the invocation returns."""
        return self._time_left() - 0.1 * self._reserve
