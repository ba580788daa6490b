"""Which messages a process was at work on when it died, for the one that comes after it.

Python ends in order unless it runs out of memory or crashes in C. Then Lambda starts a new process, often in
the same environment, whose /tmp it keeps. So what is begun is written down there, and crossed out at its end: two
system calls for each request, and for fifty messages that are parsed. Memory would not survive, and a table would be
a call to AWS for each. An environment that Lambda gives up takes its notes along; another has to learn the same.
"""

import itertools
import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

_SUFFIX: Final = ".begun"
_MOST_OPEN: Final = (
    64  # beyond, work is not noted: Lambda grants 1,024 descriptors, and each request takes one too
)
_END: Final = b"\n\n"


class BegunWork:
    """Notes in a folder, as many files as things are done at the same time. ``folder`` None: nothing is noted.

    Attributes:
        suspects: the ids of messages that an earlier process of this environment began and did not end.
        deadly: those of them that were begun by themselves: no other can be to blame.
    """

    def __init__(self, folder: Path | None) -> None:
        self._folder = folder
        self._unused: list[int] = []  # open files
        self._numbers = itertools.count()
        self.suspects: set[str] = set()
        self.deadly: set[str] = set()
        for ids in self._left_behind():
            self.suspects |= ids
            self.deadly |= ids if len(ids) == 1 else set()

    @contextmanager
    def begun(self, message_ids: Iterable[str]) -> Iterator[None]:
        """Note these messages as begun until the block ends. Only the death of the process leaves the note."""
        note = self._note()
        if note is None:
            yield
            return
        os.pwrite(note, "\n".join(message_ids).encode() + _END, 0)
        try:
            yield
        finally:
            os.pwrite(note, _END, 0)
            self._unused.append(note)

    def cleared(self, message_id: str) -> None:
        """A suspect was processed on its own, and the process survived."""
        self.suspects.discard(message_id)
        self.deadly.discard(message_id)

    def _note(self) -> int | None:
        if self._folder is None:
            return None
        try:
            return self._unused.pop()
        except IndexError:
            number = next(self._numbers)
        if number >= _MOST_OPEN:
            return None
        path = self._folder / f"{os.getpid()}-{number}{_SUFFIX}"
        try:
            return os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
        except OSError:
            return None

    def _left_behind(self) -> list[set[str]]:
        found: list[set[str]] = []
        if self._folder is None:
            return found
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            for path in self._folder.glob(f"*{_SUFFIX}"):
                if not _is_at_work(path.name.partition("-")[0]):
                    begun = path.read_text(encoding="utf-8", errors="replace").partition(_END.decode())[0]
                    found.append(set(begun.split("\n")) - {""})
                    path.unlink()
        except OSError:
            return found
        return found


def _is_at_work(process_id: str) -> bool:
    """Another process of this number lives. In Lambda there is none, and one that died may have had our own number."""
    if not process_id.isdigit() or int(process_id) == os.getpid():
        return False
    try:
        os.kill(int(process_id), 0)
    except OSError:
        return False
    return True
