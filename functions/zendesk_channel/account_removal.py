"""Removing an account: a destroy event, an operator's ``forget``, and what its administrator never saved.

In three steps, each of which the next run can repeat: the record is marked, which stops push at once and takes the
nonce, so that nothing speaks for the account; the secret goes into its recovery window; the record forgets the token's
version. Id and subdomain stay as a tombstone, which only a confirmed callback from that subdomain revives.
"""

from dataclasses import replace

from zendesk_channel.accounts import Account, AccountsTable, AccountState
from zendesk_channel.clock import Clock
from zendesk_channel.credentials import CredentialStore
from zendesk_channel.errors import RevisionConflictError


class AccountRemoval:
    """Removes accounts. Every method raises StoreUnavailableError if AWS fails; it can then be called again.

    ``remove`` and ``abandon`` raise RevisionConflictError if the record has changed since it was read.
    """

    def __init__(self, accounts: AccountsTable, credentials: CredentialStore, clock: Clock) -> None:
        self._accounts = accounts
        self._credentials = credentials
        self._clock = clock

    def remove(self, record: Account) -> None:
        """Mark it as deleted, for good, and send its secret away."""
        self.finish(
            self._accounts.save(
                replace(
                    record,
                    state=AccountState.DELETED,
                    nonce=None,
                    pending_version=None,
                    pending_since=None,
                    destroyed_at=self._clock.now(),
                )
            )
        )

    def abandon(self, record: Account) -> None:
        """Likewise, for a role that may write neither ``state`` nor ``nonce``: ``destroyed_at`` overrides both."""
        self.finish(
            self._accounts.save(
                replace(record, destroyed_at=self._clock.now(), pending_version=None, pending_since=None),
                only=("destroyed_at", "pending_version", "pending_since"),
            )
        )

    def finish(self, marked: Account) -> None:
        """The steps after the mark. Until they are done, the token's version in the record shows that they are not."""
        self._credentials.schedule_deletion(marked.instance_push_id)
        try:
            self._accounts.save(replace(marked, token_version=""), only=("token_version",))
        except RevisionConflictError:
            now = self._accounts.get(marked.instance_push_id)
            if now is not None and now.state is not AccountState.DELETED:
                # Registered again between the mark and the deletion, which has just taken its secret away.
                self._credentials.restore(marked.instance_push_id)
