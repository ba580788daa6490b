"""Runs inside the container: Lambda's Runtime API for one invocation at a time, and a stopwatch.

https://docs.aws.amazon.com/lambda/latest/dg/runtimes-api.html

Only the standard library: the container has no more. Variants as JSON on stdin, times as JSON on stdout.
"""

import json
import os
import subprocess
import sys
import threading
import time
from http.server import BaseHTTPRequestHandler, HTTPServer


class RuntimeApi(HTTPServer):
    """Hands out one event, and takes note of when the runtime asked for it and when it answered."""

    def __init__(self, event: bytes) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.event = event
        self.asked_at: float | None = None
        self.answered_at: float | None = None
        self.answer = b""
        self.failure = b""
        self.done = threading.Event()


class _Handler(BaseHTTPRequestHandler):
    server: RuntimeApi
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        api = self.server
        if api.asked_at is not None:
            # The second request for an event: there is none. The process is ended meanwhile.
            api.done.wait()
            return
        api.asked_at = time.perf_counter()
        self.send_response(200)
        self.send_header("Lambda-Runtime-Aws-Request-Id", "00000000-0000-4000-8000-0000000000aa")
        self.send_header("Lambda-Runtime-Deadline-Ms", str(int((time.time() + 60) * 1000)))
        self.send_header(
            "Lambda-Runtime-Invoked-Function-Arn", "arn:aws:lambda:us-east-1:123456789012:function:f"
        )
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(api.event)))
        self.end_headers()
        self.wfile.write(api.event)

    def do_POST(self) -> None:
        api = self.server
        body = self.rfile.read(int(self.headers["Content-Length"] or 0))
        if self.path.endswith("/response"):
            api.answered_at, api.answer = time.perf_counter(), body
        else:
            api.failure = body
        self.send_response(202)
        self.send_header("Content-Length", "0")
        self.end_headers()
        api.done.set()

    def log_message(self, *_: object) -> None:
        """Nothing: what the server does is what is measured."""


def cold_start(handler: str, task_root: str, environment: dict[str, str], event: object) -> dict[str, float]:
    """Start the runtime, let it answer one event, and end it. Milliseconds since its start."""
    api = RuntimeApi(json.dumps(event).encode())
    serving = threading.Thread(target=api.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    serving.start()
    started_at = time.perf_counter()
    process = subprocess.Popen(
        [sys.executable, "-m", "awslambdaric", handler],
        cwd=task_root,
        env={
            **environment,
            "PATH": os.environ["PATH"],
            "PYTHONPATH": f"{task_root}:/var/runtime",
            "LAMBDA_TASK_ROOT": task_root,
            "AWS_LAMBDA_RUNTIME_API": f"127.0.0.1:{api.server_port}",
            "_HANDLER": handler,
        },
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
    )
    answered = api.done.wait(60)
    process.kill()
    _, errors = process.communicate()
    api.shutdown()
    api.server_close()
    if not answered or api.answered_at is None or api.asked_at is None:
        raise SystemExit(f"{handler}: {(api.failure or errors).decode(errors='replace')}")
    return {
        "imported": (api.asked_at - started_at) * 1000,
        "answered": (api.answered_at - started_at) * 1000,
    }


def main() -> None:
    """Every variant once a round, in turns; the first round warms the machine's caches and does not count."""
    given = json.load(sys.stdin)
    times: dict[str, list[dict[str, float]]] = {name: [] for name in given["variants"]}
    for number in range(given["rounds"] + 1):
        for name, variant in given["variants"].items():
            took = cold_start(
                variant["handler"], variant["task_root"], variant["environment"], variant["event"]
            )
            if number:
                times[name].append(took)
    json.dump(times, sys.stdout)


if __name__ == "__main__":
    main()
