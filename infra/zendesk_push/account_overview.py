"""The registered accounts as operators see them: whether each can be pushed to, until when it is paused, and why."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

from zendesk_channel.accounts import Account, AccountsTable
from zendesk_channel.push_state import SharedPauses, Standing

REFUSED: Final = "refused"
STATES: Final = ("active", "inactive", "deleted", REFUSED)


@dataclass(frozen=True)
class AccountStatus:
    """An account, and until when (epoch seconds, 0: not at all) it or its whole subdomain is paused, and why."""

    account: Account
    paused_until: float
    pause_reason: str | None

    @property
    def state(self) -> str:
        """One of STATES."""
        refused = self.account.refused and self.account.state == "active"
        return REFUSED if refused else str(self.account.state)


def account_statuses(dynamodb: Any, table_name: str) -> Iterator[AccountStatus]:
    """All accounts with their pauses, a page of the table at a time; StoreError if AWS fails."""
    pauses = SharedPauses(dynamodb, table_name)
    for accounts, _ in AccountsTable(dynamodb, table_name).pages():
        if accounts:
            standing = pauses.standing(account.instance_push_id for account in accounts)
            yield from (_status(account, standing) for account in accounts)


def _status(account: Account, standing: Standing) -> AccountStatus:
    account = standing.accounts.get(account.instance_push_id, account)
    shared = standing.paused_until.get(account.subdomain, 0)
    if shared > account.paused_until:
        return AccountStatus(account, shared, "throttled")
    return AccountStatus(account, account.paused_until, account.pause_reason)
