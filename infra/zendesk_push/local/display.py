"""What ``local`` shows: a live table on a terminal, a line for each step elsewhere."""

import os
import sys
import threading
import time
from collections.abc import Callable, Sequence
from typing import Final, Protocol, TextIO

from rich.console import Console, Group
from rich.live import Live
from rich.table import Table
from rich.text import Text

from zendesk_push.local.tracker import State, TrackedMessage

_STYLES: Final = {
    State.QUEUED: "dim",
    State.PUSHING: "cyan",
    State.WAITING: "yellow",
    State.DELIVERED: "green",
    State.DEAD: "red",
}
_SHOWN_ROWS: Final = 30
_REDRAW_SECONDS: Final = 0.1  # at least between two drawings


class Display(Protocol):
    """Shows messages as they move; ``changed`` may be called from any thread."""

    def changed(self, message: TrackedMessage) -> None:
        """A message is somewhere else now."""

    def note(self, text: str) -> None:
        """Something happened that is no message's step, such as a failure."""

    def close(self) -> None:
        """Leave the last state on the screen."""


def open_display(messages: Callable[[], Sequence[TrackedMessage]], out: TextIO | None = None) -> Display:
    """The display that suits the output: ``messages`` gives all rows of the table."""
    out = out or sys.stdout
    # A dumb terminal can't draw in place.
    live = out.isatty() and os.environ.get("TERM", "").lower() not in ("dumb", "unknown")
    return LiveTable(messages, out) if live else PlainLines(out)


class PlainLines:
    """One line for each step: time, state, account, message, outcome."""

    def __init__(self, out: TextIO) -> None:
        self._out = out
        self._lock = threading.Lock()

    def changed(self, message: TrackedMessage) -> None:
        """Print the step."""
        outcome = f" -> {message.outcome}" if message.outcome else ""
        account = f" [{message.account}]" if message.account else ""
        self.note(f"{message.state.value:<11}{account} {message.title}{outcome}")

    def note(self, text: str) -> None:
        """Print a line."""
        with self._lock:
            print(f"{time.strftime('%H:%M:%S')}  {text}", file=self._out, flush=True)

    def close(self) -> None:
        """Nothing is left to do."""


class LiveTable:
    """A table that is redrawn in place when something has changed; notes scroll by above it.

    It appears with the first message.
    """

    def __init__(self, messages: Callable[[], Sequence[TrackedMessage]], out: TextIO) -> None:
        self._messages = messages
        self._console = Console(file=out)
        self._live = Live(
            get_renderable=self._render,
            console=self._console,
            auto_refresh=False,
            redirect_stdout=False,
            redirect_stderr=False,
        )
        self._dirty = threading.Event()
        self._closing = threading.Event()
        self._painter = threading.Thread(target=self._paint, name="display", daemon=True)
        self._painter.start()

    def changed(self, message: TrackedMessage) -> None:  # noqa: ARG002 - the table shows them all
        """Have it redrawn soon."""
        self._dirty.set()

    def note(self, text: str) -> None:
        """Print above the table, or below it once it is closed."""
        self._console.print(text, markup=False, highlight=False, soft_wrap=True)

    def close(self) -> None:
        """Draw it a last time; what is noted later stands below it. Can be called again."""
        self._closing.set()
        self._dirty.set()
        self._painter.join()
        self._live.stop()

    def _paint(self) -> None:
        while not self._closing.is_set():
            self._dirty.wait()
            self._dirty.clear()
            if self._messages():
                self._live.start()
                self._live.refresh()
            self._closing.wait(_REDRAW_SECONDS)

    def _render(self) -> Group:
        messages = self._messages()
        table = Table(expand=True, header_style="bold", border_style="dim")
        table.add_column("Message", ratio=3, overflow="fold")
        table.add_column("Account", ratio=2, overflow="fold")
        table.add_column("Where it is", no_wrap=True)
        table.add_column("Outcome", ratio=5, overflow="fold")  # the path in it says which resource it is
        for message in messages[-_SHOWN_ROWS:]:
            style = _STYLES[message.state]
            table.add_row(
                Text(message.title),
                Text(message.account),
                Text(message.state.value, style=style),
                Text(message.outcome, style=style),
            )
        hidden = len(messages) - _SHOWN_ROWS
        return Group(Text(f"{hidden} earlier messages", style="dim"), table) if hidden > 0 else Group(table)
