"""A clock that a test sets."""

import time

from zendesk_channel.clock import Clock


class SetClock:
    """Starts now. Sleeping takes no time but what it shows."""

    def __init__(self) -> None:
        self.time = time.time()
        self.slept: list[float] = []

    def now(self) -> float:
        return self.time

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.time += seconds

    @property
    def clock(self) -> Clock:
        return Clock(self.now, self.now, self.sleep)
