"""Zendesk's API over HTTP: validate_token and push, as the core answers them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from werkzeug.routing import Rule

from zendesk_push.simulator.endpoints import PUSH, VALIDATE_TOKEN
from zendesk_push.simulator.web import as_response

if TYPE_CHECKING:
    from werkzeug.wrappers import Response

    from zendesk_push.simulator.web import Site, Visit

PATHS = {
    "/api/v2/any_channel/push": PUSH,
    "/api/v2/any_channel/push.json": PUSH,
    "/api/v2/any_channel/validate_token": VALIDATE_TOKEN,
    "/api/v2/any_channel/validate_token.json": VALIDATE_TOKEN,
}


def push(site: Site, visit: Visit) -> Response:
    body = visit.request.get_data()
    return as_response(site.core.push(visit.subdomain, visit.authorization, body, headers=visit.headers))


def validate_token(site: Site, visit: Visit) -> Response:
    body = visit.request.get_data()
    return as_response(
        site.core.validate_token(visit.subdomain, visit.authorization, body, headers=visit.headers)
    )


def rules() -> list[Rule]:
    views = {PUSH: push, VALIDATE_TOKEN: validate_token}
    return [Rule(path, endpoint=views[name], methods=["POST"]) for path, name in PATHS.items()]
