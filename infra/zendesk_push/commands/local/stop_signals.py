"""What asks the stack to stop: Ctrl-C, ``kill``, a terminal that is closed."""

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final, Self

_SIGNALS: Final = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class StoppedError(BaseException):
    """A signal came while everything was being started; not an Exception, so that nothing on the way takes it."""


class StopSignals:
    """The first signal sets ``stopping``; the next one ends the wait for an orderly end, as Ctrl-C does anywhere.

    A SIGHUP that the shell has switched off (``nohup``) stays off.
    """

    def __init__(self) -> None:
        self.stopping: Final = threading.Event()
        self._interrupts = False
        self._before: dict[signal.Signals, Any] = {}

    def __enter__(self) -> Self:
        for number in _SIGNALS:
            if number is signal.SIGHUP and signal.getsignal(number) is signal.SIG_IGN:
                continue
            self._before[number] = signal.signal(number, self._stop)
        return self

    def __exit__(self, *_: object) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)

    @contextmanager
    def interrupting(self) -> Iterator[None]:
        """In here the first signal raises StoppedError: starting up is not waited for."""
        self._interrupts = True
        try:
            yield
        finally:
            self._interrupts = False

    def _stop(self, number: int, frame: Any) -> None:
        if self.stopping.is_set():
            signal.default_int_handler(number, frame)
        self.stopping.set()
        if self._interrupts:
            self._interrupts = False
            raise StoppedError
