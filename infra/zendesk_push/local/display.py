"""What ``local`` shows: a table that is kept up to date on a terminal, a line for each step elsewhere."""

import errno
import os
import signal
import sys
import threading
import time
from collections import Counter, deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, Final, Protocol, TextIO

from rich.cells import cell_len
from rich.console import Console, RenderableType
from rich.table import Table
from rich.text import Text

from zendesk_push.local.tracker import State, TrackedMessage
from zendesk_push.terminal import printable

_STYLES: Final = {
    State.QUEUED: "dim",
    State.PUSHING: "cyan",
    State.WAITING: "yellow",
    State.DELIVERED: "green",
    State.DEAD: "red",
}
_MOST_ROWS: Final = 30
_FRAME_ROWS: Final = 4  # head, foot, the cursor's, and one to spare
_WIDEST_TITLE: Final = 36  # cells: a UUID, whole, to be copied
_WIDEST_ACCOUNT: Final = 20
_ROOM_FOR_OUTCOME: Final = 60  # where the terminal is wide enough
_REDRAW_SECONDS: Final = 0.1  # at least between two drawings
_HIDE_CURSOR: Final = "\x1b[?25l"
_SHOW_CURSOR: Final = "\x1b[?25h"
_CLEAR_SCREEN: Final = "\x1b[2J\x1b[H"


class Display(Protocol):
    """Shows messages as they move; ``changed`` may be called from any thread."""

    def changed(self, message: TrackedMessage) -> None:
        """A message has moved on."""

    def note(self, text: str) -> None:
        """Say something that is not a message's step, such as a failure."""

    def close(self) -> None:
        """Leave the last state on the screen."""


def open_display(messages: Callable[[], Sequence[TrackedMessage]], out: TextIO | None = None) -> Display:
    """The display that suits the output: ``messages`` gives all rows of the table."""
    out = out or sys.stdout
    # A dumb terminal can't draw in place.
    live = out.isatty() and os.environ.get("TERM", "").lower() not in ("dumb", "unknown")
    return LiveTable(messages, out) if live else PlainLines(out)


def step_text(message: TrackedMessage) -> str:
    """A message's step on one line: state, account, message, outcome."""
    outcome = f" -> {message.outcome}" if message.outcome else ""
    account = f" [{message.account}]" if message.account else ""
    return f"{message.state.value:<11}{account} {message.title}{outcome}"


class PlainLines:
    """One line for each step, with its time."""

    def __init__(self, out: TextIO) -> None:
        self._out = out
        self._lock = threading.Lock()

    def changed(self, message: TrackedMessage) -> None:
        """Print the step."""
        self.note(step_text(message))

    def note(self, text: str) -> None:
        """Print a line."""
        with self._lock, _terminal_may_be_gone():
            print(f"{time.strftime('%H:%M:%S')}  {text}", file=self._out, flush=True)

    def close(self) -> None:
        """Nothing is left to do."""


class LiveTable:
    """The newest messages, a line each, redrawn in place; notes scroll by above them.

    The table appears with the first message. What a dead letter says in full is a note, as no line has room for it.
    """

    def __init__(self, messages: Callable[[], Sequence[TrackedMessage]], out: TextIO) -> None:
        self._messages = messages
        self._out = out
        # Texts are other people's: nothing in them is markup, a number to be coloured, or an emoji's name.
        self._console = Console(file=out, markup=False, highlight=False, emoji=False)
        self._lock = threading.Lock()
        self._notes: deque[str] = deque(maxlen=200)
        self._to_note: deque[str] = deque()
        self._closed = False
        self._drawn_rows = 0
        self._dirty = threading.Event()
        self._closing = threading.Event()
        self._resized = False
        self._before: Any = None
        if threading.current_thread() is threading.main_thread():
            self._before = signal.signal(signal.SIGWINCH, self._on_resize)
        self._painter = threading.Thread(target=self._paint, name="display", daemon=True)
        self._painter.start()

    def changed(self, message: TrackedMessage) -> None:
        """Have it redrawn soon. Takes no lock: whoever calls holds one that drawing needs."""
        if message.state is State.DEAD:
            self._to_note.append(step_text(message))
        self._dirty.set()

    def note(self, text: str) -> None:
        """Print above the table, or below it once it is closed."""
        with self._lock, _terminal_may_be_gone():
            redraw = self._drawn_rows > 0 and not self._closed
            self._write(self._erased() if redraw else "")
            self._note(text)
            if redraw:
                self._drawn_rows = 0
                self._draw()

    def _note(self, text: str) -> None:
        self._notes.append(text)
        self._write(f"{printable(text)}\n")

    def close(self) -> None:
        """Draw it a last time; what is noted later stands below it. Can be called again."""
        if self._closing.is_set():
            return
        self._closing.set()
        self._dirty.set()
        self._painter.join()
        if self._before is not None:
            signal.signal(signal.SIGWINCH, self._before)
        with self._lock, _terminal_may_be_gone():
            self._update()
            self._write(_SHOW_CURSOR)
            self._closed = True

    def _on_resize(self, *_: object) -> None:
        self._resized = True
        self._dirty.set()

    def _paint(self) -> None:
        while not self._closing.is_set():
            self._dirty.wait()
            self._dirty.clear()
            with self._lock, _terminal_may_be_gone():
                if self._resized:
                    # Where the lines are by now is the terminal's secret: start over.
                    self._resized = False
                    self._drawn_rows = 0
                    shown = list(self._notes)[-max(1, self._console.height - _MOST_ROWS) :]
                    self._write(_CLEAR_SCREEN + "".join(f"{printable(note)}\n" for note in shown))
                self._update()
            self._closing.wait(_REDRAW_SECONDS)

    def _update(self) -> None:
        if self._to_note and self._drawn_rows:
            self._write(self._erased())
            self._drawn_rows = 0
        while self._to_note:
            self._note(self._to_note.popleft())
        if self._messages():
            self._draw()

    def _draw(self) -> None:
        with self._console.capture() as capture:
            self._console.print(self._table())
            self._console.print(self._foot(), no_wrap=True, overflow="ellipsis")
        text = capture.get()
        self._write(_HIDE_CURSOR + self._erased() + text)
        self._drawn_rows = text.count("\n")

    def _erased(self) -> str:
        """What takes the table away, and the cursor to its place."""
        return f"\x1b[{self._drawn_rows}F\x1b[J" if self._drawn_rows else ""

    def _write(self, text: str) -> None:
        self._out.write(text)
        self._out.flush()

    def _table(self) -> RenderableType:
        rows = max(1, min(_MOST_ROWS, self._console.height - _FRAME_ROWS))
        shown = self._messages()[-rows:]
        table = Table(box=None, pad_edge=False, header_style="bold", width=self._console.width)
        # The ids are for copying, so they go first; what is left is the outcome's.
        where = len("Where it is")
        account = _width(shown, "account", _WIDEST_ACCOUNT)
        room = max(_WIDEST_TITLE, self._console.width - account - where - _ROOM_FOR_OUTCOME)
        table.add_column("Message", no_wrap=True, overflow="ellipsis", width=_width(shown, "title", room))
        table.add_column("Account", no_wrap=True, overflow="ellipsis", width=account)
        table.add_column("Where it is", no_wrap=True, width=where)
        table.add_column("Outcome", no_wrap=True, overflow="ellipsis", ratio=1)
        for message in shown:
            style = _STYLES[message.state]
            cells = (message.title, message.account, message.state.value, message.outcome)
            table.add_row(
                *(Text(_one_line(text), style=style if i > 1 else "") for i, text in enumerate(cells))
            )
        return table

    def _foot(self) -> Text:
        states = Counter(message.state for message in self._messages())
        counts = ", ".join(f"{states[state]} {state.value}" for state in State if states[state])
        plural = "s" if states[State.DEAD] > 1 else ""  # dead letters stand last
        return Text(f"{counts}{plural}.  Ctrl-C stops", style="dim")


def _width(messages: Sequence[TrackedMessage], field: str, most: int) -> int:
    return min(most, max((7, *(cell_len(_one_line(getattr(one, field))) for one in messages))))


def _one_line(text: str) -> str:
    return " ".join(printable(text).split())


@contextmanager
def _terminal_may_be_gone() -> Iterator[None]:
    """Whoever closes the terminal asks the stack to stop, which still has something to say."""
    try:
        yield
    except OSError as error:
        if error.errno != errno.EIO:
            raise
