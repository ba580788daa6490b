"""The HTTP API on this machine: a server that answers as API Gateway does, with the functions behind it."""

import logging
import uuid
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any, Final

from zendesk_push.local.errors import LocalStackError
from zendesk_push.local.event_wiring import Route
from zendesk_push.local.http_events import (
    MalformedAnswerError,
    build_event,
    build_response,
    message,
)
from zendesk_push.local.invocation import InvocationResult
from zendesk_push.local.routing import Router
from zendesk_push.loopback_http import (
    LoopbackRequest,
    LoopbackResponse,
    LoopbackServer,
    host_name,
    is_this_machine,
    reason_phrase,
)

_LOG: Final = logging.getLogger(__name__)

BODY_LIMIT: Final = 10 * 1024 * 1024  # bytes of a request
_MOST_REQUESTS: Final = 64

Invoke = Callable[[Any], InvocationResult]


class HttpApiServer:
    """Serves routes from ``start`` to ``stop``: a loopback server's application.

    Args:
        routes: the template's.
        functions: what runs each function, by its logical id.
        bind: the address to listen on.
        port: 0 for a free one.
        answer_seconds: how long a function may take; API Gateway's 30.

    Raises:
        LocalStackError: the port is taken.
    """

    most_body_bytes = BODY_LIMIT

    def __init__(
        self,
        routes: Sequence[Route],
        functions: Mapping[str, Invoke],
        *,
        bind: str,
        port: int,
        answer_seconds: float = 30,
    ) -> None:
        self._router = Router(routes)
        self._functions = functions
        self._bind = bind
        self._answer_seconds = answer_seconds
        self._waiting = ThreadPoolExecutor(_MOST_REQUESTS, thread_name_prefix="http-api")
        try:
            self._server = LoopbackServer(bind, port, self, name="http-api")
        except OSError as error:
            raise LocalStackError(f"the HTTP API can't listen on {bind}:{port}: {error.strerror}") from None

    @property
    def port(self) -> int:
        """The port that it listens on, known before it answers."""
        return self._server.port

    def start(self) -> None:
        """Begin to answer; returns at once."""
        self._server.start()

    def stop(self) -> None:
        """Take no more requests; those under way are cut off."""
        self._server.close(join_seconds=0)
        self._waiting.shutdown(wait=False, cancel_futures=True)

    def drops(self, _: LoopbackRequest) -> bool:
        """Never."""
        return False

    def refusal(self, status: int) -> LoopbackResponse:
        """For a body that is too large, or whose length is nonsense."""
        return _signed(message(status, reason_phrase(status)))

    def respond(self, request: LoopbackRequest) -> LoopbackResponse:
        """The response to a request, failures included."""
        return _signed(self._answer(request))

    def _answer(self, request: LoopbackRequest) -> LoopbackResponse:
        if not self._is_own_name(request.header("host")):
            # API Gateway knows its APIs by their names. Here it also keeps web pages of elsewhere out, which
            # could otherwise point a name of their own at this machine.
            return message(403, "Forbidden")
        found = self._router.match(request.method, request.path)
        if found is None:
            return message(404, "Not Found")
        route, path_parameters = found
        event = build_event(request, route.key, path_parameters)
        future = self._waiting.submit(self._functions[route.function], event)
        try:
            result = future.result(self._answer_seconds)
        except TimeoutError:
            return message(503, "Service Unavailable")
        return _response(route, result)

    def _is_own_name(self, host_header: str) -> bool:
        host = host_name(host_header)
        return host is not None and (host == self._bind or is_this_machine(host))


def _signed(response: LoopbackResponse) -> LoopbackResponse:
    return replace(response, headers=[*response.headers, ("apigw-requestid", uuid.uuid4().hex[:15] + "=")])


def _response(route: Route, result: InvocationResult) -> LoopbackResponse:
    if result.function_error:
        if result.value["errorType"] == "RequestEntityTooLarge":
            return message(413, "Request Entity Too Large")
        _LOG.error("%s failed at %s: %s", route.function, route.key, result.error)
        return message(500, "Internal Server Error")
    try:
        return build_response(result.value)
    except MalformedAnswerError as error:
        _LOG.error("%s gave no HTTP response at %s: %s", route.function, route.key, error)
        return message(500, "Internal Server Error")
