"""A push endpoint on loopback that takes its time, in a process of its own: its CPU is not the measured one's.

with LoopbackZendesk(latency=0.05, slow={"a0": math.inf}) as zendesk:
    ...  # push to zendesk.url
    zendesk.pushed()
"""

import argparse
import asyncio
import json
import math
import socket
import ssl
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Self

from zendesk_push.bench.certificates import trusting, write_certificate
from zendesk_push.errors import CommandError

_PUSHED: Final = "/pushed"
_BACKLOG: Final = 2_048


@dataclass(frozen=True)
class PushesSeen:
    """One request that was answered. ``at`` by ``time.monotonic``, which all processes of a machine share."""

    account: str
    resources: int
    at: float


class LoopbackZendesk:
    """Answers every push with success after ``latency`` seconds, those of ``slow`` accounts after theirs, which may
    be forever.

    A context manager. With ``tls`` it is every customer's Zendesk: ``https://{subdomain}.zendesk.com`` for a
    client that is given ``tls`` and ``resolve``.
    """

    def __init__(
        self, *, latency: float = 0, slow: Mapping[str, float] | None = None, tls: bool = False
    ) -> None:
        self._options = ["--latency", str(latency), "--slow", json.dumps(slow or {})]
        self._with_tls = tls
        self.url = ""
        self.tls: ssl.SSLContext | None = None

    def __enter__(self) -> Self:
        options = list(self._options)
        self._directory = tempfile.TemporaryDirectory()
        if self._with_tls:
            certificate, authority = write_certificate(Path(self._directory.name), ["*.zendesk.com"])
            self.tls = trusting(authority)
            options += ["--certificate", str(certificate)]
        self._process = subprocess.Popen(
            [sys.executable, "-m", __name__, *options], stdout=subprocess.PIPE, text=True
        )
        line = self._process.stdout.readline() if self._process.stdout else ""
        if not line:
            raise CommandError("the loopback Zendesk does not start")
        self._port, self._reports = json.loads(line)
        self.url = "https://{subdomain}.zendesk.com" if self._with_tls else f"http://127.0.0.1:{self._port}"
        return self

    def __exit__(self, *_: object) -> None:
        self._process.kill()
        self._process.wait()
        if self._process.stdout:
            self._process.stdout.close()
        self._directory.cleanup()

    def resolve(self, host: str, port: int) -> Sequence[Any]:  # noqa: ARG002 (it is at this port)
        """All names are here."""
        return socket.getaddrinfo("127.0.0.1", self._port, type=socket.SOCK_STREAM)

    def pushed(self) -> list[PushesSeen]:
        """What has been answered so far, in order."""
        return [PushesSeen(*each) for each in self._report()["pushed"]]

    def connections(self) -> int:
        """How many connections were made so far."""
        return int(self._report()["connections"])

    def _report(self) -> Any:
        with urllib.request.urlopen(f"http://127.0.0.1:{self._reports}{_PUSHED}") as answer:
            return json.load(answer)


class _Server:
    def __init__(self, latency: float, slow: Mapping[str, float]) -> None:
        self._latency = latency
        self._slow = slow
        self._pushed: list[tuple[str, int, float]] = []
        self._connections = 0
        self._never = asyncio.Event()  # one for all: asyncio drops a task that only it waits for

    async def push(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One connection of a customer's."""
        self._connections += 1
        try:
            while True:
                answer = await self._answer(await _request(reader))
                writer.write(answer)
                await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError):
            writer.close()

    async def report(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """What has been seen, for whoever measures."""
        await reader.readuntil(b"\r\n\r\n")
        writer.write(_http({"pushed": self._pushed, "connections": self._connections}))
        await writer.drain()
        writer.close()

    async def _answer(self, body: bytes) -> bytes:
        message = json.loads(body)
        account, resources = message["instance_push_id"], message["external_resources"]
        latency = self._slow.get(account, self._latency)
        if latency:
            await (self._never.wait() if latency == math.inf else asyncio.sleep(latency))
        self._pushed.append((account, len(resources), time.monotonic()))
        results = [
            {"external_resource_id": each["external_id"], "status": {"code": "success"}} for each in resources
        ]
        return _http({"results": results})


async def _request(reader: asyncio.StreamReader) -> bytes:
    head = await reader.readuntil(b"\r\n\r\n")
    length = head.lower().partition(b"content-length: ")[2].partition(b"\r\n")[0]
    return await reader.readexactly(int(length))


def _http(answer: object) -> bytes:
    body = json.dumps(answer).encode()
    head = (
        "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nX-Rate-Limit: 100000\r\n"
        f"X-Rate-Limit-Remaining: 99999\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    return head.encode() + body


async def _serve(latency: float, slow: Mapping[str, float], certificate: str | None) -> None:
    server = _Server(latency, slow)
    context = None
    if certificate:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate)
    pushes = await asyncio.start_server(
        server.push, "127.0.0.1", 0, ssl=context, backlog=_BACKLOG, limit=2**24
    )
    reports = await asyncio.start_server(server.report, "127.0.0.1", 0)
    print(json.dumps([each.sockets[0].getsockname()[1] for each in (pushes, reports)]), flush=True)
    await asyncio.gather(pushes.serve_forever(), reports.serve_forever())


def _main() -> None:
    parser = argparse.ArgumentParser(prog="loopback_zendesk")
    parser.add_argument("--latency", type=float, default=0)
    parser.add_argument("--slow", type=json.loads, default={})
    parser.add_argument("--certificate")
    options = parser.parse_args()
    asyncio.run(_serve(options.latency, options.slow, options.certificate))


if __name__ == "__main__":
    _main()
