"""A Zendesk that knows validate_token only, and answers it as a test says: whatever status and body, or nothing."""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


@dataclass(frozen=True)
class Asked:
    """One request as it arrived."""

    subdomain: str
    path: str
    token: str
    body: dict[str, Any]


@dataclass
class LoopbackZendesk:
    """``accepted`` holds (subdomain, instance_push_id, token); ``scripted`` answers go first, one after the other."""

    accepted: set[tuple[str, str, str]] = field(default_factory=set)
    scripted: list[tuple[int, bytes, dict[str, str]]] = field(default_factory=list)
    down: set[str] = field(default_factory=set)  # subdomains that answer 500
    asked: list[Asked] = field(default_factory=list)
    port: int = 0
    before_answer: Any = None  # called with the Asked, to make something happen meanwhile

    @property
    def base_url(self) -> str:
        """As ZENDESK_BASE_URL."""
        return f"http://{{subdomain}}.localhost:{self.port}"

    def origin(self, subdomain: str) -> str:
        return self.base_url.replace("{subdomain}", subdomain)

    def accept(self, subdomain: str, instance_push_id: str, token: str) -> None:
        self.accepted.add((subdomain, instance_push_id, token))

    def answer(self, asked: Asked) -> tuple[int, bytes, dict[str, str]]:
        self.asked.append(asked)
        if self.before_answer:
            self.before_answer(asked)
        if self.scripted:
            return self.scripted.pop(0)
        if asked.subdomain in self.down:
            return 500, b"<h1>Something went wrong</h1>", {}
        if (asked.subdomain, asked.body.get("instance_push_id"), asked.token) in self.accepted:
            return 200, b"null", {}
        return 401, b'{"error": "invalid_token"}', {}


@contextmanager
def running() -> Iterator[LoopbackZendesk]:
    zendesk = LoopbackZendesk()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            length = int(self.headers.get("Content-Length", "0"))
            asked = Asked(
                self.headers["Host"].split(".")[0],
                self.path,
                self.headers.get("Authorization", "").removeprefix("Bearer "),
                json.loads(self.rfile.read(length)),
            )
            status, body, headers = zendesk.answer(asked)
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *args: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    zendesk.port = server.server_address[1]
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    try:
        yield zendesk
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
