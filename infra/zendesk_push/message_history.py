"""What became of messages, by what the functions' log lines say. Pure.

A push request's line names its messages; ``undelivered`` in it says which of them it did not deliver, by reason
(``again``: they go out again at once, in another request).
"""

import enum
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

Line = Mapping[str, Any]
MESSAGE_LINES: Final = ("push request", "not sent", "dead letter")
TICKET_LINE: Final = "resources created"
_AGAIN: Final = "again"


class Fate(enum.StrEnum):
    """Where a message is, as far as it is known."""

    DELIVERED = "delivered"
    DEAD = "dead"
    WAITING = "waiting"


@dataclass(frozen=True)
class History:
    """The newest that is known of one message. ``at`` in epoch seconds; ``reason`` is an ErrorCode, for what is not
    delivered; ``since`` is when it was first seen waiting.
    """

    message_id: str
    fate: Fate
    at: float
    since: float
    reason: str | None = None
    account: str | None = None
    subdomain: str | None = None
    external_ids: tuple[str, ...] = ()


def histories(lines: Iterable[Line]) -> dict[str, History]:
    """The newest state of every message that the lines, oldest first, name."""
    found: dict[str, History] = {}
    for line in lines:
        if line.get("message") not in MESSAGE_LINES:
            continue
        external_ids = _external_ids(line)
        for message_id, fate, reason in _verdicts(line):
            before = found.get(message_id)
            found[message_id] = History(
                message_id,
                fate,
                line["timestamp"],
                before.since if before else line["timestamp"],
                reason,
                line.get("account") or (before.account if before else None),
                line.get("subdomain") or (before.subdomain if before else None),
                external_ids.get(message_id) or (before.external_ids if before else ()),
            )
    return found


def tickets(lines: Iterable[Line]) -> dict[str, tuple[int, ...]]:
    """The tickets that Zendesk reported for external ids, the first twenty of each report. Unauthenticated."""
    found: dict[str, dict[int, None]] = defaultdict(dict)
    for line in lines:
        if line.get("message") == TICKET_LINE:
            for external_id, ticket in zip(
                line.get("external_ids", ()), line.get("tickets", ()), strict=False
            ):
                if isinstance(ticket, int):
                    found[str(external_id)][ticket] = None
    return {external_id: tuple(numbers) for external_id, numbers in found.items()}


def _verdicts(line: Line) -> Iterable[tuple[str, Fate, str | None]]:
    """For each message of a line: what it says of it."""
    ids: Sequence[str] = line.get("message_ids", ())
    kind = line["message"]
    if kind == "dead letter":
        return [(one, Fate.DEAD, line.get("reason")) for one in ids]
    if kind == "not sent":
        return [(one, Fate.WAITING, line.get("reason")) for one in ids]
    undelivered = {one: reason for reason, those in line.get("undelivered", {}).items() for one in those}
    return [
        (one, Fate.WAITING, undelivered[one]) if one in undelivered else (one, Fate.DELIVERED, None)
        for one in ids
        if undelivered.get(one) != _AGAIN  # its next request says more
    ]


def _external_ids(line: Line) -> dict[str, tuple[str, ...]]:
    """``external_ids`` stands beside ``message_ids``, a list for each."""
    lists = line.get("external_ids", ())
    return {
        message_id: tuple(ids) for message_id, ids in zip(line.get("message_ids", ()), lists, strict=False)
    }
