"""SQS as a boto3 client sees it, for standard queues, in memory.

Beside what it does at the right time, it differs from AWS in this: answers are exact where AWS's are
approximate, long polls answer at once, and messages come in the order in which they became visible. Against
the strict reading of AWS's documentation it is strict: a receipt handle is good for the latest receipt only.
"""

import functools
import itertools
import json
import re
import threading
import uuid
from collections.abc import Callable, Mapping
from random import Random
from typing import TYPE_CHECKING, Any, Final, cast

import botocore.session
from botocore.exceptions import ParamValidationError
from botocore.validate import ParamValidator

from zendesk_push.in_memory.sqs_answers import Answer, md5, md5_of_attributes, message_answer
from zendesk_push.in_memory.sqs_queue import MAX_IN_FLIGHT, MessageState, Queue, QueuedMessage
from zendesk_push.in_memory.sqs_rules import (
    Refusal,
    check_batch_size,
    check_entries,
    check_message,
    check_visibility,
)

if TYPE_CHECKING:
    from botocore.model import Shape
    from mypy_boto3_sqs import SQSClient

_ARN_PREFIX: Final = "arn:aws:sqs:us-east-1:123456789012:"
URL_PREFIX: Final = "https://sqs.us-east-1.amazonaws.com/123456789012/"
# Those that change what happens here; all others are kept and given back.
_NUMBERS: Final[Mapping[str, str]] = {
    "VisibilityTimeout": "visibility_timeout",
    "MessageRetentionPeriod": "retention",
    "DelaySeconds": "delay",
    "MaximumMessageSize": "maximum_bytes",
}
_HANDLE = re.compile(r"receipt-[0-9]+")
_QUEUE_NAME = re.compile(r"[A-Za-z0-9_-]{1,80}")
_HEALTHY: Final = {"HTTPStatusCode": 200, "RetryAttempts": 0}


class InMemorySqs:
    """A client with some of boto3's methods; safe to use from several threads.

    Args:
        clock: epoch seconds; visibility, delay and retention follow it.
        seed: of the message ids, so that a run can be repeated.
        url_prefix: what the queues' URLs begin with, their names following.
    """

    def __init__(
        self,
        clock: Callable[[], float],
        *,
        seed: int = 0,
        max_in_flight: int = MAX_IN_FLIGHT,
        url_prefix: str = URL_PREFIX,
    ) -> None:
        self._clock = clock
        self._url_prefix = url_prefix
        self._max_in_flight = max_in_flight
        self._queues: dict[str, Queue] = {}
        self._random = Random(seed)
        self._receipt_handles = (f"receipt-{number}" for number in itertools.count(1))
        self._lock = threading.RLock()

    @property
    def client(self) -> "SQSClient":
        """This object, as the type that callers of boto3 name."""
        return cast("SQSClient", self)

    def queue(self, url: str) -> Queue:
        """The queue itself, for whoever plays AWS.

        Raises:
            Refusal: there is none.
        """
        queue = self._queues.get(url)
        if queue is None:
            raise Refusal("AWS.SimpleQueueService.NonExistentQueue", "The specified queue does not exist.")
        return queue

    def next_change_at(self, url: str) -> float | None:
        """When the next waiting message of a queue becomes visible, in epoch seconds; None if none waits."""
        with self._lock:
            return self.queue(url).next_change_at()

    def peek(self, url: str, after: int) -> tuple[list[Answer], int]:
        """What is on a queue and came later than the message of number ``after``, oldest first, untouched.

        Returns:
            The messages as a receive would bring them, and the number of the newest that ever came.
        """
        everything = {"MessageAttributeNames": ["All"], "MessageSystemAttributeNames": ["All"]}
        with self._lock:
            queue = self.queue(url)
            found = [message_answer(message, everything) for message in queue.later_than(after)]
            return found, queue.newest_number

    def create_queue(self, **request: Any) -> Answer:
        """``Attributes`` as for AWS; those that change nothing here are kept and given back."""
        return self._call("CreateQueue", request, self._create_queue)

    def delete_queue(self, **request: Any) -> Answer:
        """With all that is on it."""
        return self._call("DeleteQueue", request, self._delete_queue)

    def list_queues(self, **request: Any) -> Answer:
        """All at once, or those whose names begin so."""
        return self._call("ListQueues", request, self._list_queues)

    def set_queue_attributes(self, **request: Any) -> Answer:
        """From now on."""
        return self._call("SetQueueAttributes", request, self._set_queue_attributes)

    def list_queue_tags(self, **request: Any) -> Answer:
        """Those that it was created with."""
        return self._call("ListQueueTags", request, self._list_queue_tags)

    def get_queue_url(self, **request: Any) -> Answer:
        """The URL of a queue's name."""
        return self._call("GetQueueUrl", request, self._get_queue_url)

    def get_queue_attributes(self, **request: Any) -> Answer:
        """``All``, or those named. The numbers of messages are exact here."""
        return self._call("GetQueueAttributes", request, self._get_queue_attributes)

    def send_message(self, **request: Any) -> Answer:
        """One message."""
        return self._call("SendMessage", request, self._send_message)

    def send_message_batch(self, **request: Any) -> Answer:
        """Up to ten messages of 1 MiB together; each succeeds or fails on its own."""
        return self._call("SendMessageBatch", request, self._send_message_batch)

    def receive_message(self, **request: Any) -> Answer:
        """Up to ten visible messages; never waits. Without any, there is no key ``Messages``."""
        return self._call("ReceiveMessage", request, self._receive_message)

    def change_message_visibility(self, **request: Any) -> Answer:
        """From now on, for one receipt."""
        return self._call("ChangeMessageVisibility", request, self._change_message_visibility)

    def change_message_visibility_batch(self, **request: Any) -> Answer:
        """For up to ten receipts; each succeeds or fails on its own."""
        return self._call("ChangeMessageVisibilityBatch", request, self._change_message_visibility_batch)

    def delete_message(self, **request: Any) -> Answer:
        """By a receipt."""
        return self._call("DeleteMessage", request, self._delete_message)

    def delete_message_batch(self, **request: Any) -> Answer:
        """By up to ten receipts; each succeeds or fails on its own."""
        return self._call("DeleteMessageBatch", request, self._delete_message_batch)

    def purge_queue(self, **request: Any) -> Answer:
        """At once."""
        return self._call("PurgeQueue", request, self._purge_queue)

    def _call(self, operation: str, request: dict[str, Any], answer: Callable[..., Answer]) -> Answer:
        # botocore's own check, so that a misspelt parameter fails here as it does there.
        report = ParamValidator().validate(request, _input_shape(operation))
        if report.has_errors():
            raise ParamValidationError(report=report.generate_report())
        with self._lock:
            try:
                return {**answer(request), "ResponseMetadata": dict(_HEALTHY)}
            except Refusal as refusal:
                raise refusal.as_client_error(operation) from None

    def _create_queue(self, request: Mapping[str, Any]) -> Answer:
        name = request["QueueName"]
        if not _QUEUE_NAME.fullmatch(name):
            raise Refusal(
                "InvalidParameterValue",
                "Can only include alphanumeric characters, hyphens, or underscores. 1 to 80 in length",
            )
        url = self._url_prefix + name
        queue = Queue(
            name=name,
            arn=_ARN_PREFIX + name,
            clock=self._clock,
            receipt_handles=self._receipt_handles,
            max_in_flight=self._max_in_flight,
        )
        queue.tags = dict(request.get("tags") or {})
        self._apply(queue, request.get("Attributes") or {})
        self._queues.setdefault(url, queue)
        return {"QueueUrl": url}

    def _get_queue_url(self, request: Mapping[str, Any]) -> Answer:
        url = self._url_prefix + request["QueueName"]
        self.queue(url)
        return {"QueueUrl": url}

    def _delete_queue(self, request: Mapping[str, Any]) -> Answer:
        self.queue(request["QueueUrl"])
        del self._queues[request["QueueUrl"]]
        return {}

    def _list_queues(self, request: Mapping[str, Any]) -> Answer:
        prefix = self._url_prefix + request.get("QueueNamePrefix", "")
        urls = [url for url in self._queues if url.startswith(prefix)]
        return {"QueueUrls": urls} if urls else {}

    def _list_queue_tags(self, request: Mapping[str, Any]) -> Answer:
        tags = dict(self.queue(request["QueueUrl"]).tags)
        return {"Tags": tags} if tags else {}

    def _set_queue_attributes(self, request: Mapping[str, Any]) -> Answer:
        self._apply(self.queue(request["QueueUrl"]), request["Attributes"])
        return {}

    def _apply(self, queue: Queue, attributes: Mapping[str, str]) -> None:
        """Take attributes over.

        Raises:
            Refusal: a value that AWS would not take.
        """
        target, count = queue.dead_letter_queue, queue.max_receive_count
        if "RedrivePolicy" in attributes:
            policy = json.loads(attributes["RedrivePolicy"] or "null")
            target = policy and self.queue(
                self._url_prefix + policy["deadLetterTargetArn"].removeprefix(_ARN_PREFIX)
            )
            count = int(policy["maxReceiveCount"]) if policy else 0
            if policy and not 1 <= count <= 1000:
                raise Refusal("InvalidParameterValue", "maxReceiveCount must be between 1 and 1000")
        queue.dead_letter_queue, queue.max_receive_count = target, count
        for name, value in attributes.items():
            if name in _NUMBERS:
                setattr(queue, _NUMBERS[name], int(value))
            elif name != "RedrivePolicy":
                queue.other_attributes[name] = value

    def _get_queue_attributes(self, request: Mapping[str, Any]) -> Answer:
        queue = self.queue(request["QueueUrl"])
        values: dict[str, Any] = {
            **queue.other_attributes,
            "QueueArn": queue.arn,
            "ApproximateNumberOfMessages": queue.count(MessageState.VISIBLE),
            "ApproximateNumberOfMessagesNotVisible": queue.count(MessageState.IN_FLIGHT),
            "ApproximateNumberOfMessagesDelayed": queue.count(MessageState.DELAYED),
            **{name: getattr(queue, field) for name, field in _NUMBERS.items()},
        }
        if queue.dead_letter_queue:
            values["RedrivePolicy"] = json.dumps(
                {
                    "deadLetterTargetArn": queue.dead_letter_queue.arn,
                    "maxReceiveCount": queue.max_receive_count,
                }
            )
        names = request.get("AttributeNames", [])
        chosen = values if "All" in names else {name: values[name] for name in names if name in values}
        return {"Attributes": {name: str(value) for name, value in chosen.items()}} if chosen else {}

    def _send_message(self, request: Mapping[str, Any]) -> Answer:
        return self._send(self.queue(request["QueueUrl"]), request)

    def _send_message_batch(self, request: Mapping[str, Any]) -> Answer:
        queue = self.queue(request["QueueUrl"])
        check_entries("SendMessage", request["Entries"])
        check_batch_size(request["Entries"])
        return _each(request["Entries"], lambda entry: {"Id": entry["Id"], **self._send(queue, entry)})

    def _send(self, queue: Queue, message: Mapping[str, Any]) -> Answer:
        check_message(message, queue.maximum_bytes)
        attributes = dict(message.get("MessageAttributes") or {})
        system = message.get("MessageSystemAttributes") or {}
        queued = QueuedMessage(
            message_id=str(uuid.UUID(int=self._random.getrandbits(128), version=4)),
            body=message["MessageBody"],
            attributes=attributes,
            sent_at=self._clock(),
            group_id=message.get("MessageGroupId"),
            trace_header=system.get("AWSTraceHeader", {}).get("StringValue"),
        )
        queue.add(queued, message.get("DelaySeconds", queue.delay))
        answer = {"MessageId": queued.message_id, "MD5OfMessageBody": md5(queued.body.encode())}
        if attributes:
            answer["MD5OfMessageAttributes"] = md5_of_attributes(attributes)
        return answer

    def _receive_message(self, request: Mapping[str, Any]) -> Answer:
        queue = self.queue(request["QueueUrl"])
        limit = request.get("MaxNumberOfMessages", 1)
        if not 1 <= limit <= 10:
            raise Refusal(
                "InvalidParameterValue",
                f"Value {limit} for parameter MaxNumberOfMessages is invalid. "
                "Reason: Must be between 1 and 10, if provided.",
            )
        visibility = request.get("VisibilityTimeout")
        if visibility is not None:
            check_visibility(visibility)
        received = queue.receive(limit, visibility)
        return {"Messages": [message_answer(message, request) for message in received]} if received else {}

    def _change_message_visibility(self, request: Mapping[str, Any]) -> Answer:
        self._change(self.queue(request["QueueUrl"]), request)
        return {}

    def _change_message_visibility_batch(self, request: Mapping[str, Any]) -> Answer:
        queue = self.queue(request["QueueUrl"])
        check_entries("ChangeMessageVisibility", request["Entries"])
        return _each(request["Entries"], functools.partial(self._change, queue))

    def _change(self, queue: Queue, entry: Mapping[str, Any]) -> Answer:
        seconds = entry.get("VisibilityTimeout", queue.visibility_timeout)
        check_visibility(seconds)
        queue.change_visibility(_handle(entry), seconds)
        return {"Id": entry.get("Id")}

    def _delete_message(self, request: Mapping[str, Any]) -> Answer:
        self.queue(request["QueueUrl"]).delete(_handle(request))
        return {}

    def _delete_message_batch(self, request: Mapping[str, Any]) -> Answer:
        queue = self.queue(request["QueueUrl"])
        check_entries("DeleteMessage", request["Entries"])

        def delete(entry: Mapping[str, Any]) -> Answer:
            queue.delete(_handle(entry))
            return {"Id": entry["Id"]}

        return _each(request["Entries"], delete)

    def _purge_queue(self, request: Mapping[str, Any]) -> Answer:
        self.queue(request["QueueUrl"]).purge()
        return {}


def _each(entries: list[Mapping[str, Any]], work: Callable[[Mapping[str, Any]], Answer]) -> Answer:
    successful: list[Answer] = []
    failed: list[Answer] = []
    for entry in entries:
        try:
            successful.append(work(entry))
        except Refusal as refusal:
            failed.append(refusal.as_failed_entry(entry["Id"]))
    return {"Successful": successful} | ({"Failed": failed} if failed else {})


def _handle(entry: Mapping[str, Any]) -> str:
    handle = str(entry["ReceiptHandle"])
    if not _HANDLE.fullmatch(handle):
        raise Refusal("ReceiptHandleIsInvalid", f'The input receipt handle "{handle}" is not valid.')
    return handle


@functools.cache
def _input_shape(operation: str) -> "Shape":
    model = botocore.session.get_session().get_service_model("sqs")
    return cast("Shape", model.operation_model(operation).input_shape)
