"""The simulated Zendesk without HTTP: what it knows and does, thread-safe, on a clock of the caller's choice.

Unit tests and state machines drive this; ``server.Simulator`` puts it on a socket.

    zendesk = ZendeskState(clock=lambda: now)
    account = zendesk.create_account("acme", name="Acme support")
    status, headers, body = zendesk.push(None, f"Bearer {account.token}", payload)
"""

from __future__ import annotations

import secrets
import threading
import time
import uuid
from typing import TYPE_CHECKING, NamedTuple

from zendesk_push.simulator.accounts import Accounts, SimulatedAccountState, UnknownAccountError
from zendesk_push.simulator.administration import Administration
from zendesk_push.simulator.agent_replies import AgentReply, ReplyResult, ReplyState, check_message
from zendesk_push.simulator.editors import Editors
from zendesk_push.simulator.endpoints import (
    DEFAULT_MAX_BODY_BYTES,
    VALIDATE_TOKEN,
    Endpoints,
    ValidateTokenPolicy,
)
from zendesk_push.simulator.events import Events
from zendesk_push.simulator.faults import CHANNELBACK, OF_ANSWERS, Fault, FaultKind, Faults, Target
from zendesk_push.simulator.rate_limits import DEFAULT_LIMIT, RateLimits
from zendesk_push.simulator.tickets import Ticket, Tickets

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from zendesk_push.simulator.answers import ZendeskAnswer
    from zendesk_push.simulator.request_log import RecordedRequest


_POLICY_FAULTS = {ValidateTokenPolicy.ERROR: FaultKind.SERVER_ERROR, ValidateTokenPolicy.HANG: FaultKind.HANG}


class ChannelbackAttempt(NamedTuple):
    """One attempt to pass an agent's answer on: the form that goes out, and the faults that strike it."""

    form: bytes
    faults: Mapping[FaultKind, Fault]


class ZendeskState(Administration):
    """Accounts, tickets, faults, limits and events of any number of simulated Zendesk customers.

    ``clock`` gives epoch seconds; ``new_id`` and ``new_token`` can be made deterministic. Every public method
    is atomic. ``push`` and ``validate_token`` return a ``ZendeskAnswer`` (status, headers, body) or raise
    ``NoAnswerError`` where a client would see a broken connection or a time-out. ``accounts``, ``tickets``,
    ``events`` and ``rate_limits`` are the live parts: read them when nothing else is going on, or under ``lock``.
    """

    def __init__(
        self,
        *,
        clock: Callable[[], float] = time.time,
        new_id: Callable[[], str] = lambda: str(uuid.uuid4()),
        new_token: Callable[[], str] = lambda: secrets.token_hex(32),
        rate_limit: int = DEFAULT_LIMIT,
        max_body_bytes: int = DEFAULT_MAX_BODY_BYTES,
        validate_token_policy: ValidateTokenPolicy = ValidateTokenPolicy.BEFORE_SAVE,
        new_token_on_edit: bool = True,
        events_on_uninstall: bool = True,
    ) -> None:
        self.lock = threading.RLock()
        self.clock = clock
        self.new_token_on_edit = new_token_on_edit
        self.events_on_uninstall = events_on_uninstall
        """Whether removing the app tells of each account that goes with it: not published."""
        self.manifest_url = ""
        self.host_mapped = False
        """Whether Save ends at a host name of the customer's own, by a redirect to another origin."""
        self._new_id, self._new_token = new_id, new_token
        self._rate_limit, self._max_body_bytes = rate_limit, max_body_bytes
        self._policy = validate_token_policy
        self._policy_fault: Fault | None = None
        self.events = Events()
        self.faults = Faults()
        self._start_over()
        self.validate_token_policy = validate_token_policy

    def _start_over(self) -> None:
        self.accounts = Accounts(self._new_id, self._new_token)
        self.tickets = Tickets()
        self.rate_limits = RateLimits(self._rate_limit)
        self._endpoints = Endpoints(
            self.accounts,
            self.tickets,
            self.faults,
            self.rate_limits,
            self.events,
            max_body_bytes=self._max_body_bytes,
        )
        self._editors = Editors()
        self._installed: set[str] = set()

    def reset(self) -> None:
        """Forget everything; hanging requests go on."""
        with self.lock:
            self.faults.switch_off()
            self.events.log.clear()
            self._start_over()
            self.validate_token_policy = self._policy
            self.host_mapped = False

    # The API ----------------------------------------------------------------------------------------------

    def push(
        self,
        host_subdomain: str | None,
        authorization: str | None,
        body: bytes,
        now: float | None = None,
        *,
        headers: Iterable[tuple[str, str]] = (),
    ) -> ZendeskAnswer:
        """``POST /api/v2/any_channel/push.json``. Without ``host_subdomain`` the token says whose Zendesk it is."""
        with self.lock:
            return self._endpoints.push(host_subdomain, authorization, body, self._now(now), headers)

    def validate_token(
        self,
        host_subdomain: str | None,
        authorization: str | None,
        body: bytes,
        now: float | None = None,
        *,
        headers: Iterable[tuple[str, str]] = (),
    ) -> ZendeskAnswer:
        """``POST /api/v2/any_channel/validate_token``: 200 and ``null`` if the token is that account's."""
        with self.lock:
            return self._endpoints.validate_token(
                host_subdomain, authorization, body, self._now(now), headers
            )

    def drops_connection(
        self,
        endpoint: str,
        host_subdomain: str | None,
        authorization: str | None,
        *,
        headers: Iterable[tuple[str, str]] = (),
    ) -> bool:
        """Asked by a server before it reads the body; the body's conditions can't count here."""
        with self.lock:
            return self._endpoints.drop(endpoint, host_subdomain, authorization, self._now(None), headers)

    @property
    def requests(self) -> list[RecordedRequest]:
        with self.lock:
            return list(self._endpoints.requests)

    @property
    def validate_token_policy(self) -> ValidateTokenPolicy:
        return self._policy

    @validate_token_policy.setter
    def validate_token_policy(self, policy: ValidateTokenPolicy) -> None:
        with self.lock:
            if self._policy_fault is not None:
                self.faults.switch_off(self._policy_fault.id)
                self._policy_fault = None
            if policy in _POLICY_FAULTS:
                fault = Fault(_POLICY_FAULTS[policy], endpoint=VALIDATE_TOKEN)
                self._policy_fault = self.faults.switch_on(fault)
            self._policy = self._endpoints.policy = policy

    def switch_on(self, fault: Fault) -> Fault:
        with self.lock:
            return self.faults.switch_on(fault)

    def switch_off(self, fault_id: int | None = None) -> int:
        """Switch one fault off, or all of them; returns how many there were."""
        with self.lock:
            count = self.faults.switch_off(fault_id)
            if self._policy_fault is not None and self._policy_fault.spent:
                self.validate_token_policy = ValidateTokenPolicy.BEFORE_SAVE
            return count

    # Tickets ----------------------------------------------------------------------------------------------

    def close_ticket(self, ticket_id: int) -> None:
        """A closed ticket takes no comments: a reply opens a follow-up. Raises KeyError."""
        with self.lock:
            ticket = self.tickets.get(ticket_id)
            if ticket is None:
                raise KeyError(ticket_id)
            ticket.closed = True

    def ticket_of(self, instance_push_id: str, external_id: str) -> Ticket | None:
        """The ticket on which a resource became a comment; None if it was never imported, or no such account exists."""
        with self.lock:
            try:
                account = self.accounts.get(instance_push_id)
            except UnknownAccountError:
                return None
            found = self.tickets.find(account, external_id)
            return None if found is None else self.tickets.get(found.ticket_id)

    # Agents' answers --------------------------------------------------------------------------------------

    def answer_ticket(self, ticket_id: int, message: str) -> AgentReply:
        """An agent answers: for a sender to pass on. Raises KeyError or ReplyRefusedError."""
        with self.lock:
            ticket = self.tickets.get(ticket_id)
            if ticket is None:
                raise KeyError(ticket_id)
            account = self.accounts.get(ticket.instance_push_id)
            check_message(message, account if account.state is SimulatedAccountState.ACTIVE else None)
            return self.tickets.answer(ticket, message, self._new_id(), self.clock())

    def reply(self, ticket_id: int, reply_id: int) -> AgentReply:
        """One of a ticket's answers. Raises KeyError."""
        with self.lock:
            ticket = self.tickets.get(ticket_id)
            for reply in ticket.replies if ticket else ():
                if reply.id == reply_id:
                    return reply
            raise KeyError(reply_id)

    def begin_channelback(self, reply: AgentReply) -> ChannelbackAttempt:
        """Try to pass an answer on, for the first time or once more; the account's metadata is what it is now."""
        with self.lock:
            reply.state = ReplyState.SENDING
            account = self.accounts.get(reply.instance_push_id)
            form = reply.form(account.metadata)
            target = Target(
                CHANNELBACK, account.instance_push_id, account.subdomain, (reply.parent_id,), form
            )
            struck = {kind: self.faults.take_kind(kind, target) for kind in OF_ANSWERS}
            faults = {kind: fault for kind, fault in struck.items() if fault is not None}
            if FaultKind.FORGED in faults:
                form = reply.form("{}")
            return ChannelbackAttempt(form, faults)

    def end_channelback(self, reply: AgentReply, result: ReplyResult, form: bytes = b"") -> None:
        """Note how an attempt went; of a success Zendesk reports that the answer has an external_id now."""
        with self.lock:
            reply.take(result)
            account = self.accounts.get(reply.instance_push_id)
            outcome = "answered" if result.status else "no answer"
            self._endpoints.record(CHANNELBACK, account, form, result.status, outcome, self.clock())
            event = self.tickets.associate(reply) if reply.state is ReplyState.SENT else None
            if event is not None:
                data = {"request_id": "", "resource_events": [event]}
                self.events.add("resources_created_from_external_ids", account.subdomain, self.clock(), data)

    def _now(self, now: float | None) -> float:
        return self.clock() if now is None else now
