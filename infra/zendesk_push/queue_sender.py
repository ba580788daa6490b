"""Sending many messages to a queue, and accounting for each."""

import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from botocore.exceptions import BotoCoreError, ClientError

from push_content.outcomes.sqs_limits import BATCH, MAX_BYTES, attributes_size, byte_size, refused_character

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient

_ATTEMPTS: Final = 4
_FIRST_PAUSE: Final = 0.2  # seconds; doubles
# The batch as a whole is refused for what one of its entries holds.
_ONE_ENTRYS_FAULT: Final = frozenset(
    {
        "AWS.SimpleQueueService.BatchRequestTooLong",
        "BatchRequestTooLong",
        "InvalidMessageContents",
        "InvalidParameterValue",
    }
)


@dataclass(frozen=True)
class Outgoing:
    """A message to send. ``label`` is the caller's own, to know it by."""

    body: str
    label: Any = None
    group_id: str | None = None
    attributes: Mapping[str, Any] = field(default_factory=dict)

    @property
    def size(self) -> int:
        """Bytes as SQS counts them: the body, and each attribute's name, type and value."""
        return byte_size(self.body) + attributes_size(self.attributes)


@dataclass(frozen=True)
class SendResult:
    """What became of one message: ``problem`` is None if it is on the queue, else says why it is not.

    ``in_doubt``: the connection broke, so it may be on the queue all the same. ``hopeless``: what went wrong
    would meet every other message as well.
    """

    message: Outgoing
    problem: str | None = None
    message_id: str | None = None  # SQS's, of what is on the queue
    in_doubt: bool = False
    hopeless: bool = False


class QueueSender:
    """Sends in batches of at most ten and 1 MiB, repeats what SQS asks to be repeated, and stops at an error that
    would meet every message.
    """

    def __init__(
        self,
        sqs: "SQSClient",
        queue_url: str,
        *,
        maximum_size: int = MAX_BYTES,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._sqs = sqs
        self._queue_url = queue_url
        self._maximum_size = maximum_size
        self._sleep = sleep

    def send(self, messages: Iterable[Outgoing]) -> Iterator[SendResult]:
        """Exactly one result for each message, as soon as it is known; nothing is raised for what AWS says."""
        stopped: str | None = None
        for batch in self._batches(messages):
            if isinstance(batch, SendResult):
                yield batch
            elif stopped:
                yield from (
                    SendResult(message, f"not tried after: {stopped}", hopeless=True) for message in batch
                )
            else:
                results, stopped = self._send_batch(batch)
                yield from results

    def _batches(self, messages: Iterable[Outgoing]) -> Iterator[list[Outgoing] | SendResult]:
        batch: list[Outgoing] = []
        size = 0
        for message in messages:
            problem = self._refusal(message)
            if problem:
                yield SendResult(message, problem)
                continue
            if batch and (len(batch) == BATCH or size + message.size > MAX_BYTES):
                yield batch
                batch, size = [], 0
            batch.append(message)
            size += message.size
        if batch:
            yield batch

    def _refusal(self, message: Outgoing) -> str | None:
        """What AWS would refuse, said before a whole batch is refused for it."""
        if not message.body:
            return "it is empty, which SQS refuses"
        if message.size > self._maximum_size:
            return f"its {message.size:,} bytes are more than the {self._maximum_size:,} that the queue takes"
        refused = refused_character(message.body)
        if refused:
            return f"SQS refuses the character U+{ord(refused):04X}; in JSON, write it as an escape"
        return None

    def _send_batch(self, batch: Sequence[Outgoing]) -> tuple[list[SendResult], str | None]:
        """The results, and what to stop for."""
        problems: dict[int, str] = {}
        ids: dict[int, str] = {}
        waiting = list(range(len(batch)))
        for attempt in range(_ATTEMPTS):
            if attempt:
                self._sleep(_FIRST_PAUSE * 2**attempt)
            try:
                answer = self._sqs.send_message_batch(
                    QueueUrl=self._queue_url,
                    Entries=[_entry(str(index), batch[index]) for index in waiting],
                )
            except ClientError as error:
                return self._whole_batch_refused(batch, waiting, problems, ids, error)
            except BotoCoreError as error:
                done = [
                    SendResult(batch[index], problems.get(index), ids.get(index))
                    for index in range(len(batch))
                    if index not in waiting
                ]
                lost = [
                    SendResult(batch[index], _one_line(error), in_doubt=True, hopeless=True)
                    for index in waiting
                ]
                return done + lost, _one_line(error)
            ids |= {int(entry["Id"]): entry["MessageId"] for entry in answer.get("Successful", [])}
            failed = {int(entry["Id"]): entry for entry in answer.get("Failed", [])}
            problems |= {
                index: f"{entry['Code']}: {entry.get('Message', '')}".rstrip(": ")
                for index, entry in failed.items()
            }
            for index in set(waiting) - failed.keys():
                problems.pop(index, None)
            waiting = [index for index, entry in failed.items() if not entry["SenderFault"]]
            if not waiting:
                break
        return [
            SendResult(message, problems.get(index), ids.get(index)) for index, message in enumerate(batch)
        ], None

    def _whole_batch_refused(
        self,
        batch: Sequence[Outgoing],
        waiting: Sequence[int],
        problems: Mapping[int, str],
        ids: Mapping[int, str],
        error: ClientError,
    ) -> tuple[list[SendResult], str | None]:
        code = str(error.response.get("Error", {}).get("Code", "Unknown"))
        reason = f"{code}: {error.response.get('Error', {}).get('Message', '')}".rstrip(": ")
        if "AccessDenied" in code:
            reason += " (the parameter SenderPrincipals names who may send, redriving included)"
        done = [
            SendResult(batch[index], problems.get(index), ids.get(index))
            for index in range(len(batch))
            if index not in waiting
        ]
        if code not in _ONE_ENTRYS_FAULT:
            return done + [SendResult(batch[index], reason, hopeless=True) for index in waiting], reason
        if len(waiting) == 1:
            return [*done, SendResult(batch[waiting[0]], reason)], None
        stopped: str | None = None
        for index in waiting:
            if stopped:
                done.append(SendResult(batch[index], f"not tried after: {stopped}", hopeless=True))
                continue
            results, stopped = self._send_batch([batch[index]])
            done += results
        return done, stopped


def maximum_message_size(sqs: "SQSClient", queue_url: str) -> int:
    """What the queue takes, in bytes; SQS's own limit where the credentials may send and no more."""
    try:
        answer = sqs.get_queue_attributes(QueueUrl=queue_url, AttributeNames=["MaximumMessageSize"])
        return int(answer["Attributes"]["MaximumMessageSize"])
    except (ClientError, BotoCoreError, KeyError):
        return MAX_BYTES


def _entry(entry_id: str, message: Outgoing) -> Any:
    entry: dict[str, Any] = {"Id": entry_id, "MessageBody": message.body}
    if message.group_id:
        entry["MessageGroupId"] = message.group_id
    if message.attributes:
        entry["MessageAttributes"] = dict(message.attributes)
    return entry


def _one_line(error: Exception) -> str:
    return " ".join(str(error).split())
