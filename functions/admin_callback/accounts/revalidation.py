"""The schedule: is each account's token still accepted?

A run takes a slice of the accounts and leaves a cursor in the table, so thousands of accounts take several runs, and
whoever was asked about longest ago is next. That Zendesk gives no verdict is no refusal.
"""

import enum
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Final

from admin_callback.accounts.account_lifecycle import AccountLifecycle
from zendesk_channel.accounts import Account, AccountsTable, AccountState
from zendesk_channel.aws import store_errors
from zendesk_channel.client import Verdict
from zendesk_channel.credentials import CredentialStore
from zendesk_channel.errors import RevisionConflictError, StoreError
from zendesk_channel.token_verification import TokenRecheck

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

SLICE: Final = 200  # items of the table per run
AT_ONCE: Final = 4  # accounts asked about side by side, which is the pace
# Seconds: two tokens of an account at 3 s each, AWS calls beside them.
TIME_FOR_A_PAGE: Final = 10
CURSOR_KEY: Final = "cursor#revalidation"


class Finding(enum.Enum):
    """What was found out about one account."""

    CONFIRMED = "confirmed"
    HEALED = "healed"  # confirmed, and was marked as refused
    REFUSED = "refused"
    REFUSED_INACTIVE = "refused_inactive"  # nothing is pushed with it anyway
    NO_VERDICT = "no_verdict"
    DESTROYED = "destroyed"  # what an interrupted destroy left was finished
    SKIPPED = "skipped"  # a tombstone
    FAILED = "failed"  # AWS


class AccountRevalidator:
    """Asks about one account."""

    def __init__(
        self,
        accounts: AccountsTable,
        credentials: CredentialStore,
        recheck: TokenRecheck,
        lifecycle: AccountLifecycle,
    ) -> None:
        self._accounts = accounts
        self._credentials = credentials
        self._recheck = recheck
        self._lifecycle = lifecycle

    def revalidate(self, account: Account) -> Finding:
        """Mark or heal it by Zendesk's verdict.

        Raises:
            StoreUnavailableError: AWS failed.
        """
        if account.state is AccountState.DELETED:
            if not account.token_version:
                return Finding.SKIPPED
            self._lifecycle.finish_removal(account)
            return Finding.DESTROYED
        result = self._recheck.run(account)
        if result.validation.verdict is Verdict.NO_VERDICT and self._brought_back(account):
            result = self._recheck.run(account)
        if result.validation.verdict is Verdict.NO_VERDICT:
            return Finding.NO_VERDICT
        if result.validation.verdict is Verdict.REFUSED:
            self._accounts.mark_refused(result.account)
            return (
                Finding.REFUSED if result.account.state is AccountState.ACTIVE else Finding.REFUSED_INACTIVE
            )
        if result.account.refused:
            healed = self._accounts.clear_refused(result.account)
        else:
            healed = result.promoted and account.refused
        return Finding.HEALED if healed else Finding.CONFIRMED

    def _brought_back(self, account: Account) -> bool:
        """Restore the secret of a living account, should a crash have left it marked for deletion."""
        return self._credentials.restore(account.instance_push_id)


class SweepCursor:
    """Where the last run stopped. Methods raise StoreUnavailableError if AWS fails."""

    def __init__(self, dynamodb: "DynamoDBClient", table: str) -> None:
        self._dynamodb = dynamodb
        self._table = table

    def read(self) -> str | None:
        """The key to go on after; None at the beginning."""
        with store_errors("GetItem"):
            answer = self._dynamodb.get_item(
                TableName=self._table, Key={"pk": {"S": CURSOR_KEY}}, ConsistentRead=True
            )
        return answer["Item"]["position"]["S"] if "position" in answer.get("Item", {}) else None

    def write(self, position: str | None) -> None:
        """Go on after this key next time; None: from the beginning."""
        item = {"pk": {"S": CURSOR_KEY}, **({"position": {"S": position}} if position else {})}
        with store_errors("PutItem"):
            self._dynamodb.put_item(TableName=self._table, Item=item)


class Sweep:
    """One run of the schedule."""

    def __init__(self, accounts: AccountsTable, cursor: SweepCursor, revalidator: AccountRevalidator) -> None:
        self._accounts = accounts
        self._cursor = cursor
        self._revalidator = revalidator

    def run(self, seconds_left: Callable[[], float]) -> list[tuple[Account, Finding]]:
        """Ask about the next accounts, until the slice is done, the table ends or the time gets short.

        Raises:
            StoreUnavailableError: the table cannot be read.
        """
        findings: list[tuple[Account, Finding]] = []
        pages = self._accounts.pages(self._cursor.read(), page_size=AT_ONCE)
        with ThreadPoolExecutor(AT_ONCE) as pool:
            for _ in range(SLICE // AT_ONCE):
                if seconds_left() < TIME_FOR_A_PAGE:
                    break
                page, position = next(pages)
                findings += zip(page, pool.map(self._guarded, page), strict=True)
                self._cursor.write(position)
                if position is None:
                    break
        return findings

    def _guarded(self, account: Account) -> Finding:
        try:
            return self._revalidator.revalidate(account)
        except RevisionConflictError:
            return Finding.NO_VERDICT  # somebody registered meanwhile: the next run will see
        except StoreError:
            return Finding.FAILED


def totals(findings: list[tuple[Account, Finding]]) -> dict[str, int]:
    """How often each finding was made."""
    return dict(Counter(finding.value for _, finding in findings))
