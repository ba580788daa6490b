"""An end to an exchange that drags on.

A socket's time-out begins anew with every byte, so a server that goes on sending one now and then would never
be given up: not in a body, and not in the headers, which nobody outside http.client sees arrive.
"""

import socket
import threading
from typing import Any, Self

import urllib3.connection

_this_thread = threading.local()


class CutOff:
    """Shuts the connection of the exchange that it surrounds down after so many seconds.

    What waits for the other side then finds the connection ended, and ``happened`` says why.
    """

    def __init__(self, seconds: float) -> None:
        self.happened = False
        self._socket: socket.socket | None = None
        self._lock = threading.Lock()
        self._timer = threading.Timer(max(0.0, seconds), self._cut)
        self._timer.daemon = True

    def __enter__(self) -> Self:
        _this_thread.cut_off = self
        self._timer.start()
        return self

    def __exit__(self, *_: object) -> None:
        _this_thread.cut_off = None
        self._timer.cancel()
        with self._lock:
            self._socket = None  # the connection may be another exchange's from now on

    def watch(self, connection: socket.socket) -> None:
        """This is the exchange's connection."""
        with self._lock:
            self._socket = connection
            if self.happened:
                _shut(connection)

    def _cut(self) -> None:
        with self._lock:
            self.happened = True
            if self._socket is not None:
                _shut(self._socket)


def _shut(connection: socket.socket) -> None:
    try:
        # TCP's own: an SSLSocket's would take the TLS session from under the thread that reads.
        socket.socket.shutdown(connection, socket.SHUT_RDWR)
    except OSError:
        return  # it has ended by itself


class _Watched:
    """Shows the connection to the thread's CutOff before anything is read from it."""

    sock: Any

    def getresponse(self) -> Any:
        cut_off: CutOff | None = getattr(_this_thread, "cut_off", None)
        if cut_off is not None and self.sock is not None:
            cut_off.watch(self.sock)
        return super().getresponse()  # type: ignore[misc]  # of the connection that this is mixed into


class _HTTPConnection(_Watched, urllib3.connection.HTTPConnection):
    pass


class _HTTPSConnection(_Watched, urllib3.connection.HTTPSConnection):
    pass


class _HTTPConnectionPool(urllib3.HTTPConnectionPool):
    ConnectionCls = _HTTPConnection


class _HTTPSConnectionPool(urllib3.HTTPSConnectionPool):
    ConnectionCls = _HTTPSConnection


POOLS = {"http": _HTTPConnectionPool, "https": _HTTPSConnectionPool}
"""For urllib3's ``PoolManager.pool_classes_by_scheme``."""
