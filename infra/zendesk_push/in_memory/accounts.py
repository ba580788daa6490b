"""The accounts' table in memory: what both functions write and read there, under the same conditions.

The adapters' methods stand for themselves here, not DynamoDB's expressions: whoever needs those uses moto.
"""

import threading
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass, field, replace
from typing import Any

from zendesk_channel.accounts import UNDER_THE_REVISION, Account, AccountsTable, as_kept
from zendesk_channel.contract import InstancePushId, Subdomain
from zendesk_channel.errors import RevisionConflictError
from zendesk_channel.push_state import SharedPauses, Snapshot


@dataclass
class InMemoryTable:
    """The items. ``writes`` counts the writes that took place."""

    accounts: dict[InstancePushId, Account] = field(default_factory=dict)
    paused_until: dict[Subdomain, float] = field(default_factory=dict)
    writes: int = 0
    lock: threading.RLock = field(default_factory=threading.RLock)

    def put(self, account: Account) -> None:
        """Write an account as DynamoDB would keep it."""
        self.accounts[account.instance_push_id] = as_kept(account)
        self.writes += 1


class InMemoryAccounts(AccountsTable):
    """``AccountsTable`` without DynamoDB."""

    def __init__(self, table: InMemoryTable) -> None:
        self._store = table

    def get(self, instance_push_id: InstancePushId) -> Account | None:
        """As the table's."""
        with self._store.lock:
            return self._store.accounts.get(instance_push_id)

    def save(self, account: Account, *, only: Collection[str] = UNDER_THE_REVISION) -> Account:
        """As the table's."""
        with self._store.lock:
            found = self._store.accounts.get(account.instance_push_id)
            if (found.revision if found else 0) != account.revision:
                raise RevisionConflictError("UpdateItem", "ConditionalCheckFailedException")
            written: dict[str, Any] = {name: getattr(account, name) for name in only}
            kept = found or Account(account.instance_push_id, account.subdomain, account.state, 0)
            self._store.put(replace(kept, revision=account.revision + 1, **written))
            return as_kept(replace(account, revision=account.revision + 1))

    def mark_refused(self, account: Account) -> bool:
        """As the table's."""
        with self._store.lock:
            found = self._store.accounts.get(account.instance_push_id)
            if found is None or found.token_version != account.token_version or found.refused:
                return False
            self._store.put(replace(found, refused_version=account.token_version))
            return True

    def clear_refused(self, account: Account) -> bool:
        """As the table's."""
        with self._store.lock:
            found = self._store.accounts.get(account.instance_push_id)
            if found is None or found.refused_version != account.token_version:
                return False
            self._store.put(replace(found, refused_version=None))
            return True

    def pause_by_operator(self, instance_push_id: InstancePushId, at: float) -> bool:
        """As the table's."""
        with self._store.lock:
            found = self._store.accounts.get(instance_push_id)
            if found is None or found.paused_by_operator_at is not None:
                return False
            self._store.put(replace(found, paused_by_operator_at=at))
            return True

    def resume_by_operator(self, instance_push_id: InstancePushId) -> bool:
        """As the table's."""
        with self._store.lock:
            found = self._store.accounts.get(instance_push_id)
            if found is None or found.paused_by_operator_at is None:
                return False
            self._store.put(replace(found, paused_by_operator_at=None))
            return True

    def pages(
        self, start: str | None = None, *, page_size: int = 100
    ) -> Iterator[tuple[list[Account], str | None]]:
        """As the table's."""
        while True:
            with self._store.lock:
                keys = sorted(key for key in self._store.accounts if start is None or key > start)
                page = [self._store.accounts[key] for key in keys[:page_size]]
            start = keys[page_size - 1] if len(keys) > page_size else None
            yield page, start
            if start is None:
                return


class InMemoryPauses(SharedPauses):
    """``SharedPauses`` without DynamoDB."""

    def __init__(self, table: InMemoryTable) -> None:
        self._store = table

    def snapshot(self, instance_push_ids: Iterable[InstancePushId]) -> Snapshot:
        """As the table's."""
        with self._store.lock:
            accounts = {
                key: self._store.accounts[key] for key in instance_push_ids if key in self._store.accounts
            }
            subdomains = {account.subdomain for account in accounts.values()}
            return Snapshot(
                accounts,
                {key: until for key, until in self._store.paused_until.items() if key in subdomains},
            )

    def pause_subdomain(self, subdomain: Subdomain, until: float) -> bool:
        """As the table's."""
        until = round(until, 3)
        with self._store.lock:
            if self._store.paused_until.get(subdomain, until - 1) >= until:
                return False
            self._store.paused_until[subdomain] = until
            self._store.writes += 1
            return True

    def pause_account(
        self,
        account: Account,
        until: float,
        *,
        pause_seconds: float,
        reason: str,
        request_limit: int | None = None,
    ) -> bool:
        """As the table's."""
        with self._store.lock:
            found = self._store.accounts.get(account.instance_push_id)
            if found is None or (found.paused_until and found.paused_until >= round(until, 3)):
                return False
            self._store.put(
                replace(
                    found,
                    paused_until=until,
                    pause_seconds=pause_seconds,
                    pause_reason=reason,
                    last_failure_at=until - pause_seconds,
                    last_failure_reason=reason,
                    request_limit=found.request_limit if request_limit is None else request_limit,
                )
            )
            return True

    def clear_pause(self, account: Account, *, request_limit: int | None) -> bool:
        """As the table's."""
        with self._store.lock:
            found = self._store.accounts.get(account.instance_push_id)
            if found is None or (found.paused_until and found.paused_until != account.paused_until):
                return False
            self._store.put(
                replace(
                    found, paused_until=0, pause_seconds=0, pause_reason=None, request_limit=request_limit
                )
            )
            return True

    def note(
        self,
        account: Account,
        *,
        delivered_at: float | None = None,
        failed_at: float | None = None,
        failure_reason: str | None = None,
    ) -> bool:
        """As the table's."""
        noted = {
            "last_delivery_at": delivered_at,
            "last_failure_at": failed_at,
            "last_failure_reason": failure_reason,
        }
        values: dict[str, Any] = {name: value for name, value in noted.items() if value is not None}
        with self._store.lock:
            found = self._store.accounts.get(account.instance_push_id)
            if found is not None:
                self._store.put(replace(found, **values))
            return found is not None
