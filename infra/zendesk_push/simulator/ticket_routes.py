"""The pages that a support team would look at: tickets with their threads."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from werkzeug.exceptions import NotFound
from werkzeug.routing import Rule

from zendesk_push.simulator.web import page

if TYPE_CHECKING:
    from werkzeug.wrappers import Response

    from zendesk_push.simulator.tickets import Ticket
    from zendesk_push.simulator.web import Site, Visit

MAX_ROWS = 200


def tickets(site: Site, visit: Visit) -> Response:
    wanted = visit.subdomain or visit.request.args.get("subdomain") or None
    with site.core.lock:
        rows = [_row(site, ticket) for ticket in site.core.tickets]
        known = () if visit.subdomain else site.core.accounts.subdomains()
    rows = [row for row in rows if wanted in (None, row["subdomain"])][::-1]
    return page(
        "tickets.html",
        section="tickets",
        rows=rows[:MAX_ROWS],
        total=len(rows),
        subdomains=known,
        chosen=wanted,
    )


def ticket(site: Site, visit: Visit, ticket_id: int) -> Response:
    with site.core.lock:
        found = site.core.tickets.get(ticket_id)
        if found is None:
            raise NotFound
        row = _row(site, found)
        comments = [_comment(site, found, index) for index in range(len(found.comments))]
    visit.must_serve(row["subdomain"])
    return page("ticket.html", section="tickets", ticket=found, row=row, comments=comments)


def _row(site: Site, found: Ticket) -> dict[str, Any]:
    account = site.core.accounts.get(found.instance_push_id)
    return {
        "ticket": found,
        "subdomain": account.subdomain,
        "account": account.name or account.instance_push_id,
        "requester": found.comments[0].author,
        "comments": len(found.comments),
        "updated": found.comments[-1].imported_at,
    }


def _comment(site: Site, found: Ticket, index: int) -> dict[str, Any]:
    comment = found.comments[index]
    parent_id = comment.resource.get("parent_id")
    account = site.core.accounts.get(found.instance_push_id)
    parent = None if parent_id is None else site.core.tickets.comment(account, parent_id)
    return {
        "comment": comment,
        "resource": comment.resource,
        "parent": parent,
        "initials": "".join(part[0] for part in comment.author.split()[:2]).upper() or "?",
        "first": index == 0,
    }


def rules() -> list[Rule]:
    return [
        Rule("/tickets", endpoint=tickets, methods=["GET"]),
        Rule("/tickets/<int:ticket_id>", endpoint=ticket, methods=["GET"]),
    ]
