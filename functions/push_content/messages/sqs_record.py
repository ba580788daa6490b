"""One delivery of one SQS message, as Lambda hands it over."""

import base64
import binascii
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

Attribute = Mapping[str, Any]
"""A message attribute as SQS's API takes it: DataType, and StringValue or BinaryValue (bytes)."""

Attributes = Mapping[str, Attribute]


@dataclass(frozen=True)
class Receipt:
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


def receipts(records: Iterable[Mapping[str, Any]]) -> list[Receipt]:
    """The records of one Lambda event, in their order.

    SQS may deliver a message twice in one batch; it is kept once, in its first place, with its newest handle.
    """
    by_id: dict[str, Receipt] = {}
    for record in records:
        receipt = _receipt(record)
        known = by_id.get(receipt.message_id)
        if known is None or receipt.receive_count >= known.receive_count:
            by_id[receipt.message_id] = receipt
    return list(by_id.values())


def _receipt(record: Mapping[str, Any]) -> Receipt:
    system = record.get("attributes") or {}
    sent = _integer(system.get("SentTimestamp"))
    return Receipt(
        message_id=record["messageId"],
        receipt_handle=record.get("receiptHandle") or "",
        body=record.get("body") or "",
        attributes={
            name: _attribute(value) for name, value in (record.get("messageAttributes") or {}).items()
        },
        group_id=system.get("MessageGroupId"),
        sent_at=None if sent is None else sent / 1000,
        receive_count=_integer(system.get("ApproximateReceiveCount")) or 1,
    )


def _attribute(value: Mapping[str, Any]) -> Attribute:
    data_type = value.get("dataType") or "String"
    if data_type.split(".", 1)[0] != "Binary":
        return {"DataType": data_type, "StringValue": value.get("stringValue") or ""}
    text = value.get("binaryValue") or ""
    try:
        return {"DataType": data_type, "BinaryValue": base64.b64decode(text, validate=True)}
    except (binascii.Error, ValueError):
        # Lambda always sends base64. Whatever else an event holds must not cost its neighbours anything.
        return {"DataType": data_type, "BinaryValue": str(text).encode("utf-8", "backslashreplace")}


def _integer(text: object) -> int | None:
    try:
        return int(str(text))
    except ValueError:
        return None
