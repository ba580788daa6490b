"""What every worker must know before it pushes, and what it leaves for the others: accounts and pauses.

A subdomain is paused because Zendesk's rate limit, which is per subdomain, is used up; an account because
its pushes fail. Pauses only ever grow, until a success clears them.
"""

import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from botocore.exceptions import ClientError

from zendesk_channel.accounts import (
    Account,
    account_key,
    attribute,
    conditional_update,
    readable_account,
)
from zendesk_channel.aws import error_code, store_errors
from zendesk_channel.contract import InstancePushId, Subdomain
from zendesk_channel.errors import StoreUnavailableError

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

SUBDOMAIN_PREFIX: Final = "subdomain#"
LAST_PUSH_INTERVAL: Final = 300  # seconds between two writes of an account's last push
_BATCH_GET_KEYS: Final = 100  # DynamoDB's limit
_TRANSACTION_ITEMS: Final = 100  # likewise
_ATTEMPTS: Final = 4
# How long after its end a subdomain's pause may be cleaned up, seconds.
_EXPIRY: Final = 24 * 3600


@dataclass(frozen=True)
class Standing:
    """What the table says at one moment. A subdomain that is not in ``paused_until`` is not paused."""

    accounts: Mapping[InstancePushId, Account]
    paused_until: Mapping[Subdomain, float]  # epoch seconds


class SharedPauses:
    """Reads and writes of the push function. Every method raises StoreUnavailableError if AWS fails."""

    def __init__(self, dynamodb: "DynamoDBClient", table: str) -> None:
        self._dynamodb = dynamodb
        self._table = table
        self._known: dict[InstancePushId, Subdomain] = {}  # to ask for both in one call

    def standing(self, instance_push_ids: Iterable[InstancePushId]) -> Standing:
        """The accounts that exist of those asked for, and their subdomains' pauses.

        One consistent BatchGetItem per 100 keys; a second round only for subdomains not met before.
        """
        ids = set(instance_push_ids)
        asked = {self._known[key] for key in ids if key in self._known}
        items = self._batch_get(
            [account_key(key) for key in ids] + [_subdomain_key(subdomain) for subdomain in asked]
        )
        accounts = {account.instance_push_id: account for account in map(readable_account, items) if account}
        missing = {account.subdomain for account in accounts.values()} - asked
        if missing:
            items += self._batch_get([_subdomain_key(subdomain) for subdomain in missing])
        self._known.update({key: account.subdomain for key, account in accounts.items()})
        paused_until = {
            Subdomain(item["pk"]["S"].removeprefix(SUBDOMAIN_PREFIX)): float(item["paused_until"]["N"])
            for item in items
            if item["pk"]["S"].startswith(SUBDOMAIN_PREFIX)
        }
        return Standing(accounts, paused_until)

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
        """Pause one account until then (epoch seconds); False if it is paused for longer already.

        ``pause_seconds`` is the pause's length, for the next one to double; ``reason`` the ErrorCode of
        what waits; ``request_limit`` how many resources a request may hold afterwards.
        """
        expression = "SET paused_until = :until, pause_seconds = :pause, pause_reason = :reason"
        values: dict[str, str | float] = {":until": until, ":pause": pause_seconds, ":reason": reason}
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

    def note_pushes(self, accounts: Sequence[Account], at: float) -> bool:
        """Record when something last reached Zendesk: one call per 100 accounts, all of which it writes or none.

        False if somebody else wrote one of them at the same moment. Do not call more often than every
        LAST_PUSH_INTERVAL for an account.
        """
        for start in range(0, len(accounts), _TRANSACTION_ITEMS):
            with store_errors("TransactWriteItems"):
                try:
                    self._dynamodb.transact_write_items(
                        TransactItems=[
                            {
                                "Update": {
                                    "TableName": self._table,
                                    "Key": account_key(account.instance_push_id),
                                    "UpdateExpression": "SET last_delivery_at = :at",
                                    "ConditionExpression": "attribute_exists(pk)",
                                    "ExpressionAttributeValues": {":at": attribute(at)},
                                }
                            }
                            for account in accounts[start : start + _TRANSACTION_ITEMS]
                        ]
                    )
                except ClientError as error:
                    if error_code(error) == "TransactionCanceledException":
                        return False
                    raise
        return True

    def _update(self, key: Any, expression: str, condition: str, values: Mapping[str, str | float]) -> bool:
        return conditional_update(self._dynamodb, self._table, key, expression, condition, values)

    def _batch_get(self, keys: list[dict[str, dict[str, str]]]) -> list[Any]:
        items: list[Any] = []
        for start in range(0, len(keys), _BATCH_GET_KEYS):
            wanted: Any = {
                self._table: {"Keys": keys[start : start + _BATCH_GET_KEYS], "ConsistentRead": True}
            }
            for attempt in range(_ATTEMPTS):
                if attempt:
                    time.sleep(0.05 * 2**attempt)  # DynamoDB asks for a back-off before unprocessed keys
                with store_errors("BatchGetItem"):
                    answer = self._dynamodb.batch_get_item(RequestItems=wanted)
                items += answer.get("Responses", {}).get(self._table, [])
                wanted = answer.get("UnprocessedKeys")
                if not wanted:
                    break
            else:
                raise StoreUnavailableError("BatchGetItem", "UnprocessedKeys")
        return items


def _subdomain_key(subdomain: Subdomain) -> dict[str, dict[str, str]]:
    return {"pk": {"S": f"{SUBDOMAIN_PREFIX}{subdomain}"}}
