"""What pushed resources become: tickets, comments, threads.

A resource with a ``parent_id`` is a comment on its parent's ticket; one with a ``thread_id`` on the thread's
ticket, which the first of the thread opens; any other opens a ticket. What is known is known per account.

Not thread-safe: ``core.ZendeskState`` holds the lock.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple

from zendesk_push.simulator.agent_replies import AgentReply, ReplyRefusedError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from zendesk_push.simulator.accounts import SimulatedAccount

SUCCESS = "success"
ALREADY_IMPORTED = "already_imported"
MISSING_PARENT = "could_not_locate_parent_external_resource"
PROCESSING_ERROR = "processing_error"
HALTED = "halted"

SUBJECT_LENGTH = 80
FIRST_TICKET_ID = 1_001
FIRST_COMMENT_ID = 700_001


@dataclass(frozen=True)
class Comment:
    id: int
    ticket_id: int
    external_id: str
    resource: dict[str, Any]
    """The external resource as it came."""
    request_id: str | None
    imported_at: float

    @property
    def author(self) -> str:
        author: dict[str, Any] = self.resource["author"]
        return str(author.get("name") or author["external_id"])

    @property
    def message(self) -> str:
        return str(self.resource["message"])


@dataclass
class Ticket:
    id: int
    instance_push_id: str
    subject: str
    created_at: float
    thread_id: str | None = None
    closed: bool = False
    follow_up_of: int | None = None
    comments: list[Comment] = field(default_factory=list)
    replies: list[AgentReply] = field(default_factory=list)

    @property
    def answerable(self) -> Comment | None:
        """What an agent's answer goes to: the newest that allows one. None where there is none."""
        allowing = (
            each for each in reversed(self.comments) if each.resource.get("allow_channelback") is True
        )
        return None if self.closed else next(allowing, None)


class Imported(NamedTuple):
    code: str
    description: str | None = None
    event: dict[str, Any] | None = None
    """The resource event that Zendesk reports for it; None when nothing was created."""


class Tickets:
    def __init__(self) -> None:
        self._tickets: dict[int, Ticket] = {}
        self._comments: dict[tuple[str, str], Comment] = {}
        self._replies: dict[tuple[str, str], AgentReply] = {}
        self._threads: dict[tuple[str, str], int] = {}
        self._ticket_ids = itertools.count(FIRST_TICKET_ID)
        self._comment_ids = itertools.count(FIRST_COMMENT_ID)

    def __iter__(self) -> Iterator[Ticket]:
        return iter(self._tickets.values())

    def get(self, ticket_id: int) -> Ticket | None:
        return self._tickets.get(ticket_id)

    def comment(self, account: SimulatedAccount, external_id: str) -> Comment | None:
        return self._comments.get((account.instance_push_id, external_id))

    def find(self, account: SimulatedAccount, external_id: str) -> Comment | AgentReply | None:
        """What the customer wrote, or an agent's answer by the id that the integration gave it."""
        key = (account.instance_push_id, external_id)
        return self._comments.get(key) or self._replies.get(key)

    def answer(self, ticket: Ticket, message: str, identifier: str, now: float) -> AgentReply:
        """An agent's answer, to be passed on. Raises ReplyRefusedError."""
        answered = ticket.answerable
        if answered is None:
            raise ReplyRefusedError("Nothing on this ticket allows an answer (allow_channelback).")
        reply = AgentReply(
            next(self._comment_ids),
            ticket.id,
            ticket.instance_push_id,
            message,
            identifier,
            now,
            parent_id=answered.external_id,
            recipient_id=str(answered.resource["author"]["external_id"]),
            thread_id=ticket.thread_id,
        )
        ticket.replies.append(reply)
        return reply

    def associate(self, reply: AgentReply) -> dict[str, Any] | None:
        """From now on content may name a sent answer as its parent; returns the event that reports it, once."""
        key = (reply.instance_push_id, str(reply.external_id))
        if key in self._replies or key in self._comments:
            return None
        self._replies[key] = reply
        return {
            "type_id": "external_id_associated_with_channelback",
            "external_id": key[1],
            "ticket_id": reply.ticket_id,
            "comment_id": reply.id,
        }

    def import_resource(
        self, account: SimulatedAccount, resource: dict[str, Any], request_id: str | None, now: float
    ) -> Imported:
        """Make a ticket or a comment of a resource that the schema has accepted."""
        key = (account.instance_push_id, resource["external_id"])
        if key in self._comments or key in self._replies:
            return Imported(ALREADY_IMPORTED)
        parent_id = resource.get("parent_id")
        ticket: Ticket | None = None
        if parent_id is not None:
            parent = self.find(account, parent_id)
            if parent is None:
                return Imported(MISSING_PARENT, parent_id)
            ticket = self._tickets[parent.ticket_id]
        elif resource.get("thread_id") is not None:
            ticket_id = self._threads.get((account.instance_push_id, resource["thread_id"]))
            ticket = None if ticket_id is None else self._tickets[ticket_id]
        event = "comment_on_new_ticket" if ticket is None else "comment_on_existing_ticket"
        follow_up: Ticket | None = None
        if ticket is not None and ticket.closed:
            event = "comment_on_follow_up_ticket"
            ticket = follow_up = self._open(account, resource, now, follow_up_of=ticket.id)
        ticket = ticket or self._open(account, resource, now)
        comment = Comment(next(self._comment_ids), ticket.id, key[1], resource, request_id, now)
        ticket.comments.append(comment)
        self._comments[key] = comment
        report = {"type_id": event, "external_id": key[1], "ticket_id": ticket.id, "comment_id": comment.id}
        if follow_up is not None:
            report |= {"ticket_id": follow_up.follow_up_of, "follow_up_ticket_id": follow_up.id}
        return Imported(SUCCESS, event=report)

    def _open(
        self, account: SimulatedAccount, resource: dict[str, Any], now: float, follow_up_of: int | None = None
    ) -> Ticket:
        ticket = Ticket(
            next(self._ticket_ids),
            account.instance_push_id,
            subject_of(str(resource["message"])),
            now,
            resource.get("thread_id"),
            follow_up_of=follow_up_of,
        )
        self._tickets[ticket.id] = ticket
        if ticket.thread_id is not None:
            self._threads[(account.instance_push_id, ticket.thread_id)] = ticket.id
        return ticket


def subject_of(message: str) -> str:
    """The message on one line, cut between words where it has any."""
    line = " ".join(message.split())
    if len(line) <= SUBJECT_LENGTH:
        return line
    cut = line[: SUBJECT_LENGTH - 1]
    return (cut.rsplit(" ", 1)[0] if " " in cut[SUBJECT_LENGTH // 2 :] else cut) + "…"
