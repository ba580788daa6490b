"""What SQS refuses, and how it says so.

The rules are those of AWS's API reference, also where moto lets things pass: sizes of attributes, control
characters, empty values, the characters of a group id.
"""

import re
from collections.abc import Mapping, Sequence
from typing import Any, Final

from botocore.exceptions import ClientError

MAX_BATCH_ENTRIES: Final = 10
MAX_BATCH_BYTES: Final = 1024 * 1024  # body and attributes, of all entries together
MAX_ATTRIBUTES: Final = 10
MAX_DELAY: Final = 900  # seconds
MAX_VISIBILITY: Final = 12 * 3600  # seconds, counted from the receipt

_ENTRY_ID = re.compile(r"[A-Za-z0-9_-]{1,80}")
_ATTRIBUTE_NAME = re.compile(r"(?!\.)(?!(?i:aws|amazon)\.)(?!.*\.\.)[A-Za-z0-9_.-]{1,256}(?<!\.)")
_DATA_TYPE = re.compile(r"(String|Number|Binary)(\.[^\s]{1,249})?")
_NUMBER = re.compile(r"[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d+)?")
_GROUP_ID = re.compile(r"[!-~]{1,128}")
# XML 1.0's characters, the only ones that SQS takes anywhere.
_FORBIDDEN = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


class Refusal(Exception):  # noqa: N818 (an answer on its way, not a failure)
    """SQS's answer to something that it does not take; becomes a ClientError or an entry of Failed."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(f"{code}: {message}")
        self.code = code
        self.message = message

    def as_client_error(self, operation: str) -> ClientError:
        """What boto3 raises for it."""
        return ClientError(
            {
                "Error": {"Code": self.code, "Message": self.message},
                "ResponseMetadata": {
                    "HTTPStatusCode": 400,
                    "RetryAttempts": 0,
                    "HTTPHeaders": {},
                    "HostId": "",
                    "RequestId": "in-memory",
                },
            },
            operation,
        )

    def as_failed_entry(self, entry_id: str) -> dict[str, Any]:
        """What a batch answers for the entry that caused it."""
        return {"Id": entry_id, "SenderFault": True, "Code": self.code, "Message": self.message}


def check_entries(kind: str, entries: Sequence[Mapping[str, Any]]) -> None:
    """A batch has one to ten entries with ids of their own; ``kind`` is SendMessage, DeleteMessage, ….

    Raises:
        Refusal: of the whole batch.
    """
    if not entries:
        raise Refusal(
            "AWS.SimpleQueueService.EmptyBatchRequest",
            f"There should be at least one {kind}BatchRequestEntry in the request.",
        )
    if len(entries) > MAX_BATCH_ENTRIES:
        raise Refusal(
            "AWS.SimpleQueueService.TooManyEntriesInBatchRequest",
            f"Maximum number of entries per request are {MAX_BATCH_ENTRIES}. You have sent {len(entries)}.",
        )
    seen: set[str] = set()
    for entry in entries:
        if not _ENTRY_ID.fullmatch(entry["Id"]):
            raise Refusal(
                "AWS.SimpleQueueService.InvalidBatchEntryId",
                "A batch entry id can only contain alphanumeric characters, hyphens and underscores. "
                "It can be at most 80 letters long.",
            )
        if entry["Id"] in seen:
            raise Refusal("AWS.SimpleQueueService.BatchEntryIdsNotDistinct", f"Id {entry['Id']} repeated.")
        seen.add(entry["Id"])


def check_batch_size(entries: Sequence[Mapping[str, Any]]) -> None:
    """The limit is on the sum.

    Raises:
        Refusal: of the whole batch.
    """
    total = sum(message_bytes(entry) for entry in entries)
    if total > MAX_BATCH_BYTES:
        raise Refusal(
            "AWS.SimpleQueueService.BatchRequestTooLong",
            f"Batch requests cannot be longer than {MAX_BATCH_BYTES} bytes. You have sent {total} bytes.",
        )


def check_message(message: Mapping[str, Any], maximum_bytes: int) -> None:
    """One message to send, of SendMessage or an entry of its batch.

    Raises:
        Refusal: SQS does not take it.
    """
    if not message["MessageBody"]:
        raise Refusal("MissingParameter", "The request must contain the parameter MessageBody.")
    _check_characters("InvalidMessageContents", "message body", message["MessageBody"])
    _check_attributes(message.get("MessageAttributes") or {})
    group = message.get("MessageGroupId")
    if group is not None and not _GROUP_ID.fullmatch(group):
        raise _invalid(
            "MessageGroupId can only include alphanumeric and punctuation characters. 1 to 128 in length."
        )
    if not 0 <= message.get("DelaySeconds", 0) <= MAX_DELAY:
        raise _invalid(
            f"Value {message['DelaySeconds']} for parameter DelaySeconds is invalid. "
            f"Reason: DelaySeconds must be >= 0 and <= {MAX_DELAY}."
        )
    if message_bytes(message) > maximum_bytes:
        raise _invalid(
            f"One or more parameters are invalid. Reason: Message must be shorter than {maximum_bytes} bytes."
        )


def check_visibility(seconds: int) -> None:
    """A visibility timeout by itself.

    Raises:
        Refusal: less than nothing, or more than twelve hours.
    """
    if not 0 <= seconds <= MAX_VISIBILITY:
        raise _invalid(
            f"Value {seconds} for parameter VisibilityTimeout is invalid. "
            f"Reason: VisibilityTimeout must be an integer between 0 and {MAX_VISIBILITY}."
        )


def message_bytes(message: Mapping[str, Any]) -> int:
    """What counts towards the limits: the body, and every attribute's name, type and value."""
    size = len(message["MessageBody"].encode("utf-8", "surrogatepass"))
    for name, attribute in (message.get("MessageAttributes") or {}).items():
        size += len(name.encode()) + len(attribute["DataType"].encode())
        size += len(attribute.get("StringValue", "").encode("utf-8", "surrogatepass"))
        size += len(attribute.get("BinaryValue", b""))
    return size


def _check_attributes(attributes: Mapping[str, Mapping[str, Any]]) -> None:
    if len(attributes) > MAX_ATTRIBUTES:
        raise _invalid(
            f"Number of message attributes [{len(attributes)}] exceeds the allowed maximum [{MAX_ATTRIBUTES}]."
        )
    for name, attribute in attributes.items():
        if not _ATTRIBUTE_NAME.fullmatch(name):
            raise _invalid(f"The message attribute name '{name}' is invalid.")
        kind = _DATA_TYPE.fullmatch(attribute["DataType"])
        if not kind:
            raise _invalid(f"The type of message attribute '{name}' is invalid.")
        value = attribute.get("BinaryValue" if kind[1] == "Binary" else "StringValue")
        if not value:
            raise _invalid(f"Message attribute '{name}' must contain a non-empty value of its type.")
        if kind[1] != "Binary":
            _check_characters("InvalidParameterValue", f"message attribute '{name}'", value)
        if kind[1] == "Number" and not _NUMBER.fullmatch(value):
            raise _invalid(f"Can't cast the value of message attribute '{name}' to a number.")


def _check_characters(code: str, where: str, text: str) -> None:
    found = _FORBIDDEN.search(text)
    if found:
        raise Refusal(
            code,
            f"Invalid binary character '#x{ord(found[0]):X}' was found in the {where}, the set of allowed "
            "characters is #x9 | #xA | #xD | #x20 to #xD7FF | #xE000 to #xFFFD | #x10000 to #x10FFFF",
        )


def _invalid(message: str) -> Refusal:
    return Refusal("InvalidParameterValue", message)
