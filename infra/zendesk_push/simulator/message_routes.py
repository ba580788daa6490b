"""The messages page: where each message is, why it waits or died, and the two things to be done about it by hand."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from werkzeug.exceptions import NotFound
from werkzeug.routing import Rule

from zendesk_push.simulator.accounts import SimulatedAccountState, UnknownAccountError
from zendesk_push.simulator.messages import MessageProblemError
from zendesk_push.simulator.web import page, see_other

if TYPE_CHECKING:
    from werkzeug.wrappers import Response

    from zendesk_push.simulator.messages import Messages
    from zendesk_push.simulator.web import Site, Visit

MAX_ROWS = 200
TEST_TEXT = "A test message"


def messages(site: Site, visit: Visit) -> Response:
    rows = () if site.messages is None else site.messages.rows()[::-1]
    chosen = visit.request.args.get("state", "")
    with site.core.lock:
        accounts = [
            (account.instance_push_id, f"{account.name or account.instance_push_id} ({account.subdomain})")
            for account in site.core.accounts
            if account.state is SimulatedAccountState.ACTIVE and visit.subdomain in (None, account.subdomain)
        ]
    return page(
        "messages.html",
        section="messages",
        known=site.messages is not None,
        rows=[row for row in rows if chosen in ("", row.state)][:MAX_ROWS],
        counts=Counter(row.state for row in rows),
        chosen=chosen,
        total=len(rows),
        accounts=accounts,
        text=TEST_TEXT,
    )


def send(site: Site, visit: Visit) -> Response:
    """A test message, from the messages page or from an account's row."""
    visit.must_be_same_origin()
    form = visit.request.form
    try:
        account = site.core.accounts.get(form.get("account", ""))
        visit.must_serve(account.subdomain)
        _messages(site).send(account.instance_push_id, form.get("text", "").replace("\r\n", "\n"))
    except UnknownAccountError:
        raise NotFound from None
    except MessageProblemError as error:
        return page("problem.html", status=400, section="messages", reason=str(error), back="/messages")
    return see_other("/messages")


def redrive(site: Site, visit: Visit, message_id: str) -> Response:
    visit.must_be_same_origin()
    try:
        _messages(site).redrive(message_id)
    except MessageProblemError as error:
        return page("problem.html", status=409, section="messages", reason=str(error), back="/messages")
    return see_other("/messages")


def _messages(site: Site) -> Messages:
    if site.messages is None:
        raise NotFound
    return site.messages


def rules() -> list[Rule]:
    return [
        Rule("/messages", endpoint=messages, methods=["GET"]),
        Rule("/messages/test", endpoint=send, methods=["POST"]),
        Rule("/messages/<message_id>/redrive", endpoint=redrive, methods=["POST"]),
    ]
