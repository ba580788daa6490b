"""What SQS says of a message: its attributes, and the sums that boto3 checks."""

import hashlib
import struct
from collections.abc import Mapping
from typing import Any

from zendesk_push.in_memory.sqs_queue import QueuedMessage

Answer = dict[str, Any]


def message_answer(message: QueuedMessage, request: Mapping[str, Any]) -> Answer:
    """A message as ``receive_message`` answers it, with the attributes that the request asks for."""
    answer: Answer = {
        "MessageId": message.message_id,
        "ReceiptHandle": message.receipt_handle,
        "MD5OfBody": md5(message.body.encode()),
        "Body": message.body,
    }
    system = _chosen_system_attributes(message, request)
    if system:
        answer["Attributes"] = system
    names = request.get("MessageAttributeNames", [])
    attributes = {name: dict(value) for name, value in message.attributes.items() if _is_chosen(name, names)}
    if attributes:
        answer["MessageAttributes"] = attributes
        answer["MD5OfMessageAttributes"] = md5_of_attributes(attributes)
    return answer


def _chosen_system_attributes(message: QueuedMessage, request: Mapping[str, Any]) -> dict[str, str]:
    values = {
        "SenderId": "AIDAIT2UOQQY3AUEKVGXU",
        "SentTimestamp": _milliseconds(message.sent_at),
        "ApproximateReceiveCount": str(message.receive_count),
        "ApproximateFirstReceiveTimestamp": _milliseconds(message.first_received_at or message.sent_at),
        "MessageGroupId": message.group_id,
        "AWSTraceHeader": message.trace_header,
        "DeadLetterQueueSourceArn": message.source_arn,
    }
    names = [*request.get("AttributeNames", []), *request.get("MessageSystemAttributeNames", [])]
    return {name: value for name, value in values.items() if value and ("All" in names or name in names)}


def _is_chosen(name: str, wanted: list[str]) -> bool:
    return any(
        choice in ("All", name) or (choice.endswith(".*") and name.startswith(choice[:-2]))
        for choice in wanted
    )


def _milliseconds(at: float) -> str:
    return str(round(at * 1000))


def md5(data: bytes) -> str:
    """As SQS gives it, in hexadecimal digits."""
    return hashlib.md5(data, usedforsecurity=False).hexdigest()


def md5_of_attributes(attributes: Mapping[str, Mapping[str, Any]]) -> str:
    """By the developer guide's recipe: sorted names, lengths as four bytes, 1 for text and 2 for binary."""
    data = bytearray()

    def put(value: bytes) -> None:
        data.extend(struct.pack("!I", len(value)) + value)

    for name in sorted(attributes):
        attribute = attributes[name]
        put(name.encode())
        put(attribute["DataType"].encode())
        if "BinaryValue" in attribute:
            data.append(2)
            put(bytes(attribute["BinaryValue"]))
        else:
            data.append(1)
            put(attribute["StringValue"].encode())
    return md5(bytes(data))
