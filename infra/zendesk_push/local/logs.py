"""What the functions write: kept, searched, and passed on line by line."""

import threading
from collections import deque
from dataclasses import dataclass
from typing import Final, TextIO

_KEPT_LINES: Final = 100_000


@dataclass(frozen=True)
class LogLine:
    """One line that a function wrote to stdout or stderr. ``source`` is the function's logical id."""

    source: str
    text: str

    def __str__(self) -> str:
        return f"[{self.source}] {self.text}"


class LogCollector:
    """Takes lines from any thread; keeps the newest 100,000.

    Args:
        file: also written there, each line as it comes.
    """

    def __init__(self, file: TextIO | None = None) -> None:
        self._lines: deque[LogLine] = deque(maxlen=_KEPT_LINES)
        self._lock = threading.Lock()
        self._file = file

    def write(self, source: str, text: str) -> None:
        """Add one line."""
        line = LogLine(source, text)
        with self._lock:
            self._lines.append(line)
            if self._file is not None:
                self._file.write(f"{line}\n")
                self._file.flush()

    def lines(self, source: str | None = None) -> list[LogLine]:
        """Everything kept so far, or one function's lines."""
        with self._lock:
            return [line for line in self._lines if source in (None, line.source)]

    def text(self) -> str:
        """Everything kept so far as one text: for searching it."""
        return "\n".join(line.text for line in self.lines())
