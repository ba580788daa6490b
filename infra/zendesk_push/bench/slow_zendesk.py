"""A push endpoint on loopback that takes its time: for measuring what waiting for Zendesk costs, and nothing else."""

import json
import threading
import time
from collections.abc import Collection
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self


@dataclass(frozen=True)
class Pushed:
    """One request that was answered. ``at`` by time.monotonic."""

    account: str
    resources: int
    at: float


class SlowZendesk:
    """Answers every push with success after ``latency`` seconds, those of ``hanging`` accounts never.

    A context manager; ``url`` is its origin.
    """

    def __init__(self, latency: float, hanging: Collection[str] = ()) -> None:
        self.pushed: list[Pushed] = []
        self._released = threading.Event()
        owner = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            disable_nagle_algorithm = True

            def do_POST(self) -> None:
                message = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                account = str(message["instance_push_id"])
                if account in hanging:
                    owner._released.wait()
                    self.close_connection = True
                    return
                time.sleep(latency)
                resources = message["external_resources"]
                owner.pushed.append(Pushed(account, len(resources), time.monotonic()))
                self._answer(resources)

            def _answer(self, resources: list[Any]) -> None:
                results = [
                    {"external_resource_id": each["external_id"], "status": {"code": "success"}}
                    for each in resources
                ]
                body = json.dumps({"results": results}).encode()
                self.send_response(200)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 (the base class's name)
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._released.set()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()
