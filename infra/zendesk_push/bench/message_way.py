"""Prints the way of one good message through the push function: which file calls which, and how often.

``make way``: whoever adds a hop sees it here. Everything around the function is in memory; a call that goes from one
file of functions/ to another one is a hop, but for a look at a value's property or length.
"""

import inspect
import io
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stdout
from dataclasses import dataclass, field
from itertools import groupby
from pathlib import Path
from types import FrameType
from typing import Any, Final

import push_content
from zendesk_push.bench.harness import Harness, records
from zendesk_push.in_memory.zendesk import InMemoryZendeskClient
from zendesk_push.simulator import ZendeskState

FUNCTIONS: Final = Path(push_content.__file__).parents[1]
ACCOUNT: Final = "acme"


@dataclass
class Way:
    """The calls inside functions/ while something ran.

    Attributes:
        hops: depth in files, the file that called (None: from outside, or another thread), and what it called.
    """

    calls: int = 0
    files: set[str] = field(default_factory=set)
    hops: list[tuple[int, str | None, str]] = field(default_factory=list)

    def lines(self) -> Iterator[str]:
        """A hop on a line, those that repeat the one before as a number."""
        number = 0
        for index, (depth, _, called) in enumerate(self.hops):
            number += 1
            if index + 1 < len(self.hops) and self.hops[index + 1] == self.hops[index]:
                continue
            yield f"{'  ' * (depth - 1)}{called}{f'  x{number}' if number > 1 else ''}"
            number = 0

    def __str__(self) -> str:
        return f"{len(self.files)} files, {self.calls} calls, {len(self.hops)} hops between files"


@contextmanager
def traced() -> Iterator[Way]:
    """Watch the calls of this thread and of those that are started meanwhile."""
    way = Way()

    resumed: set[FrameType] = set()

    def note(frame: FrameType, event: str, _: Any) -> None:
        name = _file(frame)
        if event != "call" or name is None or frame in resumed or _is_a_look(frame):
            return
        if frame.f_code.co_flags & inspect.CO_GENERATOR:
            resumed.add(frame)
        way.calls += 1
        way.files.add(name)
        stack = [caller for caller in _files_below(frame) if caller]
        if not stack or stack[0] != name:
            depth = 1 + sum(1 for _ in groupby(stack))
            way.hops.append((depth, stack[0] if stack else None, f"{name}: {frame.f_code.co_qualname}"))

    threading.setprofile(note)
    sys.setprofile(note)
    try:
        yield way
    finally:
        sys.setprofile(None)
        threading.setprofile(None)


def way_of_a_message() -> Way:
    """The way of the second message of a container: at the first one tokens are read and threads are started."""
    core = ZendeskState()
    harness = Harness([ACCOUNT])
    core.create_account("sub0", instance_push_id=ACCOUNT, token=harness.tokens[ACCOUNT])
    # What the function logs is not asked for here.
    with redirect_stdout(io.StringIO()), traced() as way:
        container = harness.container(InMemoryZendeskClient(core, time.sleep))
        container.run(records([ACCOUNT], 1))
        way.calls, way.files, way.hops = 0, set(), []
        staying = container.run(records([ACCOUNT], 1, first=2))
    assert not staying, "the message was to be delivered"  # noqa: S101
    return way


def _is_a_look(frame: FrameType) -> bool:
    """Whether it only reads a property or the length of a value, or is part of an expression."""
    name = frame.f_code.co_name
    holder = type(frame.f_locals.get("self"))
    return name.startswith("<") or name == "__len__" or isinstance(getattr(holder, name, None), property)


def _file(frame: FrameType) -> str | None:
    path = Path(frame.f_code.co_filename)
    return path.relative_to(FUNCTIONS).with_suffix("").as_posix() if path.is_relative_to(FUNCTIONS) else None


def _files_below(frame: FrameType) -> Iterator[str | None]:
    below = frame.f_back
    while below is not None:
        yield _file(below)
        below = below.f_back


def main() -> None:
    """Print the way and its length."""
    way = way_of_a_message()
    print(*way.lines(), way, sep="\n")


if __name__ == "__main__":
    main()
