"""What became of pushed content, as Zendesk reports it: for the log, and for the upstream systems' queue.

These reports carry no metadata, so nothing authenticates them, and what is made of them says so. Upstream's proof is
a request_id that nobody can guess.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final

from admin_callback.accounts.event import Event
from zendesk_channel.aws import store_errors
from zendesk_channel.contract import MAX_REQUEST_ID, MAX_RESOURCES, Subdomain
from zendesk_channel.errors import InvalidValueError, StoreUnavailableError

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient

_VERSION: Final = 1
_MAX_TEXT: Final = 255  # characters, as of an external_id
_BATCH: Final = 10  # SQS's limit
_MAX_PART: Final = 95_000  # characters of JSON: ten of them, and what is around them, are one batch of 1 MiB
_LOGGED_IDS: Final = 20
_FIELDS: Final = ("type_id", "external_id", "ticket_id", "comment_id", "follow_up_ticket_id")


class ReceiptQueue:
    """The queue that upstream systems read receipts from, if one is configured."""

    def __init__(self, sqs: "SQSClient", queue_url: str) -> None:
        self._sqs = sqs
        self._queue_url = queue_url

    def send(self, receipts: Sequence[Mapping[str, Any]]) -> None:
        """Hand over receipts, ten at a time.

        Raises:
            StoreUnavailableError: SQS did not take one of them.
        """
        for start in range(0, len(receipts), _BATCH):
            with store_errors("SendMessageBatch"):
                answer = self._sqs.send_message_batch(
                    QueueUrl=self._queue_url,
                    Entries=[
                        {"Id": str(number), "MessageBody": json.dumps(receipt)}
                        for number, receipt in enumerate(receipts[start : start + _BATCH])
                    ],
                )
            if failed := answer.get("Failed"):
                raise StoreUnavailableError("SendMessageBatch", failed[0]["Code"])


def log_fields(receipt: Mapping[str, Any]) -> dict[str, Any]:
    """What the log keeps of a receipt: counts, request_id, and a few ids with their tickets (None: not said)."""
    logged = [each for each in receipt["resources"] if "external_id" in each][:_LOGGED_IDS]
    return {
        "authenticated": receipt["authenticated"],
        "subdomain": receipt["subdomain"],
        "request_id": receipt["request_id"],
        # A line's own timestamp takes the place of a field of that name.
        "event_timestamp": receipt["timestamp"],
        "resources": len(receipt["resources"]),
        "external_ids": [each["external_id"] for each in logged],
        "tickets": [each.get("ticket_id") for each in logged],
    }


def receipts_of(event: Event) -> Iterator[dict[str, Any]]:
    """An event's receipts: one, or more if it reports more resources than a push can hold.

    Only what has the published form is taken over, so size and content are bounded.
    """
    reported = event.data.get("resource_events")
    entries = reported if isinstance(reported, list) else []
    request_id = event.data.get("request_id")
    known = isinstance(request_id, str) and len(request_id) <= MAX_REQUEST_ID
    for resources in _parts([_resource(entry) for entry in entries if isinstance(entry, dict)]):
        yield {
            "version": _VERSION,
            "type": event.type_id,
            "authenticated": False,
            "subdomain": _subdomain(event.subdomain),
            "request_id": request_id if known else None,
            "timestamp": datetime.fromtimestamp(event.timestamp, UTC).isoformat(timespec="milliseconds"),
            "resources": resources,
        }


def _parts(resources: list[dict[str, str | int]]) -> Iterator[list[dict[str, str | int]]]:
    """As many at a time as a push can hold and a batch of ten can carry."""
    part: list[dict[str, str | int]] = []
    size = 0
    for resource in resources:
        length = len(json.dumps(resource))
        if part and (len(part) == MAX_RESOURCES or size + length > _MAX_PART):
            yield part
            part, size = [], 0
        part.append(resource)
        size += length
    if part:
        yield part


def _resource(entry: Mapping[str, Any]) -> dict[str, str | int]:
    return {name: entry[name] for name in _FIELDS if _is_id(entry.get(name))}


def _is_id(value: Any) -> bool:
    if isinstance(value, str):
        return len(value) <= _MAX_TEXT
    return isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 2**63


def _subdomain(text: str) -> str | None:
    try:
        return Subdomain(text)
    except InvalidValueError:
        return None
