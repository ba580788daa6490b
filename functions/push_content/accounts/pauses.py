"""The pauses as one invocation knows them: those of the table at its start, and its own."""

import threading
from collections.abc import Callable
from dataclasses import replace

from push_content.outcomes.error_codes import ErrorCode
from zendesk_channel.accounts import Account
from zendesk_channel.contract import InstancePushId, Subdomain
from zendesk_channel.errors import StoreUnavailableError
from zendesk_channel.push_state import SharedPauses, Standing


class InvocationPauses:
    """What may be sent to now; every pause is also written for the other workers. Safe to use from several threads.

    A pause that could not be written holds at least here, and ``store_failed`` is told.
    ``first_pause`` and ``longest_pause`` in seconds.
    """

    def __init__(
        self,
        pauses: SharedPauses,
        standing: Standing,
        *,
        first_pause: float,
        longest_pause: float,
        store_failed: Callable[[StoreUnavailableError], None],
    ) -> None:
        self._store_failed = store_failed
        self._pauses = pauses
        self._first_pause = first_pause
        self._longest_pause = longest_pause
        self._subdomains = dict(standing.paused_until)
        self._accounts: dict[InstancePushId, float] = {}
        self._lock = threading.Lock()

    def subdomain_paused_until(self, subdomain: Subdomain) -> float:
        """Epoch seconds; 0: it is not paused."""
        with self._lock:
            return self._subdomains.get(subdomain, 0.0)

    def paused_until(self, account: Account) -> float:
        """When both its own and its subdomain's pause are over, epoch seconds."""
        with self._lock:
            own = self._accounts.get(account.instance_push_id, account.paused_until)
            return max(own, self._subdomains.get(account.subdomain, 0.0))

    def pause_subdomain(self, subdomain: Subdomain, until: float) -> None:
        """Pause it until then (epoch seconds), if that is longer than it is paused already."""
        with self._lock:
            if until <= self._subdomains.get(subdomain, 0.0):
                return
            self._subdomains[subdomain] = until
        try:
            self._pauses.pause_subdomain(subdomain, until)
        except StoreUnavailableError as error:
            self._store_failed(error)

    def back_off(
        self, account: Account, reason: ErrorCode, now: float, *, request_limit: int | None = None
    ) -> Account:
        """Pause an account twice as long as the last time; the account as the table has it then."""
        pause = min(
            max(self._first_pause, 2 * account.pause_seconds), max(self._first_pause, self._longest_pause)
        )
        until = now + pause
        with self._lock:
            self._accounts[account.instance_push_id] = until
        try:
            self._pauses.pause_account(
                account, until, pause_seconds=pause, reason=reason, request_limit=request_limit
            )
        except StoreUnavailableError as error:
            self._store_failed(error)
        return replace(account, paused_until=until, pause_seconds=pause, pause_reason=reason)

    def clear(self, account: Account, request_limit: int | None) -> None:
        """After a success: what the record still says of past failures is over."""
        try:
            self._pauses.clear_pause(account, request_limit=request_limit)
        except StoreUnavailableError as error:
            self._store_failed(error)
