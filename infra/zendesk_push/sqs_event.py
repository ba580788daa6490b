"""An SQS event as Lambda builds it, and what the function's answer to it means.

https://docs.aws.amazon.com/lambda/latest/dg/with-sqs.html and, for partial batch responses,
https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-errorhandling.html
"""

import base64
import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any


class MalformedResponseError(Exception):
    """The function's answer is not a partial batch response: Lambda takes it as the failure of the whole batch."""


def record(message: Mapping[str, Any], queue_arn: str) -> dict[str, Any]:
    """One record of an SQS event, from what boto3's ``receive_message`` returns."""
    region = queue_arn.split(":")[3]
    return {
        "messageId": message["MessageId"],
        "receiptHandle": message["ReceiptHandle"],
        "body": message["Body"],
        "attributes": dict(message.get("Attributes", {})),
        "messageAttributes": {
            name: _attribute(value) for name, value in message.get("MessageAttributes", {}).items()
        },
        **({"md5OfMessageAttributes": md5} if (md5 := message.get("MD5OfMessageAttributes")) else {}),
        "md5OfBody": message["MD5OfBody"],
        "eventSource": "aws:sqs",
        "eventSourceARN": queue_arn,
        "awsRegion": region,
    }


def _attribute(value: Mapping[str, Any]) -> dict[str, Any]:
    converted: dict[str, Any] = {}
    if "StringValue" in value:
        converted["stringValue"] = value["StringValue"]
    if "BinaryValue" in value:
        converted["binaryValue"] = base64.b64encode(value["BinaryValue"]).decode("ascii")
    return {**converted, "stringListValues": [], "binaryListValues": [], "dataType": value["DataType"]}


def size_of(one: Mapping[str, Any]) -> int:
    """A record's size in an invocation's payload, in bytes."""
    return len(json.dumps(one)) + 2  # and the separator


def failed_ids(answer: Any, message_ids: Iterable[str]) -> set[str]:
    """The ids of the messages that the function reports as failed; null and nothing mean none.

    Raises:
        MalformedResponseError: as Lambda sees it: no object, no list, an item without a usable
            ``itemIdentifier``, or an id that is not of this batch.
    """
    if answer is None or answer == {}:
        return set()
    if not isinstance(answer, dict):
        raise MalformedResponseError("the answer is not an object")
    failures = answer.get("batchItemFailures")
    if failures is None:
        return set()
    if not isinstance(failures, list):
        raise MalformedResponseError("batchItemFailures is not a list")
    known = set(message_ids)
    failed = set()
    for item in failures:
        identifier = item.get("itemIdentifier") if isinstance(item, dict) else None
        if not isinstance(identifier, str) or not identifier:
            raise MalformedResponseError("an item of batchItemFailures has no itemIdentifier")
        if identifier not in known:
            raise MalformedResponseError(f"itemIdentifier {identifier!r} is not of this batch")
        failed.add(identifier)
    return failed


def in_tens(items: Sequence[Any]) -> Iterable[Sequence[Any]]:
    """Slices of what one batch call takes."""
    return (items[start : start + 10] for start in range(0, len(items), 10))
