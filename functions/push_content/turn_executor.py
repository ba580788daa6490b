"""Doing things at the same time without waiting for ever for any of them."""

import threading
from collections import deque
from collections.abc import Callable, Sequence
from typing import Final

Job = Callable[[], bool]
"""One step of something; True: there is a next one. Raises nothing that matters."""

MAX_THREADS: Final = 64


class TurnExecutor:
    """Runs jobs step by step on threads, taking turns: after a step, a job goes to the end of the line.

    So a job with many steps holds nobody up, and it takes as many jobs that hang as there are threads to delay
    the others, by one step. A step that hangs beyond the time is left behind on its daemon thread.
    """

    def __init__(self, max_threads: int = MAX_THREADS) -> None:
        self._max_threads = max_threads

    def run(self, jobs: Sequence[Job], time_left: Callable[[], float]) -> None:
        """Return when all jobs are done, or no time is left (seconds)."""
        if not jobs:
            return
        line = _Line(jobs)
        for _ in range(min(len(jobs), self._max_threads)):
            threading.Thread(target=line.work, daemon=True).start()
        line.wait(time_left)


class _Line:
    def __init__(self, jobs: Sequence[Job]) -> None:
        self._waiting = deque(jobs)
        self._unfinished = len(jobs)
        self._over = False
        self._changed = threading.Condition()

    def work(self) -> None:
        """Take turns until nobody waits. A job that another thread puts back is that thread's to go on with."""
        while True:
            with self._changed:
                if self._over or not self._waiting:
                    return
                job = self._waiting.popleft()
            more = False
            try:
                more = job()
            finally:
                with self._changed:
                    if more:
                        self._waiting.append(job)
                    else:
                        self._unfinished -= 1
                        self._changed.notify_all()

    def wait(self, time_left: Callable[[], float]) -> None:
        with self._changed:
            self._changed.wait_for(lambda: not self._unfinished, timeout=max(0.0, time_left()))
            self._over = True
