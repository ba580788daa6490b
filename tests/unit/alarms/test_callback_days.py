"""Days of the real admin function on parts in memory: its own metrics, and the 5xx that API Gateway would count."""

import json
import uuid
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest

from unit.alarms.day import HOUR, Day, counts
from worlds.admin_world import AdminWorld

if TYPE_CHECKING:
    from collections.abc import Callable

DESTROY = "destroy_integration_instance"


class CallbackDay:
    """``at`` holds what happens, by minute, and returns the answers."""

    def __init__(self, capsys: pytest.CaptureFixture[str]) -> None:
        self.day = Day()
        self.world = AdminWorld()
        self.at: dict[int, Callable[[], Any]] = {}
        self._capsys = capsys
        self._begun = self.world.clock.time

    def play(self) -> dict[str, tuple[int, int]]:
        """The whole day; rings and all-clears of what was heard."""
        for minute, happens in sorted(self.at.items()):
            self.world.clock.time = self._begun + 60 * minute
            answers = happens()
            for answer in answers if isinstance(answers, list) else [answers]:
                if answer.status >= 500:
                    self.day.of_api("5xx", [minute])
            for line in self._capsys.readouterr().out.splitlines():
                said: dict[str, Any] = json.loads(line)
                if "_aws" in said:
                    self.day.emf(minute, said)
        return counts(self.day.heard())

    def destroy(self, metadata: str) -> Any:
        """The customer has removed the account."""
        now = datetime.fromtimestamp(self.world.clock.time, UTC).isoformat()
        return self.world.event(DESTROY, metadata, at=now)

    def forged_callback(self, number: int) -> Any:
        """From an address, and for a Zendesk, of its own."""
        form = self.world.form(f"victim{number % 7}", instance_push_id=str(uuid.uuid4()))
        return self.world.post_form(form, source=f"198.51.100.{number % 250}")


@pytest.fixture
def day(capsys: pytest.CaptureFixture[str]) -> CallbackDay:
    return CallbackDay(capsys)


def test_administrators_come_and_go(day: CallbackDay) -> None:
    """Each connects an account and saves it; one gives up; one removes what was connected long ago."""
    for hour in range(8, 18):
        day.at[hour * HOUR] = day.world.connect
    day.at[9 * HOUR + 5] = day.world.callback  # Zendesk does not confirm it
    day.at[12 * HOUR + 5] = lambda: day.destroy(day.world.connect().metadata)
    assert day.play() == {}


def test_a_flood_of_forged_callbacks(day: CallbackDay) -> None:
    for minute in range(9 * HOUR, 9 * HOUR + 40):
        day.at[minute] = lambda: [day.forged_callback(number) for number in range(40)]
    assert day.play() == {"StrangersAlarm": (1, 1)}


def test_a_flood_of_forged_events(day: CallbackDay) -> None:
    for minute in range(9 * HOUR, 9 * HOUR + 40):
        day.at[minute] = lambda: [
            day.world.event(DESTROY, json.dumps({"v": 2, "mac": "f" * 64})) for _ in range(20)
        ]
    assert day.play() == {"StrangersAlarm": (1, 1)}


def test_one_account_that_could_not_be_removed(day: CallbackDay) -> None:
    """DynamoDB fails for a moment, in which a customer leaves: pushing to it goes on."""
    removed = day.world.connect().metadata

    def fails() -> Any:
        day.world.accounts.failing = True
        return day.destroy(removed)

    day.at[10 * HOUR] = fails
    assert day.play() == {"CallbacksFailedAlarm": (1, 1)}


def test_nobody_can_connect_all_afternoon(day: CallbackDay) -> None:
    def fails() -> Any:
        day.world.accounts.failing = True
        return day.world.callback()

    for minute in range(12 * HOUR, 18 * HOUR, 25):
        day.at[minute] = fails
    assert day.play() == {"CallbacksFailedAlarm": (1, 1)}
