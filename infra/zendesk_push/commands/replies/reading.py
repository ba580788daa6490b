"""Reading a queue of replies as they come, and giving back what is not deleted.

SQS has no way to look: whoever receives a message hides it from others. So what was received stays hidden, a short
while at a time, until the reading ends, and is then visible to the real reader again. It has been received once more by
that, of the ten times after which SQS takes it for one that no reader can cope with.
"""

import json
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from types import TracebackType
from typing import TYPE_CHECKING, Any, Final, Self

from botocore.exceptions import BotoCoreError, ClientError

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient

_HOLD_SECONDS: Final = 120  # so soon are messages back whose reading was killed
_RENEW_SECONDS: Final = 40
_POLL_SECONDS: Final = 10
_BATCH: Final = 10


@dataclass(frozen=True)
class QueuedReply:
    """A message on a queue of replies. ``reply`` is empty where the body is not one of this project's."""

    message_id: str
    receipt_handle: str = field(repr=False)
    body: str = field(repr=False)
    reply: dict[str, Any] = field(repr=False)
    sent_at: float  # epoch seconds
    receive_count: int


class RepliesReading:
    """A context manager to iterate over: each message once, as they come; ``release`` gives the rest back.

    Args:
        wait: whether to go on when there is nothing more for now.
        clock: seconds, for measuring.
    """

    def __init__(
        self,
        sqs: "SQSClient",
        queue_url: str,
        *,
        wait: bool,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._sqs = sqs
        self._queue_url = queue_url
        self._wait = wait
        self._clock = clock
        self._held: dict[str, str] = {}
        self._renewed_at = clock()
        self.given_back = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.given_back = self._change(0)

    def __iter__(self) -> Iterator[QueuedReply]:
        """The messages, the next ones once there are any. Ends when there are none, unless it waits."""
        while True:
            if self._clock() - self._renewed_at > _RENEW_SECONDS:
                self._change(_HOLD_SECONDS)
                self._renewed_at = self._clock()
            answer = self._sqs.receive_message(
                QueueUrl=self._queue_url,
                MaxNumberOfMessages=_BATCH,
                WaitTimeSeconds=_POLL_SECONDS if self._wait else 1,
                VisibilityTimeout=_HOLD_SECONDS,
                MessageSystemAttributeNames=["All"],
            )
            messages = answer.get("Messages", [])
            news = [message for message in messages if message["MessageId"] not in self._held]
            # All are noted before anybody sees the first.
            self._held |= {message["MessageId"]: message["ReceiptHandle"] for message in messages}
            yield from map(_queued_reply, news)
            if not messages and not self._wait:
                return

    def delete(self, message: QueuedReply) -> None:
        """Take it off the queue for good."""
        self._sqs.delete_message(QueueUrl=self._queue_url, ReceiptHandle=self._held[message.message_id])
        del self._held[message.message_id]

    def _change(self, seconds: int) -> int:
        """Hide what is held for so long from now, or show it; returns for how many that worked."""
        changed = 0
        held = list(self._held.values())
        for handles in (held[start : start + _BATCH] for start in range(0, len(held), _BATCH)):
            try:
                answer = self._sqs.change_message_visibility_batch(
                    QueueUrl=self._queue_url,
                    Entries=[
                        {"Id": str(index), "ReceiptHandle": handle, "VisibilityTimeout": seconds}
                        for index, handle in enumerate(handles)
                    ],
                )
            except (ClientError, BotoCoreError):
                continue  # they are back when their time is over
            changed += len(answer.get("Successful", []))
        return changed


def _queued_reply(message: Any) -> QueuedReply:
    attributes = message.get("Attributes", {})
    try:
        value = json.loads(message["Body"])
    except (ValueError, RecursionError):
        value = None
    return QueuedReply(
        message["MessageId"],
        message["ReceiptHandle"],
        message["Body"],
        value if isinstance(value, dict) and value.get("v") == 1 and "external_id" in value else {},
        int(attributes.get("SentTimestamp", 0)) / 1000,
        int(attributes.get("ApproximateReceiveCount", 1)),
    )
