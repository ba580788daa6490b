"""The HTTP API on this machine: a server that answers as API Gateway does, with the functions behind it."""

import ipaddress
import logging
import socket
import threading
import uuid
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from socketserver import TCPServer
from typing import Any, Final

from zendesk_push.local.errors import LocalStackError
from zendesk_push.local.event_wiring import Route
from zendesk_push.local.http_events import (
    HttpRequest,
    HttpResponse,
    MalformedAnswerError,
    build_event,
    build_response,
    host_name,
)
from zendesk_push.local.invocation import InvocationResult
from zendesk_push.local.routing import Router

_LOG: Final = logging.getLogger(__name__)

BODY_LIMIT: Final = 10 * 1024 * 1024  # bytes of a request
_LOCAL_NAMES: Final = ("localhost", "host.docker.internal")
_CONNECTION_SECONDS: Final = 60  # of silence, then it is closed
_MOST_REQUESTS: Final = 64

Invoke = Callable[[Any], InvocationResult]


class HttpApi:
    """Serves routes from ``start`` to ``stop``.

    Args:
        routes: the template's.
        functions: what runs each function, by its logical id.
        bind: the address to listen on.
        port: 0 for a free one.
        answer_seconds: how long a function may take; API Gateway's 30.

    Raises:
        LocalStackError: the port is taken.
    """

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
            self._server = (_Server6 if ":" in bind else _Server)((bind, port), _Handler)
        except OSError as error:
            raise LocalStackError(f"the HTTP API can't listen on {bind}:{port}: {error.strerror}") from None
        self._server.answer = self.answer
        self._thread = threading.Thread(target=self._server.serve_forever, name="http-api", daemon=True)

    @property
    def port(self) -> int:
        """The port that it listens on, known before it answers."""
        return self._server.server_port

    def start(self) -> None:
        """Begin to answer; returns at once."""
        self._thread.start()

    def stop(self) -> None:
        """Take no more requests; those under way are cut off."""
        if self._thread.is_alive():
            self._server.shutdown()
            self._thread.join()
        self._server.server_close()
        self._waiting.shutdown(wait=False, cancel_futures=True)

    def answer(self, request: HttpRequest) -> HttpResponse:
        """The response to a request, failures included."""
        if not self._is_own_name(request.header("host")):
            # API Gateway knows its APIs by their names. Here it also keeps web pages of elsewhere out, which
            # could otherwise point a name of their own at this machine.
            return HttpResponse.message(403, "Forbidden")
        found = self._router.match(request.method, request.path)
        if found is None:
            return HttpResponse.message(404, "Not Found")
        route, path_parameters = found
        event = build_event(request, route.key, path_parameters)
        future = self._waiting.submit(self._functions[route.function], event)
        try:
            result = future.result(self._answer_seconds)
        except TimeoutError:
            return HttpResponse.message(503, "Service Unavailable")
        return _response(route, result)

    def _is_own_name(self, host_header: str) -> bool:
        host = host_name(host_header)
        if host is None:
            return False
        if host in _LOCAL_NAMES or host.endswith(".localhost") or host == self._bind:
            return True
        try:
            return ipaddress.ip_address(host) is not None
        except ValueError:
            return False


def _response(route: Route, result: InvocationResult) -> HttpResponse:
    if result.function_error:
        if result.value["errorType"] == "RequestEntityTooLarge":
            return HttpResponse.message(413, "Request Entity Too Large")
        _LOG.error("%s failed at %s: %s", route.function, route.key, result.error)
        return HttpResponse.message(500, "Internal Server Error")
    try:
        return build_response(result.value)
    except MalformedAnswerError as error:
        _LOG.error("%s gave no HTTP response at %s: %s", route.function, route.key, error)
        return HttpResponse.message(500, "Internal Server Error")


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128
    answer: Callable[[HttpRequest], HttpResponse]

    def server_bind(self) -> None:
        """Without http.server's look-up of a name for the address, which takes its time on a machine offline."""
        TCPServer.server_bind(self)
        self.server_name, self.server_port = self.server_address[:2]  # type: ignore[assignment]

    def handle_error(self, _request: Any, client_address: Any) -> None:
        """A client that went away is no news; anything else is a bug of this file."""
        _LOG.debug("connection from %s ended early", client_address, exc_info=True)


class _Server6(_Server):
    address_family = socket.AF_INET6


class _RefusedError(Exception):
    def __init__(self, response: HttpResponse) -> None:
        super().__init__(response.status)
        self.response = response


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True  # or a body waits 40 ms for its headers to be acknowledged
    timeout = _CONNECTION_SECONDS
    server: _Server

    def __getattr__(self, name: str) -> Any:
        # http.server looks for do_GET and so on: routes know which methods there are.
        if name.startswith("do_"):
            return self._serve
        raise AttributeError(name)

    def _serve(self) -> None:
        try:
            body = self._read_body()
        except _RefusedError as refused:
            self.close_connection = True  # the rest of the body is still on its way
            self._send(refused.response)
            return
        request = HttpRequest(
            method=self.command,
            target=self.path,
            protocol=self.request_version,
            headers=[(name, value) for name, value in self.headers.items()],
            body=body,
            source_ip=self.client_address[0],
            port=self.server.server_port,
        )
        self._send(self.server.answer(request))

    def _read_body(self) -> bytes:
        if "chunked" in self.headers.get("Transfer-Encoding", "").lower():
            return self._read_chunks()
        try:
            length = int(self.headers.get("Content-Length", "0"))
        except ValueError:
            length = -1
        if length < 0:
            raise _RefusedError(HttpResponse.message(400, "Bad Request"))
        if length > BODY_LIMIT:
            raise _RefusedError(HttpResponse.message(413, "Request Entity Too Large"))
        return self.rfile.read(length)

    def _read_chunks(self) -> bytes:
        body = bytearray()
        while True:
            try:
                length = int(self.rfile.readline(64).split(b";")[0], 16)
            except ValueError:
                raise _RefusedError(HttpResponse.message(400, "Bad Request")) from None
            if length < 0 or len(body) + length > BODY_LIMIT:
                raise _RefusedError(HttpResponse.message(413, "Request Entity Too Large"))
            body += self.rfile.read(length)
            self.rfile.readline(2048)
            if length == 0:
                return bytes(body)

    def _send(self, response: HttpResponse) -> None:
        self.send_response_only(response.status)
        self.send_header("date", self.date_time_string())
        for name, value in response.headers:
            self.send_header(name, value)
        self.send_header("apigw-requestid", uuid.uuid4().hex[:15] + "=")
        self.send_header("content-length", str(len(response.body)))
        if self.close_connection:
            self.send_header("connection", "close")
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(response.body)

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - http.server's name
        """Nothing on stderr: the functions log what matters."""
        _LOG.debug(format, *args)
