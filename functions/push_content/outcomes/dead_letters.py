"""A dead letter: the message as it was, and the reason in four attributes beside its own. Pure.

SQS allows ten attributes. If a message has too many to add four, or has one of these four names, its own are
packed into ``Context``, whole, and ``restore_attributes`` gets them back.
"""

import base64
import binascii
import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Final

from push_content.messages.sqs_record import Attribute, Attributes, SqsRecord
from push_content.outcomes.outcome import ErrorCode, Rejected
from push_content.outcomes.sqs_limits import (
    BATCH,
    MAX_ATTRIBUTES,
    MAX_BYTES,
    attributes_size,
    byte_size,
    takes_attribute,
    takes_group_id,
)
from zendesk_channel.contract import Subdomain

VERSION: Final = 1
_CODES: Final = frozenset(code.value for code in ErrorCode)
OWN_NAMES: Final = ("ErrorCode", "ErrorMessage", "RequestID", "Context")
_ERROR_MESSAGE_BYTES: Final = 4096

# SQS takes XML 1.0's characters only, and control characters beyond those help nobody who reads a reason.
_NOT_IN_A_VALUE: Final = re.compile("[\x00-\x1f\x7f-\x9f\ud800-\udfff\ufffe\uffff]+")
_NOT_IN_SQS: Final = re.compile("[\x00-\x1f\ud800-\udfff\ufffe\uffff]")


@dataclass(frozen=True)
class DeadLetter:
    """What to send to the dead-letter queue.

    ``id`` is the source message's; ``attributes`` in the form of SQS's API.
    """

    id: str
    body: str = field(repr=False)
    attributes: Attributes = field(repr=False)
    group_id: str | None = None

    def size(self) -> int:
        """The bytes that SQS counts."""
        return byte_size(self.body) + attributes_size(self.attributes)

    def refusal(self) -> str | None:
        """Why SQS would not take it, as its own code; None if it would. (Its body came from SQS, so SQS takes that.)"""
        if self.size() > MAX_BYTES:
            return "AWS.SimpleQueueService.BatchRequestTooLong"
        if len(self.attributes) > MAX_ATTRIBUTES:
            return "InvalidParameterValue"
        if not all(takes_attribute(name, value) for name, value in self.attributes.items()):
            return "InvalidAttributeValue"
        return None


def dead_letter(
    record: SqsRecord,
    rejected: Rejected,
    *,
    account_id: str | None,
    subdomain: Subdomain | None,
    request_id: str,
    failed_at: float,
) -> DeadLetter:
    """The dead letter of a rejected message.

    Args:
        account_id: its instance_push_id, None for what is not a message.
        subdomain: its account's, if there is one.
        request_id: the message's own, else the Lambda request's.
        failed_at: epoch seconds.
    """
    # UTF-8 is what SQS counts and takes; a lone surrogate, which it never delivers, is left as its escape.
    body = record.body.encode("utf-8", "backslashreplace").decode()
    originals = restore_attributes(record.attributes)
    context: dict[str, Any] = {
        "v": VERSION,
        "status": rejected.status,
        "subdomain": subdomain,
        "account": account_id,
        "message_id": record.message_id,
        "sent_at": None if record.sent_at is None else _time(record.sent_at),
        "failed_at": _time(failed_at),
        "receive_count": record.receive_count,
        "results": [
            {"index": index, "code": result.code, "description": readable(result.description)}
            for index, result in rejected.results.items()
        ],
    }
    room = MAX_BYTES - byte_size(body)
    attributes: Attributes = {}
    for packed in _packings(originals):
        kept = {name: value for name, value in originals.items() if name not in packed}
        own = _fitted(rejected, request_id, context, packed, room - attributes_size(kept))
        attributes = {**kept, **own}
        if attributes_size(attributes) <= room:
            break
    else:
        # Whole, and without a reason, as what SQS itself moves: waiting for that could outlast the queue's retention.
        attributes = dict(record.attributes)
    group_id = record.group_id if record.group_id and takes_group_id(record.group_id) else None
    return DeadLetter(record.message_id, body, attributes, group_id)


def chunks(letters: Iterable[DeadLetter]) -> Iterator[list[DeadLetter]]:
    """At most ten at a time, and at most 1 MiB of bodies and attributes together."""
    chunk: list[DeadLetter] = []
    size = 0
    for letter in letters:
        own = letter.size()
        if chunk and (len(chunk) == BATCH or size + own > MAX_BYTES):
            yield chunk
            chunk, size = [], 0
        chunk.append(letter)
        size += own
    if chunk:
        yield chunk


def restore_attributes(attributes: Attributes) -> Attributes:
    """The attributes that a message had before it was dead-lettered, of those that its dead letter has.

    What is not one of this project's dead letters is returned as it is, however its attributes are called: also what
    claims to hold attributes that SQS would never have delivered.
    """
    context = read_context(attributes)
    if context is None:
        return dict(attributes)
    packed = context.get("attributes", {})
    if not isinstance(packed, dict):
        return dict(attributes)
    unpacked = {name: _unpack(value) for name, value in packed.items()}
    if not all(takes_attribute(name, value) for name, value in unpacked.items()):
        return dict(attributes)
    return {name: value for name, value in attributes.items() if name not in OWN_NAMES} | unpacked


def read_context(attributes: Attributes) -> dict[str, Any] | None:
    """What a dead letter's ``Context`` says; None if these are not the attributes of one of this project's."""
    if any(name not in attributes for name in OWN_NAMES):
        return None
    if attributes["ErrorCode"].get("StringValue") not in _CODES:
        return None
    try:
        context = json.loads(attributes["Context"].get("StringValue", ""))
    except (ValueError, RecursionError):
        return None
    if not isinstance(context, dict) or context.get("v") != VERSION or "message_id" not in context:
        return None
    return context


def readable(text: str, limit: int = _ERROR_MESSAGE_BYTES) -> str:
    """Text as an attribute's value: one line, of characters that SQS takes, at most ``limit`` bytes, not empty."""
    line = _NOT_IN_A_VALUE.sub(" ", text[:MAX_BYTES]).strip() or "-"
    encoded = line.encode()
    if len(encoded) <= limit:
        return line
    return encoded[: max(0, limit - len("…".encode()))].decode("utf-8", "ignore") + "…"


def _packings(originals: Attributes) -> list[Attributes]:
    """What could be packed, best first: nothing; all; as little as possible, which is smaller than all."""
    clashing = [name for name in originals if name in OWN_NAMES]
    surplus = len(originals) + len(OWN_NAMES) - MAX_ATTRIBUTES
    if not clashing and surplus <= 0:
        return [{}]
    smallest = sorted(
        (name for name in originals if name not in clashing),
        key=lambda name: attributes_size({name: originals[name]}),
    )
    fewest = [*clashing, *smallest[: max(0, surplus - len(clashing))]]
    return [originals, {name: originals[name] for name in fewest}]


def _fitted(
    rejected: Rejected, request_id: str, context: dict[str, Any], packed: Attributes, room: int
) -> Attributes:
    """Our four attributes, in ``room`` bytes if that can be: results are cut first, then the text."""
    if packed:
        context = context | {"attributes": {name: _pack(value) for name, value in packed.items()}}
    own = _own(rejected, request_id, context, readable(rejected.text))
    if attributes_size(own) > room and context["results"]:
        context = context | {"results": [], "results_cut": True}
        own = _own(rejected, request_id, context, readable(rejected.text))
    excess = attributes_size(own) - room
    if excess > 0:
        limit = max(1, len(own["ErrorMessage"]["StringValue"].encode()) - excess)
        own = _own(rejected, request_id, context, readable(rejected.text, limit))
    return own


def _own(rejected: Rejected, request_id: str, context: Mapping[str, Any], text: str) -> dict[str, Attribute]:
    encoded = json.dumps(context, ensure_ascii=False, separators=(",", ":"))
    # Control characters are escaped by now; the rest that SQS does not take is only ever inside strings.
    encoded = _NOT_IN_SQS.sub(lambda character: f"\\u{ord(character[0]):04x}", encoded)
    values = (str(rejected.reason), text, readable(request_id), encoded)
    return {
        name: {"DataType": "String", "StringValue": value}
        for name, value in zip(OWN_NAMES, values, strict=True)
    }


def _pack(value: Attribute) -> dict[str, str]:
    if "BinaryValue" in value:
        return {"type": value["DataType"], "binary": base64.b64encode(value["BinaryValue"]).decode()}
    return {"type": value["DataType"], "string": value.get("StringValue", "")}


def _unpack(value: Any) -> Attribute:
    fields = value if isinstance(value, dict) else {}
    data_type = str(fields.get("type", "String"))
    if "binary" in fields:
        try:
            return {"DataType": data_type, "BinaryValue": base64.b64decode(str(fields["binary"]))}
        except (binascii.Error, ValueError):
            return {"DataType": data_type, "BinaryValue": str(fields["binary"]).encode("utf-8", "replace")}
    return {"DataType": data_type, "StringValue": str(fields.get("string", ""))}


def _time(epoch_seconds: float) -> str:
    return datetime.fromtimestamp(epoch_seconds, UTC).isoformat(timespec="milliseconds")
