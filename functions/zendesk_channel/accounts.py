"""Integration accounts: the record of each, in DynamoDB.

One table holds everything that is not a token. An account's item is written by three parties that do not
undo each other's work: registration and events own what is under the revision; push owns its pauses and when it last
delivered or failed; whoever asked Zendesk about a token owns the mark that it was refused. An operator pauses and
resumes.
"""

import enum
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass, fields, replace
from types import NoneType
from typing import TYPE_CHECKING, Any, Final, get_args, get_type_hints

from botocore.exceptions import ClientError

from zendesk_channel.aws import error_code, store_errors
from zendesk_channel.contract import InstancePushId, Subdomain
from zendesk_channel.errors import RevisionConflictError, StoreUnavailableError

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

Item = Mapping[str, Mapping[str, Any]]
ACCOUNT_PREFIX: Final = "account#"


class AccountState(enum.StrEnum):
    """What Zendesk last said of the account. Only an active one is pushed to."""

    ACTIVE = "active"
    INACTIVE = "inactive"
    DELETED = "deleted"


@dataclass(frozen=True)
class Account:
    """One integration account. Times are epoch seconds; None means never, or not there.

    Attributes:
        token_version: the secret version that Zendesk confirmed, the one that push reads. Empty once deleted.
        nonce: what metadata must hold to speak for this account.
        pending_version: an unconfirmed token's secret version, kept since ``pending_since``.
        events_applied_until: the newest event's timestamp; older events are ignored.
        destroyed_at: when it was, by this clock: no token that was sealed earlier brings it back.
        saved_at: when Zendesk first reported that the administrator has saved it.
        refused_version: the version that Zendesk no longer accepts.
        paused_by_operator_at: since when an operator lets nothing be pushed.
        paused_until, pause_seconds: until when nothing is pushed, and the pause's length, which doubles.
        pause_reason: the ErrorCode of what waits meanwhile.
        request_limit: at most so many resources a request, after a time-out.
        last_delivery_at: when Zendesk last took something; nothing but a delivery moves it.
        last_failure_at, last_failure_reason: when a push last failed, and the ErrorCode of it.
    """

    instance_push_id: InstancePushId
    subdomain: Subdomain
    state: AccountState
    revision: int
    token_version: str = ""
    nonce: str | None = None
    name: str | None = None
    pending_version: str | None = None
    pending_since: float | None = None
    events_applied_until: float | None = None
    connected_at: float | None = None
    destroyed_at: float | None = None
    saved_at: float | None = None
    refused_version: str | None = None
    paused_by_operator_at: float | None = None
    paused_until: float = 0
    pause_seconds: float = 0
    pause_reason: str | None = None
    request_limit: int | None = None
    last_delivery_at: float | None = None
    last_failure_at: float | None = None
    last_failure_reason: str | None = None

    @property
    def refused(self) -> bool:
        """Zendesk does not accept the token that is registered now."""
        return bool(self.token_version) and self.refused_version == self.token_version

    @property
    def saved(self) -> bool:
        """The administrator pressed Save: Zendesk said so, or has taken a push, which it does only then.

        A delivery before it was connected is an earlier life's.
        """
        delivered = self.last_delivery_at is not None and self.last_delivery_at >= (self.connected_at or 0)
        return self.saved_at is not None or delivered


BESIDE_THE_REVISION: Final = (
    "refused_version",
    "paused_by_operator_at",
    "paused_until",
    "pause_seconds",
    "pause_reason",
    "request_limit",
    "last_delivery_at",
    "last_failure_at",
    "last_failure_reason",
)
"""The attributes that are each written by themselves, beside the revision."""

UNDER_THE_REVISION: Final = tuple(
    each.name
    for each in fields(Account)
    if each.name not in ("instance_push_id", "revision", *BESIDE_THE_REVISION)
)
"""All others: written together, on condition of the revision."""


class AccountsTable:
    """The account items of the one table. Reads are consistent; a method raises StoreUnavailableError if AWS fails."""

    def __init__(self, dynamodb: "DynamoDBClient", table: str) -> None:
        self._dynamodb = dynamodb
        self._table = table

    def get(self, instance_push_id: InstancePushId) -> Account | None:
        """The account as it is now, or None if it was never confirmed.

        Raises:
            StoreUnavailableError: also if the item was broken by hand: it is neither, and must not be replaced.
        """
        with store_errors("GetItem"):
            answer = self._dynamodb.get_item(
                TableName=self._table, Key=account_key(instance_push_id), ConsistentRead=True
            )
        item = answer.get("Item")
        account = readable_account(item) if item else None
        if item and account is None:
            raise StoreUnavailableError("GetItem", "UnreadableItem")
        return account

    def save(self, account: Account, *, only: Collection[str] = UNDER_THE_REVISION) -> Account:
        """Write what registration owns, or ``only`` some of it.

        ``account.revision`` is the one that was read, 0 for a new account.

        Returns:
            The account with its new revision, and with what others write as it was read.

        Raises:
            RevisionConflictError: it has been written since it was read.
        """
        written = {name: getattr(account, name) for name in only}
        written["revision"] = account.revision + 1
        if account.revision:
            condition = "#revision = :seen"
        else:
            condition = "attribute_not_exists(pk)"
            written["instance_push_id"] = account.instance_push_id
        updates = {name: value for name, value in written.items() if value is not None}
        removed = [name for name in written if name not in updates]
        expression = "SET " + ", ".join(f"#{name} = :{name}" for name in updates)
        if removed:
            expression += " REMOVE " + ", ".join(f"#{name}" for name in removed)
        seen = {":seen": attribute(account.revision)} if account.revision else {}
        with store_errors("UpdateItem"):
            try:
                self._dynamodb.update_item(
                    TableName=self._table,
                    Key=account_key(account.instance_push_id),
                    UpdateExpression=expression,
                    ConditionExpression=condition,
                    ExpressionAttributeNames={f"#{name}": name for name in written},
                    ExpressionAttributeValues={
                        **{f":{name}": attribute(value) for name, value in updates.items()},
                        **seen,
                    },
                )
            except ClientError as error:
                if error_code(error) == "ConditionalCheckFailedException":
                    raise RevisionConflictError("UpdateItem", "ConditionalCheckFailedException") from None
                raise
        return as_kept(replace(account, revision=account.revision + 1))

    def mark_refused(self, account: Account) -> bool:
        """Note that Zendesk refuses this version of the token.

        Returns:
            Whether that is news: False if it was noted before, or another version has replaced this one meanwhile.
        """
        return self._update(
            account.instance_push_id,
            "SET refused_version = :version",
            "token_version = :version AND (attribute_not_exists(refused_version) OR refused_version <> :version)",
            {":version": account.token_version},
        )

    def clear_refused(self, account: Account) -> bool:
        """Take the mark off again; False if it was not there for this version."""
        return self._update(
            account.instance_push_id,
            "REMOVE refused_version",
            "refused_version = :version",
            {":version": account.token_version},
        )

    def pause_by_operator(self, instance_push_id: InstancePushId, at: float) -> bool:
        """Let nothing be pushed until ``resume_by_operator``; False if there is no such account, or it is paused."""
        return self._update(
            instance_push_id,
            "SET paused_by_operator_at = :at",
            "attribute_exists(pk) AND attribute_not_exists(paused_by_operator_at)",
            {":at": at},
        )

    def resume_by_operator(self, instance_push_id: InstancePushId) -> bool:
        """Undo that; False if it was not paused."""
        return self._update(
            instance_push_id, "REMOVE paused_by_operator_at", "attribute_exists(paused_by_operator_at)", {}
        )

    def _update(
        self, instance_push_id: InstancePushId, expression: str, condition: str, values: Mapping[str, Any]
    ) -> bool:
        """A small conditional write beside the revision; False if the condition did not hold."""
        return conditional_update(
            self._dynamodb, self._table, account_key(instance_push_id), expression, condition, values
        )

    def pages(
        self, start: str | None = None, *, page_size: int = 100
    ) -> Iterator[tuple[list[Account], str | None]]:
        """All accounts, a page at a time, in the table's own stable order; items that cannot be read are left out.

        A page has ``page_size`` accounts or somewhat more, the last one fewer, however many other items (replies, say)
        lie between them. Each comes with the key to go on after it another time (``start``), None behind the last one.
        """
        key: Any = {"pk": {"S": start}} if start else None
        page: list[Account] = []
        while True:
            request: dict[str, Any] = {
                "TableName": self._table,
                "Limit": page_size,
                "ConsistentRead": True,
                "FilterExpression": "begins_with(pk, :prefix)",
                "ExpressionAttributeValues": {":prefix": {"S": ACCOUNT_PREFIX}},
            }
            if key:
                request["ExclusiveStartKey"] = key
            with store_errors("Scan"):
                answer = self._dynamodb.scan(**request)
            key = answer.get("LastEvaluatedKey")
            page += [account for account in map(readable_account, answer["Items"]) if account]
            if key and len(page) < page_size:
                continue
            yield page, key["pk"]["S"] if key else None
            if not key:
                return
            page = []


def account_key(instance_push_id: InstancePushId) -> dict[str, dict[str, str]]:
    """The key of an account's item."""
    return {"pk": {"S": f"{ACCOUNT_PREFIX}{instance_push_id}"}}


def account_from_item(item: Item) -> Account:
    """The account of a DynamoDB item. KeyError, TypeError or ValueError if it is not one."""
    return as_kept(
        Account(**{name: decode(item[name]) for name, decode in _DECODERS.items() if name in item})
    )


def as_kept(account: Account) -> Account:
    """As the table gives an account back: times to the millisecond, and a destroyed one without a state of its own.

    Whoever removes an account that nobody saved may write ``destroyed_at`` and neither ``state`` nor ``nonce``.
    """
    values: dict[str, Any] = {
        name: round(value, 3) for name in _DECODERS if isinstance(value := getattr(account, name), float)
    }
    if account.destroyed_at is not None:
        return replace(account, **values, state=AccountState.DELETED, nonce=None)
    return replace(account, **values)


def readable_account(item: Item) -> Account | None:
    """The account of an item, if it is one. One that somebody has broken by hand must not cost the others anything."""
    if not item["pk"]["S"].startswith(ACCOUNT_PREFIX):
        return None
    try:
        return account_from_item(item)
    except (KeyError, TypeError, ValueError):
        return None


def attribute(value: str | float) -> dict[str, str]:
    """A value as DynamoDB takes it. Numbers keep milliseconds: its own limit is 38 digits."""
    if isinstance(value, str):
        return {"S": str(value)}
    return {"N": str(value) if isinstance(value, int) else f"{value:.3f}"}


def conditional_update(
    dynamodb: "DynamoDBClient",
    table: str,
    key: Any,
    expression: str,
    condition: str,
    values: Mapping[str, str | float],
) -> bool:
    """UpdateItem on a condition; False if it did not hold.

    Raises:
        StoreUnavailableError: AWS failed otherwise.
    """
    given: dict[str, Any] = {}
    if values:  # AWS refuses an empty mapping
        given["ExpressionAttributeValues"] = {name: attribute(value) for name, value in values.items()}
    with store_errors("UpdateItem"):
        try:
            dynamodb.update_item(
                TableName=table,
                Key=key,
                UpdateExpression=expression,
                ConditionExpression=condition,
                **given,
            )
        except ClientError as error:
            if error_code(error) == "ConditionalCheckFailedException":
                return False
            raise
    return True


def _decoder(hint: Any) -> Callable[[Mapping[str, Any]], Any]:
    """How a field of this type is read from its DynamoDB value: ``{"S": …}`` for texts, ``{"N": …}`` for numbers."""
    (kind,) = {part for part in get_args(hint) if part is not NoneType} or {hint}
    key = "S" if issubclass(kind, str) else "N"
    return lambda value: kind(value[key])


_DECODERS: Final = {name: _decoder(hint) for name, hint in get_type_hints(Account).items()}
