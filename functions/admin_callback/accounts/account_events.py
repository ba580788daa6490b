"""Who an event about an account is from, and what is then done.

The nonce of its metadata, if the account's record holds it, authenticates the event. A create or activate that has
none is what an account's first Save looks like while its token was not confirmed: the token comes back sealed in the
metadata, and Zendesk is asked about it again.
"""

import enum
from typing import Final

from admin_callback.accounts.account_connector import AccountConnector, ConfirmedClaim
from admin_callback.accounts.account_lifecycle import AccountLifecycle
from admin_callback.accounts.event_limits import Budget
from admin_callback.accounts.registration import RESTARTS, Registrar, holds_nonce
from admin_callback.accounts.revalidation import AccountRevalidator
from admin_callback.accounts.sealed_metadata import Envelope, MetadataSealer, Seal, parse_metadata
from admin_callback.accounts.validation_rate_limit import ThrottledError, ValidationThrottle
from admin_callback.http.event_body import ACTIVATED, CREATED, DESTROYED, Event
from zendesk_channel.accounts import Account, AccountsTable, AccountState
from zendesk_channel.client import VALIDATE_TOKEN_TIMEOUT, Verdict, ZendeskClient
from zendesk_channel.clock import Clock
from zendesk_channel.contract import PushToken
from zendesk_channel.errors import RevisionConflictError, StoreUnavailableError

_FIRST_WAIT: Final = 0.5  # seconds; doubles


class EventOutcome(enum.Enum):
    """What became of one event."""

    CONNECTED = "connected"
    ACTIVATED = "activated"
    DEACTIVATED = "deactivated"
    DESTROYED = "destroyed"
    STALE = "stale"  # a newer event was applied before
    FORGED = "forged"  # nothing authenticates it
    OVER_LIMIT = "over_limit"  # too many in one body: not looked at
    THROTTLED = "throttled"
    NO_VERDICT = "no_verdict"  # Zendesk did not say whether the token is good


_APPLIED: Final = frozenset(
    {EventOutcome.CONNECTED, EventOutcome.ACTIVATED, EventOutcome.DEACTIVATED, EventOutcome.DESTROYED}
)


class AccountEvents:
    """Applies events about accounts, each on its own."""

    def __init__(
        self,
        *,
        accounts: AccountsTable,
        zendesk: ZendeskClient,
        sealer: MetadataSealer,
        registrar: Registrar,
        connector: AccountConnector,
        lifecycle: AccountLifecycle,
        revalidator: AccountRevalidator,
        throttle: ValidationThrottle,
        clock: Clock,
    ) -> None:
        self._accounts = accounts
        self._zendesk = zendesk
        self._sealer = sealer
        self._registrar = registrar
        self._connector = connector
        self._lifecycle = lifecycle
        self._revalidator = revalidator
        self._throttle = throttle
        self._clock = clock

    def apply(self, event: Event, budget: Budget) -> EventOutcome:
        """Apply one of ACCOUNT_EVENTS.

        Raises:
            StoreUnavailableError: AWS failed, so the event is not (wholly) applied.
        """
        envelope = parse_metadata(event.metadata) if event.metadata else None
        if envelope is None:
            return EventOutcome.FORGED
        if not budget.may_look():
            return EventOutcome.OVER_LIMIT
        for _ in range(1 + RESTARTS):
            try:
                outcome = self._apply_once(event, envelope, budget)
            except RevisionConflictError:
                continue
            if outcome in _APPLIED:
                budget.applied.append(
                    {
                        "instance_push_id": envelope.instance_push_id,
                        "subdomain": envelope.subdomain,
                        "outcome": outcome.value,
                    }
                )
            return outcome
        raise StoreUnavailableError("UpdateItem", "RevisionConflict")

    def _apply_once(self, event: Event, envelope: Envelope, budget: Budget) -> EventOutcome:
        record = self._accounts.get(envelope.instance_push_id)
        switches_on = event.type_id in (CREATED, ACTIVATED)
        if not switches_on and (record is None or not record.nonce):
            return EventOutcome.FORGED
        if record is not None and event.timestamp < (record.events_applied_until or 0):
            return EventOutcome.STALE
        seal = budget.open(envelope, self._sealer)
        if seal is None:
            return EventOutcome.FORGED
        if record is not None and holds_nonce(record, seal):
            if event.type_id == DESTROYED:
                self._lifecycle.destroy(record, event.timestamp)
                return EventOutcome.DESTROYED
            if record.state is not AccountState.DELETED:
                return self._switch(record, event, on=switches_on, budget=budget)
        token = seal.live_token(self._clock.now()) if switches_on else None
        if token is None or (record is not None and seal.issued_at <= (record.destroyed_at or 0)):
            return EventOutcome.FORGED
        return self._connect(record, event, seal, token, budget)

    def _switch(self, record: Account, event: Event, *, on: bool, budget: Budget) -> EventOutcome:
        if not on:
            self._lifecycle.deactivate(record, event.timestamp)
            return EventOutcome.DEACTIVATED
        if not self._registrar.may_connect(record.subdomain):
            return EventOutcome.FORGED
        saved = self._lifecycle.activate(record, event.timestamp)
        if (saved.refused or saved.pending_version) and budget.left() > 0:
            # Saving an account is when Zendesk may start to accept its token: do not wait for the schedule.
            self._revalidator.revalidate(saved)
        return EventOutcome.ACTIVATED

    def _connect(
        self, record: Account | None, event: Event, seal: Seal, token: PushToken, budget: Budget
    ) -> EventOutcome:
        """Verify the token that came back with the metadata, and store it like a confirmed callback's."""
        elsewhere = record is not None and record.subdomain != seal.subdomain
        if elsewhere or not self._registrar.may_connect(seal.subdomain):
            return EventOutcome.FORGED
        if not budget.may_verify():
            return EventOutcome.OVER_LIMIT
        try:
            self._throttle.acquire(seal.subdomain)
        except ThrottledError as error:
            budget.retry_after = max(budget.retry_after, error.retry_after)
            return EventOutcome.THROTTLED
        verdict = self._ask(seal, token, budget)
        if verdict is Verdict.NO_VERDICT:
            return EventOutcome.NO_VERDICT
        if verdict is Verdict.REFUSED:
            return EventOutcome.FORGED
        self._connector.connect(
            record,
            ConfirmedClaim(
                seal.instance_push_id,
                seal.subdomain,
                token,
                nonce=seal.nonce,
                event_time=event.timestamp,
            ),
        )
        return EventOutcome.CONNECTED

    def _ask(self, seal: Seal, token: PushToken, budget: Budget) -> Verdict:
        """Ask until there is a verdict, the time is up or the throttle says no (the first call is counted already)."""
        wait = _FIRST_WAIT
        while budget.left() > 0:
            verdict = self._zendesk.validate_token(
                seal.subdomain,
                token,
                seal.instance_push_id,
                timeout=min(VALIDATE_TOKEN_TIMEOUT, budget.left()),
            ).verdict
            if verdict is not Verdict.NO_VERDICT or budget.left() <= wait:
                return verdict
            self._clock.sleep(wait)
            wait *= 2
            try:
                self._throttle.acquire(seal.subdomain)
            except ThrottledError:
                break
        return Verdict.NO_VERDICT
