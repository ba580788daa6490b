"""``make run`` on a real terminal: a pty of a given size."""

import fcntl
import os
import pty
import re
import select
import signal
import struct
import subprocess
import sys
import termios
import time
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from integration.local.conftest import SECONDS


class Pty:
    """A command on a terminal, and what it has written there."""

    def __init__(self, *arguments: str, columns: int, rows: int) -> None:
        self.master, slave = pty.openpty()
        self.resize(columns, rows, tell=False)
        self.process = subprocess.Popen(
            [sys.executable, "-m", "zendesk_push.cli", "local", *arguments],
            stdin=slave,
            stdout=slave,
            stderr=slave,
            start_new_session=True,
            # A size in the environment, as test runners leave there, would count for more than the terminal's own.
            env={key: value for key, value in os.environ.items() if key not in ("COLUMNS", "LINES")}
            | {"TERM": "xterm-256color"},
        )
        os.close(slave)
        self.written = ""

    def resize(self, columns: int, rows: int, *, tell: bool = True) -> None:
        fcntl.ioctl(self.master, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
        if tell:  # the kernel tells a terminal's foreground group only
            self.process.send_signal(signal.SIGWINCH)

    def read_until(self, pattern: str, start: int = 0) -> str:
        """Everything from ``start`` on, once it holds the pattern."""
        deadline = time.monotonic() + SECONDS
        while not re.search(pattern, self.written[start:]):
            left = deadline - time.monotonic()
            assert left > 0, self.written
            if select.select([self.master], [], [], left)[0]:
                try:
                    self.written += os.read(self.master, 65_536).decode("utf-8", "replace")
                except OSError:
                    assert re.search(pattern, self.written[start:]), self.written
        return self.written[start:]


@contextmanager
def terminal(*arguments: str, columns: int = 80, rows: int = 24) -> Iterator[Pty]:
    opened = Pty(*arguments, columns=columns, rows=rows)
    try:
        yield opened
    finally:
        opened.process.kill()
        opened.process.wait()
        os.close(opened.master)


def table(text: str) -> list[str]:
    """The lines of the table that was drawn last, from where its cursor is hidden to its foot."""
    drawn = re.findall(r"(?s)\x1b\[\?25l((?:(?!\x1b\[\?25l).)*?Ctrl-C stops)", text)[-1]
    return re.sub(r"\x1b\[[0-9;?]*[a-zA-Z]", "", drawn).replace("\r", "").splitlines()


def test_it_shows_says_that_all_is_well_and_stops() -> None:
    with terminal() as opened:
        text = opened.read_until(r"all as it should be")
        assert "Ctrl-C stops" in text
        assert "7 messages: 5 delivered, 2 dead letters with their reasons" in text
        before = len(opened.written)
        opened.resize(60, 16)
        # What was drawn before may still be on its way.
        again = opened.read_until(r"(?s)\x1b\[2J.*\x1b\[\?25l.*Ctrl-C stops", before)
        assert [line for line in table(again) if len(line) > 60] == []
        opened.process.send_signal(signal.SIGINT)
        opened.read_until("stopping")
        assert opened.process.wait(15) == 0


@pytest.mark.parametrize("columns", [80, 200])
def test_once_ends_with_the_verdict_below_the_table(columns: int) -> None:
    with terminal("--once", columns=columns) as opened:
        text = opened.read_until(r"all as it should be\. [0-9.]+ s in all")
        assert opened.process.wait(15) == 0
    assert text.rindex("Ctrl-C stops") < text.rindex("all as it should be")


def test_a_terminal_that_is_closed_stops_it() -> None:
    with terminal("--no-samples") as opened:
        opened.read_until("drop your own")
        os.close(opened.master)
        opened.process.send_signal(signal.SIGHUP)  # the kernel's doing where it is the session's terminal
        assert opened.process.wait(15) == 0
        opened.master = os.open(os.devnull, os.O_RDONLY)
