"""Doing things side by side, without waiting forever for any of them."""

import math
import threading
from collections import deque
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, Final, TypeVar

Turn = Callable[[], bool]
"""One turn of something; True: there is a next one. Raises nothing that matters."""

_Value = TypeVar("_Value")
MAX_THREADS: Final = 64
PATIENCE: Final = 0.25  # seconds
_MOST_THREADS: Final = 256  # each has a connection and a note open, and Lambda grants 1,024 file descriptors


class TurnExecutor:
    """Runs things turn by turn on threads: after its turn, each goes to the end of the line.

    So what has many turns holds nobody up. What hangs keeps its thread, and when all threads have hung for
    ``patience`` seconds while something has not had a turn yet, they are doubled. Where the system lets none start, the
    caller's own thread takes the turns. A turn that hangs beyond the time is
    left behind on its daemon thread (a ThreadPoolExecutor has a fixed number, and the interpreter waits for them).
    """

    def __init__(self, max_threads: int = MAX_THREADS, patience: float = PATIENCE) -> None:
        self.max_threads = max_threads
        self._patience = patience

    def run(self, turns: Sequence[Turn], time_left: Callable[[], float]) -> None:
        """Return when nothing has a next turn, or no time is left (seconds)."""
        if not turns:
            return
        line = Line(turns)
        threads = self.start(line.work, min(len(turns), self.max_threads))
        if not threads:
            line.work(time_left)
        while not self.wait(line, min(self._patience, time_left())) and time_left() > 0:
            more = min(line.held_up(), threads, _MOST_THREADS - threads)
            threads += self.start(line.work, more)
        line.close()

    def gather(
        self, calls: Sequence[Callable[[], _Value]], time_left: Callable[[], float], otherwise: _Value
    ) -> list[_Value]:
        """What the calls return, side by side; ``otherwise`` of those for which there was no time."""
        values = [otherwise] * len(calls)

        def call_once(index: int) -> bool:
            if time_left() > 0:
                values[index] = calls[index]()
            return False

        self.run([partial(call_once, index) for index in range(len(calls))], time_left)
        return list(values)

    def start(self, work: Callable[[], None], threads: int) -> int:
        """Start so many threads on the same work; returns how many the system let start."""
        for started in range(threads):
            try:
                threading.Thread(target=work, daemon=True).start()
            except RuntimeError:  # "can't start new thread": those that there are do the work
                return started
        return threads

    def wait(self, line: "Line", seconds: float) -> bool:
        """Wait until the line is empty, so many seconds at most; whether it is."""
        return line.wait(seconds)


class Line:
    """The line of those that wait for their turn. Thread-safe."""

    def __init__(self, turns: Sequence[Turn]) -> None:
        self._waiting = deque(turns)
        self._first_turns = len(turns)  # that nobody has taken yet: they stand before all others
        self._taken_lately = 0
        self._unfinished = len(turns)
        self._over = False
        self._changed = threading.Condition()

    @property
    def finished(self) -> bool:
        """Nothing has a next turn."""
        return not self._unfinished

    def work(self, time_left: Callable[[], float] = lambda: math.inf) -> None:
        """Take turns until nobody waits or no time is left.

        What another thread puts back is that thread's to go on with.
        """
        while time_left() > 0 and (turn := self._take()):
            more = False
            try:
                more = turn()
            finally:
                self._put_back(turn, more)

    def held_up(self) -> int:
        """How many have not had a turn, if nobody has taken one since this was asked the last time."""
        with self._changed:
            lately, self._taken_lately = self._taken_lately, 0
            return 0 if lately else self._first_turns

    def wait(self, seconds: float) -> bool:
        """Wait for the end, so many seconds at most; whether it has come."""
        with self._changed:
            return self._changed.wait_for(lambda: self.finished, timeout=max(0.0, seconds))

    def close(self) -> None:
        """No more turns."""
        with self._changed:
            self._over = True

    def _take(self) -> Turn | None:
        with self._changed:
            if self._over or not self._waiting:
                return None
            self._first_turns = max(0, self._first_turns - 1)
            self._taken_lately += 1
            return self._waiting.popleft()

    def _put_back(self, turn: Turn, more: Any) -> None:
        with self._changed:
            if more:
                self._waiting.append(turn)
            else:
                self._unfinished -= 1
                self._changed.notify_all()
