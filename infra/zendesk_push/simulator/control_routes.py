"""The control API below ``/simulator/``: what scripts and tests of other processes need. JSON in and out.

| route | what it does |
|---|---|
| GET, POST /simulator/faults | list; switch one on (the keys of ``faults.Fault``) |
| DELETE /simulator/faults, /simulator/faults/N | switch all off, or one |
| GET, POST /simulator/validate_token | {"policy": before_save, after_save, always, error or hang} |
| GET, POST /simulator/accounts | list; create ({"subdomain", "name", "metadata", "instance_push_id", "token"}) |
| GET /simulator/accounts/ID | one account |
| POST /simulator/accounts/ID/ACTION | rotate_token, revoke_token, activate, deactivate, remove |
| GET /simulator/tickets | with comments; ?subdomain= |
| POST /simulator/tickets/N/close | a reply then opens a follow-up ticket |
| POST /simulator/tickets/N/answers | {"message"}: an agent answers; how passing it on went |
| POST /simulator/tickets/N/answers/ID/repeat | the same request once more |
| GET /simulator/requests | ?after=NUMBER&endpoint=&subdomain=&limit= |
| GET /simulator/events | what was reported, and how its delivery went |
| POST /simulator/events | {"paused": true or false} |
| POST /simulator/rate_limits | {"subdomain", "limit" a minute, "remaining" in this minute}; {"tells_reset": true} |
| POST /simulator/subdomains | {"rename": "old", "to": "new"} |
| GET, POST /simulator/integration | {"manifest_url"} |
| GET, POST /simulator/admin_center | {"host_mapped": true}: Save ends at the customer's own host name |
| POST /simulator/reset | forget everything |
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from werkzeug.exceptions import BadRequest, Conflict, NotFound
from werkzeug.routing import Rule

from zendesk_push.simulator.accounts import SimulatedAccount, UnknownAccountError
from zendesk_push.simulator.agent_replies import AgentReply, ReplyRefusedError
from zendesk_push.simulator.endpoints import ValidateTokenPolicy
from zendesk_push.simulator.faults import FaultError, fault_from_json
from zendesk_push.simulator.web import SUBDOMAIN, as_json

if TYPE_CHECKING:
    from collections.abc import Callable

    from werkzeug.wrappers import Response

    from zendesk_push.simulator.tickets import Ticket
    from zendesk_push.simulator.web import Site, Visit

MAX_LISTED = 1_000


def faults(site: Site, visit: Visit) -> Response:
    if visit.request.method == "DELETE":
        visit.must_be_same_origin()
        return as_json({"switched_off": site.core.switch_off()})
    if visit.request.method == "POST":
        try:
            fault = site.core.switch_on(fault_from_json(visit.json_body()))
        except FaultError as error:
            raise BadRequest(str(error)) from None
        return as_json(fault.as_json(), 201)
    with site.core.lock:
        return as_json({"faults": [fault.as_json() for fault in site.core.faults]})


def fault(site: Site, visit: Visit, fault_id: int) -> Response:
    visit.must_be_same_origin()
    if not site.core.switch_off(fault_id):
        raise NotFound
    return as_json({"switched_off": 1})


def validate_token_policy(site: Site, visit: Visit) -> Response:
    if visit.request.method == "POST":
        try:
            site.core.validate_token_policy = ValidateTokenPolicy(_text(visit.json_body(), "policy"))
        except ValueError:
            raise BadRequest(f"policy must be one of {', '.join(ValidateTokenPolicy)}") from None
    return as_json({"policy": site.core.validate_token_policy})


def accounts(site: Site, visit: Visit) -> Response:
    if visit.request.method == "GET":
        wanted = visit.request.args.get("subdomain")
        with site.core.lock:
            chosen = [_account(each) for each in site.core.accounts if wanted in (None, each.subdomain)]
        return as_json({"accounts": chosen})
    body = visit.json_body()
    subdomain = _text(body, "subdomain")
    if SUBDOMAIN.fullmatch(subdomain) is None:
        raise BadRequest("subdomain is not one DNS label")
    values: dict[str, Any] = {key: _text(body, key) for key in ("name", "metadata") if key in body}
    values |= {key: _text(body, key) for key in ("instance_push_id", "token") if body.get(key) is not None}
    try:
        created = site.core.create_account(subdomain, **values)
    except ValueError as error:
        raise Conflict(str(error)) from None
    return as_json(_account(created), 201)


def account(site: Site, visit: Visit, instance_push_id: str, action: str | None = None) -> Response:
    core = site.core
    try:
        if action is not None:
            visit.must_be_same_origin()
            work: dict[str, Callable[[str], object]] = {
                "rotate_token": core.rotate_token,
                "revoke_token": core.revoke_token,
                "activate": core.activate,
                "deactivate": core.deactivate,
                "remove": core.remove,
            }
            work[action](instance_push_id)
        return as_json(_account(core.accounts.get(instance_push_id)))
    except UnknownAccountError:
        raise NotFound from None


def tickets(site: Site, visit: Visit) -> Response:
    wanted = visit.request.args.get("subdomain")
    with site.core.lock:
        listed = [_ticket(site, each) for each in site.core.tickets]
    return as_json({"tickets": [each for each in listed if wanted in (None, each["subdomain"])]})


def close_ticket(site: Site, visit: Visit, ticket_id: int) -> Response:
    visit.must_be_same_origin()
    try:
        site.core.close_ticket(ticket_id)
    except KeyError:
        raise NotFound from None
    return as_json({"closed": ticket_id})


def answer(site: Site, visit: Visit, ticket_id: int) -> Response:
    try:
        reply = site.core.answer_ticket(ticket_id, _text(visit.json_body(), "message"))
    except KeyError:
        raise NotFound from None
    except ReplyRefusedError as error:
        raise Conflict(str(error)) from None
    site.channelbacks.send(reply)
    return as_json(_reply(reply), 201)


def repeat(site: Site, visit: Visit, ticket_id: int, reply_id: int) -> Response:
    visit.must_be_same_origin()
    try:
        reply = site.core.reply(ticket_id, reply_id)
    except KeyError:
        raise NotFound from None
    site.channelbacks.send(reply)
    return as_json(_reply(reply))


def requests(site: Site, visit: Visit) -> Response:
    args = visit.request.args
    after, limit = args.get("after", 0, type=int), args.get("limit", MAX_LISTED, type=int)
    chosen = [
        each
        for each in site.core.requests
        if each.number > after
        and args.get("endpoint") in (None, each.endpoint)
        and args.get("subdomain") in (None, each.subdomain)
    ]
    return as_json({"total": len(chosen), "requests": [each.as_json() for each in chosen[: max(0, limit)]]})


def events(site: Site, visit: Visit) -> Response:
    if visit.request.method == "POST":
        paused = visit.json_body().get("paused")
        if not isinstance(paused, bool):
            raise BadRequest("paused must be true or false")
        site.sender.pause(paused=paused)
        return as_json({"paused": paused})
    with site.core.lock:
        log = list(site.core.events.log)
    deliveries = [
        {"at": each.at, "events": each.events, "status": each.status, "error": each.error}
        for each in list(site.sender.deliveries)
    ]
    return as_json({"events": log, "deliveries": deliveries})


def rate_limits(site: Site, visit: Visit) -> Response:
    body = visit.json_body()
    core = site.core
    tells_reset = body.get("tells_reset")
    if isinstance(tells_reset, bool):
        core.rate_limits.tells_reset = tells_reset
        return as_json({"tells_reset": tells_reset})
    subdomain = _text(body, "subdomain")
    with core.lock:
        now = core.clock()
        if (limit := _number(body, "limit")) is not None:
            core.rate_limits.set_limit(subdomain, limit)
        if (remaining := _number(body, "remaining")) is not None:
            core.rate_limits.leave(subdomain, remaining, now)
        limits = core.rate_limits
        return as_json({"limit": limits.limit(subdomain), "remaining": limits.remaining(subdomain, now)})


def subdomains(site: Site, visit: Visit) -> Response:
    body = visit.json_body()
    old, new = _text(body, "rename"), _text(body, "to")
    if SUBDOMAIN.fullmatch(new) is None:
        raise BadRequest("to is not one DNS label")
    try:
        with site.core.lock:
            site.core.accounts.rename_subdomain(old, new)
    except ValueError as error:
        raise Conflict(str(error)) from None
    return as_json({"renamed": old, "to": new})


def integration(site: Site, visit: Visit) -> Response:
    if visit.request.method == "POST":
        site.integration.manifest_url = _text(visit.json_body(), "manifest_url")
    return as_json({"manifest_url": site.integration.manifest_url})


def admin_center(site: Site, visit: Visit) -> Response:
    if visit.request.method == "POST":
        host_mapped = visit.json_body().get("host_mapped")
        if not isinstance(host_mapped, bool):
            raise BadRequest("host_mapped must be true or false")
        site.core.host_mapped = host_mapped
    return as_json({"host_mapped": site.core.host_mapped})


def reset(site: Site, visit: Visit) -> Response:
    visit.must_be_same_origin()
    site.core.reset()
    site.sender.deliveries.clear()
    return as_json({"reset": True})


def _account(each: SimulatedAccount) -> dict[str, Any]:
    return {
        "instance_push_id": each.instance_push_id,
        "subdomain": each.subdomain,
        "state": each.state,
        "name": each.name,
        "metadata": each.metadata,
        "token": each.token,
        "tokens": [{"value": token.value, "saved": token.saved} for token in each.tokens],
    }


def _ticket(site: Site, each: Ticket) -> dict[str, Any]:
    return {
        "id": each.id,
        "subdomain": site.core.accounts.get(each.instance_push_id).subdomain,
        "instance_push_id": each.instance_push_id,
        "subject": each.subject,
        "thread_id": each.thread_id,
        "closed": each.closed,
        "follow_up_of": each.follow_up_of,
        "comments": [
            {
                "id": comment.id,
                "external_id": comment.external_id,
                "author": comment.author,
                "message": comment.message,
                "html_message": comment.resource.get("html_message"),
                "parent_id": comment.resource.get("parent_id"),
                "internal_note": comment.resource.get("internal_note", False),
                "request_id": comment.request_id,
                "imported_at": comment.imported_at,
            }
            for comment in each.comments
        ],
        "answers": [_reply(reply) for reply in each.replies],
    }


def _reply(each: AgentReply) -> dict[str, Any]:
    return {
        "id": each.id,
        "message": each.message,
        "parent_id": each.parent_id,
        "recipient_id": each.recipient_id,
        "thread_id": each.thread_id,
        "request_unique_identifier": each.request_unique_identifier,
        "external_id": each.external_id,
        "state": each.state,
        "why": each.why,
        "status": each.status,
        "attempts": each.attempts,
    }


def _text(body: dict[str, Any], key: str) -> str:
    value = body.get(key)
    if not isinstance(value, str):
        raise BadRequest(f"{key} must be a string")
    return value


def _number(body: dict[str, Any], key: str) -> int | None:
    value = body.get(key)
    if isinstance(value, bool) or not isinstance(value, int | None) or (value or 0) < 0:
        raise BadRequest(f"{key} must be a whole number")
    return value


def rules() -> list[Rule]:
    actions = "any(rotate_token, revoke_token, activate, deactivate, remove)"
    return [
        Rule("/simulator/faults", endpoint=faults, methods=["GET", "POST", "DELETE"]),
        Rule("/simulator/faults/<int:fault_id>", endpoint=fault, methods=["DELETE"]),
        Rule("/simulator/validate_token", endpoint=validate_token_policy, methods=["GET", "POST"]),
        Rule("/simulator/accounts", endpoint=accounts, methods=["GET", "POST"]),
        Rule("/simulator/accounts/<instance_push_id>", endpoint=account, methods=["GET"]),
        Rule(
            f"/simulator/accounts/<instance_push_id>/<{actions}:action>", endpoint=account, methods=["POST"]
        ),
        Rule("/simulator/tickets", endpoint=tickets, methods=["GET"]),
        Rule("/simulator/tickets/<int:ticket_id>/close", endpoint=close_ticket, methods=["POST"]),
        Rule("/simulator/tickets/<int:ticket_id>/answers", endpoint=answer, methods=["POST"]),
        Rule(
            "/simulator/tickets/<int:ticket_id>/answers/<int:reply_id>/repeat",
            endpoint=repeat,
            methods=["POST"],
        ),
        Rule("/simulator/requests", endpoint=requests, methods=["GET"]),
        Rule("/simulator/events", endpoint=events, methods=["GET", "POST"]),
        Rule("/simulator/rate_limits", endpoint=rate_limits, methods=["POST"]),
        Rule("/simulator/subdomains", endpoint=subdomains, methods=["POST"]),
        Rule("/simulator/integration", endpoint=integration, methods=["GET", "POST"]),
        Rule("/simulator/admin_center", endpoint=admin_center, methods=["GET", "POST"]),
        Rule("/simulator/reset", endpoint=reset, methods=["POST"]),
    ]
