"""A minimal integration on loopback, to see what the simulated Zendesk sends to one."""

from __future__ import annotations

import html
import json
import threading
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl


@dataclass
class ExampleIntegration:
    """Answers the manifest, shows the form that leads back, and records everything it is sent."""

    manifest: dict[str, Any] = field(default_factory=dict)
    callbacks: list[list[tuple[str, str]]] = field(default_factory=list)
    """The form fields of each callback, in the order and with the repetitions that came."""
    content_types: list[str] = field(default_factory=list)
    event_bodies: list[Any] = field(default_factory=list)
    metadata: str = '{"remembered": "ünïcode & <b>"}'
    page_status: int = 200
    channelbacks: list[list[tuple[str, str]]] = field(default_factory=list)
    channelback_status: int = 200
    channelback_body: str = '{"external_id": "reply-1", "allow_channelback": true}'

    def __post_init__(self) -> None:
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(self))
        self._server.daemon_threads = False
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,))
        self._thread.start()
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        self.manifest = {
            "name": "Example channel",
            "id": "https://example.com/channel",
            "author": "Example Ltd",
            "push_client_id": "example_client",
            "urls": {
                "admin_ui": f"{self.url}/admin_ui",
                "event_callback_url": f"{self.url}/event_callback",
            },
        }

    @property
    def manifest_url(self) -> str:
        return f"{self.url}/manifest.json"

    def close(self) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    def page(self, fields: dict[str, str]) -> str:
        name, url, metadata = (
            html.escape(text)
            for text in (fields.get("name", ""), fields.get("return_url", ""), self.metadata)
        )
        return (
            '<!doctype html><title>Example</title><body data-state="connected"><h1>Connected</h1>'
            f'<form method="post" action="{url}"><label>Name <input name="name" value="{name}" required></label>'
            f'<input type="hidden" name="metadata" value="{metadata}"><button>Save</button></form></body>'
        )

    def events(self) -> list[dict[str, Any]]:
        return [event for body in self.event_bodies for event in body["events"]]


def _handler(integration: ExampleIntegration) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self._answer(200, "application/json", json.dumps(integration.manifest))

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            if self.path == "/channelback":
                text = body.decode("ascii")
                fields = parse_qsl(text, keep_blank_values=True, strict_parsing=True, errors="surrogatepass")
                integration.channelbacks.append(fields)
                self._answer(integration.channelback_status, "application/json", integration.channelback_body)
                return
            if self.path == "/event_callback":
                integration.event_bodies.append(json.loads(body))
                self._answer(200, "application/json", "{}")
                return
            fields = parse_qsl(body.decode("ascii"), keep_blank_values=True, strict_parsing=True)
            integration.callbacks.append(fields)
            integration.content_types.append(self.headers["Content-Type"])
            self._answer(integration.page_status, "text/html; charset=utf-8", integration.page(dict(fields)))

        def _answer(self, status: int, content_type: str, text: str) -> None:
            body = text.encode()
            self.send_response(status)
            self.send_header("Content-Type", content_type)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class's name
            pass

    return Handler
