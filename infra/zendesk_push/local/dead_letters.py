"""Reads the dead-letter queue without taking anything out of it."""

import json
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

from zendesk_push.local.sqs_records import in_tens

_HOLD_SECONDS: Final = 30  # at most, while one look is under way


@dataclass(frozen=True)
class DeadLetterReason:
    """Why a message was dead-lettered: its ErrorCode and ErrorMessage, empty for what SQS itself moved."""

    code: str
    message: str


class DeadLetterReader:
    """Finds the dead letters of messages by the ids that these had on the content queue.

    A look hides the queue's messages from others for as long as it takes, since that is how SQS counts through
    a queue; so it only looks when there are more or fewer of them than before, or when told to: a message that
    is redriven and rejected again leaves as many as there were.
    """

    def __init__(self, sqs: Any, queue_url: str) -> None:
        self._sqs = sqs
        self._queue_url = queue_url
        self._lock = threading.Lock()
        self._seen = 0
        self._reasons: dict[str, DeadLetterReason] = {}

    def reasons(self, message_ids: frozenset[str], *, look: bool = False) -> dict[str, DeadLetterReason]:
        """The reasons of those messages that are dead letters. ``look``: even if there are as many as before."""
        with self._lock:
            if not message_ids <= self._reasons.keys():
                count = self._count()
                if count != self._seen or (look and count):
                    self._look()
            return {one: self._reasons[one] for one in message_ids if one in self._reasons}

    def _count(self) -> int:
        names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
        answer = self._sqs.get_queue_attributes(QueueUrl=self._queue_url, AttributeNames=names)
        return sum(int(answer["Attributes"][name]) for name in names)

    def _look(self) -> None:
        held = []
        try:
            for message in self._receive_all():
                held.append(message["ReceiptHandle"])
                source, reason = _read(message)
                self._reasons[source] = reason
        finally:
            for ten in in_tens(held):
                self._sqs.change_message_visibility_batch(
                    QueueUrl=self._queue_url,
                    Entries=[
                        {"Id": str(index), "ReceiptHandle": handle, "VisibilityTimeout": 0}
                        for index, handle in enumerate(ten)
                    ],
                )
        self._seen = len(held)

    def _receive_all(self) -> Iterator[dict[str, Any]]:
        while True:
            answer = self._sqs.receive_message(
                QueueUrl=self._queue_url,
                MaxNumberOfMessages=10,
                WaitTimeSeconds=0,
                VisibilityTimeout=_HOLD_SECONDS,
                MessageAttributeNames=["All"],
            )
            messages = answer.get("Messages", [])
            if not messages:
                return
            yield from messages


def _read(message: dict[str, Any]) -> tuple[str, DeadLetterReason]:
    """The source message's id (its own where the function did not send it) and the reason."""
    attributes = {
        name: value.get("StringValue", "") for name, value in message.get("MessageAttributes", {}).items()
    }
    source = message["MessageId"]
    try:
        context = json.loads(attributes.get("Context", ""))
        source = context["message_id"]
    except (ValueError, KeyError, TypeError):
        pass
    return source, DeadLetterReason(attributes.get("ErrorCode", ""), attributes.get("ErrorMessage", ""))
