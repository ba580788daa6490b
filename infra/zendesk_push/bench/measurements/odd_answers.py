"""What an answer costs that is none of Zendesk's, and an address where nobody answers."""

import contextlib
import socket
import threading
import tracemalloc
from collections.abc import Iterator
from contextlib import ExitStack
from typing import Final

from push_content.answers.push_results import read_results
from push_content.answers.validation_errors import schema_errors
from zendesk_channel.addresses import ZendeskAddresses
from zendesk_channel.client import MAX_RESPONSE_BYTES, ZendeskClient
from zendesk_channel.contract import PushToken, Subdomain
from zendesk_channel.errors import ZendeskUnreachableError
from zendesk_channel.exchange_deadline import AddressInfo
from zendesk_push.bench.figures import Chapter, Effort, Figure, wall_seconds
from zendesk_push.simulator.silent_address import SilentAddress

_BODY: Final = b'{"instance_push_id": "a", "external_resources": [{}]}'
_ACME: Final = Subdomain("acme")
_TOKEN: Final = PushToken("0" * 64)
_MEGABYTE: Final = 1024 * 1024


def odd_answers(effort: Effort) -> Chapter:
    """One megabyte is read of any answer."""
    chapter = Chapter("Odd answers", "From a proxy, a maintenance page, or nobody.")
    page = b"x\n" * (MAX_RESPONSE_BYTES // 2)
    read = [wall_seconds(lambda: schema_errors(page, 256)) for _ in range(effort.rounds)]
    chapter.figures += [
        Figure("a page of 1 MB of short lines in place of a 400: to read it", read, "30", "-", " s"),
        Figure("an answer of 8 MB of empty lists: memory at most", [_memory()], "180", "-", " MB"),
        Figure(
            "six silent addresses, PushTimeoutSeconds 3: given up after", [_silent(effort)], "18", "3", " s"
        ),
    ]
    return chapter


def _memory() -> float:
    """Megabytes that reading and parsing takes, with what a 2xx of such a size is worth."""
    lists = b'{"results": [' + b"[]," * (8 * _MEGABYTE // 3) + b"[]]}"
    with _answering(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(lists) + lists) as url:
        client = ZendeskClient(ZendeskAddresses(url))
        tracemalloc.start()
        with contextlib.suppress(ZendeskUnreachableError):
            client.push(_ACME, _TOKEN, _BODY, timeout=30)
        read_results(lists[:MAX_RESPONSE_BYTES])  # the most that is ever parsed
        read_results(lists[: MAX_RESPONSE_BYTES - 5] + b"[]]}")
        _, peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()
    return peak / _MEGABYTE


def _silent(effort: Effort) -> float:
    timeout = 0.3 if effort.short else 3.0
    with ExitStack() as stack:
        ports = [stack.enter_context(SilentAddress()).port for _ in range(6)]

        def resolve(*_: object) -> list[AddressInfo]:
            return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("127.0.0.1", port)) for port in ports]

        client = ZendeskClient(ZendeskAddresses("https://{subdomain}.zendesk.com"), resolve=resolve)

        def push() -> None:
            with contextlib.suppress(ZendeskUnreachableError):
                client.push(_ACME, _TOKEN, _BODY, timeout=timeout)

        return wall_seconds(push)


@contextlib.contextmanager
def _answering(raw: bytes) -> Iterator[str]:
    """The origin of a server that says this to one request."""

    def serve() -> None:
        connection, _ = listener.accept()
        with connection, contextlib.suppress(OSError):
            received = b""
            while not received.endswith(b"}"):
                received += connection.recv(65_536)
            connection.sendall(raw)

    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        thread.join()
