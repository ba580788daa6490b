"""What the operators' commands share at the terminal: tables, times, ages, questions."""

import re
import sys
import unicodedata
from datetime import UTC, datetime
from typing import Final

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table

from zendesk_push.errors import UsageError

_DURATION: Final = re.compile(r"(?:(\d+)d)?(?:(\d+)h)?(?:(\d+)m)?(?:(\d+)s)?", re.ASCII)
_UNITS: Final = (("d", 86400), ("h", 3600), ("m", 60), ("s", 1))
_PIPE_WIDTH: Final = 100_000  # columns: where nobody looks, a line stays a line for grep


class _Console(Console):
    def on_broken_pipe(self) -> None:
        """Leave it to the command line: rich would end the process with a failure's exit code."""
        raise


def output() -> Console:
    """The console for a command's result, on stdout."""
    return _Console(highlight=False, markup=False, width=None if sys.stdout.isatty() else _PIPE_WIDTH)


def remarks() -> Console:
    """The console for progress and remarks, on stderr: stdout can be piped on."""
    width = None if sys.stderr.isatty() else _PIPE_WIDTH
    return _Console(stderr=True, highlight=False, markup=False, soft_wrap=True, width=width)


def table(*columns: str, right: tuple[str, ...] = ()) -> Table:
    """An empty table in this project's plain style; the columns named in ``right`` are numbers."""
    made = Table(box=None, pad_edge=False, header_style="bold")
    for column in columns:
        made.add_column(column, justify="right" if column in right else "left", overflow="fold")
    return made


def progress_bar() -> Progress:
    """A progress bar on stderr, drawn only where somebody looks."""
    console = remarks()
    return Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
        console=console,
        disable=not console.is_terminal,
        transient=True,
    )


def printable(text: str) -> str:
    """A stranger's text without what would move the cursor or change colours; line feeds and tabs stay."""
    return "".join(
        character
        if character in "\n\t" or unicodedata.category(character) not in ("Cc", "Cf", "Cs")
        else "\ufffd"
        for character in text
    )


def timestamp(seconds: float | None) -> str:
    """Epoch seconds as ``2026-01-31 12:00:00Z``; ``-`` for None."""
    return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%d %H:%M:%S}Z" if seconds else "-"


def isoformat(seconds: float | None) -> str | None:
    """Epoch seconds as ISO 8601 with a Z, for JSON."""
    return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%dT%H:%M:%S}Z" if seconds else None


def duration(seconds: float) -> str:
    """A span in its two largest units, such as ``2d 3h``."""
    rest = max(0, int(seconds))
    parts = []
    for unit, size in _UNITS:
        if rest >= size:
            parts.append(f"{rest // size}{unit}")
            rest %= size
    return " ".join(parts[:2]) or "0s"


def parse_duration(text: str) -> int:
    """Seconds of ``90s``, ``15m``, ``1h30m``, ``2d``.

    Raises:
        UsageError: it is not such a span.
    """
    found = _DURATION.fullmatch(text)
    if not found or not text:
        raise UsageError(f"{text!r} is not a span of time such as 90s, 15m, 1h30m or 2d")
    return sum(int(count) * size for count, (_, size) in zip(found.groups(), _UNITS, strict=True) if count)


def confirm(question: str, *, assume_yes: bool) -> bool:
    """Ask at the terminal; only ``y`` and ``yes`` are a yes.

    Raises:
        UsageError: nobody is there to ask.
    """
    if assume_yes:
        return True
    if not sys.stdin.isatty():
        raise UsageError("nobody is there to confirm this: give --yes, or --dry-run to look first")
    sys.stderr.write(f"{question} [y/N] ")
    sys.stderr.flush()
    return sys.stdin.readline().strip().lower() in ("y", "yes")
