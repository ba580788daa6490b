"""An event callback as a whole: each event of the body on its own, then one answer for all of them.

Zendesk does not publish whether it repeats what failed. The answer asks for it where a repeat could help.
"""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from admin_callback.accounts.account_events import AccountEvents, EventOutcome
from admin_callback.accounts.event_limits import Budget
from admin_callback.http.event_body import (
    ACCOUNT_EVENTS,
    INTEGRATION_DESTROYED,
    RESOURCES_CREATED,
    Event,
    parse_events,
)
from admin_callback.http.import_reports import ReceiptQueue, receipts_of
from zendesk_channel.clock import Clock
from zendesk_channel.errors import StoreError
from zendesk_channel.telemetry import Telemetry

_FAILED: Final = "failed"
_METRICS: Final = {
    EventOutcome.CONNECTED.value: "AccountsConnected",
    EventOutcome.DEACTIVATED.value: "AccountsDeactivated",
    EventOutcome.DESTROYED.value: "AccountsDestroyed",
    EventOutcome.FORGED.value: "EventsForged",
    EventOutcome.NO_VERDICT.value: "EventsFailed",
    _FAILED: "EventsFailed",
}


@dataclass(frozen=True)
class EventAnswer:
    """The HTTP status, and the seconds after which a repeat makes sense (0: none is asked for)."""

    status: int
    retry_after: int = 0


class EventCallbacks:
    """Takes the bodies that Zendesk posts to the event callback URL."""

    def __init__(
        self,
        account_events: AccountEvents,
        receipt_queue: ReceiptQueue | None,
        telemetry: Telemetry,
        clock: Clock,
    ) -> None:
        self._account_events = account_events
        self._receipt_queue = receipt_queue
        self._telemetry = telemetry
        self._clock = clock

    def take(self, request: Mapping[str, Any]) -> EventAnswer:
        """Apply a body's events.

        Raises:
            BodyError: it is no well-formed body.
        """
        budget = Budget(self._clock.monotonic)
        outcomes: Counter[str] = Counter()
        for event in parse_events(request, self._clock.now()):
            outcomes[self._take_one(event, budget)] += 1
        for outcome, count in outcomes.items():
            if outcome in _METRICS:
                self._telemetry.count(_METRICS[outcome], count)
        self._telemetry.info("events", outcomes=dict(outcomes), accounts=budget.applied)
        if outcomes[_FAILED] or outcomes[EventOutcome.NO_VERDICT.value]:
            return EventAnswer(503, 60)
        if outcomes[EventOutcome.THROTTLED.value]:
            return EventAnswer(429, budget.retry_after)
        return EventAnswer(200)

    def _take_one(self, event: Event, budget: Budget) -> str:
        try:
            if event.type_id in ACCOUNT_EVENTS:
                return self._account_events.apply(event, budget).value
            if event.type_id == RESOURCES_CREATED:
                return self._report(event, budget)
        except StoreError as error:
            self._telemetry.error("event failed", operation=error.operation, code=error.code)
            return _FAILED
        if event.type_id == INTEGRATION_DESTROYED:
            # Anybody could say so: an operator may want to know, and nothing is changed.
            self._telemetry.count("IntegrationsDestroyed")
            return "noted"
        return "ignored"

    def _report(self, event: Event, budget: Budget) -> str:
        for receipt in receipts_of(event):
            if not budget.may_report():
                return EventOutcome.OVER_LIMIT.value
            self._telemetry.count("ResourcesReported", len(receipt["resources"]))
            # A line's own timestamp takes the place of a field of that name.
            self._telemetry.info("resources created", event_timestamp=receipt["timestamp"], **receipt)
            if self._receipt_queue:
                self._receipt_queue.send(receipt)
        return "reported"
