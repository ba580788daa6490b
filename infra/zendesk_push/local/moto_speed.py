"""Makes moto's SQS quick enough for queues of some hundred messages, without changing what it answers.

Two places take nearly all of its time: the clock, which goes through three datetime objects at every look at a
message, and the check of a message's age, which has the whole queue counted three times for each message that is
received. With 500 messages, ten of them then come in 10 ms instead of 300. A test compares both with moto's own.

And one place breaks when several threads receive at once, as they do here: moto then answers with 500 and a trace.
"""

import time
from typing import Any, Final

import moto.sqs.models

MODELS: Final[Any] = moto.sqs.models  # Any: what is replaced is not typed to be replaced


def unix_time_millis() -> float:
    """Milliseconds since the epoch: what moto's function of that name gives without an argument."""
    return time.time() * 1000


def is_message_valid_based_on_retention_period(backend: Any, queue_name: str, message: Any) -> bool:
    """Whether a message is younger than its queue's retention: moto's method of that name."""
    retention_seconds = int(backend.get_queue(queue_name).message_retention_period)
    return bool(message.sent_timestamp / 1000 + retention_seconds > time.time())


def pending_message_groups(queue: Any) -> set[str]:
    """The groups that have messages in flight: moto's property of that name, from a copy that nobody else changes."""
    return {message.group_id for message in list(queue.pending_messages) if message.group_id is not None}


def speed_up() -> None:
    """Replace the three in this process."""
    MODELS.Queue.pending_message_groups = property(pending_message_groups)
    MODELS.unix_time_millis = unix_time_millis
    MODELS.SQSBackend.is_message_valid_based_on_retention_period = is_message_valid_based_on_retention_period
