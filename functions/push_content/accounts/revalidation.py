"""The schedule: is each account's token still accepted, and was each account ever saved?

A run takes a slice of the accounts and leaves a cursor in the table, so thousands of accounts take several runs, and
whoever was asked about longest ago is next. That Zendesk gives no verdict is no refusal.
"""

import enum
from collections import Counter
from collections.abc import Callable, Collection, Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from zendesk_channel.account_removal import AccountRemoval
from zendesk_channel.accounts import Account, AccountsTable, AccountState
from zendesk_channel.aws import store_errors
from zendesk_channel.client import Verdict
from zendesk_channel.clock import Clock
from zendesk_channel.contract import InstancePushId
from zendesk_channel.errors import InvalidValueError, RevisionConflictError, StoreError
from zendesk_channel.telemetry import Telemetry
from zendesk_channel.token_verification import TokenVerifier

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

SCHEDULE_SOURCE: Final = "zendesk-push.schedule"
SAVED_WITHIN: Final = 24 * 3600  # seconds that an administrator may take to press Save
SLICE: Final = 200  # items of the table per run
AT_ONCE: Final = 4  # accounts asked about side by side, which is the pace
# Seconds: two tokens of an account at 3 s each, AWS calls beside them.
TIME_FOR_A_PAGE: Final = 10
CURSOR_KEY: Final = "cursor#revalidation"


class Revalidated(enum.StrEnum):
    """What was found out about one account."""

    CONFIRMED = "confirmed"
    HEALED = "healed"  # confirmed, and was marked as refused
    REFUSED = "refused"
    NO_VERDICT = "no_verdict"
    ABANDONED = "abandoned"  # never saved, and refused by now: removed
    DESTROYED = "destroyed"  # what an interrupted removal left was finished
    SKIPPED = "skipped"  # a tombstone
    FAILED = "failed"  # AWS
    UNKNOWN = "unknown"  # asked for by name, and not registered


@dataclass(frozen=True)
class Checked:
    """One account and what was found; ``news``: an active account that was saved has become refused by this."""

    account: Account
    finding: Revalidated
    news: bool = False

    @property
    def is_refused(self) -> bool:
        """Marked, and anybody's concern: an account that is switched off is pushed to by nobody."""
        return self.finding is Revalidated.REFUSED and self.account.state is AccountState.ACTIVE


class AccountCheck:
    """Asks about one account."""

    def __init__(
        self, verifier: TokenVerifier, removal: AccountRemoval, accounts: AccountsTable, clock: Clock
    ) -> None:
        self._verifier = verifier
        self._removal = removal
        self._accounts = accounts
        self._clock = clock

    def check(self, account: Account) -> Checked:
        """Mark, heal or remove it by Zendesk's verdict. What AWS fails at is FAILED: the next run comes by."""
        try:
            return self._check(account)
        except RevisionConflictError:
            return Checked(
                account, Revalidated.NO_VERDICT
            )  # somebody registered meanwhile: the next run will see
        except StoreError:
            return Checked(account, Revalidated.FAILED)

    def check_by_id(self, name: str) -> Checked | None:
        """The same for an account by its id; None if there is none."""
        try:
            account = self._accounts.get(InstancePushId(name))
        except InvalidValueError:
            return None
        return self.check(account) if account else None

    def _check(self, account: Account) -> Checked:
        if account.state is AccountState.DELETED:
            if not account.token_version:
                return Checked(account, Revalidated.SKIPPED)
            self._removal.finish(account)
            return Checked(account, Revalidated.DESTROYED)
        verification = self._verifier.verify(account, mark_unreachable=True)
        now = verification.account
        if verification.validation.verdict is Verdict.NO_VERDICT:
            return Checked(now, Revalidated.NO_VERDICT)
        if verification.validation.verdict is Verdict.CONFIRMED:
            return Checked(now, Revalidated.HEALED if verification.healed else Revalidated.CONFIRMED)
        if self._may_be_abandoned(now):
            self._removal.abandon(now)
            return Checked(now, Revalidated.ABANDONED)
        news = verification.marked and now.saved and now.state is AccountState.ACTIVE
        return Checked(now, Revalidated.REFUSED, news)

    def _may_be_abandoned(self, account: Account) -> bool:
        """Nobody pressed Save within a day."""
        return not account.saved and self._clock.now() - (account.connected_at or 0) > SAVED_WITHIN


@dataclass(frozen=True)
class Cursor:
    """Where a round has come to: the key to go on after (None: it begins), and how many were refused before it."""

    position: str | None = None
    refused: int = 0


class CursorStore:
    """The cursor in the table. Methods raise StoreUnavailableError if AWS fails."""

    def __init__(self, dynamodb: "DynamoDBClient", table: str) -> None:
        self._dynamodb = dynamodb
        self._table = table

    def read(self) -> Cursor:
        """Where the last run stopped."""
        with store_errors("GetItem"):
            answer = self._dynamodb.get_item(
                TableName=self._table, Key={"pk": {"S": CURSOR_KEY}}, ConsistentRead=True
            )
        item = answer.get("Item", {})
        return Cursor(
            item["position"]["S"] if "position" in item else None,
            int(item["refused"]["N"]) if "refused" in item else 0,
        )

    def write(self, cursor: Cursor) -> None:
        """Go on from here next time."""
        values: dict[str, Any] = {":refused": {"N": str(cursor.refused)}}
        expression = "SET refused = :refused"
        if cursor.position is None:
            expression += " REMOVE #position"
        else:
            expression += ", #position = :position"
            values[":position"] = {"S": cursor.position}
        with store_errors("UpdateItem"):
            self._dynamodb.update_item(
                TableName=self._table,
                Key={"pk": {"S": CURSOR_KEY}},
                UpdateExpression=expression,
                ExpressionAttributeNames={"#position": "position"},
                ExpressionAttributeValues=values,
            )


class Revalidation:
    """Runs of the schedule, and checks of accounts that an operator names."""

    def __init__(
        self, check: AccountCheck, accounts: AccountsTable, cursors: CursorStore, telemetry: Telemetry
    ) -> None:
        self._check = check
        self._accounts = accounts
        self._cursors = cursors
        self._telemetry = telemetry

    def run(
        self, event: dict[str, Any], *, seconds_left: Callable[[], float], request_id: str
    ) -> dict[str, Any]:
        """Take the next slice: how often each finding was made. With ``accounts`` in the event: each one's finding.

        Raises:
            StoreUnavailableError: the table cannot be read.
        """
        self._telemetry.begin(request_id)
        try:
            if "accounts" in event:
                return self._check_named(event["accounts"])
            return self._check_slice(seconds_left)
        finally:
            self._telemetry.flush()

    def _check_named(self, names: Collection[str]) -> dict[str, Any]:
        found = {name: self._check.check_by_id(name) for name in names}
        self._tell([checked for checked in found.values() if checked])
        return {name: checked.finding if checked else Revalidated.UNKNOWN for name, checked in found.items()}

    def _check_slice(self, seconds_left: Callable[[], float]) -> dict[str, Any]:
        cursor = self._cursors.read()
        refused = cursor.refused if cursor.position else 0
        found: list[Checked] = []
        pages = self._accounts.pages(cursor.position, page_size=AT_ONCE)
        with ThreadPoolExecutor(AT_ONCE) as pool:
            for _ in range(SLICE // AT_ONCE):
                if seconds_left() < TIME_FOR_A_PAGE:
                    break
                page, position = next(pages)
                checked = list(pool.map(self._check.check, page))
                found += checked
                refused += sum(each.is_refused for each in checked)
                self._cursors.write(Cursor(position, refused))
                if position is None:
                    # How many there are is known once everybody was asked; who *became* refused is counted at once.
                    self._telemetry.count("AccountsRefused", refused)
                    break
        return self._tell(found)

    def _tell(self, found: Iterable[Checked]) -> dict[str, Any]:
        found = list(found)
        for checked in found:
            if checked.news:
                self._telemetry.warning(
                    "token refused",
                    subdomain=checked.account.subdomain,
                    instance_push_id=checked.account.instance_push_id,
                )
        totals = Counter(checked.finding.value for checked in found)
        self._telemetry.count("CredentialsRefused", sum(checked.news for checked in found))
        self._telemetry.count("AccountsHealed", totals[Revalidated.HEALED])
        self._telemetry.count("AccountsAbandoned", totals[Revalidated.ABANDONED])
        self._telemetry.info("revalidation", found=dict(totals))
        return dict(totals)
