"""The clocks, as one value, so that a day can pass in a test."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True)
class Clock:
    """``now``: epoch seconds. ``monotonic``: seconds for measuring. ``sleep``: waits so many seconds."""

    now: Callable[[], float] = time.time
    monotonic: Callable[[], float] = time.monotonic
    sleep: Callable[[float], None] = time.sleep


SYSTEM_CLOCK: Final = Clock()
