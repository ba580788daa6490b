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
from typing import TYPE_CHECKING, Any

from zendesk_push.simulator.accounts import Account, Accounts, AccountState, UnknownAccountError
from zendesk_push.simulator.editors import Editor, Editors, SaveRefusedError, check_form
from zendesk_push.simulator.endpoints import (
    DEFAULT_MAX_BODY_BYTES,
    VALIDATE_TOKEN,
    Endpoints,
    ValidateTokenPolicy,
)
from zendesk_push.simulator.events import Events
from zendesk_push.simulator.faults import Fault, FaultKind, Faults
from zendesk_push.simulator.rate_limits import DEFAULT_LIMIT, RateLimits
from zendesk_push.simulator.tickets import Ticket, Tickets

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from zendesk_push.simulator.answers import Answer
    from zendesk_push.simulator.request_log import RecordedRequest


_POLICY_FAULTS = {ValidateTokenPolicy.ERROR: FaultKind.SERVER_ERROR, ValidateTokenPolicy.HANG: FaultKind.HANG}


class ZendeskState:
    """Accounts, tickets, faults, limits and events of any number of simulated Zendesk customers.

    ``clock`` gives epoch seconds; ``new_id`` and ``new_token`` can be made deterministic. Every public method
    is atomic. ``push`` and ``validate_token`` return an ``Answer`` (status, headers, body) or raise
    ``NoAnswerError`` where a client would see a broken connection or a time-out. What the properties return are the
    live parts: read them when nothing else is going on, or under ``lock``.
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

    def reset(self) -> None:
        """Forget everything; hanging requests go on."""
        with self.lock:
            self.faults.switch_off()
            self.events.log.clear()
            self._start_over()
            self.validate_token_policy = self._policy

    # The API ----------------------------------------------------------------------------------------------

    def push(
        self,
        host_subdomain: str | None,
        authorization: str | None,
        body: bytes,
        now: float | None = None,
        *,
        headers: Iterable[tuple[str, str]] = (),
    ) -> Answer:
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
    ) -> Answer:
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

    # The Admin Center -------------------------------------------------------------------------------------

    def install(self, subdomain: str) -> None:
        """The administrator uploads the installer app; adding a first account does it as well."""
        with self.lock:
            if subdomain not in self.accounts.subdomains():
                self.accounts.open_subdomain(subdomain)
                self._report("create_integration", subdomain, {"manifest_url": self.manifest_url})

    def uninstall(self, subdomain: str) -> None:
        """The administrator removes the installer app, and with it the integration's accounts."""
        with self.lock:
            for account in self.accounts.of(subdomain):
                if account.state in (AccountState.ACTIVE, AccountState.INACTIVE) and self.events_on_uninstall:
                    self._report("destroy_integration_instance", subdomain, {"metadata": account.metadata})
                self.accounts.delete(account)
            self._report("destroy_integration", subdomain, {"manifest_url": self.manifest_url})

    def create_account(
        self,
        subdomain: str,
        *,
        name: str = "",
        metadata: str = "",
        instance_push_id: str | None = None,
        token: str | None = None,
        now: float | None = None,
    ) -> Account:
        """An active account without the integration's page having been asked: no event, token already saved."""
        with self.lock:
            at = self._now(now)
            account = self.accounts.add(subdomain, at, instance_push_id=instance_push_id)
            self.accounts.issue(account, at, token).saved = True
            account.name, account.metadata, account.state = name, metadata, AccountState.ACTIVE
            return account

    def open_new(self, subdomain: str, locale: str = "en-US") -> Editor:
        """Add account: the integration's page is about to be shown for an account that does not exist yet."""
        with self.lock:
            self.install(subdomain)
            account = self.accounts.add(subdomain, self.clock(), locale)
            return self._editors.open(account, self.accounts.issue(account, self.clock()), locale)

    def open_existing(
        self, instance_push_id: str, locale: str = "en-US", *, new_token: bool | None = None
    ) -> Editor:
        """Edit account; hands out a new token, or the newest once more. Raises UnknownAccountError."""
        with self.lock:
            account = self._existing(instance_push_id)
            fresh = self.new_token_on_edit if new_token is None else new_token
            if fresh or not account.tokens:
                return self._editors.open(account, self.accounts.issue(account, self.clock()), locale)
            return self._editors.open(account, account.tokens[-1], locale)

    def save(
        self,
        editor_id: str | None,
        host_subdomain: str | None,
        *,
        name: str,
        metadata: str,
        pull_state: str = "",
    ) -> Account:
        """The finalizer: the browser brings what the integration's page posted.

        The form itself does not say which account it is for. ``editor_id`` is the browser's cookie; without
        one (a blocked cookie, a client that keeps none) it is the page that was opened last at this address.
        Raises SaveRefusedError.
        """
        with self.lock:
            editor = self._editors.find(editor_id, host_subdomain)
            check_form(name, metadata, pull_state)
            account = editor.account
            if account.state is AccountState.DELETED:
                raise SaveRefusedError("The account has been removed in the meantime.")
            self._editors.close(editor)
            account.name, account.metadata, account.pull_state = name, metadata, pull_state
            account.locale = editor.locale
            editor.token.saved = True
            if account.state is AccountState.PENDING:
                account.state = AccountState.ACTIVE
                self._report("create_integration_instance", account.subdomain, {"metadata": metadata})
            return account

    def activate(self, instance_push_id: str) -> None:
        with self.lock:
            account = self._existing(instance_push_id)
            account.state = AccountState.ACTIVE
            self._report("activate_integration_instance", account.subdomain, {"metadata": account.metadata})

    def deactivate(self, instance_push_id: str, *, by: str = "api", error: str | None = None) -> None:
        """``by`` is "api" or "error", as Zendesk says; ``error`` goes along as deactivating_error."""
        with self.lock:
            account = self._existing(instance_push_id)
            account.state = AccountState.INACTIVE
            data = {"metadata": account.metadata, "deactivated_by": by}
            if error is not None:
                data["deactivating_error"] = error
            self._report("deactivate_integration_instance", account.subdomain, data)

    def remove(self, instance_push_id: str) -> None:
        """Remove the account: all of its tokens end at once; its tickets stay."""
        with self.lock:
            account = self._existing(instance_push_id)
            self.accounts.delete(account)
            self._report("destroy_integration_instance", account.subdomain, {"metadata": account.metadata})

    def rotate_token(self, instance_push_id: str) -> str:
        """A new saved token in place of all others, which the integration is not told of."""
        with self.lock:
            account = self._existing(instance_push_id)
            self.accounts.revoke(account)
            token = self.accounts.issue(account, self.clock())
            token.saved = True
            return token.value

    def revoke_token(self, instance_push_id: str, token: str | None = None) -> None:
        """Revoke one token of the account, or all."""
        with self.lock:
            self.accounts.revoke(self.accounts.get(instance_push_id), token)

    def close_ticket(self, ticket_id: int) -> None:
        """A closed ticket takes no comments: a reply opens a follow-up. Raises KeyError."""
        with self.lock:
            ticket = self.tickets.get(ticket_id)
            if ticket is None:
                raise KeyError(ticket_id)
            ticket.closed = True

    def ticket_of(self, instance_push_id: str, external_id: str) -> Ticket | None:
        """The ticket on which a resource became a comment; None if it was never imported."""
        with self.lock:
            comment = self.tickets.comment(self.accounts.get(instance_push_id), external_id)
            return None if comment is None else self.tickets.get(comment.ticket_id)

    def _existing(self, instance_push_id: str) -> Account:
        account = self.accounts.get(instance_push_id)
        if account.state not in (AccountState.ACTIVE, AccountState.INACTIVE):
            raise UnknownAccountError(instance_push_id)
        return account

    def _report(self, type_id: str, subdomain: str, data: dict[str, Any]) -> None:
        self.events.add(type_id, subdomain, self.clock(), data)

    def _now(self, now: float | None) -> float:
        return self.clock() if now is None else now
