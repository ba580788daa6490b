"""A message that kills the process costs no other anything, once it is known which one it is."""

import os
import signal
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from push_content.begun_work import BegunWork
from push_content.turn_executor import TurnExecutor
from worlds.messages import resource
from worlds.push_memory import PushWorld

# Begins work on the messages named, with a request of others side by side, and dies of it.
DYING = """
import os, signal, sys
from pathlib import Path
from push_content.begun_work import BegunWork
work = BegunWork(Path(sys.argv[1]))
with work.begun(["ended-1", "ended-2"]):
    pass
with work.begun(["m-1", "m-2"]), work.begun(["m-3"]):
    os.kill(os.getpid(), signal.SIGKILL)
"""


def test_what_a_process_died_of_is_known_to_the_next_and_only_to_that(tmp_path: Path) -> None:
    died = subprocess.run([sys.executable, "-c", DYING, str(tmp_path)], check=False)

    assert died.returncode == -signal.SIGKILL
    next_one = BegunWork(tmp_path)
    assert (next_one.suspects, next_one.deadly) == ({"m-1", "m-2", "m-3"}, {"m-3"})
    assert BegunWork(tmp_path).suspects == set()


def test_what_a_living_process_is_at_work_on_is_not_suspected(tmp_path: Path) -> None:
    (tmp_path / f"{os.getppid()}-0.begun").write_text("m-1\n\n")

    assert BegunWork(tmp_path).suspects == set()


def test_work_that_ends_with_an_exception_has_ended(tmp_path: Path) -> None:
    work = BegunWork(tmp_path)
    with pytest.raises(ZeroDivisionError), work.begun(["m-1"]):
        raise ZeroDivisionError
    with work.begun(["a" * 1_000]), work.begun(["b"]):
        pass

    assert BegunWork(tmp_path).suspects == set()


def test_a_folder_that_cannot_be_written_costs_only_the_notes(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    work = BegunWork(tmp_path / "file" / "folder")

    with work.begun(["m-1"]):
        pass
    assert work.suspects == set()


def test_invocations_leave_no_notes_behind(tmp_path: Path) -> None:
    world = PushWorld()
    world.begun_work = BegunWork(tmp_path)
    world.restart()
    account = world.connect()
    for number in range(120):
        world.drop(account, resource(str(number)))
    world.send("not JSON")
    world.invoke()
    world.invoke()

    assert BegunWork(tmp_path).suspects == set()
    assert len(list(tmp_path.iterdir())) <= 2  # one of this process, reused, and none for each request


def test_a_suspect_goes_last_by_itself_after_all_others_are_deleted_or_hidden() -> None:
    world = PushWorld()
    account = world.connect()
    suspect = world.drop(account, resource("suspect"))
    good = [world.drop(account, resource(str(number))) for number in range(3)]
    bad, waiting = world.send("not JSON"), world.drop("unknown", resource("1"))
    world.begun_work.suspects.add(suspect)
    left: list[dict[str, float]] = []
    world.client.before_push = lambda _: left.append(world.waits())

    assert world.invoke() == [waiting]
    assert world.pushes == [3, 1]
    # When the suspect's turn comes, a death would find only itself, and what waits in any case.
    assert left[0].keys() == {suspect, bad, waiting, *good}
    assert left[1].keys() == {suspect, waiting}
    assert left[1][waiting] <= 2
    assert world.begun_work.suspects == set()


def test_without_time_a_suspect_stays_and_is_suspected_still() -> None:
    world = PushWorld()
    suspect = world.drop(world.connect(), resource("suspect"))
    world.begun_work.suspects.add(suspect)

    assert world.invoke(seconds=20) == [suspect]
    assert world.begun_work.suspects == {suspect}
    assert world.pushes == []


def test_what_is_deadly_and_was_received_often_enough_is_rejected_untouched() -> None:
    world = PushWorld()
    suspect = world.drop(world.connect(), resource("suspect"))
    world.wear(days=4, receipts=5)
    world.begun_work.suspects.add(suspect)
    world.begun_work.deadly.add(suspect)

    assert world.invoke() == []
    assert world.pushes == []
    assert world.reasons() == ["unavailable"]


def test_what_was_begun_with_others_is_tried_however_old_it_is() -> None:
    world = PushWorld()
    innocent = world.drop(world.connect(), resource("innocent"))
    world.wear(days=5, receipts=9)
    world.begun_work.suspects.add(innocent)

    assert world.invoke() == []
    assert world.pushes == [1]
    assert world.dead() == []


def test_a_slow_queue_leaves_a_suspect_where_it_is_and_the_invocation_ends_in_time() -> None:
    world = PushWorld()
    account = world.connect()
    suspect = world.drop(account, resource("suspect"))
    for number in range(3_000):
        world.drop(account, resource(f"e{number}"))
    world.begun_work.suspects.add(suspect)
    world.sqs.before_call = lambda operation: (
        world.clock.advance(0.5) if operation == "DeleteMessageBatch" else None
    )
    event = world.source.receive(10_000)
    assert event is not None
    end = world.clock() + 120

    staying = world.function.run(
        event["Records"], time_left=lambda: end - world.clock(), request_id="lambda-1"
    )

    assert end - world.clock() > 0
    assert staying == [suspect]
    assert world.begun_work.suspects == {suspect}
    assert world.zendesk.ticket_of(account, "suspect") is None


def test_what_is_deleted_before_a_suspect_is_deleted_side_by_side() -> None:
    world = PushWorld(TurnExecutor())
    account = world.connect()
    suspect = world.drop(account, resource("suspect"))
    for number in range(20):
        world.drop(account, resource(f"e{number}"))
    world.begun_work.suspects.add(suspect)
    two = threading.Barrier(2, timeout=20)
    world.sqs.before_call = lambda operation: two.wait() if operation == "DeleteMessageBatch" else None
    event = world.source.receive(100)
    assert event is not None

    assert world.run(event["Records"]) == []
    assert world.zendesk.ticket_of(account, "suspect")
    assert not two.broken
