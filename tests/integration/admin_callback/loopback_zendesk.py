"""A scripted Zendesk over real HTTP."""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from worlds.scripted_zendesk import Asked, ScriptedZendesk


@contextmanager
def running() -> Iterator[ScriptedZendesk]:
    zendesk = ScriptedZendesk()

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
    zendesk.base_url = f"http://{{subdomain}}.localhost:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    try:
        yield zendesk
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
