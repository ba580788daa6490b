"""Whom an event about an account comes from, and what it does.

The nonce of its metadata, if the account's record holds it, authenticates the event. A create or activate that has
none is what an account's first Save looks like while its token was not confirmed: the token comes back sealed in the
metadata, and Zendesk is asked about it again. What such an event costs, and how long it takes, does not depend on
whether the account is registered.
"""

import enum
from dataclasses import dataclass
from typing import Final

from admin_callback.accounts.account_lifecycle import ConfirmedClaim
from admin_callback.accounts.control_question import token_that_nobody_has
from admin_callback.accounts.event import ACTIVATED, CREATED, DESTROYED, Event
from admin_callback.accounts.event_limits import EventBudget
from admin_callback.accounts.registration import RESTARTS, RegistrarDeps
from admin_callback.accounts.sealed_metadata import Metadata, MetadataVersionError
from zendesk_channel.accounts import Account, AccountState
from zendesk_channel.client import VALIDATE_TOKEN_TIMEOUT, Verdict
from zendesk_channel.contract import InstancePushId, PushToken, Subdomain
from zendesk_channel.errors import RevisionConflictError, StoreUnavailableError

_WAIT_BEFORE_ASKING_AGAIN: Final = 0.5  # seconds


class EventOutcome(enum.Enum):
    """What became of one event."""

    CONNECTED = "connected"
    ACTIVATED = "activated"
    DEACTIVATED = "deactivated"
    DESTROYED = "destroyed"
    STALE = "stale"  # a newer event was applied before
    FORGED = "forged"  # nothing authenticates it
    OVER_LIMIT = "over_limit"  # too much in one body, or too many requests: not decided
    NO_VERDICT = "no_verdict"  # Zendesk did not say whether the token is good
    NEWER_VERSION = "newer_version"  # our metadata, by code that is newer than this


APPLIED: Final = frozenset(
    {EventOutcome.CONNECTED, EventOutcome.ACTIVATED, EventOutcome.DEACTIVATED, EventOutcome.DESTROYED}
)
_AUTHENTIC: Final = APPLIED | {EventOutcome.STALE}


@dataclass(frozen=True)
class AppliedEvent:
    """An event's outcome; the account that its metadata names, once that has proved to be ours; how long to wait."""

    outcome: EventOutcome
    instance_push_id: InstancePushId | None = None
    subdomain: Subdomain | None = None
    retry_after: int = 0  # seconds


class AccountEvents:
    """Applies events about accounts, each on its own."""

    def __init__(self, deps: RegistrarDeps) -> None:
        self._deps = deps

    def apply(self, event: Event, budget: EventBudget) -> AppliedEvent:
        """Apply one of ACCOUNT_EVENTS.

        Raises:
            StoreUnavailableError: AWS failed, so the event is not (wholly) applied.
        """
        try:
            metadata = self._deps.sealer.authenticate(event.metadata)
        except MetadataVersionError:
            return AppliedEvent(EventOutcome.NEWER_VERSION)
        if metadata is None:
            return AppliedEvent(EventOutcome.FORGED)
        if budget.exhausted:
            return AppliedEvent(EventOutcome.OVER_LIMIT)
        for _ in range(1 + RESTARTS):
            try:
                return self._apply_once(event, metadata, budget)
            except RevisionConflictError:
                continue
        raise StoreUnavailableError("UpdateItem", "RevisionConflict")

    def _apply_once(self, event: Event, metadata: Metadata, budget: EventBudget) -> AppliedEvent:
        budget.count_unproven()  # until it has proved itself: AWS may fail before that, as often as it is asked
        record = self._deps.accounts.get(metadata.instance_push_id)
        if record is not None and metadata.speaks_for(record):
            budget.count_proven()
            outcome = self._apply_authentic(record, event)
            return AppliedEvent(outcome, metadata.instance_push_id, metadata.subdomain)
        retry_after = 0
        if event.type_id in (CREATED, ACTIVATED):
            outcome, retry_after = self._connect(record, event, metadata, budget)
        elif event.type_id == DESTROYED and record is not None and _is_half_removed(record):
            # Its nonce is gone already. Whoever asks for the rest asks for what has to happen anyway.
            self._deps.lifecycle.finish_removal(record)
            outcome = EventOutcome.DESTROYED
        else:
            outcome = EventOutcome.FORGED
        if outcome in _AUTHENTIC:
            budget.count_proven()
        return AppliedEvent(outcome, metadata.instance_push_id, metadata.subdomain, retry_after)

    def _apply_authentic(self, record: Account, event: Event) -> EventOutcome:
        lifecycle = self._deps.lifecycle
        if event.type_id == DESTROYED:
            # However old it says that it is: what revives an account gives it a new nonce, so it was this life's end.
            lifecycle.destroy(record, event.timestamp)
            return EventOutcome.DESTROYED
        if _is_stale(record, event):
            return EventOutcome.STALE
        if event.type_id not in (CREATED, ACTIVATED):
            lifecycle.deactivate(record, event.timestamp)
            return EventOutcome.DEACTIVATED
        if not self._deps.may_connect(record.subdomain):
            return EventOutcome.FORGED
        lifecycle.activate(record, event.timestamp)
        return EventOutcome.ACTIVATED

    def _connect(
        self, record: Account | None, event: Event, metadata: Metadata, budget: EventBudget
    ) -> tuple[EventOutcome, int]:
        """Verify the token that came back with the metadata, and store it like a confirmed callback's."""
        deps = self._deps
        if not metadata.has_live_token(deps.clock.now()) or not deps.may_connect(metadata.subdomain):
            return EventOutcome.FORGED, 0
        if not budget.may_open(metadata):
            return EventOutcome.OVER_LIMIT, 0
        token = budget.open(metadata, deps.sealer)
        if token is None:
            return EventOutcome.FORGED, 0
        # An account of another subdomain is asked about as if it were new: whose it is must not show in what is asked.
        first = record is None or record.subdomain != metadata.subdomain
        outcome, retry_after = self._verify(metadata, token, budget, first=first)
        if outcome is not None:
            return outcome, retry_after
        # Only now: before, the answer would have come sooner for an account that is registered.
        if record is not None and (
            record.subdomain != metadata.subdomain or metadata.issued_at <= (record.destroyed_at or 0)
        ):
            return EventOutcome.FORGED, 0
        if record is not None and _is_stale(record, event):
            return EventOutcome.STALE, 0
        deps.lifecycle.connect(
            record,
            ConfirmedClaim(
                metadata.instance_push_id,
                metadata.subdomain,
                token,
                nonce=metadata.nonce,
                event_time=event.timestamp,
            ),
        )
        return EventOutcome.CONNECTED, 0

    def _verify(
        self, metadata: Metadata, token: PushToken, budget: EventBudget, *, first: bool
    ) -> tuple[EventOutcome | None, int]:
        """None once Zendesk has confirmed the token, for a first registration as one that refuses others."""
        verdict, retry_after = self._ask(metadata, token, budget)
        if verdict is Verdict.NO_VERDICT:
            self._deps.clock.sleep(min(_WAIT_BEFORE_ASKING_AGAIN, max(0.0, budget.seconds_left())))
            again, _ = self._ask(metadata, token, budget)
            verdict = again or verdict
        if verdict is None:
            return EventOutcome.OVER_LIMIT, retry_after
        if verdict is Verdict.NO_VERDICT:
            return EventOutcome.NO_VERDICT, 0
        if verdict is Verdict.REFUSED:
            return EventOutcome.FORGED, 0
        if not first or metadata.subdomain in budget.refuses_strangers:
            return None, 0
        control, retry_after = self._ask(metadata, token_that_nobody_has(token), budget)
        if control is None:
            return EventOutcome.OVER_LIMIT, retry_after
        if control is Verdict.REFUSED:
            budget.refuses_strangers.add(metadata.subdomain)
            return None, 0
        return EventOutcome.FORGED if control is Verdict.CONFIRMED else EventOutcome.NO_VERDICT, 0

    def _ask(self, metadata: Metadata, token: PushToken, budget: EventBudget) -> tuple[Verdict | None, int]:
        """Zendesk's verdict; or None, and the seconds to wait (0: not known), where it was asked often enough."""
        if not budget.may_validate():
            return None, 0
        if wait := self._deps.limits.stranger(budget.source, metadata.subdomain):
            return None, wait
        validation = self._deps.zendesk.validate_token(
            metadata.subdomain,
            token,
            metadata.instance_push_id,
            timeout=min(VALIDATE_TOKEN_TIMEOUT, budget.seconds_left()),
        )
        return validation.verdict, 0


def _is_stale(record: Account, event: Event) -> bool:
    return event.timestamp < (record.events_applied_until or 0)


def _is_half_removed(record: Account) -> bool:
    return record.state is AccountState.DELETED and bool(record.token_version)
