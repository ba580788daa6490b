"""Writing a confirmed token and its account so that a crash or a second writer in between leaves a working account.

The order is: the secret's version, then the record that names it on condition of its revision, then a second look
at the secret if the account had been destroyed.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace

from zendesk_channel.accounts import Account, AccountsTable, AccountState
from zendesk_channel.contract import InstancePushId, PushToken, Subdomain
from zendesk_channel.credentials import CredentialStore


@dataclass(frozen=True)
class ConfirmedClaim:
    """What Zendesk has confirmed: that this token is this account's, at this subdomain.

    ``nonce`` is the one to record; ``name`` empty keeps the recorded name; ``event_time`` is the timestamp of the
    event that brought the token, None for a callback.
    """

    instance_push_id: InstancePushId
    subdomain: Subdomain
    token: PushToken
    nonce: str
    name: str = ""
    event_time: float | None = None


class AccountConnector:
    """Stores confirmed claims. Every method raises StoreUnavailableError if AWS fails."""

    def __init__(
        self, accounts: AccountsTable, credentials: CredentialStore, clock: Callable[[], float]
    ) -> None:
        self._accounts = accounts
        self._credentials = credentials
        self._clock = clock

    def connect(self, record: Account | None, claim: ConfirmedClaim) -> Account:
        """Make the account active with the claim's token; ``record`` is what was read before Zendesk was asked.

        Raises:
            RevisionConflictError: somebody else wrote since: read, ask and try again.
        """
        version = self._credentials.store(claim.instance_push_id, claim.token)
        revived = record is None or record.state is AccountState.DELETED
        before = record or Account(claim.instance_push_id, claim.subdomain, AccountState.ACTIVE, revision=0)
        saved = self._accounts.save(
            replace(
                before,
                subdomain=claim.subdomain,
                state=AccountState.ACTIVE,
                token_version=version,
                nonce=claim.nonce,
                name=claim.name or before.name,
                pending_version=None,
                pending_since=None,
                events_applied_until=before.events_applied_until
                if claim.event_time is None
                else claim.event_time,
                connected_at=self._clock() if revived else before.connected_at,
                destroyed_at=None,
            )
        )
        if revived:
            # Who destroyed the account may have sent the secret away after it was stored above. Either he sees
            # this record afterwards and brings the secret back, or he was earlier and it is brought back here.
            self._credentials.restore(claim.instance_push_id)
        if saved.refused:
            self._accounts.clear_refused(saved)
        return saved
