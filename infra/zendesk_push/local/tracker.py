"""Follows messages through the stack: on the queue, with the function, delivered, or a dead letter and why."""

import threading
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from enum import Enum
from typing import Any, Final, Protocol

from zendesk_push.dead_letters.dead_letter import MOVED_BY_SQS, ReceivedDeadLetter, without_schemas
from zendesk_push.local.event_source import BatchOutcome
from zendesk_push.message_facts import message_facts

_SHOWN_MESSAGES: Final = 1_000  # the oldest that are at their end make room


class State(Enum):
    """Where a message is."""

    QUEUED = "queued"
    PUSHING = "pushing"
    WAITING = "waiting"  # left on the queue: it comes again
    DELIVERED = "delivered"
    DEAD = "dead letter"

    @property
    def is_final(self) -> bool:
        """Whether nothing more happens to it by itself."""
        return self in (State.DELIVERED, State.DEAD)


@dataclass(frozen=True)
class TrackedMessage:
    """What is known of one message. ``external_ids`` are in the message's order."""

    message_id: str
    title: str
    account: str
    external_ids: tuple[str, ...]
    state: State
    receive_count: int = 0
    tickets: tuple[int, ...] = ()
    reason: ReceivedDeadLetter | None = None
    error: str | None = None  # why it waits, where that is known
    at: float = field(default=0, compare=False)  # epoch seconds: since when it is so

    @property
    def outcome(self) -> str:
        """In words for people, empty before there is one."""
        if self.state is State.DELIVERED:
            numbers = ", ".join(f"#{ticket}" for ticket in dict.fromkeys(self.tickets))
            return f"ticket {numbers}" if numbers else "delivered"
        if self.state is State.DEAD:
            reason, explanation = (
                (self.reason.reason, self.reason.explanation) if self.reason else (MOVED_BY_SQS, "")
            )
            return f"{reason}: {without_schemas(explanation or '')}".rstrip(": ")
        if self.state is State.WAITING:
            received = f"received {self.receive_count} times" if self.receive_count > 1 else "received once"
            return f"{received}, will be tried again" + (f" ({self.error})" if self.error else "")
        return ""


class Lookup(Protocol):
    """What the tracker asks the outside."""

    def dead_letters(self, message_ids: frozenset[str]) -> Mapping[str, ReceivedDeadLetter]:
        """The newest dead letters of those messages that became one."""

    def waiting_reasons(self, message_ids: frozenset[str]) -> Mapping[str, str]:
        """Why those messages wait, as far as it is known."""

    def account_name(self, instance_push_id: str) -> str:
        """An account's name for people; the id where it has none."""

    def tickets(self, instance_push_id: str, external_ids: Iterable[str]) -> tuple[int, ...]:
        """The tickets of external ids, as far as there are any."""


class MessageTracker:
    """Told by the event source mapping, and asks for the rest. Thread-safe. ``on_change`` is told of every step."""

    def __init__(self, lookup: Lookup, on_change: Callable[[TrackedMessage], None]) -> None:
        self._lookup = lookup
        self._on_change = on_change
        self._changed = threading.Condition()
        self._messages: dict[str, TrackedMessage] = {}
        self._accounts: dict[str, str] = {}

    def messages(self) -> list[TrackedMessage]:
        """All tracked messages in the order in which they were first seen."""
        with self._changed:
            return list(self._messages.values())

    def dropped(self, message_id: str, title: str, body: str) -> None:
        """A message was put on the queue, under this title."""
        with self._changed:
            known = self._messages.get(message_id)  # the function may have been faster
            if known is not None:
                self._put(replace(known, title=title))
            else:
                self._put(self._new(message_id, title, body))

    def batch(self, records: list[dict[str, Any]]) -> None:
        """The function is given these records."""
        with self._changed:
            for record in records:
                message_id = record["messageId"]
                known = self._messages.get(message_id) or self._new(message_id, "", record["body"])
                count = int(record["attributes"].get("ApproximateReceiveCount", 1))
                self._put(replace(known, state=State.PUSHING, receive_count=count))

    def outcome(self, outcome: BatchOutcome) -> None:
        """An invocation has ended."""
        with self._changed:
            resources = {
                one: (self._accounts[one], self._messages[one].external_ids)
                for one in outcome.deleted & self._messages.keys()
            }
        tickets = {one: self._lookup.tickets(*where) for one, where in resources.items()}
        reasons = self._lookup.dead_letters(outcome.deleted)
        waiting = self._lookup.waiting_reasons(outcome.left) if outcome.left and not outcome.error else {}
        with self._changed:
            for key in (record["messageId"] for record in outcome.records):
                message = self._messages.get(key)
                if message is None:
                    continue
                if key in outcome.left:
                    error = outcome.error or waiting.get(key)
                    self._put(replace(message, state=State.WAITING, error=error))
                elif key in reasons:
                    self._put(replace(message, state=State.DEAD, reason=reasons[key], error=None))
                else:
                    self._put(replace(message, state=State.DELIVERED, tickets=tickets[key], error=None))
            self._forget_oldest()

    def wait_until(self, message_ids: frozenset[str], timeout: float) -> bool:
        """Wait until these messages are delivered or dead letters; False if ``timeout`` seconds were not enough."""

        def ended() -> bool:
            known = (self._messages.get(one) for one in message_ids)
            return all(message is not None and message.state.is_final for message in known)

        with self._changed:
            return self._changed.wait_for(ended, timeout)

    def _new(self, message_id: str, title: str, body: str) -> TrackedMessage:
        facts = message_facts(body)
        self._accounts[message_id] = facts.account or ""
        name = self._lookup.account_name(facts.account) if facts.account else ""
        return TrackedMessage(message_id, title or _summary(body), name, facts.external_ids, State.QUEUED)

    def _put(self, message: TrackedMessage) -> None:
        before = self._messages.get(message.message_id)
        if before != message:
            self._messages[message.message_id] = replace(message, at=time.time())
            self._on_change(message)
            self._changed.notify_all()

    def _forget_oldest(self) -> None:
        surplus = len(self._messages) - _SHOWN_MESSAGES
        ended = [message_id for message_id, message in self._messages.items() if message.state.is_final]
        for message_id in ended[: max(0, surplus)]:
            del self._messages[message_id]
            del self._accounts[message_id]


def _summary(body: str) -> str:
    external_ids = message_facts(body).external_ids
    if not external_ids:
        return " ".join(body[:60].split())
    more = f" and {len(external_ids) - 1} more" if len(external_ids) > 1 else ""
    return f"{external_ids[0]}{more}"
