"""A running ``zendesk-push local`` in a process of its own, and commands that find it by themselves."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import urllib3

SECONDS = 90
PROGRAM = [sys.executable, "-m", "zendesk_push.cli"]


@dataclass(frozen=True)
class Ran:
    """How a command ended."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)


class RunningLocal:
    """A running stack, and the commands in its neighbourhood."""

    def __init__(self, folder: Path) -> None:
        self.environment = {**os.environ, "XDG_RUNTIME_DIR": str(folder)}
        self.environment.pop("ZENDESK_PUSH_STACK", None)
        self.ready_file = folder / "ready.json"
        self.process = subprocess.Popen(
            [*PROGRAM, "local", "--ready-file", str(self.ready_file)],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            env=self.environment,
            start_new_session=True,
        )

    def wait_until_ready(self) -> None:
        deadline = time.monotonic() + SECONDS
        while not self.ready_file.exists():
            assert self.process.poll() is None, self.process.communicate()[0]
            assert time.monotonic() < deadline
            time.sleep(0.05)

    def run(self, *arguments: str) -> Ran:
        done = subprocess.run(
            [*PROGRAM, *arguments], capture_output=True, text=True, env=self.environment, check=False
        )
        return Ran(done.returncode, done.stdout, done.stderr)

    @property
    def ready(self) -> Any:
        """What the ready file says."""
        return json.loads(self.ready_file.read_text())

    def fault(self, **fault: Any) -> None:
        url = f"{self.ready['zendesk_url']}/simulator/faults"
        assert urllib3.request("POST", url, json=fault).status < 300


@contextmanager
def running_local(folder: Path) -> Iterator[RunningLocal]:
    """One that is ready; it ends with the context. ``folder`` is where it says that it runs."""
    local = RunningLocal(folder)
    try:
        local.wait_until_ready()
        yield local
        local.process.send_signal(signal.SIGINT)
        local.process.communicate(timeout=SECONDS)
    finally:
        local.process.kill()
        local.process.communicate()
