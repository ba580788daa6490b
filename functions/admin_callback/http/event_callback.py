"""An event callback as a whole: each event of the body on its own, then one answer for all of them.

Zendesk does not publish whether it repeats what failed. The answer asks for it where a repeat could help.
"""

import json
from collections import Counter
from collections.abc import Iterable
from typing import Any, Final

from admin_callback.accounts.account_events import APPLIED, AccountEvents, AppliedEvent, EventOutcome
from admin_callback.accounts.event import (
    ACCOUNT_EVENTS,
    INTEGRATION_DESTROYED,
    RESOURCES_CREATED,
    Event,
)
from admin_callback.accounts.event_limits import MAX_RECEIPTS, RETRY_AFTER, EventBudget
from admin_callback.http.event_body import parse_events
from admin_callback.http.http_body import BodyError
from admin_callback.http.http_request import HttpEvent
from admin_callback.http.http_response import HttpResponse, json_response
from admin_callback.http.import_reports import ReceiptQueue, log_fields, receipts_of
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
    EventOutcome.NEWER_VERSION.value: "EventsFailed",
    _FAILED: "EventsFailed",
}
_FOR_A_REPEAT: Final = (_FAILED, EventOutcome.NO_VERDICT.value, EventOutcome.NEWER_VERSION.value)
_UNPROVEN: Final = (EventOutcome.FORGED.value, EventOutcome.OVER_LIMIT.value)
# Bytes. With what a line has anyway, and the metrics, a body's lines stay below 8 KiB.
_LOGGED_ACCOUNTS: Final = 2_048
_LOGGED_REPORTS: Final = 4_096
_LINE: Final = 320  # bytes of a line besides its fields


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

    def answer(self, request: HttpEvent, source: str, _request_id: str) -> HttpResponse:
        """Apply a body's events; ``source`` is the address that they came from."""
        try:
            events = parse_events(request, self._clock.now())
        except BodyError as error:
            self._telemetry.count("UnauthenticatedRequests")
            self._telemetry.info("events", outcome="refused", status=error.status, problem=error.problem)
            return json_response(error.status, {"error": error.problem})
        return self._apply(events, EventBudget(self._clock, source))

    def _apply(self, events: Iterable[Event], budget: EventBudget) -> HttpResponse:
        outcomes: Counter[str] = Counter()
        failures: Counter[str] = Counter()
        applied: list[AppliedEvent] = []
        receipts: list[dict[str, Any]] = []
        retry_after = 0
        for event in events:
            if event.type_id in ACCOUNT_EVENTS:
                try:
                    decision = self._account_events.apply(event, budget)
                except StoreError as error:
                    outcomes[_FAILED] += 1
                    failures[str(error)] += 1
                    continue
                outcomes[decision.outcome.value] += 1
                retry_after = max(retry_after, decision.retry_after)
                if decision.outcome in APPLIED:
                    applied.append(decision)
            else:
                outcomes[self._take_report(event, receipts)] += 1
        self._hand_on(receipts, outcomes, failures)
        self._tell(outcomes, failures, applied)
        if any(outcomes[outcome] for outcome in _FOR_A_REPEAT):
            return _later(503, "unavailable", 60)
        if outcomes[EventOutcome.OVER_LIMIT.value]:
            return _later(429, "too_many_requests", retry_after or RETRY_AFTER)
        return json_response(200, {})

    def _take_report(self, event: Event, receipts: list[dict[str, Any]]) -> str:
        if event.type_id == INTEGRATION_DESTROYED:
            # Anybody could say so: an operator may want to know, and nothing is changed.
            self._telemetry.count("IntegrationsDestroyed")
            return "noted"
        if event.type_id != RESOURCES_CREATED:
            return "ignored"
        for receipt in receipts_of(event):
            if len(receipts) == MAX_RECEIPTS:
                return "cut_off"
            receipts.append(receipt)
        return "reported"

    def _hand_on(
        self, receipts: list[dict[str, Any]], outcomes: Counter[str], failures: Counter[str]
    ) -> None:
        lines = _as_many_as_fit(map(log_fields, receipts), _LOGGED_REPORTS, beside=_LINE)
        for fields in lines:
            self._telemetry.info("resources created", **fields)
        if receipts:
            self._telemetry.count("ResourcesReported", sum(len(each["resources"]) for each in receipts))
        if receipts and self._receipt_queue:
            try:
                self._receipt_queue.send(receipts)
            except StoreError as error:
                outcomes[_FAILED] += 1
                failures[str(error)] += 1

    def _tell(self, outcomes: Counter[str], failures: Counter[str], applied: list[AppliedEvent]) -> None:
        for outcome, count in outcomes.items():
            if outcome in _METRICS:
                self._telemetry.count(_METRICS[outcome], count)
        if any(outcomes[outcome] for outcome in _UNPROVEN):
            self._telemetry.count("UnauthenticatedRequests")
        accounts = (
            {
                "instance_push_id": each.instance_push_id,
                "subdomain": each.subdomain,
                "outcome": each.outcome.value,
            }
            for each in applied
        )
        fields = {"outcomes": dict(outcomes), "accounts": _as_many_as_fit(accounts, _LOGGED_ACCOUNTS)}
        if failures:
            self._telemetry.error("events", failures=dict(failures), **fields)
        else:
            self._telemetry.info("events", **fields)


def _later(status: int, error: str, seconds: int) -> HttpResponse:
    return json_response(status, {"error": error}, {"Retry-After": str(seconds)})


def _as_many_as_fit(
    entries: Iterable[dict[str, Any]], limit: int, *, beside: int = 0
) -> list[dict[str, Any]]:
    """The first entries whose JSON, and so many bytes beside each, is not longer than a limit in all."""
    fitting: list[dict[str, Any]] = []
    for entry in entries:
        limit -= len(json.dumps(entry)) + beside
        if limit < 0:
            break
        fitting.append(entry)
    return fitting
