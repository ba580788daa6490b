"""Reading the dead-letter queue without losing anything.

SQS has no way to look: whoever reads a message takes it, for a while. So a reading holds what it has received,
and lets go of all of it at the end that was not deleted on purpose.
"""

import threading
import time
from collections.abc import Callable, Collection, Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from types import TracebackType
from typing import TYPE_CHECKING, Any, Final, Self

from botocore.exceptions import BotoCoreError, ClientError

from zendesk_push.dead_letters.dead_letter import ReceivedDeadLetter, received_dead_letter

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient

LONG_POLL_SECONDS: Final = 2  # long polling asks all of SQS's servers; short polling may miss messages
_SHORTEST_HOLD: Final = 300
_MOST_HOLD_SECONDS: Final = 43_200  # SQS's limit
_SLOWEST_READING: Final = 20  # messages a second, a redrive's sending and deleting included
_MOST_IN_FLIGHT: Final = 119_000  # at about 120,000 SQS hands out nothing more, without an error
_READERS: Final = 8  # requests side by side: each takes some 20 ms and brings ten messages
_MARGIN_SECONDS: Final = 60  # for one batch to be sent and deleted
_ROUNDS_WITHOUT_NEWS: Final = 20
_BATCH: Final = 10


def hold_seconds(messages: int) -> int:
    """How long a reading of so many messages should keep them out of sight: until it is certainly over."""
    return min(_MOST_HOLD_SECONDS, _SHORTEST_HOLD + messages // _SLOWEST_READING)


class Reading:
    """One pass over the queue, as a context manager: iterate over it; leaving it lets go of what is left.

    Several requests run side by side. A message counts as received once more by it, which on this queue has no
    consequence.
    """

    def __init__(
        self,
        sqs: "SQSClient",
        queue_url: str,
        *,
        wait_seconds: int = LONG_POLL_SECONDS,
        hold_seconds: int = _SHORTEST_HOLD,
        remark: Callable[[str], None] = lambda _: None,
    ) -> None:
        self._sqs = sqs
        self._queue_url = queue_url
        self._wait_seconds = wait_seconds
        self._hold_seconds = hold_seconds
        self._remark = remark
        self._expires_at = time.monotonic() + hold_seconds - _MARGIN_SECONDS
        self._lock = threading.Lock()
        self._held: dict[str, str] = {}
        self._deleted: set[str] = set()
        self._executor = ThreadPoolExecutor(_READERS, "reading")

    @property
    def expired(self) -> bool:
        """What was received first may be visible to others again, so that acting on it may be twice."""
        return time.monotonic() >= self._expires_at

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        # What is being received at this moment has to be given back as well.
        self._executor.shutdown(cancel_futures=True)
        left = self.release(list(self._held))
        if left:
            self._remark(
                f"{left} dead letters stay out of sight for up to {self._hold_seconds} s, then are back"
            )

    def __iter__(self) -> Iterator[ReceivedDeadLetter]:
        """Every dead letter that is visible, once each. A second pass brings what has come into sight since."""
        requests: set[Future[tuple[int, list[Any]]]] = {self._executor.submit(self._receive)}
        idle_rounds = 0
        while requests:
            done, requests = wait(requests, return_when=FIRST_COMPLETED)
            for future in done:
                received, news = future.result()
                idle_rounds = 0 if news else idle_rounds + 1
                if received and idle_rounds < _ROUNDS_WITHOUT_NEWS:
                    more = min(2, _READERS - len(requests))  # as long as there is something, twice as many
                    requests |= {self._executor.submit(self._receive) for _ in range(more)}
                for message in news:
                    yield received_dead_letter(message)
        if len(self._held) >= _MOST_IN_FLIGHT:
            self._remark("SQS hands out about 120,000 messages and no more: there may be others")

    def _receive(self) -> tuple[int, list[Any]]:
        """How many messages came, and those that are new. All are noted before anybody sees the first."""
        answer = self._sqs.receive_message(
            QueueUrl=self._queue_url,
            MaxNumberOfMessages=_BATCH,
            WaitTimeSeconds=self._wait_seconds,
            VisibilityTimeout=self._hold_seconds,
            MessageAttributeNames=["All"],
            MessageSystemAttributeNames=["All"],
        )
        received: list[Any] = list(answer.get("Messages", []))
        with self._lock:
            news = [
                message
                for message in received
                if message["MessageId"] not in self._held and message["MessageId"] not in self._deleted
            ]
            self._held |= {message["MessageId"]: message["ReceiptHandle"] for message in received}
        return len(received), news

    def delete(self, letters: Iterable[ReceivedDeadLetter]) -> dict[str, str]:
        """Delete for good; returns what could not be deleted, by message id, with the reason."""
        failed: dict[str, str] = {}
        wanted = [letter.message_id for letter in letters]
        for ids in _in_tens(wanted):
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

    def release(self, message_ids: Collection[str]) -> int:
        """Make these visible again; returns how many AWS refused, which are back when their hold ends."""
        handles = [self._held.pop(one) for one in message_ids if one in self._held]
        with ThreadPoolExecutor(_READERS, "release") as executor:
            return sum(executor.map(self._release_ten, _in_tens(handles)))

    def _release_ten(self, handles: list[str]) -> int:
        try:
            answer = self._sqs.change_message_visibility_batch(
                QueueUrl=self._queue_url,
                Entries=[
                    {"Id": str(index), "ReceiptHandle": handle, "VisibilityTimeout": 0}
                    for index, handle in enumerate(handles)
                ],
            )
        except (ClientError, BotoCoreError):
            return len(handles)
        return len(answer.get("Failed", []))


def _in_tens(entries: list[str]) -> Iterator[list[str]]:
    for start in range(0, len(entries), _BATCH):
        yield entries[start : start + _BATCH]
