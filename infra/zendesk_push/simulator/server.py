"""The simulated Zendesk on a socket: routes and life cycle. See the package's docstring for how to use it."""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING, Any, Self

from werkzeug.exceptions import HTTPException, InternalServerError
from werkzeug.routing import Map, RequestRedirect, Rule
from werkzeug.wrappers import Response

import zendesk_push.simulator.admin_routes as admin_routes
import zendesk_push.simulator.answers as answers
import zendesk_push.simulator.api_routes as api_routes
import zendesk_push.simulator.control_routes as control_routes
import zendesk_push.simulator.message_routes as message_routes
import zendesk_push.simulator.ticket_routes as ticket_routes
import zendesk_push.simulator.traffic_routes as traffic_routes
from zendesk_push.loopback_http import (
    LoopbackRequest,
    LoopbackResponse,
    LoopbackServer,
    NoResponseError,
    public_host,
)
from zendesk_push.simulator.answers import NoAnswerError
from zendesk_push.simulator.channelback_sender import ChannelbackSender
from zendesk_push.simulator.core import ZendeskState
from zendesk_push.simulator.endpoints import DEFAULT_MAX_BODY_BYTES
from zendesk_push.simulator.event_sender import EventSender
from zendesk_push.simulator.integration import Integration
from zendesk_push.simulator.web import HERE, Site, Visit, as_http, as_json, as_response, page

if TYPE_CHECKING:
    from collections.abc import Callable

    from zendesk_push.simulator.messages import Messages

MEDIA_TYPES = {
    "simulator.css": "text/css; charset=utf-8",
    "simulator.js": "text/javascript; charset=utf-8",
    "simulator.svg": "image/svg+xml",
}


class Simulator:
    """A simulated Zendesk that listens on ``host``:``port`` (0: any free port) from ``start`` until ``close``.

    ``core`` is the in-memory Zendesk (accounts, tickets, faults, requests); it may be handed in, to choose clock
    and limits. ``manifest_url`` names the integration; it is fetched when it is needed, never before, and can be
    set later by ``install``. ``url`` is known from construction on. ``close`` ends every connection and thread,
    those that a fault keeps waiting included, and may be called more than once.
    """

    def __init__(
        self,
        *,
        manifest_url: str | None = None,
        host: str = "127.0.0.1",
        port: int = 0,
        core: ZendeskState | None = None,
    ) -> None:
        self.core = core or ZendeskState()
        self._integration = Integration(manifest_url)
        self.events = EventSender(self._integration, self.core.clock)
        self.channelbacks = ChannelbackSender(self.core, self._integration)
        self._site = Site(self.core, self._integration, self.events, self.channelbacks)
        self._server = LoopbackServer(host, port, _Application(self._site), name="simulated-zendesk")
        self._host = public_host(host)
        self._running = False
        self._closed = False

    @property
    def url(self) -> str:
        """The base URL without a final slash: ``http://127.0.0.1:PORT``."""
        return f"http://{self._host}:{self.port}"

    @property
    def port(self) -> int:
        return self._server.port

    def url_of(self, subdomain: str) -> str:
        """The base URL that is strictly this subdomain's (``http://acme.localhost:PORT``)."""
        return f"http://{subdomain}.localhost:{self.port}"

    def install(self, manifest_url: str) -> None:
        """From now on this is the integration's manifest."""
        self._integration.manifest_url = manifest_url

    def show_messages(self, messages: Messages) -> None:
        """From now on the messages page shows what this knows of the queue."""
        self._site.messages = messages

    def start(self) -> Self:
        self.core.events.listener = self.events.post
        self.events.start()
        self._server.start()
        self._running = True
        return self

    def close(self) -> None:
        if self._closed:
            return
        self._closed = True
        self.core.events.listener = None
        if self._running:
            self.events.close()
        self._server.close(before_joining=self.core.switch_off)
        self.channelbacks.close()
        self._integration.close()

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, *_: object) -> None:
        self.close()


class _Application:
    """From a request to a response: routes, errors in the dress that fits who asked."""

    most_body_bytes = 4 * DEFAULT_MAX_BODY_BYTES
    """Where the server stops reading; the endpoints' own limit is the core's."""

    def __init__(self, site: Site) -> None:
        self._site = site
        self._routes = Map(
            [
                *api_routes.rules(),
                *admin_routes.rules(),
                *ticket_routes.rules(),
                *traffic_routes.rules(),
                *message_routes.rules(),
                *control_routes.rules(),
                Rule("/static/<name>", endpoint=_static, methods=["GET"]),
            ],
            strict_slashes=False,
            merge_slashes=False,
        )

    def drops(self, head: LoopbackRequest) -> bool:
        endpoint = api_routes.PATHS.get(head.path)
        if endpoint is None or head.method != "POST":
            return False
        visit = Visit(head)
        return self._site.core.drops_connection(
            endpoint, visit.subdomain, visit.authorization, headers=visit.headers
        )

    def refusal(self, status: int) -> LoopbackResponse:
        answer = (
            answers.too_large() if status == HTTPStatus.REQUEST_ENTITY_TOO_LARGE else answers.unparsable()
        )
        return LoopbackResponse(*answer)

    def respond(self, request: LoopbackRequest) -> LoopbackResponse:
        try:
            return as_http(self._response(Visit(request)))
        except NoAnswerError as nothing:
            late = None if nothing.answer is None else LoopbackResponse(*nothing.answer)
            if nothing.reason == "hang":
                raise NoResponseError(nothing.fault, response=late) from None
            if nothing.reason == "delay":
                raise NoResponseError(nothing.fault, nothing.fault.seconds, late) from None
            raise NoResponseError from None

    def _response(self, visit: Visit) -> Response:
        try:
            view, arguments = self._routes.bind_to_environ(visit.environ).match()
            return _call(view, self._site, visit, arguments)
        except RequestRedirect as redirect:
            return Response(status=308, headers={"Location": redirect.new_url})
        except HTTPException as error:
            return _error(visit, error)
        except NoAnswerError:
            raise
        except Exception as error:  # noqa: BLE001 - a bug here must be seen by whoever asked, not as a dead socket
            return _error(visit, InternalServerError(f"The simulator failed: {error!r}"))


def _call(view: Callable[..., Response], site: Site, visit: Visit, arguments: Any) -> Response:
    return view(site, visit, **arguments)


def _static(_: Site, __: Visit, name: str) -> Response:
    if name not in MEDIA_TYPES:
        return page("problem.html", status=404, section="", reason="There is no such file.", back="/")
    return Response((HERE / "static" / name).read_bytes(), content_type=MEDIA_TYPES[name])


def _error(visit: Visit, error: HTTPException) -> Response:
    status = error.code or 500
    path = visit.request.path
    if path.startswith("/simulator/"):
        return as_json({"error": error.description or error.name}, status)
    if path.startswith("/api/"):
        return as_response(answers.json_answer(status, {"error": error.name}))
    return page("problem.html", status=status, section="", reason=error.description or error.name, back="/")
