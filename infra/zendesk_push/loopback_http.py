"""The HTTP/1.1 server behind everything that listens on this machine: the HTTP API, AWS, the simulated Zendesk.

Connections are kept, as clients' pools expect, and can end in ways that no framework offers: before a request's body is
read, without a response, or with one that is held back until something is let go or the client has gone.
"""

import contextlib
import io
import ipaddress
import logging
import selectors
import socket
import socketserver
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any, Final, Protocol
from urllib.parse import unquote, urlsplit

_LOG: Final = logging.getLogger(__name__)

_IDLE_SECONDS: Final = 75  # how long a kept connection may be silent
_DRAINED_BYTES: Final = 64 * 1024 * 1024  # read on and thrown away, of a body that is refused
_LOCAL_NAMES: Final = ("localhost", "host.docker.internal")
_LONGEST_LINE: Final = 65_536


@dataclass(frozen=True)
class LoopbackRequest:
    """A request as it came in; ``target`` is the request line's, headers are in order and may repeat."""

    method: str
    target: str
    protocol: str
    headers: Sequence[tuple[str, str]]
    body: bytes
    source_ip: str
    port: int

    def header(self, name: str) -> str:
        """The values of a header (lower case) joined by commas, empty if there is none."""
        return ",".join(value for key, value in self.headers if key.lower() == name)

    @property
    def path(self) -> str:
        """The path, decoded."""
        return unquote(urlsplit(self.target).path) or "/"

    def environ(self) -> dict[str, Any]:
        """The same for a WSGI application. Of a header that repeats the first counts, of cookies the last."""
        path, _, query = self.target.partition("?")
        environ: dict[str, Any] = {
            "REQUEST_METHOD": self.method,
            "SCRIPT_NAME": "",
            "PATH_INFO": unquote(path, "latin-1"),
            "QUERY_STRING": query,
            "SERVER_NAME": "loopback",
            "SERVER_PORT": str(self.port),
            "SERVER_PROTOCOL": self.protocol,
            "REMOTE_ADDR": self.source_ip,
            "wsgi.url_scheme": "http",
            "wsgi.input": io.BytesIO(self.body),
            "wsgi.input_terminated": True,
        }
        for name, value in self.headers:
            key = name.upper().replace("-", "_")
            if key == "CONTENT_TYPE":
                environ[key] = value
            elif key == "HTTP_COOKIE" or f"HTTP_{key}" not in environ:
                environ[f"HTTP_{key}"] = value
        environ["CONTENT_LENGTH"] = str(len(self.body))  # it is the whole body, whatever the headers say
        return environ


@dataclass(frozen=True)
class LoopbackResponse:
    """What goes back to the client; its length and the date are added."""

    status: int
    headers: Sequence[tuple[str, str]]
    body: bytes = b""


class Hold(Protocol):
    """What a response can wait for."""

    def on_release(self, wake: Callable[[], None]) -> None:
        """Call ``wake`` once when it is let go."""

    def forget(self, wake: Callable[[], None]) -> None:
        """Undo that: the client has gone."""


class NoResponseError(Exception):
    """There is no response, now or ever.

    Without ``hold`` the connection ends. With it, the client waits until it is let go or ``seconds`` are over, and then
    gets ``response``, or where that is None what the application answers by then.
    """

    def __init__(
        self, hold: Hold | None = None, seconds: float | None = None, response: LoopbackResponse | None = None
    ) -> None:
        super().__init__("no response")
        self.hold = hold
        self.seconds = seconds
        self.response = response


class LoopbackApplication(Protocol):
    """What a server serves; called from a thread for each connection."""

    most_body_bytes: int

    def drops(self, head: LoopbackRequest) -> bool:
        """Whether to end the connection before the body is read."""

    def refusal(self, status: int) -> LoopbackResponse:
        """The response to a body that is not read: 400 where its length is nonsense, 413 beyond the most."""

    def respond(self, request: LoopbackRequest) -> LoopbackResponse:
        """The response; raises NoResponseError."""


class LoopbackServer(HTTPServer):
    """Listens from construction on, answers from ``start`` to ``close``. ``port`` 0 is a free one.

    Raises:
        OSError: the address or the port is not to be had.
    """

    request_queue_size = 128

    def __init__(self, host: str, port: int, application: LoopbackApplication, *, name: str) -> None:
        self.application = application
        self._open: set[socket.socket] = set()
        self._workers: set[threading.Thread] = set()
        self._lock = threading.Lock()
        self.address_family = socket.AF_INET6 if ":" in host else socket.AF_INET
        super().__init__((host, port), _Connection)
        self._accepting = threading.Thread(target=self.serve_forever, args=(0.05,), name=name, daemon=True)

    @property
    def port(self) -> int:
        """The port that it listens on."""
        return int(self.server_port)

    def start(self) -> None:
        """Begin to answer; returns at once."""
        self._accepting.start()

    def close(self, before_joining: Callable[[], object] = lambda: None, join_seconds: float = 5) -> None:
        """End every connection, those that wait included.

        ``before_joining`` is called once nothing new can arrive: to let go what waits.
        """
        if self._accepting.ident is not None:
            self.shutdown()
            self._accepting.join()
        with self._lock:
            for connection in self._open:
                with contextlib.suppress(OSError):
                    connection.shutdown(socket.SHUT_RDWR)
            workers = list(self._workers)
        before_joining()
        end = time.monotonic() + join_seconds
        for worker in workers:
            worker.join(max(0, end - time.monotonic()))
        self.server_close()

    def server_bind(self) -> None:
        """As HTTPServer, without its reverse look-up of the host's name, which can take seconds."""
        socketserver.TCPServer.server_bind(self)
        self.server_name, self.server_port = self.server_address[:2]  # type: ignore[assignment]

    def process_request(self, request: Any, client_address: Any) -> None:
        """A thread for each connection, known by its name."""
        name = f"{self._accepting.name}-connection"
        worker = threading.Thread(target=self._serve, args=(request, client_address), name=name, daemon=True)
        with self._lock:
            self._open.add(request)
            self._workers.add(worker)
        worker.start()

    def _serve(self, request: Any, client_address: Any) -> None:
        try:
            self.finish_request(request, client_address)
        except Exception:  # noqa: BLE001 - an application's bug, or the client has gone: the end of one connection
            _LOG.debug("a connection ended early", exc_info=True)
        finally:
            self.shutdown_request(request)
            with self._lock:
                self._workers.discard(threading.current_thread())

    def shutdown_request(self, request: Any) -> None:
        """One connection is over."""
        with self._lock:
            self._open.discard(request)
        super().shutdown_request(request)


class _RefusedError(Exception):
    def __init__(self, status: int) -> None:
        super().__init__(status)
        self.status = status


class _Connection(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    timeout = _IDLE_SECONDS
    disable_nagle_algorithm = True  # or a body waits 40 ms for its headers to be acknowledged
    server: LoopbackServer

    def handle_one_request(self) -> None:
        try:
            self.raw_requestline = self.rfile.readline(_LONGEST_LINE + 1)
            if len(self.raw_requestline) > _LONGEST_LINE:
                self.requestline = self.request_version = self.command = ""
                self.send_error(HTTPStatus.REQUEST_URI_TOO_LONG)
            elif not self.raw_requestline:
                self.close_connection = True
            elif self.parse_request():
                self._serve()
        except (OSError, ValueError):
            self.close_connection = True

    def _serve(self) -> None:
        application = self.server.application
        if application.drops(self._request(b"")):
            self.close_connection = True
            return
        try:
            request = self._request(self._read_body(application.most_body_bytes))
        except _RefusedError as refused:
            self.close_connection = True
            self._send(application.refusal(refused.status))
            self._drain()
            return
        while True:
            try:
                response = application.respond(request)
            except NoResponseError as nothing:
                if nothing.hold is None or not self._wait(nothing.hold, nothing.seconds):
                    self.close_connection = True
                    return
                if nothing.response is None:
                    continue
                response = nothing.response
            self._send(response)
            return

    def _request(self, body: bytes) -> LoopbackRequest:
        return LoopbackRequest(
            method=self.command,
            target=self.path,
            protocol=self.request_version,
            headers=tuple(self.headers.items()),
            body=body,
            source_ip=self.client_address[0],
            port=self.server.port,
        )

    def _read_body(self, most: int) -> bytes:
        if "chunked" in self.headers.get("Transfer-Encoding", "").lower():
            return self._read_chunks(most)
        try:
            length = int(self.headers.get("Content-Length") or 0)
        except ValueError:
            length = -1
        if length < 0:
            raise _RefusedError(HTTPStatus.BAD_REQUEST)
        if length > most:
            raise _RefusedError(HTTPStatus.REQUEST_ENTITY_TOO_LARGE)
        return self._read(length)

    def _read_chunks(self, most: int) -> bytes:
        body = bytearray()
        while True:
            try:
                length = int(self.rfile.readline(64).split(b";")[0], 16)
            except ValueError:
                raise _RefusedError(HTTPStatus.BAD_REQUEST) from None
            if length < 0 or len(body) + length > most:
                raise _RefusedError(HTTPStatus.REQUEST_ENTITY_TOO_LARGE)
            body += self._read(length)
            self.rfile.readline(2048)
            if length == 0:
                return bytes(body)

    def _read(self, length: int) -> bytes:
        read = self.rfile.read(length)
        if len(read) < length:
            raise ConnectionError("the client has gone")
        return read

    def _drain(self) -> None:
        """Read on a while: closing on unread data resets the connection, and the client may miss the answer."""
        with contextlib.suppress(OSError):
            self.connection.shutdown(socket.SHUT_WR)
        left = _DRAINED_BYTES
        while left > 0 and (chunk := self.rfile.read1(65_536)):
            left -= len(chunk)

    def _wait(self, hold: Hold, seconds: float | None) -> bool:
        """Wait until it is let go or ``seconds`` are over (True), or the client is gone (False)."""
        end = None if seconds is None else time.monotonic() + seconds
        woken, waker = socket.socketpair()
        wake = _wakes(waker)
        with woken, waker, selectors.DefaultSelector() as selector:
            selector.register(woken, selectors.EVENT_READ)
            selector.register(self.connection, selectors.EVENT_READ)
            hold.on_release(wake)
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
                hold.forget(wake)

    def _send(self, response: LoopbackResponse) -> None:
        lines = [
            f"HTTP/1.1 {response.status} {reason_phrase(response.status)}",
            *(f"{name}: {value}" for name, value in response.headers),
            f"Date: {self.date_time_string()}",
        ]
        bare = response.status in (HTTPStatus.NO_CONTENT, HTTPStatus.NOT_MODIFIED)
        if not bare:
            lines.append(f"Content-Length: {len(response.body)}")
        if self.close_connection:
            lines.append("Connection: close")
        head = "\r\n".join([*lines, "", ""]).encode("latin-1")
        self.wfile.write(head if bare or self.command == "HEAD" else head + response.body)

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the base class's name
        """Nothing on stderr: it is the host program's."""


def host_name(host_header: str) -> str | None:
    """The name or address in a Host header, without its port; None where there is none or it is nonsense."""
    try:
        parts = urlsplit(f"//{host_header}")
        _ = parts.port
    except ValueError:
        return None
    return parts.hostname


def is_this_machine(host: str) -> bool:
    """Whether a name is one that no web page of elsewhere can have pointed at this machine: an address, or reserved."""
    if host in _LOCAL_NAMES or host.endswith(".localhost"):
        return True
    try:
        return ipaddress.ip_address(host) is not None
    except ValueError:
        return False


def public_host(bind: str) -> str:
    """The host in URLs of a server that listens on ``bind``: it, or a loopback address where that is all of them."""
    try:
        address = ipaddress.ip_address(bind)
    except ValueError:
        return bind or "127.0.0.1"
    if address.is_unspecified:
        return "127.0.0.1" if address.version == 4 else "[::1]"
    return str(address) if address.version == 4 else f"[{address}]"


def reason_phrase(status: int) -> str:
    """The words that go with a status, empty where it has none."""
    # Python 3.13 has RFC 9110's new words for it; AWS's services have not.
    if status == HTTPStatus.REQUEST_ENTITY_TOO_LARGE:
        return "Request Entity Too Large"
    try:
        return HTTPStatus(status).phrase
    except ValueError:
        return ""


def _wakes(waker: socket.socket) -> Callable[[], None]:
    def wake() -> None:
        with contextlib.suppress(OSError):
            waker.send(b"!")

    return wake
