"""The proof can fail: a worker that is broken in one place is found out by it.

Nothing is patched: a worker is broken by a collaborator that lies to it, or by what is put around it. To it, that is
as if its own rule were missing.
"""

import re
from collections.abc import Callable, Iterable, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import Any

import pytest

from unit.delivery.effects import Failing
from unit.delivery.test_delivery import CULPRIT, Delivery
from unit.delivery.test_each_fault import check, play
from zendesk_channel.client import Response
from zendesk_channel.push_state import Snapshot
from zendesk_push.bench.traffic import message
from zendesk_push.simulator.faults import Fault, FaultKind

Trouble = Callable[[Delivery], Any]


class Around:
    """Stands in front of a collaborator, and is it but for what a subclass says."""

    def __init__(self, target: Any) -> None:
        self._target = target

    def __getattr__(self, name: str) -> Any:
        return getattr(self._target, name)


# Broken queues


class SendsNothing(Around):
    def send_message_batch(self, **request: Any) -> Any:
        return {"Successful": [{"Id": entry["Id"]} for entry in request["Entries"]]}


class SeesNoFailures(Around):
    def send_message_batch(self, **request: Any) -> Any:
        self._target.send_message_batch(**request)
        return {"Successful": [{"Id": entry["Id"]} for entry in request["Entries"]]}


class ForgetsWaits(Around):
    def change_message_visibility_batch(self, **request: Any) -> Any:
        return {"Successful": [{"Id": entry["Id"]} for entry in request["Entries"]]}


# Broken tables


class SeesNoPauses(Around):
    """No pause, no state and no mark of the records is seen."""

    def snapshot(self, keys: Iterable[Any]) -> Snapshot:
        found = self._target.snapshot(keys)
        accounts = {
            key: replace(
                account, paused_until=0, paused_by_operator_at=None, refused_version=None, pause_seconds=0
            )
            for key, account in found.accounts.items()
        }
        return Snapshot(accounts, {})


class ReadsOnce(Around):
    """What was read once is never read again."""

    def __init__(self, target: Any) -> None:
        super().__init__(target)
        self._found: dict[Any, Any] = {}

    def snapshot(self, keys: Iterable[Any]) -> Snapshot:
        keys = list(keys)
        missing = [key for key in keys if key not in self._found]
        if missing:
            read = self._target.snapshot(missing)
            self._found |= {key: (read.accounts.get(key), read.paused_until) for key in missing}
        found = [self._found[key] for key in keys]
        accounts = {account.instance_push_id: account for account, _ in found if account}
        return Snapshot(accounts, {name: until for _, pauses in found for name, until in pauses.items()})


# Broken readings of answers


class Misreads(Around):
    """Takes Zendesk's answers for something else."""

    def push(self, *arguments: Any, **named: Any) -> Response:
        answer: Response = self._target.push(*arguments, **named)
        return replace(answer, status=self.status(answer.status), body=self.body(answer))

    def status(self, status: int) -> int:
        return status

    def body(self, answer: Response) -> bytes:
        return answer.body


class TakesHaltedForDelivered(Misreads):
    def body(self, answer: Response) -> bytes:
        return answer.body.replace(b'"halted"', b'"success"')


class TakesFailuresForDelivered(Misreads):
    def body(self, answer: Response) -> bytes:
        return answer.body.replace(b'"processing_error"', b'"success"')


class BlamesNeighbours(Misreads):
    def body(self, answer: Response) -> bytes:
        if answer.status != 400:
            return answer.body
        return re.sub(
            rb"(external_resources/)(\d+)", lambda named: named[1] + b"%d" % (int(named[2]) - 1), answer.body
        )


class TakesRefusalForAll(Misreads):
    """Every message of a refused request is refused, with the words that are another's."""

    def body(self, answer: Response) -> bytes:
        return (
            answer.body.replace(b"#/external_resources/", b"#/request_id/")
            if answer.status == 400
            else answer.body
        )


class TakesFailureForThrottle(Misreads):
    """Goes on where an account fails: its pause is never written."""

    def status(self, status: int) -> int:
        return 400 if status == 500 else status


# Broken workers as a whole


class ReportsNothing(Around):
    def run(self, *arguments: Any, **named: Any) -> list[str]:
        self._target.run(*arguments, **named)
        return []


class GivesUpAtOnce(Around):
    def run(self, records: Iterable[Mapping[str, Any]], **named: Any) -> Any:
        worn = {"ApproximateReceiveCount": "900"}
        return self._target.run(
            [{**record, "attributes": {**record["attributes"], **worn}} for record in records], **named
        )


class SendsBackwards(Around):
    def run(self, records: Iterable[Mapping[str, Any]], **named: Any) -> Any:
        return self._target.run(
            [
                {
                    **record,
                    "attributes": {**record["attributes"], "SentTimestamp": str(2_000_000_000_000 - index)},
                }
                for index, record in enumerate(records)
            ],
            **named,
        )


class KnowsNoThreads(Around):
    """Sends each message by itself, whatever is before it in its conversation."""

    def run(self, records: Iterable[Mapping[str, Any]], **named: Any) -> list[str]:
        return [key for record in records for key in self._target.run([record], **named)]


class OutlivesItsTime(Around):
    def run(self, records: Any, *, time_left: Callable[[], float], request_id: str) -> Any:
        return self._target.run(records, time_left=lambda: time_left() + 60, request_id=request_id)


# What must happen for it to be seen


def nothing(_: Delivery) -> None:
    """No trouble is needed."""


def fault(kind: FaultKind, **conditions: Any) -> Trouble:
    return lambda life: life.world.zendesk.switch_on(Fault(kind, instance_push_id="a1", **conditions))


def failing_dead_letters(life: Delivery) -> None:
    life.let_aws_fail("sqs.send_message_batch", Failing.PARTLY, 1)


def revoked_token(life: Delivery) -> None:
    life.world.zendesk.revoke_token("a1")


def stopped_by_an_operator(life: Delivery) -> None:
    life.world.pause_by_operator("a1", True)


def a_slow_account(life: Delivery) -> None:
    fault(FaultKind.DELAY, seconds=3)(life)
    life.drop_many("a1", 30)


def a_thread_whose_first_fails(life: Delivery) -> None:
    life.drop(message(life.key(), "a1"))
    for _ in range(3):
        life.drop(message(life.key(), "a1", thread="t"))
    fault(FaultKind.PROCESSING_ERROR, external_id="m2.0", count=1)(life)


@dataclass(frozen=True)
class Broken:
    """What breaks a worker, by the collaborator that it is put around; and the trouble that shows it."""

    around: dict[str, Any] = field(default_factory=dict)
    trouble: Trouble = nothing
    settings: dict[str, str] = field(default_factory=dict)

    def play(self, life: Delivery) -> None:
        """Have the trouble, and go on living."""
        self.trouble(life)
        play(life)


BROKEN = {
    "reports nothing as staying": Broken(
        {"function": ReportsNothing}, fault(FaultKind.SERVER_ERROR, count=2)
    ),
    "deletes without a dead letter": Broken({"sqs": SendsNothing}),
    "takes a failed dead letter for sent": Broken({"sqs": SeesNoFailures}, failing_dead_letters),
    "forgets how long a message waits": Broken({"sqs": ForgetsWaits}, fault(FaultKind.SERVER_ERROR, count=2)),
    "takes halted for delivered": Broken(
        {"zendesk": TakesHaltedForDelivered}, fault(FaultKind.PROCESSING_ERROR, count=1)
    ),
    "takes a failure for delivered": Broken(
        {"zendesk": TakesFailuresForDelivered}, fault(FaultKind.PROCESSING_ERROR, count=1)
    ),
    "blames a neighbour": Broken({"zendesk": BlamesNeighbours}),
    "refuses all for one": Broken({"zendesk": TakesRefusalForAll}),
    "ignores pauses": Broken({"pauses": SeesNoPauses}, fault(FaultKind.THROTTLED, count=1, retry_after=60)),
    "ignores operators": Broken({"pauses": SeesNoPauses}, stopped_by_an_operator),
    "uses a refused token": Broken({"pauses": SeesNoPauses}, revoked_token),
    "reads pauses only once": Broken(
        {"pauses": ReadsOnce}, a_slow_account, {"MAX_RESOURCES_PER_REQUEST": "1"}
    ),
    "goes on where an account fails": Broken(
        {"zendesk": TakesFailureForThrottle}, fault(FaultKind.SERVER_ERROR, count=4)
    ),
    "sends one by one": Broken(settings={"MAX_RESOURCES_PER_REQUEST": "1"}),
    "gives up at once": Broken({"function": GivesUpAtOnce}, fault(FaultKind.SERVER_ERROR, count=2)),
    "sends threads backwards": Broken({"function": SendsBackwards}, a_thread_whose_first_fails),
    "sends what is behind a failed message": Broken({"function": KnowsNoThreads}, a_thread_whose_first_fails),
    "outlives its time": Broken(
        {"function": OutlivesItsTime}, a_slow_account, {"MAX_RESOURCES_PER_REQUEST": "1"}
    ),
}


@contextmanager
def life_with(broken: Broken) -> Any:
    life = Delivery(broken.around, **broken.settings)
    try:
        yield life
    finally:
        life.world.close()


@pytest.mark.parametrize("name", BROKEN)
def test_a_broken_worker_is_found_out(name: str) -> None:
    with life_with(BROKEN[name]) as life, pytest.raises(AssertionError):
        BROKEN[name].play(life)


@pytest.mark.parametrize("name", [name for name, broken in BROKEN.items() if not broken.settings])
def test_and_a_whole_one_is_not(name: str) -> None:
    """By the same troubles: what finds a broken worker out is that it is broken."""
    whole = Broken(trouble=BROKEN[name].trouble)
    with life_with(whole) as life:
        whole.play(life)


def test_one_culprits_failures_hold_no_other_up() -> None:
    life = Delivery()
    life.let_content_fail("a1", 500)
    for number in range(20):
        life.drop(message(life.key(), "a1", text=CULPRIT if number % 10 == 5 else ""))
    for _ in range(12):
        life.work("w1", 1000, twice=False, picks=0, ending="finish")
        check(life)
        life.pass_time(15)
    waiting = {life.world.sent[body].key for body in life.world.on_queue()}
    assert waiting <= {"m6", "m16"}
    life.teardown()
