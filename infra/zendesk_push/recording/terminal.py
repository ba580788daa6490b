"""A command in a terminal of its own, and what its screen showed when."""

import fcntl
import os
import pty
import re
import select
import signal
import struct
import subprocess
import termios
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Final

import pyte

# A row of the screen: stretches of text of one colour, blanks at its end left out.
Row = tuple[tuple[str, str], ...]

_SETTLED: Final = 0.08  # seconds without output: a screen that is being painted is none
_ENDS_WITHIN: Final = 20  # seconds after Ctrl-C
_READ: Final = 65_536


class RecordingError(Exception):
    """The command did not show what it was to show."""


@dataclass
class Recording:
    """What was on the screen, and since when, in seconds since the start."""

    columns: int
    lines: int
    frames: list[tuple[float, tuple[Row, ...]]] = field(default_factory=list)


@contextmanager
def recorded(
    command: Sequence[str], until: re.Pattern[str], *, columns: int, lines: int, timeout: float
) -> Iterator[Recording]:
    """Run a command until its screen shows ``until``; it goes on running inside the block and is stopped after it.

    Raises:
        RecordingError: it ended, or did not show that within ``timeout`` seconds.
    """
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", lines, columns, 0, 0))
    process = subprocess.Popen(
        command,
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        start_new_session=True,
        env=os.environ | {"TERM": "xterm-256color", "COLUMNS": str(columns), "LINES": str(lines)},
    )
    os.close(theirs)
    reader = threading.Thread(target=_read_on, args=(ours,))
    try:
        recording = _watch(ours, Recording(columns, lines), until, time.monotonic() + timeout)
        reader.start()
        yield recording
    finally:
        process.send_signal(signal.SIGINT)
        if not reader.is_alive():
            reader.start()
        process.wait(_ENDS_WITHIN)
        reader.join()
        os.close(ours)


def _read_on(terminal: int) -> None:
    """Take what nobody looks at any longer, until the command ends: it would wait for its terminal."""
    try:
        while os.read(terminal, _READ):
            pass
    except OSError:  # Linux says so where the other side is closed
        return


def _watch(terminal: int, recording: Recording, until: re.Pattern[str], deadline: float) -> Recording:
    screen = pyte.Screen(recording.columns, recording.lines)
    stream = pyte.ByteStream(screen)
    started = time.monotonic()
    while time.monotonic() < deadline:
        if select.select([terminal], [], [], _SETTLED)[0]:
            try:
                stream.feed(os.read(terminal, _READ))
            except OSError:  # Linux says so where the other side is closed
                raise RecordingError("the command ended by itself") from None
            continue
        rows = tuple(_row(screen, line) for line in range(recording.lines))
        if not recording.frames or recording.frames[-1][1] != rows:
            recording.frames.append((time.monotonic() - started, rows))
        if until.search("\n".join(screen.display)):
            return recording
    raise RecordingError(f"the screen never showed {until.pattern!r}")


def _row(screen: pyte.Screen, line: int) -> Row:
    stretches: list[list[str]] = []
    for column in range(len(screen.display[line].rstrip())):
        character = screen.buffer[line][column]
        colour = character.fg if character.fg != "default" else "bold" if character.bold else "default"
        if not stretches or stretches[-1][0] != colour:
            stretches.append([colour, ""])
        stretches[-1][1] += character.data
    return tuple((colour, text) for colour, text in stretches)
