"""A dead letter as it lies on the queue, and choosing among them."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from push_content.outcomes.dead_letters import read_context

MOVED_BY_SQS: Final = "receive_count"  # how the tools name a dead letter that has no reason: SQS moved it


@dataclass(frozen=True)
class ReceivedDeadLetter:
    """A dead letter. Times are epoch seconds.

    Attributes:
        message_id: SQS's id of the dead letter.
        source_message_id: SQS's id of the message it was; the same where SQS moved it.
        reason: its ErrorCode, or ``receive_count``.
        dead_since: when it was dead-lettered; where SQS moved it, when it was first sent, which is all SQS tells.
        context: what else the function noted; empty where it noted nothing.
        attributes: its message attributes as SQS gave them, ours and the original ones.
    """

    message_id: str
    receipt_handle: str
    body: str
    attributes: Mapping[str, Any]
    group_id: str | None
    dead_since: float
    reason: str
    explanation: str | None = None
    request_id: str | None = None
    account: str | None = None
    subdomain: str | None = None
    source_message_id: str | None = None
    context: Mapping[str, Any] = field(default_factory=dict)


def received_dead_letter(message: Mapping[str, Any]) -> ReceivedDeadLetter:
    """A dead letter of what ReceiveMessage gave, whoever put it there: nothing in it is trusted to be well-formed."""
    attributes: Mapping[str, Any] = message.get("MessageAttributes", {})
    system: Mapping[str, str] = message.get("Attributes", {})
    # A sender's own attributes may have these names too: only a context of ours makes them the function's.
    context = read_context(attributes)
    own: Mapping[str, Any] = attributes if context is not None else {}
    context = context or {}
    return ReceivedDeadLetter(
        message_id=message["MessageId"],
        receipt_handle=message["ReceiptHandle"],
        body=message.get("Body", ""),
        attributes=attributes,
        group_id=system.get("MessageGroupId"),
        dead_since=int(system.get("SentTimestamp", "0")) / 1000,
        reason=_text(own, "ErrorCode") or MOVED_BY_SQS,
        explanation=_text(own, "ErrorMessage"),
        request_id=_text(own, "RequestID"),
        account=_string(context.get("account")) or _account_of(message.get("Body", "")),
        subdomain=_string(context.get("subdomain")),
        source_message_id=_string(context.get("message_id")) or message["MessageId"],
        context=context,
    )


@dataclass(frozen=True)
class Selection:
    """Which dead letters are meant; what is empty or None selects all.

    ``older_than`` and ``newer_than`` in seconds since it was dead-lettered; ``ids`` are the dead letters' own or
    their source messages'.
    """

    reasons: frozenset[str] = frozenset()
    accounts: frozenset[str] = frozenset()
    subdomains: frozenset[str] = frozenset()
    ids: frozenset[str] = frozenset()
    older_than: float | None = None
    newer_than: float | None = None

    def takes(self, letter: ReceivedDeadLetter, now: float) -> bool:
        """Whether the dead letter is meant, at ``now`` (epoch seconds)."""
        age = now - letter.dead_since
        return (
            (not self.reasons or letter.reason in self.reasons)
            and (not self.accounts or letter.account in self.accounts)
            and (not self.subdomains or letter.subdomain in self.subdomains)
            and (not self.ids or bool(self.ids & {letter.message_id, letter.source_message_id}))
            and (self.older_than is None or age > self.older_than)
            and (self.newer_than is None or age < self.newer_than)
        )


def _account_of(body: str) -> str | None:
    try:
        message = json.loads(body, parse_int=float)
    except (ValueError, RecursionError):
        return None
    return _string(message.get("instance_push_id")) if isinstance(message, dict) else None


def _text(attributes: Mapping[str, Any], name: str) -> str | None:
    return _string(attributes.get(name, {}).get("StringValue"))


def _string(value: object) -> str | None:
    return value if isinstance(value, str) and value else None
