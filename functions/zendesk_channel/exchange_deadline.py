"""An end to an exchange that drags on, wherever it does: in a name look-up, in connecting, in an answer.

A socket's time-out starts over with every byte, so a server that sends one now and then would never be given up.
The sockets here are given what is left of the exchange's time before each read. (Sending a body and a TLS
handshake are one call each, whose time-out covers all of it.)

A deadline is a moment of ``time.monotonic``.
"""

import socket
import ssl
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from typing import Any, Final

AddressInfo = tuple[int, int, int, str, Any]
"""Family, type, protocol, canonical name and socket address, as ``socket.getaddrinfo`` lists them."""

Resolve = Callable[[str, int], Sequence[AddressInfo]]
"""From a host's name and a port to its addresses; raises OSError where there are none."""

_LOOPBACK: Final = "127.0.0.1"


def seconds_left(deadline: float) -> float:
    """Until the deadline, more than zero.

    Raises:
        TimeoutError: it has passed.
    """
    left = deadline - time.monotonic()
    if left <= 0:
        raise TimeoutError("the exchange's time is over")
    return left


class _Deadlined:
    deadline: float

    def recv_into(self: Any, *args: Any) -> int:
        self.settimeout(seconds_left(self.deadline))
        return super().recv_into(*args)  # type: ignore[misc,no-any-return]  # of the socket this is mixed into


class DeadlineSocket(_Deadlined, socket.socket):
    """A TCP socket that ends at its ``deadline`` whatever arrives until then."""


class DeadlineTlsSocket(_Deadlined, ssl.SSLSocket):
    """The same with TLS. For ``SSLContext.sslsocket_class``."""


class NameLookup:
    """Looks names up on threads: nothing interrupts getaddrinfo, so one that hangs is left behind on its own.

    Whoever asks for the same name meanwhile waits for the same thread.
    """

    def __init__(self, resolve: Resolve) -> None:
        self._resolve = resolve
        self._pending: dict[tuple[str, int], Future[Sequence[AddressInfo]]] = {}
        self._lock = threading.Lock()

    def addresses(self, host: str, port: int, deadline: float) -> Sequence[AddressInfo]:
        """The addresses of a host.

        Raises:
            OSError: there are none, or (TimeoutError) nobody has said so in time.
        """
        key = (host, port)
        with self._lock:
            pending = self._pending.get(key)
            if pending is None:
                pending = Future()
                self._start(key, pending)
                self._pending[key] = pending
        return pending.result(seconds_left(deadline))

    def _start(self, key: tuple[str, int], pending: Future[Sequence[AddressInfo]]) -> None:
        try:
            threading.Thread(target=self._look_up, args=(key, pending), daemon=True).start()
        except RuntimeError:
            raise OSError("there is no thread left to look a name up") from None

    def _look_up(self, key: tuple[str, int], pending: Future[Sequence[AddressInfo]]) -> None:
        try:
            pending.set_result(self._resolve(*key))
        except Exception as error:  # noqa: BLE001 (it belongs to whoever waits, not to this thread)
            pending.set_exception(error)
        finally:
            with self._lock:
                del self._pending[key]


def system_resolve(host: str, port: int) -> Sequence[AddressInfo]:
    """The system's resolver. Names below .localhost are this machine (RFC 6761), which not every resolver knows."""
    return socket.getaddrinfo(
        _LOOPBACK if host.endswith(".localhost") else host, port, type=socket.SOCK_STREAM
    )


def connect(addresses: Sequence[AddressInfo], deadline: float) -> DeadlineSocket:
    """A connection to the first address that takes it. Silent ones share the time: none uses up that of the next.

    Raises:
        OSError: none does, or (TimeoutError) not in time.
    """
    failure = OSError("the name has no address")
    for number, (family, kind, protocol, _, address) in enumerate(addresses):
        connection = DeadlineSocket(family, kind, protocol)
        try:
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            connection.settimeout(seconds_left(deadline) / (len(addresses) - number))
            connection.connect(address)
            connection.settimeout(seconds_left(deadline))
        except OSError as error:
            connection.close()
            failure = error
        else:
            return connection
    raise failure
