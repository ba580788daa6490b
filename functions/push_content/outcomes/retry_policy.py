"""How long a message waits for its next turn, and when it has waited enough: the one place for both.

A waiting message is *in flight*, of which SQS allows about 120,000 for a queue before it stops delivering to
anyone. Its last turn must come before the queue's retention ends, because then SQS deletes it.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

from push_content.messages.sqs_record import SqsRecord
from push_content.outcomes.outcome import ErrorCode, Rejected, Retry

MAX_RECEIPTS: Final = 900  # SQS moves a message itself, without a reason, at 1,000
FEWEST_RECEIPTS: Final = 5  # before age alone ends a message: an outage may have been longer than the window
SPARING_FROM: Final = (
    100  # receipts, after which those that are left are spread over what is left of the window
)
RETENTION_MARGIN: Final = 3600  # seconds between a message's last turn and the end of its retention
# SQS: 12 hours in all since the receipt, some of which have passed when the wait is set.
LONGEST_WAIT: Final = 42_000
SOON: Final = 60  # seconds; for what no failure speaks against, and under pressure for all
PRESSURE_THRESHOLD: Final = 100  # messages that must wait, after which the queue's number is asked for
IN_FLIGHT_LIMIT: Final = 60_000  # half of what SQS allows
# Seconds that an answer about the queue is good for, when too few wait to ask again.
_REMEMBERED: Final = 60
_NOT_WORTH_WAITING: Final = (
    ErrorCode.UNAUTHORIZED,
    ErrorCode.UNKNOWN_ACCOUNT,
    ErrorCode.INACTIVE_ACCOUNT,
)


@dataclass(frozen=True)
class WaitingRules:
    """Seconds, all of them; from the function's settings."""

    base_delay: float
    max_delay: float
    window: float
    retention: float
    visibility: float

    @property
    def last_age(self) -> float:
        """A turn that comes later may come too late: SQS deletes the message at the end of the retention."""
        return self.retention - self.visibility - RETENTION_MARGIN


@dataclass(frozen=True)
class Wait:
    """Stays on the queue, invisible for so many seconds."""

    seconds: int


def next_turn(
    record: SqsRecord,
    retry: Retry,
    rules: WaitingRules,
    *,
    now: float,
    not_before: float,
    uniform: Callable[[float, float], float],
    pressed: bool = False,
) -> Wait | Rejected:
    """When a message that must be retried has its next turn; Rejected if it has none left.

    Args:
        not_before: when its account's or subdomain's pause ends, or when it has its turn behind others that wait for
            the same rate limit; epoch seconds.
        uniform: draws from a range, both ends included.
        pressed: the queue has too many messages in flight.
    """
    age = record.age(now)
    if pressed and retry.reason in _NOT_WORTH_WAITING:
        return _rejected(retry, "the queue has too many messages waiting")
    if not retry.nobodys and (enough := waited_enough(record, rules, now)):
        return _rejected(retry, enough)
    longest = min(rules.max_delay, SOON) if pressed or retry.soon else rules.max_delay
    delay = max(_back_off(record, retry, rules, uniform), _pause(not_before - now, rules, uniform), 1.0)
    delay = max(min(math.ceil(delay), math.floor(longest)), _spared(record, rules, age))
    if not retry.nobodys and age < rules.window:
        delay = min(delay, math.ceil(rules.window - age))
    delay = min(delay, LONGEST_WAIT)
    if age + delay >= rules.last_age:
        return _rejected(retry, "its next turn would come too close to the end of the queue's retention")
    return Wait(max(0, delay))


def waited_enough(record: SqsRecord, rules: WaitingRules, now: float) -> str | None:
    """Why a message that must be retried is given up; None if it is not, unless the retention ends."""
    if record.age(now) >= rules.window and record.receive_count >= FEWEST_RECEIPTS:
        return f"older than {rules.window:g} s"
    if record.receive_count >= MAX_RECEIPTS:
        return f"received {record.receive_count} times"
    return None


def _back_off(
    record: SqsRecord, retry: Retry, rules: WaitingRules, uniform: Callable[[float, float], float]
) -> float:
    """Doubles with the receive count. What waits for its account has the account's pause for that."""
    doubled = rules.base_delay * 2.0 ** min(record.receive_count - 1, 60)
    return uniform(0, min(SOON if retry.accounts else rules.max_delay, rules.max_delay, doubled))


def _pause(left: float, rules: WaitingRules, uniform: Callable[[float, float], float]) -> float:
    """What is left of a pause, and jitter. What is due a moment before its end would only be received for nothing."""
    return left + uniform(0, max(rules.base_delay, left / 4)) if left > 0 else 0.0


def _spared(record: SqsRecord, rules: WaitingRules, age: float) -> int:
    """The least delay with which the receipts that are left last as long as the message may wait."""
    if record.receive_count < SPARING_FROM:
        return 0
    end = rules.window if age < rules.window else rules.last_age
    return math.ceil(max(0.0, end - age) / max(1, MAX_RECEIPTS - record.receive_count))


def after_failed_rejection(
    record: SqsRecord, rules: WaitingRules, *, now: float, uniform: Callable[[float, float], float]
) -> Wait:
    """How long a message waits whose dead letter may not have been taken.

    Its reason will be the same, and a letter that SQS took all the same would be a second one. So it waits longer than
    others do, and only as the retention ends it is tried again and again.
    """
    doubled = max(float(SOON), rules.base_delay * 2.0 ** min(record.receive_count, 60))
    longest = min(doubled, rules.max_delay, LONGEST_WAIT)
    left = rules.last_age - record.age(now)
    return Wait(max(1, math.floor(min(uniform(longest / 2, longest), max(0.0, left)))))


class PressureGauge:
    """Whether so many messages are in flight that waiting must be kept short.

    The queue is asked once more than a hundred messages had to wait since it was last asked, in one invocation or,
    where batches are small, in several.
    """

    def __init__(self) -> None:
        self._waiting = 0
        self._pressed = False
        self._asked_at = 0.0

    def pressed(self, waiting: int, now: float, in_flight: Callable[[], int | None]) -> bool:
        """So many more messages must wait, at this time (epoch seconds). ``in_flight``: None if nobody knows."""
        self._waiting += waiting
        if self._waiting > PRESSURE_THRESHOLD:
            self._pressed = (in_flight() or 0) > IN_FLIGHT_LIMIT
            self._waiting, self._asked_at = 0, now
        elif now - self._asked_at > _REMEMBERED:
            self._pressed = False
        return self._pressed


def oldest(records: Sequence[SqsRecord], now: float) -> float:
    """The age of the oldest, in seconds; 0 of none."""
    return max((record.age(now) for record in records), default=0.0)


def _rejected(retry: Retry, why: str) -> Rejected:
    return Rejected(retry.reason, f"{retry.text} (given up: {why})", retry.status, retry.results)
