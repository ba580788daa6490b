"""The queue's side of the simulator's messages page: what is tracked, a test message, a dead letter sent back."""

import json
import threading
import uuid
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Final

from botocore.exceptions import BotoCoreError, ClientError

from zendesk_push.dead_letters.dead_letter import ReceivedDeadLetter, original, without_schemas
from zendesk_push.dead_letters.reading import Reading
from zendesk_push.dead_letters.redrive import Pace, redrive
from zendesk_push.local.stack import LocalStack
from zendesk_push.local.tracker import MessageTracker, State, TrackedMessage
from zendesk_push.queue_sender import QueueSender
from zendesk_push.simulator.messages import MessageProblemError, MessageRow

_REDRIVEN: Final = "redriven"
_LONGEST_TEXT: Final = 65_535  # characters, Zendesk's limit of a message


class MessageBoard:
    """The page's view of a running stack."""

    def __init__(self, stack: LocalStack, tracker: MessageTracker) -> None:
        self._stack = stack
        self._tracker = tracker
        self._lock = threading.Lock()  # one redrive at a time: each holds what it reads
        self._redriven: set[str] = set()

    def rows(self) -> Sequence[MessageRow]:
        """The newest messages, the newest last."""
        return [self._row(message) for message in self._tracker.messages()]

    def send(self, instance_push_id: str, text: str) -> str:
        """Drop a message of one resource on the queue; returns its id.

        Raises:
            MessageProblemError: the text is empty or too long, or the queue takes nothing.
        """
        if not text.strip():
            raise MessageProblemError("Enter a text.")
        if len(text) > _LONGEST_TEXT:
            raise MessageProblemError(f"The text has more than {_LONGEST_TEXT:,} characters.")
        resource = {
            "external_id": f"test-{uuid.uuid4()}",
            "message": text,
            "created_at": f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ}",
            "author": {"external_id": "simulator", "name": "The simulator"},
        }
        body = json.dumps({"instance_push_id": instance_push_id, "external_resources": [resource]})
        try:
            sent = self._stack.client("sqs").send_message(
                QueueUrl=self._stack.queue_url, MessageBody=body, MessageGroupId=instance_push_id
            )
        except (BotoCoreError, ClientError) as error:
            raise MessageProblemError(f"The queue does not take it: {error}") from None
        title = f"{' '.join(text.split())[:60]} ({resource['external_id']})"
        self._tracker.dropped(sent["MessageId"], title, body)
        return str(sent["MessageId"])

    def redrive(self, message_id: str) -> None:
        """Send a dead letter's message back to the queue, by the id that the message had there.

        Raises:
            MessageProblemError: it is no longer a dead letter, or the queue does not take it.
        """
        sqs = self._stack.client("sqs")
        try:
            with self._lock, Reading(sqs, self._stack.dead_letter_queue_url, wait_seconds=0) as reading:
                letter = _found(reading, message_id)
                tally = redrive(reading, QueueSender(sqs, self._stack.queue_url), [letter], original, Pace())
        except (BotoCoreError, ClientError) as error:
            raise MessageProblemError(f"That did not work: {error}") from None
        for problem in tally.failed.values():
            raise MessageProblemError(f"The queue does not take it: {problem}")
        self._redriven.add(message_id)

    def _row(self, message: TrackedMessage) -> MessageRow:
        letter = message.reason
        dead = message.state is State.DEAD
        state = _REDRIVEN if dead and message.message_id in self._redriven else message.state.value
        return MessageRow(
            message_id=message.message_id,
            title=message.title,
            account=message.account,
            state=state,
            at=message.at,
            receive_count=message.receive_count,
            tickets=tuple(dict.fromkeys(message.tickets)),
            why=letter.reason if dead and letter else message.error or "",
            words=without_schemas(letter.explanation or "") if dead and letter else "",
        )


def _found(reading: Reading, message_id: str) -> ReceivedDeadLetter:
    for letter in reading:
        if letter.source_message_id == message_id:
            return letter
    raise MessageProblemError("It is no longer in the dead-letter queue.")
