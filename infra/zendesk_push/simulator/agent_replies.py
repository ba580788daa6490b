"""What agents answer in tickets, and what becomes of each answer: Zendesk calls passing it on *channelback*.

How often Zendesk repeats a channelback, on which statuses, and what the agent sees meanwhile is not published. Here it
is tried once, the ticket shows how that went, and the agent may have it repeated: the same request, with the same
``request_unique_identifier``.

Not thread-safe: ``core.ZendeskState`` holds the lock.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, NamedTuple
from urllib.parse import urlencode

if TYPE_CHECKING:
    from zendesk_push.simulator.accounts import SimulatedAccount

MAX_MESSAGE = 65_535
MAX_EXTERNAL_ID = 255


class ReplyRefusedError(Exception):
    """There is no answering here; the text says why."""


class ReplyState(StrEnum):
    SENDING = "sending"
    SENT = "sent"
    FAILED = "failed"


@dataclass
class AgentReply:
    """An agent's answer. Ids are Zendesk's own, but for those that the integration gave."""

    id: int
    ticket_id: int
    instance_push_id: str
    message: str
    request_unique_identifier: str
    written_at: float
    parent_id: str
    """The external_id of what is answered."""
    recipient_id: str
    """The external_id of who wrote that."""
    thread_id: str | None = None
    state: ReplyState = ReplyState.SENDING
    why: str = ""
    """Why it failed, for the agent to read."""
    status: int | None = None
    """The last attempt's; None without an answer."""
    attempts: int = 0
    external_id: str | None = None
    """Its id at the origin, once it is sent."""

    @property
    def author(self) -> str:
        return "Agent"

    def form(self, metadata: str) -> bytes:
        """The form that Zendesk posts. Half a surrogate pair goes out as the bytes that it would be."""
        fields = {
            "message": self.message,
            "parent_id": self.parent_id,
            "recipient_id": self.recipient_id,
            "metadata": metadata,
            "request_unique_identifier": self.request_unique_identifier,
        }
        if self.thread_id is not None:
            fields["thread_id"] = self.thread_id
        return urlencode(fields, errors="surrogatepass").encode("ascii")

    def take(self, result: ReplyResult) -> None:
        """Note how an attempt went."""
        self.attempts += 1
        self.status = result.status
        external_id, why = _read(result)
        self.state = ReplyState.SENT if external_id else ReplyState.FAILED
        self.external_id, self.why = external_id or self.external_id, why


class ReplyResult(NamedTuple):
    """What came back from the integration: a status and a body, or the reason why nothing did."""

    status: int | None
    body: bytes = b""
    error: str = ""


def check_message(message: str, account: SimulatedAccount | None) -> None:
    """Raises ReplyRefusedError."""
    if account is None:
        raise ReplyRefusedError("The account that this ticket came by does not take answers now.")
    if not message.strip():
        raise ReplyRefusedError("An answer can't be empty.")
    if len(message) > MAX_MESSAGE:
        raise ReplyRefusedError(f"An answer has {MAX_MESSAGE:,} characters at most.")


def _read(result: ReplyResult) -> tuple[str | None, str]:
    """The external_id that the integration gave, or what is wrong with its answer."""
    if result.status is None:
        return None, result.error
    if result.status != 200:
        return None, f"The integration answered with status {result.status}."
    try:
        value = json.loads(result.body)
    except (ValueError, RecursionError):
        return None, "The integration's answer is not JSON."
    external_id = value.get("external_id") if isinstance(value, dict) else None
    if not isinstance(external_id, str) or not 1 <= len(external_id) <= MAX_EXTERNAL_ID:
        return None, "The integration's answer has no external_id."
    if not isinstance(value.get("allow_channelback"), bool):
        return None, "The integration's answer does not say allow_channelback."
    return external_id, ""
