"""Integration accounts and their push tokens, as one Zendesk customer after the other has them.

An account is *pending* from the moment the Admin Center opens the integration's page for it until the
administrator saves, then *active*, *inactive* or *deleted*. Every opening hands out a token; older ones of the
account stay good until revoked, so an administrator who leaves the page without saving breaks nothing.

Not thread-safe: ``core.ZendeskState`` holds the lock.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

MAX_PENDING = 1_000
MAX_TOKENS_PER_ACCOUNT = 32


class SimulatedAccountState(StrEnum):
    PENDING = "pending"
    ACTIVE = "active"
    INACTIVE = "inactive"
    DELETED = "deleted"


class UnknownAccountError(LookupError):
    """No account with this instance_push_id (or not one in a state that allows what was asked)."""


@dataclass
class Token:
    value: str = field(repr=False)
    issued_at: float
    subdomain: str
    """Where it was handed out: where a client goes that knows no other address, even after a renaming."""
    saved: bool = False
    """Whether the administrator pressed Save after this token was handed out."""


@dataclass
class SimulatedAccount:
    instance_push_id: str
    subdomain: str
    created_at: float
    name: str = ""
    metadata: str = ""
    pull_state: str = ""
    """The contract's ``state`` field, which pull integrations use; not the life cycle."""
    state: SimulatedAccountState = SimulatedAccountState.PENDING
    locale: str = "en-US"
    tokens: list[Token] = field(default_factory=list)

    @property
    def token(self) -> str | None:
        """The newest token that is still good; None once all are revoked."""
        return self.tokens[-1].value if self.tokens else None


class Accounts:
    """All accounts of all subdomains; a token finds its account."""

    def __init__(self, new_id: Callable[[], str], new_token: Callable[[], str]) -> None:
        self._new_id = new_id
        self._new_token = new_token
        self._accounts: dict[str, SimulatedAccount] = {}
        self._by_token: dict[str, SimulatedAccount] = {}
        self._subdomains: dict[str, None] = {}
        self._perhaps_pending: dict[str, SimulatedAccount] = {}

    def __iter__(self) -> Iterator[SimulatedAccount]:
        return iter(self._accounts.values())

    def subdomains(self) -> tuple[str, ...]:
        return tuple(self._subdomains)

    def has_subdomain(self, subdomain: str) -> bool:
        return subdomain in self._subdomains

    def open_subdomain(self, subdomain: str) -> None:
        self._subdomains[subdomain] = None

    def get(self, instance_push_id: str) -> SimulatedAccount:
        try:
            return self._accounts[instance_push_id]
        except KeyError:
            raise UnknownAccountError(instance_push_id) from None

    def of(self, subdomain: str) -> list[SimulatedAccount]:
        return [account for account in self if account.subdomain == subdomain]

    def by_token(self, value: str) -> tuple[SimulatedAccount, Token] | None:
        account = self._by_token.get(value)
        if account is None:
            return None
        return account, next(token for token in account.tokens if token.value == value)

    def add(
        self, subdomain: str, now: float, locale: str = "en-US", instance_push_id: str | None = None
    ) -> SimulatedAccount:
        """A pending account. Of those never saved only the newest MAX_PENDING are kept."""
        identity = instance_push_id or self._new_id()
        if identity in self._accounts:
            raise ValueError(f"instance_push_id {identity} is taken")
        self.open_subdomain(subdomain)
        account = SimulatedAccount(identity, subdomain, now, locale=locale)
        self._accounts[identity] = account
        self._perhaps_pending[identity] = account
        if len(self._perhaps_pending) > MAX_PENDING:
            self._forget_pending()
        return account

    def _forget_pending(self) -> None:
        pending = [
            each for each in self._perhaps_pending.values() if each.state is SimulatedAccountState.PENDING
        ]
        for forgotten in pending[:-MAX_PENDING]:
            self.revoke(forgotten)
            del self._accounts[forgotten.instance_push_id]
        self._perhaps_pending = {each.instance_push_id: each for each in pending[-MAX_PENDING:]}

    def issue(self, account: SimulatedAccount, now: float, value: str | None = None) -> Token:
        """Hand out one more token; the oldest goes when the account has MAX_TOKENS_PER_ACCOUNT."""
        token = Token(value or self._new_token(), now, account.subdomain)
        if token.value in self._by_token:
            raise ValueError("this token is another account's")
        account.tokens.append(token)
        self._by_token[token.value] = account
        for outdated in account.tokens[:-MAX_TOKENS_PER_ACCOUNT]:
            self.revoke(account, outdated.value)
        return token

    def revoke(self, account: SimulatedAccount, value: str | None = None) -> None:
        """Revoke one token, or all of the account."""
        for token in [each for each in account.tokens if value in (None, each.value)]:
            account.tokens.remove(token)
            del self._by_token[token.value]

    def delete(self, account: SimulatedAccount) -> None:
        account.state = SimulatedAccountState.DELETED
        self.revoke(account)

    def rename_subdomain(self, old: str, new: str) -> None:
        """The customer's Zendesk gets another address; the old one stops at once, without a redirect."""
        if old not in self._subdomains or new in self._subdomains:
            raise ValueError(f"{old} does not exist, or {new} does")
        del self._subdomains[old]
        self.open_subdomain(new)
        for account in self.of(old):
            account.subdomain = new
