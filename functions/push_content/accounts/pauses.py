"""Accounts and pauses as one invocation knows them: those of the table, read again when they are old, and its own."""

import threading
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Final

from push_content.outcomes.outcome import ErrorCode
from zendesk_channel.accounts import Account
from zendesk_channel.contract import InstancePushId, Subdomain
from zendesk_channel.errors import StoreUnavailableError
from zendesk_channel.push_state import SharedPauses, Snapshot

FRESH: Final = 5.0  # seconds: what is older is read again before a request


@dataclass(frozen=True)
class AccountStanding:
    """What is known about an account before a request. ``account`` None: there is no such account.

    ``subdomain_paused_until`` in epoch seconds; 0: it is not paused.
    """

    account: Account | None
    subdomain_paused_until: float = 0

    @property
    def paused_until(self) -> float:
        """When its own pause and its subdomain's are both over, in epoch seconds."""
        own = self.account.paused_until if self.account else 0.0
        return max(own, self.subdomain_paused_until)


class InvocationPauses:
    """What may be sent to now; every pause is also written for the other workers. Safe to use from several threads.

    A pause that could not be written holds at least here, and ``store_failed`` is told.
    ``first_pause`` and ``longest_pause`` in seconds; ``clock`` gives epoch seconds.
    """

    def __init__(
        self,
        shared: SharedPauses,
        snapshot: Snapshot,
        *,
        first_pause: float,
        longest_pause: float,
        clock: Callable[[], float],
        store_failed: Callable[[StoreUnavailableError], None],
    ) -> None:
        self._shared = shared
        self._first_pause = first_pause
        self._longest_pause = longest_pause
        self._clock = clock
        self._store_failed = store_failed
        self._accounts = dict(snapshot.accounts)
        self._subdomains = dict(snapshot.paused_until)
        self._unread = set(snapshot.unread)
        self._read_at: dict[InstancePushId, float] = {}
        self._begun_at = clock()
        self._lock = threading.Lock()

    def standing(self, instance_push_id: InstancePushId) -> AccountStanding:
        """What is known about an account, at most five seconds old.

        Raises:
            StoreUnavailableError: it could not be read, or not again.
        """
        if self._clock() - self._read_at.get(instance_push_id, self._begun_at) > FRESH:
            self._read_again(instance_push_id)
        if instance_push_id in self._unread:
            raise StoreUnavailableError("BatchGetItem", "UnprocessedKeys")
        return self.known(instance_push_id)

    def known(self, instance_push_id: InstancePushId) -> AccountStanding:
        """The same from memory, however old."""
        with self._lock:
            account = self._accounts.get(instance_push_id)
            until = self._subdomains.get(account.subdomain, 0.0) if account else 0.0
            return AccountStanding(account, until)

    def replace(self, account: Account) -> None:
        """Remember the account as somebody has just read or written it."""
        with self._lock:
            self._accounts[account.instance_push_id] = account

    def pause_subdomain(self, subdomain: Subdomain, until: float) -> None:
        """Pause it until then (epoch seconds), if that is longer than it is paused already."""
        with self._lock:
            if until <= max(self._subdomains.get(subdomain, 0.0), self._clock()):
                return
            self._subdomains[subdomain] = until
        try:
            self._shared.pause_subdomain(subdomain, until)
        except StoreUnavailableError as error:
            self._store_failed(error)

    def back_off(self, account: Account, reason: ErrorCode, *, request_limit: int | None = None) -> None:
        """Pause an account twice as long as the last time."""
        pause = min(
            max(self._first_pause, 2 * account.pause_seconds), max(self._first_pause, self._longest_pause)
        )
        until = self._clock() + pause
        self.replace(
            replace(
                account,
                paused_until=until,
                pause_seconds=pause,
                pause_reason=reason,
                request_limit=account.request_limit if request_limit is None else request_limit,
            )
        )
        try:
            self._shared.pause_account(
                account, until, pause_seconds=pause, reason=reason, request_limit=request_limit
            )
        except StoreUnavailableError as error:
            self._store_failed(error)

    def clear(self, account: Account, request_limit: int | None) -> None:
        """After a success: forget what the record still says of past failures."""
        self.replace(
            replace(account, paused_until=0, pause_seconds=0, pause_reason=None, request_limit=request_limit)
        )
        try:
            self._shared.clear_pause(account, request_limit=request_limit)
        except StoreUnavailableError as error:
            self._store_failed(error)

    def _read_again(self, instance_push_id: InstancePushId) -> None:
        snapshot = self._shared.snapshot([instance_push_id])
        with self._lock:
            self._read_at[instance_push_id] = self._clock()
            self._unread.discard(instance_push_id)
            self._unread |= snapshot.unread
            if instance_push_id in snapshot.accounts:
                self._accounts[instance_push_id] = snapshot.accounts[instance_push_id]
            else:
                self._accounts.pop(instance_push_id, None)
            for subdomain, until in snapshot.paused_until.items():
                self._subdomains[subdomain] = max(until, self._subdomains.get(subdomain, 0.0))
