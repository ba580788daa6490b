"""What replaces parts of moto gives what moto gives."""

import time
from typing import Any

import pytest
from moto.core.utils import unix_time_millis as motos_clock
from moto.sqs.models import Message, SQSBackend

from zendesk_push.local import moto_speed

RETENTION_SECONDS = 60


@pytest.fixture
def backend() -> SQSBackend:
    backend = SQSBackend("us-east-1", "123456789012")
    backend.create_queue("queue", {}, MessageRetentionPeriod=RETENTION_SECONDS)
    return backend


def message(age_seconds: float) -> Any:
    one: Any = Message("id", "body")
    one.sent_timestamp = int((time.time() - age_seconds) * 1000)
    return one


@pytest.mark.parametrize(("age_seconds", "valid"), [(0, True), (58, True), (62, False), (10_000, False)])
def test_a_message_s_age_counts_as_moto_has_it(backend: SQSBackend, age_seconds: float, valid: bool) -> None:
    motos = SQSBackend.is_message_valid_based_on_retention_period

    assert motos is not moto_speed.is_message_valid_based_on_retention_period
    assert motos(backend, "queue", message(age_seconds)) is valid
    assert (
        moto_speed.is_message_valid_based_on_retention_period(backend, "queue", message(age_seconds)) is valid
    )


def test_the_clock_is_moto_s() -> None:
    before = motos_clock()
    ours = moto_speed.unix_time_millis()
    after = motos_clock()

    # moto's has microseconds only.
    assert before - 1 <= ours <= after + 1


class Arriving:
    """A message beside which another one arrives while it is looked at, as from another thread."""

    def __init__(self, pending: set[Any]) -> None:
        self._pending = pending

    @property
    def group_id(self) -> str:
        self._pending.add(message(0))
        return "group"


def test_pending_groups_may_be_looked_at_while_messages_arrive(backend: SQSBackend) -> None:
    queue: Any = backend.get_queue("queue")
    assert moto_speed.pending_message_groups(queue) == queue.pending_message_groups == set()
    queue.pending_messages.add(Arriving(queue.pending_messages))

    assert moto_speed.pending_message_groups(queue) == {"group"}
    with pytest.raises(RuntimeError, match="changed size"):
        _ = queue.pending_message_groups


def test_all_take_the_place_of_moto_s(monkeypatch: pytest.MonkeyPatch) -> None:
    # So that they are moto's again for the other tests.
    motos_groups = moto_speed.MODELS.Queue.pending_message_groups
    monkeypatch.setattr(moto_speed.MODELS.Queue, "pending_message_groups", motos_groups)
    monkeypatch.setattr(moto_speed.MODELS, "unix_time_millis", motos_clock)
    name = "is_message_valid_based_on_retention_period"
    monkeypatch.setattr(SQSBackend, name, getattr(SQSBackend, name))

    moto_speed.speed_up()

    assert moto_speed.MODELS.unix_time_millis is moto_speed.unix_time_millis
    assert getattr(SQSBackend, name) is moto_speed.is_message_valid_based_on_retention_period
    assert moto_speed.MODELS.Queue.pending_message_groups.fget is moto_speed.pending_message_groups
