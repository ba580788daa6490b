"""HTTP/1.1 on a socket: keep-alive, and the ends of connections that no framework offers.

werkzeug's own server closes the connection after every answer, so a client's pool would never be tested. And
several faults live below HTTP: a connection closed before the body is read, a reply that is never sent, an
answer that is held until the fault is switched off or the client has gone.
"""

from __future__ import annotations

import contextlib
import io
import selectors
import socket
import socketserver
import threading
import time
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import IO, TYPE_CHECKING, Any, Protocol, cast
from urllib.parse import unquote

from werkzeug.serving import DechunkedInput

from zendesk_push.simulator.answers import NoAnswerError, reason_phrase
from zendesk_push.simulator.web import as_response

if TYPE_CHECKING:
    from collections.abc import Callable

    from werkzeug.wrappers import Response

    from zendesk_push.simulator.faults import Fault

IDLE_SECONDS = 75
"""How long a kept-alive connection may be silent."""
DRAIN_BYTES = 64 * 1024 * 1024

Environ = dict[str, Any]


class Application(Protocol):
    """What the server serves."""

    max_body_bytes: int
    """Larger bodies are answered by ``too_large`` without being read."""

    def drops(self, environ: Environ) -> bool:
        """Whether to close the connection before reading the body."""

    def too_large(self) -> Response:
        """The answer to a body that is not read."""

    def __call__(self, environ: Environ) -> Response:
        """The answer; raises NoAnswerError."""


class _BodyTooLargeError(Exception):
    pass


class Server(socketserver.ThreadingMixIn, HTTPServer):
    """One thread per connection. ``close`` ends them all, those that wait included, and joins them."""

    daemon_threads = False
    block_on_close = True
    request_queue_size = 128

    def __init__(self, host: str, port: int, application: Application) -> None:
        self.application = application
        self._open: set[socket.socket] = set()
        self._open_lock = threading.Lock()
        self.address_family = socket.AF_INET6 if ":" in host else socket.AF_INET
        super().__init__((host, port), _Handler)
        self._thread = threading.Thread(target=self.serve_forever, args=(0.05,), name="simulated-zendesk")

    def server_bind(self) -> None:
        """As HTTPServer, without its reverse look-up of the host's name, which can take seconds."""
        socketserver.TCPServer.server_bind(self)
        self.server_name, self.server_port = self.server_address[:2]  # type: ignore[assignment]

    def start(self) -> None:
        self._thread.start()

    def close(self, before_joining: Callable[[], object]) -> None:
        """``before_joining`` is called once nothing new can arrive: to let go what waits."""
        self.shutdown()
        self._thread.join()
        with self._open_lock:
            for connection in self._open:
                with contextlib.suppress(OSError):
                    connection.shutdown(socket.SHUT_RDWR)
        before_joining()
        self.server_close()

    def process_request(self, request: Any, client_address: Any) -> None:
        with self._open_lock:
            self._open.add(request)
        super().process_request(request, client_address)

    def shutdown_request(self, request: Any) -> None:
        with self._open_lock:
            self._open.discard(request)
        super().shutdown_request(request)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that goes away in the middle is what this server is for: nothing to report."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    timeout = IDLE_SECONDS
    disable_nagle_algorithm = True
    server: Server

    def handle_one_request(self) -> None:
        try:
            self.raw_requestline = self.rfile.readline(65_537)
            if len(self.raw_requestline) > 65_536:
                self.requestline = self.request_version = self.command = ""
                self.send_error(414)
            elif not self.raw_requestline:
                self.close_connection = True
            elif self.parse_request():
                self._serve()
        except (OSError, ValueError):
            self.close_connection = True

    def _serve(self) -> None:
        application = self.server.application
        environ = self._environ()
        if application.drops(environ):
            self.close_connection = True
            return
        try:
            body = self._read_body(application.max_body_bytes)
        except _BodyTooLargeError:
            self.close_connection = True
            self._send(application.too_large(), environ)
            self._drain()
            return
        while True:
            environ["wsgi.input"] = io.BytesIO(body)
            environ["CONTENT_LENGTH"] = str(len(body))
            try:
                response = application(environ)
            except NoAnswerError as nothing:
                holds = nothing.reason in ("hang", "delay")
                seconds = nothing.fault.seconds if nothing.reason == "delay" else None
                if not holds or not self._hold(nothing.fault, seconds):
                    self.close_connection = True
                    return
                if nothing.answer is None:
                    continue
                response = as_response(nothing.answer)
            self._send(response, environ)
            return

    def _environ(self) -> Environ:
        path, _, query = self.path.partition("?")
        environ: Environ = {
            "REQUEST_METHOD": self.command,
            "SCRIPT_NAME": "",
            "PATH_INFO": unquote(path, "latin-1"),
            "QUERY_STRING": query,
            "SERVER_NAME": self.server.server_name,
            "SERVER_PORT": str(self.server.server_port),
            "SERVER_PROTOCOL": self.request_version,
            "REMOTE_ADDR": self.client_address[0],
            "wsgi.url_scheme": "http",
            "wsgi.input": io.BytesIO(),
            "wsgi.input_terminated": True,  # it is the whole body, whatever the headers say
            "simulator.headers": tuple(self.headers.items()),
        }
        for name, value in self.headers.items():
            key = name.upper().replace("-", "_")
            if key in ("CONTENT_TYPE", "CONTENT_LENGTH"):
                environ[key] = value
            elif key == "HTTP_COOKIE" or f"HTTP_{key}" not in environ:
                environ[f"HTTP_{key}"] = value
        return environ

    def _read_body(self, limit: int) -> bytes:
        if "chunked" in self.headers.get("Transfer-Encoding", "").lower():
            chunks = cast("io.RawIOBase", DechunkedInput(cast("IO[bytes]", self.rfile)))
            body = io.BufferedReader(chunks).read(limit + 1)
        else:
            length = int(self.headers.get("Content-Length") or 0)
            if length < 0:
                raise ValueError("negative Content-Length")
            if length > limit:
                raise _BodyTooLargeError
            body = self.rfile.read(length)
            if len(body) < length:
                raise ConnectionError("the client went away")
        if len(body) > limit:
            raise _BodyTooLargeError
        return body

    def _drain(self) -> None:
        """Read on a while: closing on unread data resets the connection, and the client may miss the answer."""
        with contextlib.suppress(OSError):
            self.connection.shutdown(socket.SHUT_WR)
        left = DRAIN_BYTES
        while left > 0 and (chunk := self.rfile.read1(65_536)):
            left -= len(chunk)

    def _hold(self, fault: Fault, seconds: float | None) -> bool:
        """Wait until ``fault`` is switched off or ``seconds`` are over (True), or the client is gone (False)."""
        end = None if seconds is None else time.monotonic() + seconds
        woken, waker = socket.socketpair()
        wake = _wakes(waker)
        with woken, waker, selectors.DefaultSelector() as selector:
            selector.register(woken, selectors.EVENT_READ)
            selector.register(self.connection, selectors.EVENT_READ)
            fault.on_release(wake)
            try:
                while True:
                    left = None if end is None else end - time.monotonic()
                    if left is not None and left <= 0:
                        return True
                    ready = {key.fileobj for key, _ in selector.select(left)}
                    if self.connection in ready:
                        if not self.connection.recv(1, socket.MSG_PEEK):
                            return False
                        selector.unregister(self.connection)  # a pipelined request: it is there, and waits
                    if woken in ready:
                        return True
            finally:
                fault.forget(wake)

    def _send(self, response: Response, environ: Environ) -> None:
        parts, status, headers = response.get_wsgi_response(environ)
        code = int(status.split(" ", 1)[0])
        lines = [f"HTTP/1.1 {code} {reason_phrase(code)}", *(f"{name}: {value}" for name, value in headers)]
        lines.append(f"Date: {self.date_time_string()}")
        if self.close_connection:
            lines.append("Connection: close")
        head = "\r\n".join([*lines, "", ""]).encode("latin-1")
        self.wfile.write(head + b"".join(parts))

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the base class's name
        """Requests are recorded by the core; stderr is the host program's."""


def _wakes(waker: socket.socket) -> Callable[[], None]:
    def wake() -> None:
        with contextlib.suppress(OSError):
            waker.send(b"!")

    return wake
