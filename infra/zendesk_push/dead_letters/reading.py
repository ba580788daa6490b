"""Reading the dead-letter queue without losing anything.

SQS has no way to look: whoever reads a message takes it, for a while. So a reading holds what it has received,
and lets go of all of it at the end that was not deleted on purpose.
"""

from collections.abc import Callable, Iterable, Iterator
from types import TracebackType
from typing import TYPE_CHECKING, Final, Self

from botocore.exceptions import BotoCoreError, ClientError

from zendesk_push.dead_letters.dead_letter import ReceivedDeadLetter, received_dead_letter

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient

HOLD_SECONDS: Final = 900  # how long a message stays out of sight if the reading is killed
LONG_POLL_SECONDS: Final = 2  # long polling asks all of SQS's servers; short polling may miss messages
_MOST_HOLD_SECONDS: Final = 43_200  # SQS's limit
_SLOWEST_READING: Final = 20  # messages a second, a redrive's sending and deleting included
_MOST_IN_FLIGHT: Final = 119_000  # at about 120,000 SQS hands out nothing more, without an error
_ROUNDS_WITHOUT_NEWS: Final = 20
_BATCH: Final = 10


def hold_seconds(messages: int) -> int:
    """How long a reading of so many messages should keep them out of sight: until it is certainly over."""
    return min(_MOST_HOLD_SECONDS, HOLD_SECONDS + messages // _SLOWEST_READING)


class Reading:
    """One pass over the queue, as a context manager: iterate over it once; leaving it lets go of what is left.

    A message counts as received once more by it, which on this queue has no consequence.
    """

    def __init__(
        self,
        sqs: "SQSClient",
        queue_url: str,
        *,
        wait_seconds: int = LONG_POLL_SECONDS,
        hold_seconds: int = HOLD_SECONDS,
        remark: Callable[[str], None] = lambda _: None,
    ) -> None:
        self._sqs = sqs
        self._queue_url = queue_url
        self._wait_seconds = wait_seconds
        self._hold_seconds = hold_seconds
        self._remark = remark
        self._held: dict[str, str] = {}
        self._deleted: set[str] = set()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            left = self._release()
        except (ClientError, BotoCoreError):
            left = len(self._held)
        if left:
            self._remark(
                f"{left} dead letters stay out of sight for up to {self._hold_seconds} s, then are back"
            )

    def __iter__(self) -> Iterator[ReceivedDeadLetter]:
        """Every dead letter that is visible, once each."""
        idle_rounds = 0
        while idle_rounds < _ROUNDS_WITHOUT_NEWS:
            answer = self._sqs.receive_message(
                QueueUrl=self._queue_url,
                MaxNumberOfMessages=_BATCH,
                WaitTimeSeconds=self._wait_seconds,
                VisibilityTimeout=self._hold_seconds,
                MessageAttributeNames=["All"],
                MessageSystemAttributeNames=["All"],
            )
            received = answer.get("Messages", [])
            if not received:
                if len(self._held) >= _MOST_IN_FLIGHT:
                    self._remark("SQS hands out about 120,000 messages and no more: there may be others")
                return
            # All are noted before the first is handed out: whoever stops early must let go of these too.
            news = [
                message
                for message in received
                if message["MessageId"] not in self._held.keys() | self._deleted
            ]
            self._held |= {message["MessageId"]: message["ReceiptHandle"] for message in received}
            idle_rounds = 0 if news else idle_rounds + 1
            for message in news:
                yield received_dead_letter(message)

    def delete(self, letters: Iterable[ReceivedDeadLetter]) -> dict[str, str]:
        """Delete for good; returns what could not be deleted, by message id, with the reason."""
        failed: dict[str, str] = {}
        wanted = [letter.message_id for letter in letters]
        for start in range(0, len(wanted), _BATCH):
            ids = wanted[start : start + _BATCH]
            try:
                answer = self._sqs.delete_message_batch(
                    QueueUrl=self._queue_url,
                    Entries=[
                        {"Id": str(index), "ReceiptHandle": self._held[message_id]}
                        for index, message_id in enumerate(ids)
                    ],
                )
            except (ClientError, BotoCoreError) as error:
                failed |= dict.fromkeys(ids, " ".join(str(error).split()))
                continue
            refused = {int(entry["Id"]): entry for entry in answer.get("Failed", [])}
            for index, message_id in enumerate(ids):
                if index in refused:
                    failed[message_id] = f"{refused[index]['Code']}: {refused[index].get('Message', '')}"
                else:
                    del self._held[message_id]
                    self._deleted.add(message_id)
        return failed

    def _release(self) -> int:
        """Make what is held visible again; returns how many AWS refused."""
        refused = 0
        handles = list(self._held.values())
        for start in range(0, len(handles), _BATCH):
            answer = self._sqs.change_message_visibility_batch(
                QueueUrl=self._queue_url,
                Entries=[
                    {"Id": str(index), "ReceiptHandle": handle, "VisibilityTimeout": 0}
                    for index, handle in enumerate(handles[start : start + _BATCH])
                ],
            )
            refused += len(answer.get("Failed", []))
        self._held.clear()
        return refused
