"""One HTTP request to the simulator, and the small vocabulary of answering it."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import jinja2
from werkzeug.exceptions import BadRequest, Forbidden, NotFound, UnsupportedMediaType
from werkzeug.wrappers import Request, Response

from zendesk_push.loopback_http import LoopbackRequest, LoopbackResponse, is_this_machine
from zendesk_push.simulator.events import timestamp
from zendesk_push.simulator.rich_text import rich_text

if TYPE_CHECKING:
    from collections.abc import Sequence

    from zendesk_push.simulator.answers import ZendeskAnswer
    from zendesk_push.simulator.channelback_sender import ChannelbackSender
    from zendesk_push.simulator.core import ZendeskState
    from zendesk_push.simulator.event_sender import EventSender
    from zendesk_push.simulator.integration import Integration
    from zendesk_push.simulator.messages import Messages

HERE = Path(__file__).parent
SUBDOMAIN = re.compile(r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?", re.ASCII)

SCALARS = (str, int, float, Decimal, bool, type(None))

_TEMPLATES = jinja2.Environment(
    loader=jinja2.FileSystemLoader(HERE / "templates"),
    autoescape=True,
    undefined=jinja2.StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)
_TEMPLATES.filters["rich_text"] = rich_text
_TEMPLATES.filters["brief"] = lambda value: (
    str(value)[:200] if isinstance(value, SCALARS) else type(value).__name__
)
_TEMPLATES.filters["moment"] = lambda at: timestamp(at).replace("T", " ").removesuffix("Z") + " UTC"


@dataclass
class Site:
    """What every route may use."""

    core: ZendeskState
    integration: Integration
    sender: EventSender
    channelbacks: ChannelbackSender
    messages: Messages | None = None
    """Set by whoever runs the queue as well."""


class Visit:
    """A request, and whose Zendesk it goes to.

    ``subdomain`` is set for hosts of the form ``acme.localhost``: then nothing but acme's is served. Any other
    host serves every subdomain.
    """

    def __init__(self, request: LoopbackRequest) -> None:
        self.environ = request.environ()
        self.request = Request(self.environ)
        self.headers = tuple(request.headers)
        host = self.environ.get("HTTP_HOST", "").lower()
        self.origin = f"http://{host}"
        name, _, port = host.rpartition(":") if not host.endswith("]") and ":" in host else (host, "", "80")
        self.other_name = f"http://{'127.0.0.1' if name == 'localhost' else 'localhost'}:{port}"
        """The same server by another name, as a customer's host-mapped domain is."""
        self.subdomain = name.removesuffix(".localhost") if name.endswith(".localhost") else None

    @property
    def authorization(self) -> str | None:
        return self.request.headers.get("Authorization")

    def must_serve(self, subdomain: str) -> None:
        """404 for what is not a subdomain, or another's than the host's."""
        if SUBDOMAIN.fullmatch(subdomain) is None or self.subdomain not in (None, subdomain):
            raise NotFound

    def must_be_same_origin(self) -> None:
        """403 for a form or script of another site: browsers say where a POST comes from.

        Also for one whose own name has been pointed at this machine, so that it seems to be of this origin.
        """
        origin = self.request.headers.get("Origin")
        if origin is None:
            return
        host = urlsplit(self.origin).hostname or ""
        if origin.lower() != self.origin or not is_this_machine(host):
            raise Forbidden("This request comes from a page of another origin.")

    def json_body(self) -> dict[str, Any]:
        """The JSON object sent to the control API; a page of another origin can't send this media type."""
        self.must_be_same_origin()
        if self.request.mimetype != "application/json":
            raise UnsupportedMediaType("Send application/json.")
        try:
            value = json.loads(self.request.get_data())
        except ValueError:
            raise BadRequest("The body is not JSON.") from None
        if not isinstance(value, dict):
            raise BadRequest("The body is not a JSON object.")
        return value


def page(
    template: str,
    *,
    status: int = 200,
    frames: Sequence[str] = (),
    framed_by: str = "'self'",
    **values: Any,
) -> Response:
    """An HTML page; ``frames`` are URLs whose origins may be framed and posted to."""
    html = _TEMPLATES.get_template(template).render(**values)
    other = "".join(f" {origin_of(url)}" for url in frames)
    policy = (
        "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self'; connect-src 'self'; "
        "base-uri 'none'; "
        f"frame-ancestors {framed_by}; frame-src 'self'{other}; form-action 'self'{other}"
    )
    response = Response(
        html.encode("utf-8", "backslashreplace"), status, content_type="text/html; charset=utf-8"
    )
    response.headers["Content-Security-Policy"] = policy
    response.headers["Cache-Control"] = "no-store"
    response.headers["Referrer-Policy"] = "same-origin"
    response.headers["X-Content-Type-Options"] = "nosniff"
    return response


def origin_of(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}"


def see_other(location: str) -> Response:
    response = Response(status=303)
    response.headers["Location"] = location
    return response


def as_json(value: object, status: int = 200) -> Response:
    body = json.dumps(value, indent=1, default=str)
    return Response(body + "\n", status, content_type="application/json")


def as_response(answer: ZendeskAnswer) -> Response:
    """An API answer as it stands: no header but those that it names (and its length)."""
    response = Response(answer.body, answer.status)
    response.headers.remove("Content-Type")
    for name, value in answer.headers:
        response.headers.add(name, value)
    return response


def as_http(response: Response) -> LoopbackResponse:
    """What the server sends; it says the length itself."""
    headers = [(name, value) for name, value in response.headers if name.lower() != "content-length"]
    return LoopbackResponse(response.status_code, headers, response.get_data())
