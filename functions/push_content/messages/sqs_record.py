"""One receipt of one SQS message, as Lambda hands it over."""

import base64
import binascii
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

Attribute = Mapping[str, Any]
"""A message attribute as SQS's API takes it: DataType, and StringValue or BinaryValue (bytes)."""

Attributes = Mapping[str, Attribute]

_LATEST: Final = 253_402_300_799_000  # milliseconds: the end of the year 9999, the last that a date can have


@dataclass(frozen=True)
class SqsRecord:
    """A message on the queue and the handle of this receipt.

    Attributes:
        attributes: the message attributes in the form that SQS's own API takes.
        sent_at: epoch seconds; None if the record does not say.
        receive_count: how often it was received, this time included.
    """

    message_id: str
    receipt_handle: str
    body: str = field(repr=False)
    attributes: Attributes = field(default_factory=dict, repr=False)
    group_id: str | None = None
    sent_at: float | None = None
    receive_count: int = 1

    def age(self, now: float) -> float:
        """Seconds since it was sent."""
        return max(0.0, now - self.sent_at) if self.sent_at is not None else 0.0


def sqs_records(records: Iterable[Mapping[str, Any]]) -> list[SqsRecord]:
    """The records of one Lambda event, in their order.

    SQS may deliver a message twice in one batch; it is kept once, in its first place, with its newest handle.
    """
    by_id: dict[str, SqsRecord] = {}
    for raw in records:
        record = _sqs_record(raw)
        known = by_id.get(record.message_id)
        if known is None or record.receive_count >= known.receive_count:
            by_id[record.message_id] = record
    return list(by_id.values())


def _sqs_record(raw: Mapping[str, Any]) -> SqsRecord:
    """Only the message id must be there: what else a record holds or lacks must not cost its neighbours anything."""
    system = _mapping(raw.get("attributes"))
    attributes = _mapping(raw.get("messageAttributes"))
    sent = _integer(system.get("SentTimestamp"))
    group_id = system.get("MessageGroupId")
    return SqsRecord(
        message_id=str(raw["messageId"]),
        receipt_handle=str(raw.get("receiptHandle") or ""),
        body=str(raw.get("body") or ""),
        attributes=attributes
        and {str(name): _attribute(_mapping(value)) for name, value in attributes.items()},
        group_id=group_id if isinstance(group_id, str) else None,
        sent_at=None if sent is None or sent > _LATEST else sent / 1000,
        receive_count=_integer(system.get("ApproximateReceiveCount")) or 1,
    )


def _mapping(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}


def _attribute(value: Mapping[str, Any]) -> Attribute:
    data_type = str(value.get("dataType") or "String")
    if data_type.split(".", 1)[0] != "Binary":
        return {"DataType": data_type, "StringValue": str(value.get("stringValue") or "")}
    text = str(value.get("binaryValue") or "")
    try:
        return {"DataType": data_type, "BinaryValue": base64.b64decode(text, validate=True)}
    except (binascii.Error, ValueError):
        # Lambda always sends base64.
        return {"DataType": data_type, "BinaryValue": text.encode("utf-8", "backslashreplace")}


def _integer(text: object) -> int | None:
    """A count or a time in milliseconds; None for what is neither."""
    try:
        number = int(str(text)[:18])
    except ValueError:
        return None
    return number if number >= 0 else None
