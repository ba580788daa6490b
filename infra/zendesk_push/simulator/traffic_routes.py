"""The page behind the scenes: API requests, event callbacks, and faults to switch on and off by hand."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from werkzeug.routing import Rule

from zendesk_push.simulator.faults import ENDPOINTS, Fault, FaultError, FaultKind
from zendesk_push.simulator.web import page, see_other

if TYPE_CHECKING:
    from werkzeug.wrappers import Response

    from zendesk_push.simulator.web import Site, Visit

MAX_ROWS = 200
MAX_DELIVERIES = 20
MAX_BODY = 4_000  # characters that are shown of a request's body
NEEDS_MORE = frozenset({FaultKind.STATUS})
"""Faults that the form can't describe; the control API can."""


def traffic(site: Site, visit: Visit) -> Response:
    core = site.core
    with core.lock:
        requests = [each for each in core.requests if visit.subdomain in (None, each.subdomain)][::-1]
        faults = [
            fault for fault in core.faults if visit.subdomain is None or fault.subdomain == visit.subdomain
        ]
        names = {each.instance_push_id: each.name for each in core.accounts}
        known = (visit.subdomain,) if visit.subdomain else core.accounts.subdomains()
    deliveries = [
        (delivery, events)
        for delivery in reversed(list(site.sender.deliveries))
        if (events := [each for each in delivery.events if visit.subdomain in (None, each["subdomain"])])
    ]
    return page(
        "traffic.html",
        section="traffic",
        requests=requests[:MAX_ROWS],
        names=names,
        total=len(requests),
        faults=faults,
        kinds=[kind for kind in FaultKind if kind not in NEEDS_MORE],
        endpoints=ENDPOINTS,
        subdomains=known,
        everywhere=visit.subdomain is None,
        deliveries=deliveries[:MAX_DELIVERIES],
        most=MAX_BODY,
    )


def switch_on(site: Site, visit: Visit) -> Response:
    visit.must_be_same_origin()
    form = visit.request.form
    if visit.subdomain is not None:
        visit.must_serve(form.get("subdomain", ""))
    settings: dict[str, Any] = {
        "endpoint": form.get("endpoint", "push"),
        "subdomain": form.get("subdomain") or None,
        "count": form.get("count", type=int),
        "retry_after": form.get("retry_after", type=int),
        "text": form.get("text") or None,
    }
    if (seconds := form.get("seconds", type=float)) is not None:
        settings["seconds"] = seconds
    try:
        site.core.switch_on(Fault(FaultKind(form.get("kind", "")), **settings))
    except (FaultError, ValueError) as error:
        return page("problem.html", status=400, section="traffic", reason=str(error), back="/traffic")
    return see_other("/traffic")


def switch_off(site: Site, visit: Visit, fault_id: int) -> Response:
    visit.must_be_same_origin()
    site.core.switch_off(fault_id)
    return see_other("/traffic")


def rules() -> list[Rule]:
    return [
        Rule("/traffic", endpoint=traffic, methods=["GET"]),
        Rule("/traffic/faults", endpoint=switch_on, methods=["POST"]),
        Rule("/traffic/faults/<int:fault_id>/off", endpoint=switch_off, methods=["POST"]),
    ]
