"""The client against servers that misbehave on real sockets."""

import gzip
import json
import socket
import threading
import tracemalloc
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest

from zendesk_channel.addresses import ZendeskAddresses
from zendesk_channel.client import MAX_RESPONSE_BYTES, Verdict, ZendeskClient
from zendesk_channel.contract import InstancePushId, PushToken, Subdomain
from zendesk_channel.errors import ZendeskError, ZendeskTimeoutError, ZendeskUnreachableError
from zendesk_channel.exchange_deadline import AddressInfo
from zendesk_push.simulator import Fault, FaultKind, Simulator, ValidateTokenPolicy

TOKEN = PushToken("canary-0123456789abcdef")
ACME = Subdomain("acme")
ACCOUNT = InstancePushId("account-1")
SECONDS = 20.0  # more than anything here takes

Script = Callable[[socket.socket], None]


@contextmanager
def server(script: Script) -> Iterator[str]:
    """An origin whose connections are each given to the script, once the request was read."""
    listener = socket.create_server(("127.0.0.1", 0))
    listener.settimeout(SECONDS)
    over = threading.Event()

    def serve(connection: socket.socket) -> None:
        with connection:
            connection.settimeout(SECONDS)
            try:
                received = b""
                while b"\r\n\r\n" not in received or not received.endswith(b"}"):
                    received += connection.recv(65_536)
                script(connection)
            except OSError:
                return

    def accept() -> None:
        while True:
            connection, _ = listener.accept()
            if over.is_set():
                connection.close()
                return
            threading.Thread(target=serve, args=(connection,), daemon=True).start()

    thread = threading.Thread(target=accept, daemon=True)
    thread.start()
    port = listener.getsockname()[1]
    try:
        yield f"http://127.0.0.1:{port}"
    finally:
        over.set()
        socket.create_connection(("127.0.0.1", port)).close()
        thread.join(SECONDS)
        listener.close()


def says(*parts: bytes) -> Script:
    def script(connection: socket.socket) -> None:
        for part in parts:
            connection.sendall(part)

    return script


def client_of(url: str) -> ZendeskClient:
    return ZendeskClient(ZendeskAddresses(url))


def head(status: str, length: int, *headers: str) -> bytes:
    return "\r\n".join([f"HTTP/1.1 {status}", f"Content-Length: {length}", *headers, "", ""]).encode()


def test_an_answer_is_handed_on_as_it_is() -> None:
    with server(says(head("418 Teapot", 4, "X-Rate-Limit: 700", "Retry-After: 7"), b"text")) as url:
        answer = client_of(url).push(ACME, TOKEN, b"{}", timeout=SECONDS)

    assert (answer.status, answer.body) == (418, b"text")
    assert answer.headers.get("x-rate-limit") == "700"
    assert answer.headers.get("Retry-After") == "7"


def test_compressed_and_chunked_answers_are_read() -> None:
    packed = gzip.compress(b'{"results": []}')
    chunked = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n"
    with server(says(head("200 OK", len(packed), "Content-Encoding: gzip"), packed)) as url:
        assert client_of(url).push(ACME, TOKEN, b"{}", timeout=SECONDS).body == b'{"results": []}'
    with server(says(chunked)) as url:
        assert client_of(url).push(ACME, TOKEN, b"{}", timeout=SECONDS).body == b"abcde"


@pytest.mark.parametrize(
    "script",
    [
        says(),
        says(b"nonsense\r\n\r\n"),
        says(head("200 OK", 10), b"short"),
        says(head("200 OK", MAX_RESPONSE_BYTES + 1), bytes(MAX_RESPONSE_BYTES + 1)),
        says(b"HTTP/1.1 200 OK\r\n\r\n", bytes(8 * MAX_RESPONSE_BYTES)),
        says(head("200 OK", 4, "Content-Encoding: gzip"), b"nope"),
        says(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n"),
    ],
    ids=["nothing", "nonsense", "short", "too much", "far too much", "not gzip", "not chunked"],
)
def test_what_is_no_complete_answer_is_none(script: Script) -> None:
    with server(script) as url, pytest.raises(ZendeskUnreachableError):
        client_of(url).push(ACME, TOKEN, b"{}", timeout=SECONDS)


@pytest.mark.parametrize("status", ["400 Bad Request", "404 Not Found", "429 Too Many Requests", "500 Error"])
def test_of_a_page_that_is_too_long_the_status_counts(status: str) -> None:
    page = b"x\n" * MAX_RESPONSE_BYTES
    with server(says(head(status, len(page)), page)) as url:
        answer = client_of(url).push(ACME, TOKEN, b"{}", timeout=SECONDS)

    assert (answer.status, len(answer.body)) == (int(status[:3]), MAX_RESPONSE_BYTES)


def test_spaces_that_are_cut_off_are_no_empty_body() -> None:
    """An empty 200 confirms a token."""
    body = b" " * MAX_RESPONSE_BYTES + b"{}"
    with server(says(head("200 OK", len(body)), body)) as url:
        validation = client_of(url).validate_token(ACME, TOKEN, ACCOUNT, timeout=SECONDS)

    assert validation.verdict is Verdict.NO_VERDICT


def test_what_is_packed_is_bounded_unpacked() -> None:
    bomb = gzip.compress(bytes(256 * 1024 * 1024), compresslevel=1)
    with server(says(head("500 Error", len(bomb), "Content-Encoding: gzip"), bomb)) as url:
        tracemalloc.start()
        answer = client_of(url).push(ACME, TOKEN, b"{}", timeout=SECONDS)
        _, peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()

    assert len(answer.body) == MAX_RESPONSE_BYTES
    assert peak < 16 * MAX_RESPONSE_BYTES


def test_nobody_there() -> None:
    listener = socket.create_server(("127.0.0.1", 0))
    url = f"http://127.0.0.1:{listener.getsockname()[1]}"
    listener.close()

    with pytest.raises(ZendeskUnreachableError):
        client_of(url).push(ACME, TOKEN, b"{}", timeout=SECONDS)


def wait_before_answering(over: threading.Event) -> Script:
    def script(connection: socket.socket) -> None:
        over.wait(SECONDS)

    return script


def wait_in_the_middle(over: threading.Event) -> Script:
    def script(connection: socket.socket) -> None:
        connection.sendall(head("200 OK", 10) + b"12345")
        over.wait(SECONDS)

    return script


def drip(begun: bytes, drop: bytes = b"x") -> Callable[[threading.Event], Script]:
    """What goes on arriving, and never ends."""

    def until(over: threading.Event) -> Script:
        def script(connection: socket.socket) -> None:
            connection.sendall(begun)
            while not over.wait(0.02):
                connection.sendall(drop)

        return script

    return until


@pytest.mark.parametrize(
    "script",
    [
        wait_before_answering,
        wait_in_the_middle,
        pytest.param(drip(head("200 OK", 1000)), id="body"),
        pytest.param(drip(b"HTTP/1.1 200 OK\r\n\r\n"), id="body-without-length"),
        pytest.param(drip(b"HTTP/1.1 200 OK\r\nX-Slow: "), id="header"),
        pytest.param(drip(b"HTTP/1.1 200 OK\r\n", b"X: 1\r\n"), id="headers"),
    ],
)
def test_an_answer_that_is_not_complete_in_time(script: Callable[[threading.Event], Script]) -> None:
    over = threading.Event()
    with server(script(over)) as url:
        with pytest.raises(ZendeskTimeoutError):
            client_of(url).push(ACME, TOKEN, b"{}", timeout=0.3)
        over.set()


def test_a_request_that_is_not_taken_in_time() -> None:
    """More than the buffers on the way hold, and nobody reads it."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        client = client_of(f"http://127.0.0.1:{listener.getsockname()[1]}")
        with pytest.raises(ZendeskTimeoutError):
            client.push(ACME, TOKEN, b"x" * 32 * 1024 * 1024, timeout=0.3)


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_no_redirect_is_followed(status: int) -> None:
    visits: list[int] = []
    with server(lambda _: visits.append(1)) as elsewhere:
        answer = head(f"{status} Moved", 0, f"Location: {elsewhere}/")
        with server(says(answer)) as url:
            assert client_of(url).push(ACME, TOKEN, b"{}", timeout=SECONDS).status == status

    assert visits == []


def test_nothing_is_repeated() -> None:
    visits: list[int] = []
    with server(lambda _: visits.append(1)) as url, pytest.raises(ZendeskUnreachableError):
        client_of(url).push(ACME, TOKEN, b"{}", timeout=SECONDS)

    assert visits == [1]


def test_no_error_holds_the_token() -> None:
    """Not in its text, and not in what it was raised from: urllib3's own exceptions hold the request."""
    over = threading.Event()
    for script in (says(), says(b"nonsense\r\n\r\n"), wait_before_answering(over)):
        with server(script) as url, pytest.raises(ZendeskError) as raised:
            client_of(url).push(ACME, TOKEN, b"{}", timeout=0.3)
        assert raised.value.__cause__ is None
        assert raised.value.__suppress_context__
        assert TOKEN.reveal() not in repr(raised.value) + repr(raised.value.args)
    over.set()


def test_what_is_sent() -> None:
    with Simulator() as zendesk:
        account = zendesk.core.create_account("acme", name="Acme")
        token = PushToken(account.token or "")
        client_of(zendesk.url).push(ACME, token, b'{"a": 1e400}', timeout=SECONDS)
        (request,) = zendesk.core.requests

    headers = {name.lower(): value for name, value in request.headers}
    assert request.body == b'{"a": 1e400}'
    assert headers["authorization"] == f"Bearer {token.reveal()}"
    assert headers["content-type"] == "application/json"
    assert "zendesk-push" in headers["user-agent"]


def test_names_below_localhost_are_this_machine_and_stay_the_host() -> None:
    with Simulator() as zendesk:
        account = zendesk.core.create_account("acme", name="Acme")
        client = client_of(f"http://{{subdomain}}.localhost:{zendesk.port}")
        key, token = InstancePushId(account.instance_push_id), PushToken(account.token or "")

        assert client.validate_token(ACME, token, key).verdict is Verdict.CONFIRMED
        assert client.validate_token(Subdomain("globex"), token, key).verdict is Verdict.REFUSED


@pytest.mark.parametrize(
    ("answer", "verdict", "credentials"),
    [
        (head("200 OK", 4) + b"null", Verdict.CONFIRMED, False),
        (head("200 OK", 0), Verdict.CONFIRMED, False),
        (head("200 OK", 6) + b" null\n", Verdict.CONFIRMED, False),
        (head("200 OK", 4) + b"true", Verdict.NO_VERDICT, False),
        (head("200 OK", 6) + b"<html>", Verdict.NO_VERDICT, False),
        (head("201 Created", 4) + b"null", Verdict.NO_VERDICT, False),
        (head("401 Unauthorized", 0), Verdict.REFUSED, True),
        (head("403 Forbidden", 0), Verdict.REFUSED, True),
        (head("404 Not Found", 0), Verdict.REFUSED, False),
        (head("302 Found", 0, "Location: https://example.com"), Verdict.REFUSED, False),
        (head("400 Bad Request", 0), Verdict.NO_VERDICT, False),
        (head("429 Too Many Requests", 0), Verdict.NO_VERDICT, False),
        (head("500 Error", 0), Verdict.NO_VERDICT, False),
        (b"", Verdict.NO_VERDICT, False),
    ],
)
def test_verdicts(answer: bytes, verdict: Verdict, credentials: bool) -> None:
    with server(says(answer)) as url:
        validation = client_of(url).validate_token(ACME, TOKEN, ACCOUNT, timeout=SECONDS)

    assert (validation.verdict, validation.credentials_refused) == (verdict, credentials)


def test_a_validation_that_hangs_is_no_verdict() -> None:
    with Simulator() as zendesk:
        zendesk.core.validate_token_policy = ValidateTokenPolicy.HANG

        assert (
            client_of(zendesk.url).validate_token(ACME, TOKEN, ACCOUNT, timeout=0.2).verdict
            is Verdict.NO_VERDICT
        )


def test_connections_are_kept_and_dropped_after_an_idle_time() -> None:
    """After a freeze a kept connection may be dead, and the request on it lost."""
    now = [1_800_000_000.0]
    connections: list[socket.socket] = []

    def answers(connection: socket.socket) -> None:
        connections.append(connection)
        for _ in range(3):
            connection.sendall(head("200 OK", 2) + b"{}")
            if not connection.recv(65_536):
                return

    with server(answers) as url:
        client = ZendeskClient(ZendeskAddresses(url), clock=lambda: now[0])
        for idle in (0, 1, 60):
            now[0] += idle
            assert client.push(ACME, TOKEN, b"{}", timeout=SECONDS).status == 200

    assert len(connections) == 2


def test_what_follows_an_interim_answer_is_not_the_next_requests() -> None:
    connections: list[socket.socket] = []

    def answers(connection: socket.socket) -> None:
        connections.append(connection)
        connection.sendall(b"HTTP/1.1 103 Early Hints\r\n\r\n")
        connection.recv(65_536)  # the client hangs up, or asks again
        connection.sendall(head("200 OK", 4) + b"null")

    with server(answers) as url:
        client = client_of(url)
        for _ in range(2):
            assert client.push(ACME, TOKEN, b"{}", timeout=SECONDS).status == 103

    assert len(connections) == 2


def test_what_cannot_be_a_host_is_no_connection() -> None:
    def resolve(*_: object) -> list[AddressInfo]:
        raise UnicodeError("label too long")

    client = ZendeskClient(ZendeskAddresses("https://{subdomain}.zendesk.com"), resolve=resolve)
    with pytest.raises(ZendeskUnreachableError):
        client.push(ACME, TOKEN, b"{}", timeout=SECONDS)


def test_many_threads_share_one_client() -> None:
    with Simulator() as zendesk:
        accounts = [zendesk.core.create_account(f"customer{n}", name="x") for n in range(16)]
        client = client_of(zendesk.url)
        statuses: list[int] = []

        def push(index: int) -> None:
            account = accounts[index]
            body = json.dumps(
                {"instance_push_id": account.instance_push_id, "external_resources": []}
            ).encode()
            token = PushToken(account.token or "")
            subdomain = Subdomain(account.subdomain)
            statuses.extend(client.push(subdomain, token, body, timeout=SECONDS).status for _ in range(3))

        threads = [threading.Thread(target=push, args=(n,)) for n in range(16)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

    assert len(statuses) == 48


def test_a_simulated_lost_reply_is_unreachable_and_a_hang_a_timeout() -> None:
    with Simulator() as zendesk:
        account = zendesk.core.create_account("acme", name="Acme")
        token = PushToken(account.token or "")
        zendesk.core.switch_on(Fault(FaultKind.DROP_CONNECTION, count=1))
        with pytest.raises(ZendeskUnreachableError):
            client_of(zendesk.url).push(ACME, token, b"{}", timeout=SECONDS)
        zendesk.core.switch_on(Fault(FaultKind.HANG, count=1))
        with pytest.raises(ZendeskTimeoutError):
            client_of(zendesk.url).push(ACME, token, b"{}", timeout=0.3)
