"""An event source mapping's half of the work: receipts become the event that Lambda hands to a function."""

from collections.abc import Iterable, Mapping
from typing import Any

from zendesk_push.in_memory.sqs import InMemorySqs
from zendesk_push.sqs_event import record

MAX_RECEIVE = 10


class InMemoryEventSource:
    """Takes batches from one queue as Lambda's pollers do, and deletes what the function did not report.

    Lambda deletes every message of a batch that ``batchItemFailures`` does not name, all of them if the
    answer holds no failures, and none if the function raised or named an unknown id.
    """

    def __init__(self, sqs: InMemorySqs, queue_url: str) -> None:
        self._sqs = sqs
        self._queue_url = queue_url
        self._arn = sqs.queue(queue_url).arn

    def receive(self, batch_size: int) -> dict[str, Any] | None:
        """The next event with up to so many records, None if nothing is visible."""
        records: list[dict[str, Any]] = []
        while len(records) < batch_size:
            answer = self._sqs.receive_message(
                QueueUrl=self._queue_url,
                MaxNumberOfMessages=min(MAX_RECEIVE, batch_size - len(records)),
                AttributeNames=["All"],
                MessageAttributeNames=["All"],
            )
            if "Messages" not in answer:
                break
            records += [record(message, self._arn) for message in answer["Messages"]]
        return {"Records": records} if records else None

    def settle(self, event: Mapping[str, Any], answer: Mapping[str, Any]) -> list[str]:
        """Delete what succeeded; returns the ids of the deleted messages."""
        failed = {failure["itemIdentifier"] for failure in answer.get("batchItemFailures") or ()}
        known = {record["messageId"] for record in event["Records"]}
        if not failed <= known:
            return []
        done = [record for record in event["Records"] if record["messageId"] not in failed]
        for start in range(0, len(done), MAX_RECEIVE):
            self._sqs.delete_message_batch(
                QueueUrl=self._queue_url,
                Entries=[
                    {"Id": str(number), "ReceiptHandle": record["receiptHandle"]}
                    for number, record in enumerate(done[start : start + MAX_RECEIVE])
                ],
            )
        return [record["messageId"] for record in done]


def message_ids(event: Mapping[str, Any]) -> Iterable[str]:
    """The ids of an event's records, in order."""
    return [record["messageId"] for record in event["Records"]]
