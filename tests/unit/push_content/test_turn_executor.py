"""Taking turns on threads, and not waiting forever for any of them."""

import threading
import time
from collections.abc import Callable, Iterator

import pytest

from push_content.invocation_deadlines import InvocationDeadlines
from push_content.turn_executor import TurnExecutor
from worlds.messages import resource
from worlds.push_memory import PushWorld
from zendesk_push.in_memory.clock import ManualClock

PLENTY = 30.0


def within(seconds: float) -> Callable[[], float]:
    """Time that runs out."""
    end = time.monotonic() + seconds
    return lambda: end - time.monotonic()


def steps(name: str, count: int, seen: list[str]) -> Callable[[], bool]:
    left = iter(range(count, 0, -1))

    def step() -> bool:
        seen.append(name)
        return next(left) > 1

    return step


def test_jobs_take_turns() -> None:
    seen: list[str] = []

    TurnExecutor(1).run([steps("a", 3, seen), steps("b", 1, seen), steps("c", 2, seen)], within(PLENTY))

    assert seen == ["a", "b", "c", "a", "c", "a"]


@pytest.mark.parametrize("threads", [1, 3, 64])
def test_every_job_is_run_to_its_end(threads: int) -> None:
    seen: list[str] = []

    TurnExecutor(threads).run([steps(str(n), 1 + n % 7, seen) for n in range(100)], within(PLENTY))

    assert sorted(seen) == sorted(str(n) for n in range(100) for _ in range(1 + n % 7))


def test_a_job_is_never_on_two_threads() -> None:
    busy, clashes = threading.Lock(), []
    counts = iter(range(200))

    def job() -> bool:
        if not busy.acquire(blocking=False):
            clashes.append(1)
            return False
        more = next(counts) < 199
        busy.release()
        return more

    TurnExecutor(8).run([job, *[steps("x", 20, []) for _ in range(20)]], within(PLENTY))

    assert clashes == []


def test_a_job_that_hangs_delays_neither_the_others_nor_the_end() -> None:
    seen: list[str] = []
    never, ended = threading.Event(), threading.Event()

    def hang() -> bool:
        never.wait()
        ended.set()
        return True

    others = [steps(str(n), 2, seen) for n in range(10)]
    TurnExecutor(2).run([hang, *others], within(0.5))

    assert sorted(seen) == sorted(str(n) for n in range(10) for _ in range(2))
    never.set()
    assert ended.wait(PLENTY)


def test_nothing_is_begun_after_the_end() -> None:
    seen: list[str] = []
    release, blocked = threading.Event(), threading.Event()

    def block() -> bool:
        blocked.set()
        release.wait()
        return False

    TurnExecutor(1).run([block, steps("late", 1, seen)], within(0.2))
    assert blocked.is_set()
    release.set()

    assert seen == []


def test_no_jobs_take_no_time() -> None:
    TurnExecutor().run([], within(PLENTY))


def invoke(world: PushWorld, seconds: float) -> list[str]:
    """One invocation that has so much real time. That it ends at all is the point: what hangs, hangs until then."""
    event = world.source.receive(10)
    assert event is not None
    end = time.monotonic() + seconds
    return world.function.run(
        event["Records"], time_left=lambda: end - time.monotonic(), request_id="lambda-1"
    )


@pytest.fixture
def release() -> Iterator[threading.Event]:
    event = threading.Event()
    yield event
    event.set()


def test_invariant_6_a_push_that_hangs_for_good_does_not_keep_the_invocation(
    release: threading.Event,
) -> None:
    """Not even urllib3's time-outs end a name look-up that hangs."""
    world = PushWorld(TurnExecutor())
    stuck, fine = world.connect("acme"), world.connect("globex")
    waiting = world.drop(stuck, resource("1"))
    world.drop(fine, resource("1"))
    returned = threading.Event()

    def hang(subdomain: str) -> None:
        if subdomain == "acme":
            release.wait()
            returned.set()

    world.client.before_push = hang

    assert invoke(world, 2.2) == [waiting]
    assert world.zendesk.ticket_of(fine, "1")
    # What the late thread comes back with changes nothing any more.
    release.set()
    assert returned.wait(PLENTY)
    assert waiting in world.waits()


def test_invariant_6_neither_does_a_table_that_hangs(release: threading.Event) -> None:
    world = PushWorld(TurnExecutor())
    waiting = world.drop(world.connect(), resource("1"))
    world.pauses.before_snapshot = release.wait

    assert invoke(world, 1.5) == [waiting]


def test_invariant_6_nor_queues_that_hang(release: threading.Event) -> None:
    world = PushWorld(TurnExecutor())
    dying, waiting = world.send("not JSON"), world.drop("unknown", resource("1"))
    event = world.source.receive(10)
    assert event is not None
    world.sqs.before_call = lambda _: release.wait()
    staying = world.function.run(event["Records"], time_left=within(1.5), request_id="lambda-1")

    assert sorted(staying) == sorted([dying, waiting])


# More hang than there are threads


def test_however_many_hang_the_others_do_not_wait_for_them() -> None:
    never, served = threading.Event(), threading.Event()

    def hang() -> bool:
        never.wait()
        return False

    def serve() -> bool:
        served.set()
        return False

    executor = TurnExecutor(max_threads=2, patience=0.05)
    runner = threading.Thread(target=lambda: executor.run([*[hang] * 9, serve], within(PLENTY)))
    runner.start()
    try:
        assert served.wait(PLENTY)
    finally:
        never.set()
        runner.join()


def test_no_thread_is_added_while_everything_has_had_a_turn() -> None:
    """What takes its time is waited for in any case."""
    started: list[int] = []

    class Counting(TurnExecutor):
        def start(self, work: Callable[[], None], threads: int) -> int:
            started.append(threads)
            return super().start(work, threads)

    def slow() -> bool:
        threading.Event().wait(0.3)
        return False

    Counting(max_threads=1, patience=0.05).run([slow], within(PLENTY))

    assert sum(started) == 1


@pytest.fixture
def threads_left(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How many threads the system lets start, in all."""
    left = [0]
    start = threading.Thread.start

    def limited(thread: threading.Thread) -> None:
        if not left[0]:
            raise RuntimeError("can't start new thread")
        left[0] -= 1
        start(thread)

    monkeypatch.setattr(threading.Thread, "start", limited)
    return left


@pytest.mark.parametrize("threads", [0, 1, 3])
def test_where_threads_cannot_be_started_those_that_there_are_do_the_work(
    threads: int, threads_left: list[int]
) -> None:
    threads_left[0] = threads
    seen: list[str] = []

    TurnExecutor().run([steps(str(n), 2, seen) for n in range(10)], within(PLENTY))

    assert sorted(seen) == sorted(str(n) for n in range(10) for _ in range(2))


@pytest.mark.usefixtures("threads_left")
def test_the_callers_own_thread_begins_nothing_after_the_end() -> None:
    clock = ManualClock()
    end = clock() + 60
    seen: list[float] = []

    def slow() -> bool:
        seen.append(clock())
        clock.advance(25)
        return True

    TurnExecutor().run([slow], lambda: end - clock())

    assert len(seen) == 3


@pytest.mark.usefixtures("threads_left")
def test_without_threads_content_is_delivered_all_the_same() -> None:
    world = PushWorld(TurnExecutor())
    account = world.connect("acme")
    world.drop(account, resource("1"))

    assert world.invoke() == []
    assert world.zendesk.ticket_of(account, "1")


def test_values_come_back_in_order_and_late_ones_are_left_out() -> None:
    never = threading.Event()
    calls: list[Callable[[], int]] = [lambda: 1, lambda: int(never.wait()), lambda: 3]

    assert TurnExecutor(3).gather(calls, within(0.3), otherwise=-1) == [1, -1, 3]
    never.set()


@pytest.mark.parametrize("seconds", [0.1, 1, 5, 60, 900])
def test_what_comes_later_has_more_time(seconds: float) -> None:
    deadlines = InvocationDeadlines(lambda: seconds)

    ends = [
        deadlines.for_requests(),
        deadlines.for_answers(),
        deadlines.for_rejecting(),
        deadlines.for_effects(),
    ]
    assert ends == sorted(ends)
    assert ends[-1] < seconds
    assert seconds < 10 or ends[0] > 0.8 * seconds


def test_no_request_is_begun_after_twenty_seconds_of_sending() -> None:
    clock = ManualClock()
    end = clock() + 60
    deadlines = InvocationDeadlines(lambda: end - clock())
    clock.advance(5)  # reading took so long
    deadlines.start_sending()

    clock.advance(19.9)
    assert deadlines.for_next_request(30, 1) == pytest.approx(26.1)
    clock.advance(0.1)
    assert deadlines.for_next_request(30, 1) is None
    assert deadlines.for_requests() == 26
