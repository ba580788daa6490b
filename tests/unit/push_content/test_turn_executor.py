"""Taking turns on threads, and not waiting for ever for any of them."""

import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from push_content.invocation_deadlines import InvocationDeadlines
from push_content.turn_executor import TurnExecutor
from unit.push_content.messages import resource
from unit.push_content.world import World
from zendesk_channel.push_state import Standing

PLENTY = 30.0


def steps(name: str, count: int, seen: list[str]) -> Callable[[], bool]:
    left = iter(range(count, 0, -1))

    def step() -> bool:
        seen.append(name)
        return next(left) > 1

    return step


def test_jobs_take_turns() -> None:
    seen: list[str] = []

    TurnExecutor(1).run([steps("a", 3, seen), steps("b", 1, seen), steps("c", 2, seen)], lambda: PLENTY)

    assert seen == ["a", "b", "c", "a", "c", "a"]


@pytest.mark.parametrize("threads", [1, 3, 64])
def test_every_job_is_run_to_its_end(threads: int) -> None:
    seen: list[str] = []

    TurnExecutor(threads).run([steps(str(n), 1 + n % 7, seen) for n in range(100)], lambda: PLENTY)

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

    TurnExecutor(8).run([job, *[steps("x", 20, []) for _ in range(20)]], lambda: PLENTY)

    assert clashes == []


def test_a_job_that_hangs_delays_neither_the_others_nor_the_end() -> None:
    seen: list[str] = []
    never, ended = threading.Event(), threading.Event()

    def hang() -> bool:
        never.wait()
        ended.set()
        return True

    others = [steps(str(n), 2, seen) for n in range(10)]
    TurnExecutor(2).run([hang, *others], lambda: 0.2)

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

    TurnExecutor(1).run([block, steps("late", 1, seen)], lambda: 0.05)
    assert blocked.is_set()
    release.set()

    assert seen == []


def test_no_jobs_take_no_time() -> None:
    TurnExecutor().run([], lambda: PLENTY)


def invoke(world: World, seconds: float) -> list[str]:
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
    world = World(TurnExecutor())
    stuck, fine = world.connect("acme"), world.connect("globex")
    waiting = world.drop(stuck, resource("1"))
    world.drop(fine, resource("1"))
    push, returned = world.client.push, threading.Event()

    def hanging(subdomain: str, *args: Any, **more: Any) -> Any:
        if subdomain == "acme":
            release.wait()
            returned.set()
        return push(subdomain, *args, **more)  # type: ignore[arg-type]

    world.client.push = hanging  # type: ignore[method-assign]

    assert invoke(world, 2.2) == [waiting]
    assert world.zendesk.ticket_of(fine, "1")
    # What the late thread comes back with is for nobody any more.
    release.set()
    assert returned.wait(PLENTY)
    assert waiting in world.waits()


def test_invariant_6_neither_does_a_table_that_hangs(release: threading.Event) -> None:
    world = World(TurnExecutor())
    waiting = world.drop(world.connect(), resource("1"))

    def hanging(_: object) -> Standing:
        release.wait()
        return Standing({}, {})

    world.function._pauses.standing = hanging  # type: ignore[method-assign,assignment]

    assert invoke(world, 1.5) == [waiting]


def test_invariant_6_nor_queues_that_hang(release: threading.Event) -> None:
    world = World(TurnExecutor())
    dying, waiting = world.send("not JSON"), world.drop("unknown", resource("1"))

    def hanging(_: object) -> Any:
        release.wait()
        return {}

    world.function._dead_letter_queue.send = hanging  # type: ignore[method-assign,assignment]
    world.function._content_queue.hide = hanging  # type: ignore[method-assign,assignment]

    assert sorted(invoke(world, 1.5)) == sorted([dying, waiting])


@pytest.mark.parametrize("seconds", [0.1, 1, 5, 60, 900])
def test_what_comes_later_has_more_time(seconds: float) -> None:
    timetable = InvocationDeadlines(lambda: seconds)

    ends = [
        timetable.for_requests(),
        timetable.for_answers(),
        timetable.for_rejecting(),
        timetable.for_effects(),
    ]
    assert ends == sorted(ends)
    assert ends[-1] < seconds
    assert seconds < 10 or ends[0] > 0.8 * seconds
