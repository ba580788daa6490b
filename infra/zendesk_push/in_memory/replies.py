"""What the table remembers of replies, in memory: the same conditions as DynamoDB's. A suite holds it against moto."""

import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING

from admin_callback.replies.reply_log import CLAIM_SECONDS, REMEMBERED_SECONDS, Claim, ReplyLog

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass
class _Item:
    claimed_until: float
    expires_at: int
    sent_at: float | None = None


class InMemoryReplyLog(ReplyLog):
    """``ReplyLog`` without DynamoDB. Of times three decimals are left, as in the table."""

    def __init__(self) -> None:
        self._items: dict[str, _Item] = {}
        self._lock = threading.Lock()

    @property
    def items(self) -> "Mapping[str, _Item]":
        """By external_id."""
        return self._items

    def claim(self, external_id: str, now: float) -> Claim:
        """As the table's."""
        now = round(now, 3)
        with self._lock:
            found = self._items.get(external_id)
            if found is not None and found.expires_at > now and (found.sent_at or found.claimed_until > now):
                return Claim.SENT if found.sent_at else Claim.BUSY
            self._items[external_id] = _Item(round(now + CLAIM_SECONDS, 3), int(now) + REMEMBERED_SECONDS + 1)
            return Claim.OURS

    def note_sent(self, external_id: str, now: float) -> None:
        """As the table's."""
        with self._lock:
            if external_id in self._items:
                self._items[external_id].sent_at = now

    def give_up(self, external_id: str, claimed_at: float) -> None:
        """As the table's."""
        with self._lock:
            found = self._items.get(external_id)
            if found and not found.sent_at and found.claimed_until == round(claimed_at + CLAIM_SECONDS, 3):
                found.claimed_until = 0
