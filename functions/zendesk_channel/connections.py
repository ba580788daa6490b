"""Connections to customers' Zendesks: made within a time, on one TLS context, and kept for the next request.

urllib3's connections, without its pools: those are one per host and PoolManager keeps a fixed number of them, so
that beyond it no connection is kept at all, and each makes a TLS context of its own.
"""

import http.client
import resource
import socket
import ssl
import threading
import weakref
from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final
from urllib.parse import urlsplit

import urllib3.connection

from zendesk_channel.exchange_deadline import (
    DeadlineSocket,
    DeadlineTlsSocket,
    NameLookup,
    Resolve,
    connect,
    seconds_left,
)

_MOST_KEPT: Final = 1_000
# File descriptors for all else: a note for each of 256 threads, AWS's connections, the runtime. Lambda grants 1,024.
_DESCRIPTORS_LEFT: Final = 480
# Seconds. A function's environment is frozen between invocations, and connections die unnoticed meanwhile: the
# next request on one would look like a Zendesk that does not answer. When nothing was sent for so long, it may
# have been frozen.
_FREEZE: Final = 20.0
# Seconds. Proxies on the way forget connections that are idle for some minutes, without a word.
_LONGEST_IDLE: Final = 120.0


class _Timed:
    """What both kinds of connection add to urllib3's."""

    deadline: float
    names: NameLookup
    host: str
    port: int
    sock: socket.socket | None
    timeout: float | None

    def _new_conn(self) -> DeadlineSocket:
        made = connect(self.names.addresses(self.host, self.port, self.deadline), self.deadline)
        made.deadline = self.deadline
        return made

    def begin(self, deadline: float) -> None:
        """The next exchange ends then, whatever state it is in."""
        self.deadline = deadline
        self.timeout = seconds_left(deadline)  # for sending
        if isinstance(self.sock, DeadlineSocket | DeadlineTlsSocket):
            self.sock.settimeout(self.timeout)
            self.sock.deadline = deadline

    def post(self: Any, path: str, headers: Mapping[str, str], body: bytes) -> http.client.HTTPResponse:
        """Send a request and read the answer's head, as http.client does: urllib3 would send head and body apart,
        and make three objects more of the answer.
        """
        self.putrequest("POST", path)
        for name, value in headers.items():
            self.putheader(name, value)
        self.putheader("Content-Length", str(len(body)))
        self.endheaders(body)
        return http.client.HTTPConnection.getresponse(self)


class HttpConnection(_Timed, urllib3.connection.HTTPConnection):
    """To a simulator on loopback."""


class HttpsConnection(_Timed, urllib3.connection.HTTPSConnection):
    """To a customer's Zendesk."""


Connection = HttpConnection | HttpsConnection


class Connections:
    """Makes connections and keeps idle ones, for all customers together. Thread-safe.

    Args:
        tls: the context of all connections; None: one with the system's certificates, made when it is needed.
        clock: epoch seconds (a monotonic clock may stand still while the environment is frozen).
        most_kept: connections; beyond it the idle one that was used least recently is closed.
    """

    def __init__(
        self, tls: ssl.SSLContext | None, resolve: Resolve, clock: Callable[[], float], most_kept: int
    ) -> None:
        self._tls = tls
        self._names = NameLookup(resolve)
        self._clock = clock
        self._most = most_kept
        # The oldest origin first.
        self._idle: OrderedDict[str, list[tuple[Connection, float]]] = OrderedDict()
        self._kept = 0
        self._in_use = 0
        self._last_used = clock()
        self._lock = threading.Lock()
        weakref.finalize(self, _close_all, self._idle)

    def take(self, origin: str) -> Connection | None:
        """A kept connection to an origin that is still up, or None."""
        now = self._clock()
        with self._lock:
            frozen = now - self._last_used > _FREEZE
            self._last_used = now
            dropped = self._drop(lambda idle_since: frozen or now - idle_since > _LONGEST_IDLE)
            idle = self._idle.get(origin, [])
            found = None
            while idle and found is None:
                candidate, _ = idle.pop()
                self._kept -= 1
                if candidate.is_connected:
                    found = candidate
                else:
                    dropped.append(candidate)
            if not idle:
                self._idle.pop(origin, None)
            self._in_use += found is not None
        for connection in dropped:
            connection.close()
        return found

    def make(self, origin: str, deadline: float) -> Connection:
        """A new connection, ready to send on.

        Raises:
            OSError: there is none, or (TimeoutError) not in time.
        """
        parts = urlsplit(origin)
        connection: Connection
        if parts.scheme == "https":
            connection = HttpsConnection(parts.hostname or "", parts.port, ssl_context=self._context())
        else:
            connection = HttpConnection(parts.hostname or "", parts.port)
        connection.names = self._names
        with self._lock:
            self._in_use += 1
            dropped = self._drop_surplus()
        for each in dropped:
            each.close()
        try:
            connection.begin(deadline)
            connection.connect()
        except BaseException:
            self.discard(connection)
            raise
        return connection

    def discard(self, connection: Connection) -> None:
        """Its exchange broke off: nobody uses it again."""
        with self._lock:
            self._in_use -= 1
        connection.close()

    def keep(self, origin: str, connection: Connection) -> None:
        """Its exchange is over and complete: the next one may use it."""
        with self._lock:
            self._in_use -= 1
            self._idle.setdefault(origin, []).append((connection, self._clock()))
            self._idle.move_to_end(origin)
            self._kept += 1
            dropped = self._drop_surplus()
        for each in dropped:
            each.close()

    def _drop_surplus(self) -> list[Connection]:
        return self._drop(lambda _: self._kept + self._in_use > self._most)

    def _drop(self, unwanted: Callable[[float], bool]) -> list[Connection]:
        """Take out idle connections, from the oldest, as long as they are unwanted."""
        dropped = []
        while self._idle:
            origin, idle = next(iter(self._idle.items()))
            connection, since = idle[0]
            if not unwanted(since):
                break
            dropped.append(connection)
            del idle[0]
            self._kept -= 1
            if not idle:
                del self._idle[origin]
        return dropped

    def _context(self) -> ssl.SSLContext:
        with self._lock:
            if self._tls is None:
                self._tls = ssl.create_default_context()
            self._tls.sslsocket_class = DeadlineTlsSocket
            return self._tls


def _close_all(idle: Mapping[str, Sequence[tuple[Connection, float]]]) -> None:
    for each in idle.values():
        for connection, _ in each:
            connection.close()


def connections_kept(descriptors: int) -> int:
    """How many connections a process may have with this many file descriptors (RLIMIT_NOFILE)."""
    if descriptors == resource.RLIM_INFINITY:
        return _MOST_KEPT
    return max(0, min(_MOST_KEPT, descriptors - _DESCRIPTORS_LEFT))
