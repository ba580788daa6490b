"""Connections over TLS on loopback: many customers, silent addresses, certificates, and answers without an end."""

import contextlib
import socket
import ssl
import threading
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from zendesk_channel.addresses import ZendeskAddresses
from zendesk_channel.client import Response, Verdict, ZendeskClient
from zendesk_channel.connections import connections_kept
from zendesk_channel.contract import InstancePushId, PushToken, Subdomain
from zendesk_channel.errors import ZendeskTimeoutError, ZendeskUnreachableError
from zendesk_channel.exchange_deadline import AddressInfo
from zendesk_push.bench.certificates import trusting, write_certificate
from zendesk_push.bench.loopback_zendesk import LoopbackZendesk

TOKEN = PushToken("canary-0123456789abcdef")
BODY = b'{"instance_push_id": "a", "external_resources": [{"external_id": "x"}]}'
BASE = ZendeskAddresses("https://{subdomain}.zendesk.com")
SECONDS = 20.0  # more than anything here takes
SHORT = 0.3


def push(client: ZendeskClient, subdomain: str = "acme", *, timeout: float = SECONDS) -> Response:
    return client.push(Subdomain(subdomain), TOKEN, BODY, timeout=timeout)


def test_every_customer_keeps_a_connection_on_one_tls_context() -> None:
    """More customers than any pool of urllib3's would keep. A context of its own would trust no certificate here."""
    with LoopbackZendesk(tls=True) as zendesk:
        client = ZendeskClient(BASE, tls=zendesk.tls, resolve=zendesk.resolve)
        for _ in range(3):
            for number in range(200):
                assert push(client, f"customer{number}").status == 200

        assert zendesk.connections() == 200


def test_the_least_recently_used_connection_makes_room() -> None:
    with LoopbackZendesk(tls=True) as zendesk:
        client = ZendeskClient(BASE, tls=zendesk.tls, resolve=zendesk.resolve, most_kept=2)
        for subdomain in ("a", "b", "a", "c", "a", "b"):
            push(client, subdomain)

        assert zendesk.connections() == 4  # b's second one: c's arrival had closed its first


def test_how_many_are_kept_leaves_descriptors_for_the_rest() -> None:
    assert connections_kept(1_024) == 544
    assert connections_kept(65_536) == connections_kept(-1) == 1_000
    assert connections_kept(64) == 0


def test_a_connection_that_zendesk_has_closed_is_not_used_again() -> None:
    clock = [0.0]
    with LoopbackZendesk() as zendesk:
        client = ZendeskClient(ZendeskAddresses(zendesk.url), clock=lambda: clock[0])
        for _ in range(2):
            clock[0] += 121  # more than a connection may idle
            push(client)

        assert zendesk.connections() == 2


class Silent:
    """Addresses of this machine that take no connection: their queues are full."""

    def __init__(self, number: int, then: int | None = None) -> None:
        self._stack = contextlib.ExitStack()
        self._addresses = [self._full() for _ in range(number)]
        if then is not None:
            self._addresses.append(("127.0.0.1", then))

    def _full(self) -> tuple[str, int]:
        listener = self._stack.enter_context(socket.create_server(("127.0.0.1", 0), backlog=0))
        address = listener.getsockname()
        self._stack.enter_context(socket.create_connection(address))
        return ("127.0.0.1", int(address[1]))

    def __enter__(self) -> "Silent":
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    def resolve(self, *_: object) -> Sequence[AddressInfo]:
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", address) for address in self._addresses]


def test_silent_addresses_share_the_time_and_leave_some_to_the_next() -> None:
    with LoopbackZendesk(tls=True) as zendesk:
        port = zendesk.resolve("", 0)[0][4][1]
        with Silent(5, then=port) as silent:
            client = ZendeskClient(BASE, tls=zendesk.tls, resolve=silent.resolve)
            assert push(client, timeout=3).status == 200


def test_nothing_but_silence_is_no_connection() -> None:
    with Silent(6) as silent, pytest.raises(ZendeskUnreachableError, match="no connection"):
        push(ZendeskClient(BASE, resolve=silent.resolve), timeout=SHORT)


def test_a_name_look_up_that_hangs_is_no_connection() -> None:
    over = threading.Event()

    def hangs(*_: object) -> Sequence[AddressInfo]:
        over.wait(SECONDS)
        return []

    client = ZendeskClient(BASE, resolve=hangs)
    with pytest.raises(ZendeskUnreachableError, match="no connection"):
        push(client, timeout=SHORT)
    validation = client.validate_token(Subdomain("acme"), TOKEN, InstancePushId("a"), timeout=SHORT)
    assert validation.verdict is Verdict.NO_VERDICT
    over.set()


@contextlib.contextmanager
def tls_server(tmp_path: Path, name: str, answers: Sequence[bytes]) -> Iterator[ZendeskClient]:
    """A client of a server whose certificate is for ``name`` and that says so much to each request, then waits."""
    certificate, authority = write_certificate(tmp_path, [name])
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    over = threading.Event()

    def serve() -> None:
        with contextlib.suppress(OSError):
            connection, _ = listener.accept()
            with connection, context.wrap_socket(connection, server_side=True) as secured:
                secured.recv(65_536)
                for answer in answers:
                    secured.sendall(answer)
                    if over.wait(0.02):
                        return
                over.wait(SECONDS)

    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        yield ZendeskClient(
            BASE,
            tls=trusting(authority),
            resolve=lambda *_: socket.getaddrinfo("127.0.0.1", port, type=socket.SOCK_STREAM),
        )
        over.set()
        thread.join(SECONDS)


def test_a_certificate_for_another_name_is_no_connection(tmp_path: Path) -> None:
    with (
        tls_server(tmp_path, "*.example.com", []) as client,
        pytest.raises(ZendeskUnreachableError, match="no connection"),
    ):
        push(client)


def test_a_server_that_drips_through_tls_is_given_up(tmp_path: Path) -> None:
    drops = [b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n", *[b"x"] * 900]
    with tls_server(tmp_path, "*.zendesk.com", drops) as client, pytest.raises(ZendeskTimeoutError):
        push(client, timeout=SHORT)


def test_a_handshake_that_nobody_answers_is_no_connection() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        client = ZendeskClient(
            BASE, resolve=lambda *_: socket.getaddrinfo("127.0.0.1", port, type=socket.SOCK_STREAM)
        )
        with pytest.raises(ZendeskUnreachableError, match="no connection"):
            push(client, timeout=SHORT)


def test_connections_end_with_their_owner() -> None:
    """Or each container of a test would leave a thousand open sockets behind; warnings are errors here."""
    with LoopbackZendesk() as zendesk:
        push(ZendeskClient(ZendeskAddresses(zendesk.url)))
