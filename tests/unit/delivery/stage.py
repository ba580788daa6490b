"""Workers as actors of which one moves at a time, from one effect to the next, when the director says so.

The code under test is threaded and knows nothing of this. Every call that leaves it (to a queue, a table, a
secret, Zendesk) parks the calling thread here first; whoever directs decides which of the parked threads goes
on. So every interleaving of effects can be played, repeated and shrunk, and a worker can be ended between any
two of its effects.
"""

import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager

from push_content.begun_work import BegunWork
from push_content.turn_executor import Line, TurnExecutor
from zendesk_push.in_memory.clock import ManualClock

_STUCK = 20.0  # seconds of real time; only ever waited for when a thread blocks outside of an effect


class Killed(BaseException):
    """The worker has ended where it stood: nothing of it goes on."""


class Actor:
    """One thread of one worker. ``errand`` is what the worker was doing when the thread began."""

    def __init__(self, worker: str, work: Callable[[], None], clock: ManualClock, errand: object) -> None:
        self.worker = worker
        self.errand = errand
        self.label = "begin"
        self.done = False
        self.error: BaseException | None = None
        self._work = work
        self._clock = clock
        self._killed = False
        self._awaited: Callable[[], bool] | None = None
        self.wakes_at: float | None = None
        # Locks as gates: one lets the actor go on, the other tells that it stands still again.
        self._go = threading.Lock()
        self._parked = threading.Lock()
        self._go.acquire()
        self._parked.acquire()
        self.thread = threading.Thread(target=self._main, daemon=True)
        self.thread.start()

    @property
    def ready(self) -> bool:
        """It could go on now."""
        if self.done:
            return False
        if self.wakes_at is None or self._clock() >= self.wakes_at:
            return True
        return self._awaited is not None and self._awaited()

    def park(self, label: str, awaited: Callable[[], bool] | None = None, until: float | None = None) -> None:
        """Called by the actor: stand still until resumed, which happens once it is ready.

        Raises:
            Killed: instead.
        """
        if self._killed:
            raise Killed
        self.label, self._awaited, self.wakes_at = label, awaited, until
        self._parked.release()
        self._go.acquire()
        if self._killed:
            raise Killed

    def resume(self) -> None:
        """Called by the director: let it go on to its next effect, or its end.

        Raises:
            AssertionError: it came to neither.
        """
        self._go.release()
        assert self._parked.acquire(timeout=_STUCK), f"{self.worker} is stuck after {self.label!r}"

    def kill(self) -> None:
        """Called by the director: end it where it stands."""
        self._killed = True
        if not self.done:
            self.resume()

    def _main(self) -> None:
        self._go.acquire()
        try:
            if not self._killed:
                self._work()
        except Killed:
            pass
        except BaseException as error:  # noqa: BLE001 (the director looks at it)
            self.error = error
        finally:
            self.done = True
            self._parked.release()


class Stage:
    """All actors. What it offers to the code under test does nothing on threads that are no actors."""

    def __init__(self, clock: ManualClock) -> None:
        self.clock = clock
        self.actors: list[Actor] = []
        self._by_thread: dict[threading.Thread, Actor] = {}

    def spawn(self, worker: str, work: Callable[[], None], errand: object = None) -> Actor:
        """A new thread of a worker, on the errand of the thread that asks for it; it does not move yet."""
        parent = self.current()
        actor = Actor(worker, work, self.clock, parent.errand if parent else errand)
        self.actors.append(actor)
        self._by_thread[actor.thread] = actor
        return actor

    def current(self) -> Actor | None:
        """The actor whose thread this is."""
        return self._by_thread.get(threading.current_thread())

    def before_effect(self, label: str) -> None:
        """Called by actors: about to do something that others can see."""
        actor = self.current()
        if actor is not None:
            actor.park(label)

    def sleep(self, seconds: float) -> None:
        """Called by actors: time passes, for everybody."""
        actor = self.current()
        if actor is not None:
            actor.park("sleep", until=self.clock() + seconds)

    def ready(self, worker: str | None = None) -> list[Actor]:
        """Those who could go on now, of one worker or of all."""
        self.actors = [actor for actor in self.actors if not actor.done]
        return [actor for actor in self.actors if worker in (None, actor.worker) and actor.ready]

    def step(self, actor: Actor) -> None:
        """One actor moves.

        Raises:
            BaseException: what ended it, if it did not end well.
        """
        actor.resume()
        if actor.error is not None:
            raise actor.error

    def next_wake(self, worker: str | None = None) -> float | None:
        """When the next who waits for a time can go on."""
        times = [
            actor.wakes_at
            for actor in self.actors
            if worker in (None, actor.worker) and not actor.done and actor.wakes_at is not None
        ]
        return min(times, default=None)

    def kill(self, worker: str | None = None) -> None:
        """End a worker's process with all of its threads, or everybody's."""
        for actor in self.actors:
            if worker in (None, actor.worker):
                actor.kill()
                self._by_thread.pop(actor.thread, None)
        self.actors = [actor for actor in self.actors if not actor.done]


class StagedTurnExecutor(TurnExecutor):
    """``TurnExecutor`` whose threads are actors of the one worker, and whose waiting is theirs too."""

    def __init__(self, stage: Stage, worker: str, max_threads: int = 3) -> None:
        super().__init__(max_threads)
        self._stage = stage
        self._worker = worker

    def start(self, work: Callable[[], None], threads: int) -> int:
        """Actors instead of threads."""
        for _ in range(threads):
            self._stage.spawn(self._worker, work)
        return threads

    def wait(self, line: Line, seconds: float) -> bool:
        """As the real one; only who moves when is decided elsewhere."""
        waiting = self._stage.current()
        assert waiting is not None
        waiting.park(
            "wait for the threads",
            awaited=lambda: line.finished,
            until=self._stage.clock() + max(0.0, seconds),
        )
        return line.finished


class StagedNotes(BegunWork):
    """``BegunWork`` on a list that outlives the worker's process: its death crosses nothing out."""

    def __init__(self, kept: list[set[str]]) -> None:
        super().__init__(None)
        self._kept = kept
        for ids in kept:
            self.suspects |= ids
        kept.clear()

    @contextmanager
    def begun(self, message_ids: Iterable[str]) -> Iterator[None]:
        """As the real one's."""
        ids = set(message_ids)
        self._kept.append(ids)
        try:
            yield
        except Killed:
            raise
        except BaseException:
            self._kept.remove(ids)
            raise
        self._kept.remove(ids)
