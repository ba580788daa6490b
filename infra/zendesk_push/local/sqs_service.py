"""SQS on this machine: the strict queue in memory behind AWS's JSON protocol, as boto3, the AWS CLI and SDKs speak it.

moto's own SQS loses and revives messages under requests side by side, and slows down with its depth: twenty sends a
second at 1,000 messages. https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-json.html
"""

import base64
import binascii
import json
import secrets
import threading
import time
from collections.abc import Callable, Mapping
from typing import Any, Final
from urllib.parse import parse_qsl, urlsplit

import botocore.session
from botocore.exceptions import ClientError, ParamValidationError
from botocore.model import ServiceModel, Shape

from zendesk_push.in_memory.sqs import InMemorySqs
from zendesk_push.in_memory.sqs_rules import Refusal
from zendesk_push.loopback_http import LoopbackRequest, LoopbackResponse

TARGET: Final = "AmazonSQS."  # what the header x-amz-target begins with
PEEK_PATH: Final = "/_aws/sqs/messages"  # where LocalStack has it too
MOST_BODY_BYTES: Final = 4 * 1024 * 1024  # 1 MiB of messages, in Base64 or escapes
_LONGEST_POLL: Final = 20  # seconds
_UNKNOWN_ERROR: Final = "InvalidParameterValueException"


class SqsService:
    """Answers requests whose target begins with TARGET; safe for any number of threads.

    Args:
        url_prefix: of the queues' URLs. Whatever host a client names, a queue is found by the last part of its URL.
        clock: epoch seconds.
    """

    def __init__(self, url_prefix: str, clock: Callable[[], float] = time.time) -> None:
        self._sqs = InMemorySqs(clock, seed=secrets.randbits(64), url_prefix=url_prefix)
        self._clock = clock
        self._url_prefix = url_prefix
        self._changed = threading.Condition()
        self._model: ServiceModel = botocore.session.get_session().get_service_model("sqs")
        # AWS names errors twice: by these codes, and by the names of its model.
        self._error_names = {
            str(getattr(shape, "error_code", shape.name)): shape.name for shape in self._model.error_shapes
        }
        self._operations: Mapping[str, Callable[..., dict[str, Any]]] = {
            "ChangeMessageVisibility": self._sqs.change_message_visibility,
            "ChangeMessageVisibilityBatch": self._sqs.change_message_visibility_batch,
            "CreateQueue": self._sqs.create_queue,
            "DeleteMessage": self._sqs.delete_message,
            "DeleteMessageBatch": self._sqs.delete_message_batch,
            "DeleteQueue": self._sqs.delete_queue,
            "GetQueueAttributes": self._sqs.get_queue_attributes,
            "GetQueueUrl": self._sqs.get_queue_url,
            "ListQueueTags": self._sqs.list_queue_tags,
            "ListQueues": self._sqs.list_queues,
            "PurgeQueue": self._sqs.purge_queue,
            "ReceiveMessage": self._receive,
            "SendMessage": self._sqs.send_message,
            "SendMessageBatch": self._sqs.send_message_batch,
            "SetQueueAttributes": self._sqs.set_queue_attributes,
        }

    def respond(self, request: LoopbackRequest) -> LoopbackResponse:
        """The answer to one request, refusals included."""
        name = request.header("x-amz-target").removeprefix(TARGET)
        operation = self._operations.get(name)
        if operation is None:
            return self._refused(
                "AWS.SimpleQueueService.UnsupportedOperation", f"{name} is not there on this machine"
            )
        try:
            parameters = json.loads(request.body or b"{}")
            model = self._model.operation_model(name)
            parameters = _converted(parameters, model.input_shape, _decoded)
            if "QueueUrl" in parameters:
                parameters["QueueUrl"] = self._own_url(parameters["QueueUrl"])
            answer = operation(**parameters)
        except ClientError as error:
            return self._refused(error.response["Error"]["Code"], error.response["Error"]["Message"])
        except Refusal as refusal:
            return self._refused(refusal.code, refusal.message)
        except (ParamValidationError, ValueError, TypeError) as error:
            return self._refused("InvalidParameterValue", str(error))
        if name != "ReceiveMessage":
            with self._changed:
                self._changed.notify_all()
        del answer["ResponseMetadata"]
        return _response(200, _converted(answer, model.output_shape, _encoded))

    def peek(self, request: LoopbackRequest) -> LoopbackResponse:
        """``GET PEEK_PATH?QueueUrl=…&After=N``: what came after message N, untouched, and the newest number."""
        query = dict(parse_qsl(urlsplit(request.target).query))
        try:
            messages, last = self._sqs.peek(self._own_url(query["QueueUrl"]), int(query.get("After", "0")))
        except (Refusal, KeyError, ValueError) as error:
            return self._refused("InvalidParameterValue", str(error))
        model = self._model.operation_model("ReceiveMessage")
        found = _converted({"Messages": messages}, model.output_shape, _encoded)
        return _response(200, {**found, "Last": last})

    def _receive(self, **request: Any) -> dict[str, Any]:
        """A receive that waits as long as it says, or the queue, until a message is there."""
        queue = self._sqs.queue(request["QueueUrl"])
        default = queue.other_attributes.get("ReceiveMessageWaitTimeSeconds", "0")
        seconds = int(request.get("WaitTimeSeconds", default))
        if not 0 <= seconds <= _LONGEST_POLL:
            raise ValueError(
                f"Value {seconds} for parameter WaitTimeSeconds is invalid. Reason: Must be >= 0 and <= 20"
            )
        end = self._clock() + seconds
        with self._changed:
            while True:
                answer = self._sqs.receive_message(**request)
                left = end - self._clock()
                if "Messages" in answer or left <= 0:
                    return answer
                due = self._sqs.next_change_at(request["QueueUrl"])
                self._changed.wait(left if due is None else max(0.001, min(left, due - self._clock())))

    def _own_url(self, url: str) -> str:
        """A container, or a proxy, calls this machine by another name."""
        return self._url_prefix + urlsplit(str(url)).path.rpartition("/")[2]

    def _refused(self, code: str, text: str) -> LoopbackResponse:
        name = self._error_names.get(code, _UNKNOWN_ERROR)
        body = {"__type": f"com.amazonaws.sqs#{name}", "message": text}
        return _response(400, body, ("x-amzn-query-error", f"{code};Sender"))


def _response(status: int, value: object, *headers: tuple[str, str]) -> LoopbackResponse:
    body = json.dumps(value).encode()
    about = [
        ("Content-Type", "application/x-amz-json-1.0"),
        ("x-amzn-RequestId", secrets.token_hex(16)),
        *headers,
    ]
    return LoopbackResponse(status, about, body)


def _converted(value: Any, shape: Shape | None, blob: Callable[[Any], Any]) -> Any:
    """``value`` with its blobs converted: they are Base64 in JSON, and bytes here."""
    if shape is None:
        return value
    kind: Any = shape
    if kind.type_name == "structure" and isinstance(value, dict):
        return {key: _converted(item, kind.members.get(key), blob) for key, item in value.items()}
    if kind.type_name == "list" and isinstance(value, list):
        return [_converted(item, kind.member, blob) for item in value]
    if kind.type_name == "map" and isinstance(value, dict):
        return {key: _converted(item, kind.value, blob) for key, item in value.items()}
    return blob(value) if kind.type_name == "blob" else value


def _decoded(text: Any) -> bytes:
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, TypeError, ValueError):
        raise ValueError("a binary value is not Base64") from None


def _encoded(data: bytes) -> str:
    return base64.b64encode(data).decode("ascii")
