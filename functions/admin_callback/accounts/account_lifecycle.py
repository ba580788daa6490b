"""What a confirmed token or an authentic event does to an account's record and secret.

The order of writing is what makes a crash or a second writer in between harmless. Connecting: the secret's version,
then the record that names it on condition of its revision. Removing: zendesk_channel.account_removal.
"""

from dataclasses import dataclass, replace

from zendesk_channel.account_removal import AccountRemoval
from zendesk_channel.accounts import Account, AccountsTable, AccountState
from zendesk_channel.clock import Clock
from zendesk_channel.contract import InstancePushId, PushToken, Subdomain
from zendesk_channel.credentials import CredentialStore

PENDING_INTERVAL = (
    600.0  # seconds between two pending versions of an account: Secrets Manager keeps about 100 a day
)


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


class AccountLifecycle:
    """Connects accounts, switches them on and off, and destroys them.

    Every method raises RevisionConflictError if the record has changed since it was read, and StoreUnavailableError if
    AWS fails; it can then be called again with the record as it is now.
    """

    def __init__(self, accounts: AccountsTable, credentials: CredentialStore, clock: Clock) -> None:
        self._accounts = accounts
        self._credentials = credentials
        self._clock = clock
        self._removal = AccountRemoval(accounts, credentials, clock)

    def connect(self, record: Account | None, claim: ConfirmedClaim) -> Account:
        """Make the account active with the claim's token; ``record`` is what was read before Zendesk was asked."""
        version = self._credentials.store(claim.instance_push_id, claim.token)
        revived = record is None or record.state is AccountState.DELETED
        before = record or Account(claim.instance_push_id, claim.subdomain, AccountState.ACTIVE, revision=0)
        now = self._clock.now()
        by_event = claim.event_time is not None
        connected = self._accounts.save(
            replace(
                before,
                subdomain=claim.subdomain,
                state=AccountState.ACTIVE,
                token_version=version,
                nonce=claim.nonce,
                name=claim.name or before.name,
                pending_version=None,
                pending_since=None,
                events_applied_until=claim.event_time if by_event else before.events_applied_until,
                connected_at=now if revived else before.connected_at,
                destroyed_at=None,
                saved_at=(None if revived else before.saved_at) or (now if by_event else None),
            )
        )
        if record is not None and revived:
            # Whoever removed the account may have sent the secret away after it was stored above. Either they see
            # this record afterwards and bring the secret back, or they were earlier and it is brought back here.
            self._credentials.restore(claim.instance_push_id)
        if connected.refused:
            self._accounts.clear_refused(connected)
        return connected

    def keep_pending(self, record: Account, token: PushToken) -> None:
        """Keep an unconfirmed token beside the one in use; within ten minutes of the last one, nothing is written."""
        now = self._clock.now()
        if record.pending_since is not None and now - record.pending_since < PENDING_INTERVAL:
            return
        version = self._credentials.store(record.instance_push_id, token, pending=True)
        self._accounts.save(replace(record, pending_version=version, pending_since=now))

    def activate(self, record: Account, at: float) -> Account:
        """Push to it (again): the administrator has saved it."""
        return self._accounts.save(
            replace(
                record,
                state=AccountState.ACTIVE,
                events_applied_until=at,
                saved_at=record.saved_at or self._clock.now(),
            )
        )

    def deactivate(self, record: Account, at: float) -> Account:
        """Push nothing to it."""
        return self._accounts.save(replace(record, state=AccountState.INACTIVE, events_applied_until=at))

    def destroy(self, record: Account, at: float) -> None:
        """Remove it; ``at`` is the event's time."""
        self._removal.remove(replace(record, events_applied_until=max(at, record.events_applied_until or 0)))

    def finish_removal(self, record: Account) -> None:
        """Finish a removal that a crash or a failure has interrupted."""
        self._removal.finish(record)
