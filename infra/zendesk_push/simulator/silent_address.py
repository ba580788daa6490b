"""An address where nobody answers: connecting to it waits, as it does for a host that is switched off."""

from __future__ import annotations

import socket
from contextlib import ExitStack
from typing import Self


class SilentAddress:
    """A loopback port that takes no connection and refuses none, while the context lasts.

    Its queue of connections is full, and the kernel drops what comes on top (Linux; elsewhere connecting may
    be refused).
    """

    def __init__(self) -> None:
        self._open = ExitStack()
        self.port = 0

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def __enter__(self) -> Self:
        listener = self._open.enter_context(socket.socket())
        listener.bind(("127.0.0.1", 0))
        listener.listen(0)
        self.port = listener.getsockname()[1]
        while True:
            caller = self._open.enter_context(socket.socket())
            caller.settimeout(0.1)
            try:
                caller.connect(("127.0.0.1", self.port))
            except TimeoutError:
                return self

    def __exit__(self, *_: object) -> None:
        self._open.close()
