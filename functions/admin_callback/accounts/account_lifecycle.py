"""What an authentic event does to an account's record and secret."""

from collections.abc import Callable
from dataclasses import replace

from zendesk_channel.accounts import Account, AccountsTable, AccountState
from zendesk_channel.credentials import CredentialStore
from zendesk_channel.errors import RevisionConflictError


class AccountLifecycle:
    """Switches accounts on and off, and destroys them.

    Every method raises RevisionConflictError if the record has changed since it was read, and StoreUnavailableError if
    AWS fails; it can then be called again with the record as it is now.
    """

    def __init__(
        self, accounts: AccountsTable, credentials: CredentialStore, clock: Callable[[], float]
    ) -> None:
        self._accounts = accounts
        self._credentials = credentials
        self._clock = clock

    def activate(self, record: Account, at: float) -> Account:
        """Push to it (again)."""
        return self._accounts.save(replace(record, state=AccountState.ACTIVE, events_applied_until=at))

    def deactivate(self, record: Account, at: float) -> Account:
        """Push nothing to it."""
        return self._accounts.save(replace(record, state=AccountState.INACTIVE, events_applied_until=at))

    def destroy(self, record: Account, at: float) -> None:
        """Mark it as deleted, which stops push at once, then send its secret away."""
        self.finish_destroying(
            self._accounts.save(
                replace(
                    record,
                    state=AccountState.DELETED,
                    pending_version=None,
                    pending_since=None,
                    events_applied_until=at,
                    destroyed_at=self._clock(),
                )
            )
        )

    def finish_destroying(self, marked: Account) -> None:
        """Send a deleted account's secret into its recovery window; id and subdomain stay as a tombstone.

        The nonce goes last: until then a repeated event can finish what a failure interrupted, and the token's
        version in the record shows the schedule that there is something to finish. Neither can bring the account
        back: for that only a token that Zendesk confirms is good.
        """
        self._credentials.schedule_deletion(marked.instance_push_id)
        try:
            self._accounts.save(replace(marked, token_version="", nonce=None))
        except RevisionConflictError:
            now = self._accounts.get(marked.instance_push_id)
            if now is not None and now.state is not AccountState.DELETED:
                # Registered again between the mark and the deletion, which has just taken its secret away.
                self._credentials.restore(marked.instance_push_id)
