"""Days of the real push function on parts in memory: its own metrics, and what SQS would say of the queues.

Stock settings. Three customers, each of whom is sent something every ten minutes; the queue is looked at every 15 s.
"""

import json
import random
from typing import TYPE_CHECKING, Any

import pytest

from unit.alarms.cloudwatch import metric
from unit.alarms.day import DAY, HOUR, Day, counts
from worlds.messages import resource
from worlds.push_memory import PushWorld
from zendesk_push.in_memory.sqs_queue import MessageState
from zendesk_push.simulator import Fault, FaultKind

if TYPE_CHECKING:
    from collections.abc import Callable

LOOKS = 4  # a minute
POISON_RECEIPTS = 3  # SQS leaves what was received more often out of the age
CUSTOMERS = ("acme", "globex", "initech")


class PushingDay:
    """``at`` holds what happens, by minute."""

    def __init__(self, capsys: pytest.CaptureFixture[str]) -> None:
        self.day = Day()
        self.world = PushWorld()
        # Jitter as it is: of a delay's bounds alone, many messages would meet at the same moment.
        self.world.draw = random.Random(13).uniform
        self.customers = {name: self.world.connect(name) for name in CUSTOMERS}
        self.at: dict[int, Callable[[], object]] = {}
        self.every_minute: Callable[[int], object] = lambda _: None
        self._capsys = capsys
        self._begun = self.world.clock()

    def play(self) -> dict[str, tuple[int, int]]:
        """The whole day; rings and all-clears of what was heard."""
        for minute in range(DAY):
            self.at.get(minute, lambda: None)()
            self.every_minute(minute)
            if minute % 10 == 0:
                for key in self.customers.values():
                    self.world.drop(key, resource(f"{key}-{minute}"))
            for look in range(LOOKS):
                self.world.clock.advance(
                    max(0.0, self._begun + 60 * (minute + look / LOOKS) - self.world.clock())
                )
                self.world.invoke()
            for line in self._capsys.readouterr().out.splitlines():
                said: dict[str, Any] = json.loads(line)
                if "_aws" in said:
                    self.day.emf(minute, said | {"service": "push-content"})
            for name in ("ContentQueue", "DeadLetterQueue"):
                self._queue(name, minute)
        return counts(self.day.heard())

    def _queue(self, name: str, minute: int) -> None:
        now = self.world.clock()
        messages = self.world.sqs.queue(f"https://sqs.us-east-1.amazonaws.com/123456789012/{name}").messages()
        hidden = sum(message.state is MessageState.IN_FLIGHT for message in messages)
        ages = [now - message.sent_at for message in messages if message.receive_count <= POISON_RECEIPTS]
        for of, value in (
            ("ApproximateNumberOfMessagesVisible", len(messages) - hidden),
            ("ApproximateNumberOfMessagesNotVisible", hidden),
            ("ApproximateAgeOfOldestMessage", max(ages, default=0)),
        ):
            self.day.metrics.put(metric("AWS/SQS", of, QueueName=name), minute, value)


@pytest.fixture
def day(capsys: pytest.CaptureFixture[str]) -> PushingDay:
    return PushingDay(capsys)


def test_a_quiet_day(day: PushingDay) -> None:
    assert day.play() == {}


def test_a_customer_whose_token_is_refused_until_somebody_saves(day: PushingDay) -> None:
    """Its messages wait for hours, and are not late besides."""
    key = day.customers["acme"]
    new: list[str] = []
    day.at[10 * HOUR + 5] = lambda: new.append(day.world.zendesk.rotate_token(key))
    day.at[16 * HOUR + 5] = lambda: day.world.register(key, new[0])
    assert day.play() == {"CredentialsRefusedAlarm": (1, 0)}


def test_a_customer_whose_zendesk_is_renamed(day: PushingDay) -> None:
    gone = Fault(FaultKind.NOT_FOUND, subdomain="acme")
    day.at[10 * HOUR + 5] = lambda: day.world.zendesk.switch_on(gone)
    day.at[16 * HOUR + 5] = day.world.zendesk.switch_off
    assert day.play() == {"WrongAddressAlarm": (1, 0)}


def test_zendesk_is_down_for_everybody_for_five_hours(day: PushingDay) -> None:
    down = Fault(FaultKind.STATUS, status=500)
    day.at[10 * HOUR + 5] = lambda: day.world.zendesk.switch_on(down)
    day.at[15 * HOUR + 5] = day.world.zendesk.switch_off
    assert day.play() == {"ContentLateAlarm": (1, 1)}


def test_a_short_outage_is_nobodys_business(day: PushingDay) -> None:
    down = Fault(FaultKind.STATUS, status=503)
    day.at[10 * HOUR + 5] = lambda: day.world.zendesk.switch_on(down)
    day.at[10 * HOUR + 25] = day.world.zendesk.switch_off
    assert day.play() == {}


def test_a_sender_that_has_lost_its_way(day: PushingDay) -> None:
    """A hundred messages an hour that are none, for half a day; then somebody purges them."""
    day.every_minute = lambda minute: (
        [day.world.send("not JSON") for _ in range(2)] if 6 * HOUR < minute < 18 * HOUR else None
    )
    day.at[20 * HOUR] = lambda: purge(day.world)
    assert day.play() == {"DeadLettersAlarm": (1, 1)}


def purge(world: PushWorld) -> None:
    world.sqs.purge_queue(QueueUrl=world.settings.dead_letter_queue_url)


def test_messages_for_an_account_that_never_connected(day: PushingDay) -> None:
    """They are late after an hour, and become dead letters in four days: one ring today."""
    day.at[10 * HOUR] = lambda: day.world.drop("nobody", resource("n-1"))
    assert day.play() == {"ContentLateAlarm": (1, 0)}


def test_an_account_that_an_operator_has_paused_is_not_late(day: PushingDay) -> None:
    key = day.customers["acme"]
    day.at[8 * HOUR + 5] = lambda: day.world.change(key, paused_by_operator_at=day.world.clock())
    day.at[16 * HOUR + 5] = lambda: day.world.change(key, paused_by_operator_at=None)
    assert day.play() == {}
