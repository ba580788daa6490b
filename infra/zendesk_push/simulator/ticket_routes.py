"""The pages that a support team would look at: tickets with their threads."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from werkzeug.exceptions import NotFound
from werkzeug.routing import Rule

from zendesk_push.simulator.agent_replies import AgentReply, ReplyRefusedError
from zendesk_push.simulator.web import page, see_other

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
        comments += [_reply(site, found, reply) for reply in found.replies]
        comments.sort(key=lambda item: item["at"])
        answerable = found.answerable
    visit.must_serve(row["subdomain"])
    return page(
        "ticket.html",
        section="tickets",
        ticket=found,
        row=row,
        comments=comments,
        answerable=answerable,
    )


def answer(site: Site, visit: Visit, ticket_id: int) -> Response:
    """The reply box: an agent's answer, passed on before the page is shown again."""
    _must_serve_ticket(site, visit, ticket_id)
    # Browsers send line breaks of a text area as two characters; the agent typed one.
    message = visit.request.form.get("message", "").replace("\r\n", "\n")
    try:
        reply = site.core.answer_ticket(ticket_id, message)
    except ReplyRefusedError as error:
        back = f"/tickets/{ticket_id}"
        return page("problem.html", status=400, section="tickets", reason=str(error), back=back)
    return _passed_on(site, reply)


def repeat(site: Site, visit: Visit, ticket_id: int, reply_id: int) -> Response:
    """The same request once more, as Zendesk does it by itself, or the agent by a button."""
    _must_serve_ticket(site, visit, ticket_id)
    try:
        return _passed_on(site, site.core.reply(ticket_id, reply_id))
    except KeyError:
        raise NotFound from None


def _must_serve_ticket(site: Site, visit: Visit, ticket_id: int) -> None:
    visit.must_be_same_origin()
    with site.core.lock:
        found = site.core.tickets.get(ticket_id)
        if found is None:
            raise NotFound
        visit.must_serve(site.core.accounts.get(found.instance_push_id).subdomain)


def _passed_on(site: Site, reply: AgentReply) -> Response:
    site.channelbacks.send(reply)
    return see_other(f"/tickets/{reply.ticket_id}#comment-{reply.id}")


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
    parent = None if parent_id is None else site.core.tickets.find(account, parent_id)
    return {
        "at": comment.imported_at,
        "answer": None,
        "comment": comment,
        "resource": comment.resource,
        "parent": parent,
        "initials": "".join(part[0] for part in comment.author.split()[:2]).upper() or "?",
        "first": index == 0,
    }


def _reply(site: Site, found: Ticket, reply: AgentReply) -> dict[str, Any]:
    account = site.core.accounts.get(found.instance_push_id)
    return {
        "at": reply.written_at,
        "answer": reply,
        "parent": site.core.tickets.find(account, reply.parent_id),
        "initials": "A",
    }


def rules() -> list[Rule]:
    return [
        Rule("/tickets", endpoint=tickets, methods=["GET"]),
        Rule("/tickets/<int:ticket_id>", endpoint=ticket, methods=["GET"]),
        Rule("/tickets/<int:ticket_id>/answers", endpoint=answer, methods=["POST"]),
        Rule("/tickets/<int:ticket_id>/answers/<int:reply_id>/repeat", endpoint=repeat, methods=["POST"]),
    ]
