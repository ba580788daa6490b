"""The registered accounts as operators see them: whether each can be pushed to, until when it is paused, and why."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any, Final

from zendesk_channel.accounts import Account, AccountsTable, AccountState
from zendesk_channel.push_state import SharedPauses, Snapshot
from zendesk_push.errors import CommandError, UsageError

REFUSED: Final = "refused"
PAUSED: Final = "paused"
STATES: Final = ("active", "inactive", "deleted", REFUSED, PAUSED)
_NAMED: Final = 5


@dataclass(frozen=True)
class AccountStatus:
    """An account, and until when (epoch seconds, 0: not at all) it or its whole subdomain is paused, and why."""

    account: Account
    paused_until: float
    pause_reason: str | None

    @property
    def state(self) -> str:
        """One of STATES."""
        if self.account.state != AccountState.ACTIVE:
            return str(self.account.state)
        if self.account.paused_by_operator_at is not None:
            return PAUSED
        return REFUSED if self.account.refused else str(self.account.state)

    @property
    def label(self) -> str:
        """The account's name for people: whose it is, and which."""
        return f"{self.account.subdomain} ({self.account.name or self.account.instance_push_id})"

    def is_paused(self, now: float) -> bool:
        """Nothing is pushed at ``now`` because of Zendesk's limit or of a failure."""
        return self.paused_until > now


def account_statuses(dynamodb: Any, table_name: str) -> Iterator[AccountStatus]:
    """All accounts with their pauses, a page of the table at a time; StoreError if AWS fails."""
    pauses = SharedPauses(dynamodb, table_name)
    for accounts, _ in AccountsTable(dynamodb, table_name).pages():
        if accounts:
            snapshot = pauses.snapshot(account.instance_push_id for account in accounts)
            yield from (_status(account, snapshot) for account in accounts)


def _status(account: Account, snapshot: Snapshot) -> AccountStatus:
    account = snapshot.accounts.get(account.instance_push_id, account)
    shared = snapshot.paused_until.get(account.subdomain, 0)
    if shared > account.paused_until:
        return AccountStatus(account, shared, "throttled")
    return AccountStatus(account, account.paused_until, account.pause_reason)


def find_account(statuses: Iterable[AccountStatus], wanted: str) -> AccountStatus:
    """The account that is called so: its instance_push_id or what only that begins with, or its subdomain.

    Raises:
        UsageError: nothing was given.
        CommandError: none is called so, or several are.
    """
    if not wanted:
        raise UsageError("the account is empty")
    known = [status for status in statuses if _is_called(status, wanted)]
    exact = [status for status in known if status.account.instance_push_id == wanted]
    living = [status for status in known if status.account.state != AccountState.DELETED]
    for found in (exact, living, known):
        if len(found) == 1:
            return found[0]
    if not known:
        raise CommandError(f"no account is called {wanted!r}: `zendesk-push accounts list` has all")
    named = ", ".join(status.account.instance_push_id for status in known[:_NAMED])
    raise CommandError(f"{len(known)} accounts are called {wanted!r}: {named}")


def _is_called(status: AccountStatus, wanted: str) -> bool:
    account = status.account
    return account.instance_push_id.startswith(wanted) or account.subdomain == wanted
