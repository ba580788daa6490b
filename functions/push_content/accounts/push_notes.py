"""When an account was last pushed to: for people to read, so written seldom."""

from collections.abc import Sequence

from zendesk_channel.accounts import Account
from zendesk_channel.errors import StoreUnavailableError
from zendesk_channel.push_state import LAST_PUSH_INTERVAL, SharedPauses


class PushNotes:
    """Writes an account's time at most every five minutes, all that are due in one call."""

    def __init__(self, pauses: SharedPauses) -> None:
        self._pauses = pauses
        self._noted: dict[str, float] = {}

    def note(self, accounts: Sequence[Account], now: float) -> None:
        """These have been pushed to. Whether it could be written is of no consequence."""
        due = [
            account
            for account in accounts
            if now - max(account.last_delivery_at or 0, self._noted.get(account.instance_push_id, 0))
            >= LAST_PUSH_INTERVAL
        ]
        if not due:
            return
        self._noted.update({account.instance_push_id: now for account in due})
        try:
            self._pauses.note_pushes(due, now)
        except StoreUnavailableError:
            return
