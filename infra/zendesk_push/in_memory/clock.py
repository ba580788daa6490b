"""A clock that stands still until it is moved."""

from typing import Final

# An arbitrary instant; a round number makes a failing example readable.
START: Final = 1_800_000_000.0


class ManualClock:
    """Epoch seconds by calling it, as ``time.time`` does; only ``advance`` moves it, and only forwards."""

    def __init__(self, start: float = START) -> None:
        self._now = start

    def __call__(self) -> float:
        return self._now

    def advance(self, seconds: float) -> None:
        """Let time pass.

        Raises:
            ValueError: a clock does not go back.
        """
        if seconds < 0:
            raise ValueError("a clock does not go back")
        # Whole milliseconds, as SQS and DynamoDB see it: no sum of tenths that is a hair too small.
        self._now = round(self._now + seconds, 3)
