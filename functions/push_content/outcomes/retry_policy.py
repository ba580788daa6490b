"""How long a message waits for its next turn, and when it has waited enough. Pure: the one place for both.

A waiting message is *in flight*, of which SQS allows about 120,000 for a queue before it stops delivering to
anyone. Its last turn must come before the queue's retention ends, because then SQS deletes it.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

from push_content.answers.answer_judge import Rejected, Retry
from push_content.messages.sqs_record import Receipt
from push_content.outcomes.error_codes import ErrorCode

MAX_RECEIPTS: Final = 900  # SQS moves a message itself, without a reason, at 1,000
RETENTION_MARGIN: Final = 3600  # seconds between a message's last turn and the end of its retention
# SQS: 12 hours in all since the receipt, some of which have passed when the wait is set.
LONGEST_WAIT: Final = 42_000
SOON: Final = 60  # seconds; for what no failure speaks against, and under pressure for all
PRESSURE_THRESHOLD: Final = (
    100  # messages of an invocation that must wait: then the queue's number is asked for
)
IN_FLIGHT_LIMIT: Final = 60_000  # half of what SQS allows
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


@dataclass(frozen=True)
class Wait:
    """Stays on the queue, invisible for so many seconds."""

    seconds: int


def next_turn(
    receipt: Receipt,
    retry: Retry,
    rules: WaitingRules,
    *,
    now: float,
    paused_until: float,
    uniform: Callable[[float, float], float],
    pressed: bool = False,
) -> Wait | Rejected:
    """When a message that must be retried has its next turn; Rejected if it has none left.

    Args:
        paused_until: when its account's or subdomain's pause ends, epoch seconds.
        uniform: draws from a range, both ends included.
        pressed: the queue has too many messages in flight.
    """
    age = receipt.age(now)
    if pressed and retry.reason in _NOT_WORTH_WAITING:
        return _rejected(retry, "the queue has too many messages waiting")
    if age >= rules.window:
        return _rejected(retry, f"older than {rules.window:g} s")
    if receipt.receive_count >= MAX_RECEIPTS:
        return _rejected(retry, f"received {receipt.receive_count} times")
    longest = min(rules.max_delay, LONGEST_WAIT, *([SOON] if pressed or retry.soon else []))
    back_off = uniform(0, min(rules.max_delay, rules.base_delay * 2.0 ** min(receipt.receive_count - 1, 60)))
    pause = max(0.0, paused_until - now)
    if pause:
        pause += uniform(0, max(rules.base_delay, pause / 4))
    # Rounded up: what is due a moment before its pause ends would only be received for nothing.
    delay = min(max(math.ceil(max(back_off, pause)), 1), math.floor(longest), math.ceil(rules.window - age))
    if age + delay + rules.visibility + RETENTION_MARGIN >= rules.retention:
        return _rejected(retry, "its next turn would come too close to the end of the queue's retention")
    return Wait(max(0, delay))


def after_failed_rejection(
    receipt: Receipt, rules: WaitingRules, uniform: Callable[[float, float], float]
) -> Wait:
    """The wait of a message whose dead letter could not be sent: its reason will be the same, so only that is tried."""
    longest = min(SOON, rules.max_delay)
    back_off = uniform(0, min(longest, rules.base_delay * 2.0 ** min(receipt.receive_count, 60)))
    return Wait(min(max(1, math.ceil(back_off)), math.floor(longest)))


def under_pressure(waiting: int, in_flight: Callable[[], int | None]) -> bool:
    """Whether so many messages are in flight that waiting must be kept short. None: nobody knows."""
    if waiting <= PRESSURE_THRESHOLD:
        return False
    return (in_flight() or 0) > IN_FLIGHT_LIMIT


def oldest(receipts: Sequence[Receipt], now: float) -> float:
    """The age of the oldest, in seconds; 0 of none."""
    return max((receipt.age(now) for receipt in receipts), default=0.0)


def _rejected(retry: Retry, why: str) -> Rejected:
    return Rejected(retry.reason, f"{retry.text} (given up: {why})", retry.status, retry.results)
