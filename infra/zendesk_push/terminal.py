"""What the commands share at the terminal: lines, tables, times, ages, questions, and an orderly end.

Text is printed as it is: nothing here reads markup, turns ``:smile:`` into a picture, or wraps an id.
"""

import json
import os
import re
import shutil
import signal
import sys
import unicodedata
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from types import FrameType
from typing import TYPE_CHECKING, Any, Final, TextIO

from zendesk_push.errors import UsageError

if TYPE_CHECKING:
    from rich.progress import Progress

_DURATION: Final = re.compile(r"(?:(\d+)d)?(?:(\d+)h)?(?:(\d+)m)?(?:(\d+)s)?", re.ASCII)
_UNITS: Final = (("d", 86400), ("h", 3600), ("m", 60), ("s", 1))
_STYLES: Final = {"bold": "1", "dim": "2", "green": "32", "yellow": "33", "red": "1;31"}
_BETWEEN_COLUMNS: Final = "  "


@dataclass(frozen=True)
class Column:
    """A table's column. ``least``: where lines would be too long, its cells may be cut to so many characters."""

    title: str
    right: bool = False
    least: int | None = None


def remark(text: str) -> None:
    """A line that is not the command's result, on stderr: stdout can be piped on."""
    print(text, file=sys.stderr, flush=True)


def styled(text: str, style: str, stream: TextIO | None = None) -> str:
    """Text in a style of the terminal's, where the stream (stdout) is one and NO_COLOR is not set."""
    shown = (stream or sys.stdout).isatty() and not os.environ.get("NO_COLOR") and _draws()
    return f"\x1b[{_STYLES[style]}m{text}\x1b[0m" if shown else text


def table(columns: Sequence[Column], rows: Sequence[Sequence[str]], stream: TextIO | None = None) -> str:
    """Lines of aligned columns, one for each row, below a line of titles.

    They fit the terminal's width as far as columns with ``least`` can give way; in a pipe nothing is cut.
    """
    cells = [
        [printable(cell).replace("\n", " ") for cell in row] + [""] * (len(columns) - len(row))
        for row in rows
    ]
    widths = [
        max(map(_width, [column.title, *(row[index] for row in cells)]))
        for index, column in enumerate(columns)
    ]
    stream = stream or sys.stdout
    if stream.isatty():
        available = shutil.get_terminal_size().columns
        for index, column in enumerate(columns):
            excess = sum(widths) + len(_BETWEEN_COLUMNS) * (len(columns) - 1) - available
            if excess > 0 and column.least is not None:
                widths[index] = max(min(column.least, widths[index]), widths[index] - excess)
    lines = [_line([column.title for column in columns], columns, widths)]
    return "\n".join([styled(lines[0], "bold", stream), *(_line(row, columns, widths) for row in cells)])


def _line(cells: Sequence[str], columns: Sequence[Column], widths: Sequence[int]) -> str:
    shown = []
    for cell, column, width in zip(cells, columns, widths, strict=True):
        text = _cut(cell, width)
        blank = " " * (width - _width(text))
        shown.append(blank + text if column.right else text + blank)
    return _BETWEEN_COLUMNS.join(shown).rstrip()


def _width(text: str) -> int:
    return sum(2 if unicodedata.east_asian_width(character) in "WF" else 1 for character in text)


def _cut(text: str, width: int) -> str:
    if _width(text) <= width:
        return text
    while text and _width(text) > width - 1:
        text = text[:-1]
    return text + "…"


def _draws() -> bool:
    return os.environ.get("TERM", "").lower() not in ("dumb", "unknown")


def progress_bar() -> "Progress":
    """A progress bar on stderr, drawn only where somebody looks."""
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    console = Console(stderr=True, highlight=False, markup=False, emoji=False)
    return Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
        console=console,
        disable=not (console.is_terminal and _draws()),
        transient=True,
    )


def stop_signals() -> list[signal.Signals]:
    """What ends a command in order: Ctrl-C, a request to end, a terminal that is closed; but not what was told to be
    ignored, as ``nohup`` does.
    """
    numbers = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
    return [number for number in numbers if signal.getsignal(number) is not signal.SIG_IGN]


@contextmanager
def stopping_in_order() -> Iterator[Callable[[], bool]]:
    """While this lasts, the first of ``stop_signals`` only makes the given function say so: what is under way can end.
    A second one interrupts.
    """
    stopped = False

    def note(number: int, frame: FrameType | None) -> None:
        nonlocal stopped
        if stopped:
            signal.default_int_handler(number, frame)
        stopped = True
        remark("stopping after this step (once more: at once)")

    before: dict[int, Any] = {number: signal.signal(number, note) for number in stop_signals()}
    try:
        yield lambda: stopped
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def printable(text: str) -> str:
    """A stranger's text without what would move the cursor or change colours; line feeds and tabs stay."""
    return "".join(
        character
        if character in "\n\t" or unicodedata.category(character) not in ("Cc", "Cf", "Cs")
        else "\ufffd"
        for character in text
    )


def print_json(value: Any) -> None:
    """A value as JSON on stdout. What would move the cursor is an escape, which means the same."""
    text = json.dumps(value, indent=2, ensure_ascii=False)
    print("".join(json.dumps(one)[1:-1] if one != "\n" and printable(one) != one else one for one in text))


def counted(number: int, noun: str) -> str:
    """``1 dead letter``, ``2,000 dead letters``."""
    return f"{number:,} {noun}" + ("" if number == 1 else "s")


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
