"""The process that is AWS on this machine, from the outside."""

import json
import os
import subprocess
import sys
from typing import IO, Final

from zendesk_push.local.errors import LocalStackError

ACCOUNT_ID: Final = "123456789012"  # moto's
REGION: Final = "us-east-1"
# moto takes any; these can't be mistaken for real ones.
CREDENTIALS: Final = {
    "AWS_ACCESS_KEY_ID": "AKIALOCALEXAMPLE",
    "AWS_SECRET_ACCESS_KEY": "local-example",
    "AWS_SESSION_TOKEN": "local-example",
}

_PROGRAM: Final = "zendesk_push.local.aws_server"


class MotoProcess:
    """moto's server in a process of its own. It starts at once; ``wait_until_ready`` says where it answers.

    Args:
        bind: the address it listens on, at a free port.
    """

    def __init__(self, bind: str) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-W", "ignore", "-m", _PROGRAM, bind],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            start_new_session=True,  # Ctrl-C is for the one who started this, who stops things in order
            env=_environment(),
            text=True,
        )

    def wait_until_ready(self) -> int:
        """Block until the server listens; returns its port.

        Raises:
            LocalStackError: it ended instead; what it said is on stderr.
        """
        line = _pipe(self._process.stdout).readline()
        if not line:
            raise LocalStackError("moto's server did not start; its own message is above")
        return int(json.loads(line)["port"])

    def stop(self) -> None:
        """End the process, and with it everything that it holds. A second time does nothing."""
        self._process.kill()
        self._process.wait()
        _pipe(self._process.stdin).close()
        _pipe(self._process.stdout).close()


def _pipe(pipe: IO[str] | None) -> IO[str]:
    assert pipe is not None, "Popen was asked for a pipe"  # noqa: S101
    return pipe


def _environment() -> dict[str, str]:
    """Our own, without what AWS's clients or moto read: a developer's settings must not change what moto does."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "MOTO_"))}
    return {**kept, **CREDENTIALS, "AWS_DEFAULT_REGION": REGION}
