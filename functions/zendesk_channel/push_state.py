"""What every worker must know before it pushes, and what it leaves for the others: accounts and pauses.

A subdomain is paused because Zendesk's rate limit, which is per subdomain, is used up; an account because
its pushes fail. Pauses only ever grow, until a success clears them.
"""

import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from zendesk_channel.accounts import Account, account_key, conditional_update, readable_account
from zendesk_channel.aws import store_errors
from zendesk_channel.contract import InstancePushId, Subdomain

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

Key = dict[str, dict[str, str]]
SUBDOMAIN_PREFIX: Final = "subdomain#"
_BATCH_GET_KEYS: Final = 100  # DynamoDB's limit
# More would save little time, and each new connection to AWS costs the CPU of reading its certificates.
_SIDE_BY_SIDE: Final = 5
_ATTEMPTS: Final = 4
_KNOWN: Final = 50_000  # accounts
# How long after its end a subdomain's pause may be cleaned up, seconds.
_EXPIRY: Final = 24 * 3600


@dataclass(frozen=True)
class Snapshot:
    """What the table says at one moment. A subdomain that is not in ``paused_until`` is not paused.

    ``unread``: what was asked for and not answered; the accounts and subdomains of these are not known.
    """

    accounts: Mapping[InstancePushId, Account]
    paused_until: Mapping[Subdomain, float]  # epoch seconds
    unread: frozenset[InstancePushId] = frozenset()


class SharedPauses:
    """Reads and writes of the push function. Every method raises StoreUnavailableError if AWS fails.

    ``sleep`` waits so many seconds.
    """

    def __init__(
        self, dynamodb: "DynamoDBClient", table: str, sleep: Callable[[float], None] = time.sleep
    ) -> None:
        self._dynamodb = dynamodb
        self._table = table
        self._sleep = sleep
        self._known: dict[InstancePushId, Subdomain] = {}  # to ask for both in one call

    def snapshot(self, instance_push_ids: Iterable[InstancePushId]) -> Snapshot:
        """The accounts that exist of those asked for, and their subdomains' pauses.

        One consistent BatchGetItem per 100 keys, a few side by side; a second round only for subdomains not met before.
        """
        ids = set(instance_push_ids)
        asked = {self._known[key] for key in ids if key in self._known}
        items, missing = self._batch_get(
            [account_key(key) for key in ids] + [_subdomain_key(subdomain) for subdomain in asked]
        )
        accounts = {account.instance_push_id: account for account in map(readable_account, items) if account}
        not_asked = {account.subdomain for account in accounts.values()} - asked
        if not_asked:
            more, still_missing = self._batch_get([_subdomain_key(subdomain) for subdomain in not_asked])
            items, missing = items + more, missing | still_missing
        self._remember(accounts.values())
        paused_until = dict(pause for pause in map(_readable_pause, items) if pause)
        unread = frozenset(key for key in ids if missing & self._keys_of(key))
        return Snapshot(
            {key: account for key, account in accounts.items() if key not in unread}, paused_until, unread
        )

    def _remember(self, accounts: Iterable[Account]) -> None:
        if len(self._known) > _KNOWN:
            self._known = {}
        self._known.update({account.instance_push_id: account.subdomain for account in accounts})

    def _keys_of(self, instance_push_id: InstancePushId) -> set[str]:
        keys = [account_key(instance_push_id)]
        if instance_push_id in self._known:
            keys.append(_subdomain_key(self._known[instance_push_id]))
        return {key["pk"]["S"] for key in keys}

    def pause_subdomain(self, subdomain: Subdomain, until: float) -> bool:
        """Pause all accounts of a subdomain until then (epoch seconds); False if it is paused for longer already."""
        return self._update(
            _subdomain_key(subdomain),
            "SET paused_until = :until, expires_at = :expires_at",
            "attribute_not_exists(paused_until) OR paused_until < :until",
            {":until": until, ":expires_at": int(until) + _EXPIRY},
        )

    def pause_account(
        self,
        account: Account,
        until: float,
        *,
        pause_seconds: float,
        reason: str,
        request_limit: int | None = None,
    ) -> bool:
        """Pause one account, because it failed, until then (epoch seconds); False if it is paused for longer already.

        ``pause_seconds`` is the pause's length, for the next one to double; ``reason`` the ErrorCode of
        what waits; ``request_limit`` how many resources a request may hold afterwards.
        """
        expression = (
            "SET paused_until = :until, pause_seconds = :pause, pause_reason = :reason, "
            "last_failure_at = :failed_at, last_failure_reason = :reason"
        )
        values: dict[str, str | float] = {
            ":until": until,
            ":pause": pause_seconds,
            ":reason": reason,
            ":failed_at": until - pause_seconds,
        }
        if request_limit is not None:
            expression += ", request_limit = :limit"
            values[":limit"] = request_limit
        return self._update(
            account_key(account.instance_push_id),
            expression,
            "attribute_exists(pk) AND (attribute_not_exists(paused_until) OR paused_until < :until)",
            values,
        )

    def clear_pause(self, account: Account, *, request_limit: int | None) -> bool:
        """After a success: forget the pause that ``account`` was read with, and set what a request may hold next.

        ``request_limit`` None lifts the limit. False if somebody has set another pause meanwhile.
        """
        expression = "REMOVE paused_until, pause_seconds, pause_reason"
        values: dict[str, str | float] = {":seen": account.paused_until}
        if request_limit is None:
            expression += ", request_limit"
        else:
            expression = "SET request_limit = :limit " + expression
            values[":limit"] = request_limit
        return self._update(
            account_key(account.instance_push_id),
            expression,
            "attribute_exists(pk) AND (attribute_not_exists(paused_until) OR paused_until = :seen)",
            values,
        )

    def note(
        self,
        account: Account,
        *,
        delivered_at: float | None = None,
        failed_at: float | None = None,
        failure_reason: str | None = None,
    ) -> bool:
        """Record when an account's last delivery and failure were, for people to read; False if it is gone."""
        noted = {
            "last_delivery_at": delivered_at,
            "last_failure_at": failed_at,
            "last_failure_reason": failure_reason,
        }
        values = {f":{name}": value for name, value in noted.items() if value is not None}
        return self._update(
            account_key(account.instance_push_id),
            "SET " + ", ".join(f"{name[1:]} = {name}" for name in values),
            "attribute_exists(pk)",
            values,
        )

    def _update(self, key: Any, expression: str, condition: str, values: Mapping[str, str | float]) -> bool:
        return conditional_update(self._dynamodb, self._table, key, expression, condition, values)

    def _batch_get(self, keys: Sequence[Key]) -> tuple[list[Any], set[str]]:
        """The items, and the keys of those that DynamoDB would not read this time."""
        chunks = [keys[start : start + _BATCH_GET_KEYS] for start in range(0, len(keys), _BATCH_GET_KEYS)]
        if len(chunks) == 1:
            return self._get(chunks[0])
        with ThreadPoolExecutor(_SIDE_BY_SIDE) as threads:
            answers = list(threads.map(self._get, chunks))
        return [item for items, _ in answers for item in items], set().union(
            *(missing for _, missing in answers)
        )

    def _get(self, keys: Sequence[Key]) -> tuple[list[Any], set[str]]:
        items: list[Any] = []
        wanted: Any = {self._table: {"Keys": keys, "ConsistentRead": True}}
        for attempt in range(_ATTEMPTS):
            if attempt:
                self._sleep(0.05 * 2**attempt)  # DynamoDB asks for a back-off before unprocessed keys
            with store_errors("BatchGetItem"):
                answer = self._dynamodb.batch_get_item(RequestItems=wanted)
            items += answer.get("Responses", {}).get(self._table, [])
            wanted = answer.get("UnprocessedKeys")
            if not wanted:
                return items, set()
        return items, {key["pk"]["S"] for key in wanted[self._table]["Keys"]}


def _readable_pause(item: Any) -> tuple[Subdomain, float] | None:
    """The pause of a subdomain's item, if it is one. As an account's, one that is broken costs the others nothing."""
    key = item["pk"]["S"]
    if not key.startswith(SUBDOMAIN_PREFIX):
        return None
    try:
        return Subdomain(key.removeprefix(SUBDOMAIN_PREFIX)), float(item["paused_until"]["N"])
    except (KeyError, TypeError, ValueError):
        return None


def _subdomain_key(subdomain: Subdomain) -> Key:
    return {"pk": {"S": f"{SUBDOMAIN_PREFIX}{subdomain}"}}
