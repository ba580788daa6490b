"""What the messages page shows: the queue's side of things, which a simulated Zendesk by itself knows nothing of."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Sequence


class MessageProblemError(Exception):
    """What was asked for can't be done; the text is for whoever asked."""


@dataclass(frozen=True)
class MessageRow:
    """One message. ``state`` is ``queued``, ``pushing``, ``waiting``, ``delivered``, ``dead letter`` or ``redriven``.

    ``why`` is the reason for which it waits or is dead, ``words`` what Zendesk said of it; both are empty where there
    is none.
    """

    message_id: str
    title: str
    account: str
    state: str
    at: float
    """Epoch seconds: since when it is so."""
    receive_count: int
    tickets: tuple[int, ...] = ()
    why: str = ""
    words: str = ""


class Messages(Protocol):
    """Whoever runs the queue; called from several threads."""

    def rows(self) -> Sequence[MessageRow]:
        """The newest messages, the newest last."""

    def send(self, instance_push_id: str, text: str) -> str:
        """Drop a message of one resource on the queue; returns its id, or raises MessageProblemError."""

    def redrive(self, message_id: str) -> None:
        """Send a dead letter's message back to the queue, by the message's id; raises MessageProblemError."""
