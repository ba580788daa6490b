"""The two queues: changing the time of what waits, sending what is dead. In tens, and with every failure noted."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final, cast

from botocore.exceptions import BotoCoreError, ClientError

from push_content.outcomes.dead_letters import DeadLetter
from zendesk_channel.aws import error_code, store_errors
from zendesk_channel.errors import StoreError, StoreUnavailableError

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient
    from mypy_boto3_sqs.type_defs import (
        ChangeMessageVisibilityBatchRequestEntryTypeDef,
        MessageAttributeValueTypeDef,
        SendMessageBatchRequestEntryTypeDef,
    )

# What the request as a whole is refused for, though one entry is to blame.
_ONE_TO_BLAME: Final = (
    "InvalidMessageContents",
    "InvalidParameterValue",
    "InvalidAttributeValue",
    "MissingParameter",
    "ValidationError",
    "AWS.SimpleQueueService.BatchRequestTooLong",
)


class ContentQueue:
    """The queue that messages come from. Lambda receives them, and deletes what an invocation does not keep."""

    def __init__(self, sqs: "SQSClient", queue_url: str) -> None:
        self._sqs = sqs
        self._queue_url = queue_url

    def change_visibility(self, waits: Mapping[str, int]) -> list[StoreError]:
        """Set at most ten messages' seconds until they are visible, by receipt handle. What failed keeps its time."""
        entries: list[ChangeMessageVisibilityBatchRequestEntryTypeDef] = [
            {"Id": str(index), "ReceiptHandle": handle, "VisibilityTimeout": seconds}
            for index, (handle, seconds) in enumerate(waits.items())
        ]
        try:
            with store_errors("ChangeMessageVisibilityBatch"):
                answer = self._sqs.change_message_visibility_batch(QueueUrl=self._queue_url, Entries=entries)
        except StoreUnavailableError as error:
            if error.code in _ONE_TO_BLAME and len(waits) > 1:
                return [
                    problem for entry in waits.items() for problem in self.change_visibility(dict([entry]))
                ]
            return [error]
        return [
            StoreUnavailableError("ChangeMessageVisibilityBatch", entry["Code"])
            for entry in answer.get("Failed", [])
        ]

    def delete(self, receipt_handles: Sequence[str]) -> list[StoreError]:
        """Delete at most ten messages. What failed comes again."""
        try:
            with store_errors("DeleteMessageBatch"):
                answer = self._sqs.delete_message_batch(
                    QueueUrl=self._queue_url,
                    Entries=[
                        {"Id": str(index), "ReceiptHandle": handle}
                        for index, handle in enumerate(receipt_handles)
                    ],
                )
        except StoreUnavailableError as error:
            return [error]
        return [
            StoreUnavailableError("DeleteMessageBatch", entry["Code"]) for entry in answer.get("Failed", [])
        ]

    def in_flight(self) -> int | None:
        """About how many messages are received and not deleted; None if AWS does not say."""
        try:
            with store_errors("GetQueueAttributes"):
                answer = self._sqs.get_queue_attributes(
                    QueueUrl=self._queue_url, AttributeNames=["ApproximateNumberOfMessagesNotVisible"]
                )
        except StoreUnavailableError:
            return None
        return int(answer.get("Attributes", {}).get("ApproximateNumberOfMessagesNotVisible", 0))


class DeadLetterQueue:
    """Where rejected messages go.

    What AWS would refuse is not sent, so that it cannot take its batch along: moto and the local stack let more
    pass than AWS does.
    """

    def __init__(self, sqs: "SQSClient", queue_url: str) -> None:
        self._sqs = sqs
        self._queue_url = queue_url

    def send(self, letters: Sequence[DeadLetter]) -> dict[str, StoreError]:
        """Send at most ten; returns the failures by source message id. All others are on the queue for certain."""
        failed: dict[str, StoreError] = {}
        entries: dict[str, Any] = {}
        for index, letter in enumerate(letters):
            problem = letter.refusal()
            if problem:
                failed[letter.id] = StoreUnavailableError("SendMessageBatch", problem)
            else:
                entries[letter.id] = _entry(str(index), letter)
        if entries:
            failed |= self._send(entries)
        return failed

    def _send(self, entries: Mapping[str, "SendMessageBatchRequestEntryTypeDef"]) -> dict[str, StoreError]:
        try:
            answer = self._sqs.send_message_batch(QueueUrl=self._queue_url, Entries=list(entries.values()))
        except ClientError as error:
            if error_code(error) in _ONE_TO_BLAME and len(entries) > 1:
                return {
                    key: problem
                    for letter_id, entry in entries.items()
                    for key, problem in self._send({letter_id: entry}).items()
                }
            return dict.fromkeys(entries, StoreUnavailableError("SendMessageBatch", error_code(error)))
        except BotoCoreError as error:
            return dict.fromkeys(entries, StoreUnavailableError("SendMessageBatch", type(error).__name__))
        codes = {entry["Id"]: entry["Code"] for entry in answer.get("Failed", [])}
        sent = {entry["Id"] for entry in answer.get("Successful", [])}
        return {
            letter_id: StoreUnavailableError("SendMessageBatch", codes.get(entry["Id"], "NoAnswer"))
            for letter_id, entry in entries.items()
            if entry["Id"] not in sent
        }


def _entry(entry_id: str, letter: DeadLetter) -> "SendMessageBatchRequestEntryTypeDef":
    entry: SendMessageBatchRequestEntryTypeDef = {"Id": entry_id, "MessageBody": letter.body}
    if letter.attributes:
        entry["MessageAttributes"] = cast("dict[str, MessageAttributeValueTypeDef]", letter.attributes)
    if letter.group_id:
        entry["MessageGroupId"] = letter.group_id
    return entry
