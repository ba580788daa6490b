"""A dead letter as it lies on the queue, and choosing among them."""

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from push_content.outcomes.dead_letters import read_context, restore_attributes
from zendesk_push.errors import CommandError
from zendesk_push.message_facts import message_facts
from zendesk_push.queue_sender import Outgoing

MOVED_BY_SQS: Final = "receive_count"  # how the tools name a dead letter that has no reason: SQS moved it
_SCHEMA: Final = re.compile(r" in schema file:[^\s;]+")


@dataclass(frozen=True)
class ReceivedDeadLetter:
    """A dead letter. Times are epoch seconds.

    Attributes:
        message_id: SQS's id of the dead letter.
        source_message_id: SQS's id of the message it was; the same where SQS moved it.
        reason: its ErrorCode, or ``receive_count``.
        dead_since: when it was dead-lettered; where SQS moved it, when it was first sent, which is all SQS tells
            and what its retention counts from.
        external_ids: of its resources, as far as its body can be read.
        context: what else the function noted; empty where it noted nothing.
        attributes: its message attributes as SQS gave them, ours and the original ones.
    """

    message_id: str
    receipt_handle: str
    body: str = field(repr=False)
    attributes: Mapping[str, Any] = field(repr=False)
    group_id: str | None
    dead_since: float
    reason: str
    explanation: str | None = field(default=None, repr=False)
    request_id: str | None = None
    account: str | None = None
    subdomain: str | None = None
    source_message_id: str = ""
    external_ids: tuple[str, ...] = ()
    context: Mapping[str, Any] = field(default_factory=dict, repr=False)


def received_dead_letter(message: Mapping[str, Any]) -> ReceivedDeadLetter:
    """A dead letter of what ReceiveMessage gave, whoever put it there: nothing in it is trusted to be well-formed."""
    attributes: Mapping[str, Any] = message.get("MessageAttributes", {})
    system: Mapping[str, str] = message.get("Attributes", {})
    body = message.get("Body", "")
    # A sender's own attributes may have these names too: only a context of ours makes them the function's.
    context = read_context(attributes)
    own: Mapping[str, Any] = attributes if context is not None else {}
    context = context or {}
    facts = message_facts(body)
    return ReceivedDeadLetter(
        message_id=message["MessageId"],
        receipt_handle=message["ReceiptHandle"],
        body=body,
        attributes=attributes,
        group_id=system.get("MessageGroupId"),
        dead_since=int(system.get("SentTimestamp", "0")) / 1000,
        reason=_text(own, "ErrorCode") or MOVED_BY_SQS,
        explanation=_text(own, "ErrorMessage"),
        request_id=_text(own, "RequestID"),
        account=_string(context.get("account")) or facts.account,
        subdomain=_string(context.get("subdomain")),
        source_message_id=_string(context.get("message_id")) or message["MessageId"],
        external_ids=facts.external_ids,
        context=context,
    )


def original(letter: ReceivedDeadLetter) -> Outgoing:
    """The message that the dead letter was: body, attributes and group as they first came."""
    return Outgoing(
        letter.body, label=letter, group_id=letter.group_id, attributes=restore_attributes(letter.attributes)
    )


def without_schemas(explanation: str) -> str:
    """Zendesk's text without the schema's file, which it names after each error; ``dlq show`` has all of it."""
    return _SCHEMA.sub("", explanation)


@dataclass(frozen=True)
class Selection:
    """Which dead letters are meant; what is empty or None selects all.

    ``older_than`` and ``newer_than`` in seconds since it was dead-lettered; ``ids`` are the dead letters' own or
    their source messages', or the beginning of either.
    """

    reasons: frozenset[str] = frozenset()
    accounts: frozenset[str] = frozenset()
    subdomains: frozenset[str] = frozenset()
    external_ids: frozenset[str] = frozenset()
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
            and (not self.external_ids or not self.external_ids.isdisjoint(letter.external_ids))
            and (not self.ids or any(_is_called(letter, one) for one in self.ids))
            and (self.older_than is None or age > self.older_than)
            and (self.newer_than is None or age < self.newer_than)
        )


def resolve(letters: Collection[ReceivedDeadLetter], ids: Collection[str]) -> list[ReceivedDeadLetter]:
    """Those of ``letters`` that the ids mean: each a whole id, or the beginning of one message's only.

    Raises:
        CommandError: one means none of them, or several.
    """
    found: dict[str, ReceivedDeadLetter] = {}
    missing = []
    for one in ids:
        exact = [letter for letter in letters if one in (letter.message_id, letter.source_message_id)]
        meant = exact or [letter for letter in letters if _is_called(letter, one)]
        if not meant:
            missing.append(one)
        if not exact and len({letter.source_message_id for letter in meant}) > 1:
            raise CommandError(
                f"{len(meant)} dead letters have an id that begins with {one!r}: give more of it"
            )
        found |= {letter.message_id: letter for letter in meant}
    if missing:
        raise CommandError(
            f"there is no dead letter {', '.join(sorted(missing))} (or somebody else is reading it just now)"
        )
    return list(found.values())


def _is_called(letter: ReceivedDeadLetter, start: str) -> bool:
    return letter.message_id.startswith(start) or letter.source_message_id.startswith(start)


def _text(attributes: Mapping[str, Any], name: str) -> str | None:
    return _string(attributes.get(name, {}).get("StringValue"))


def _string(value: object) -> str | None:
    return value if isinstance(value, str) and value else None
