"""Random writes on the accounts' table and the secrets, by the in-memory parts and by the real ones on moto."""

import itertools
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import boto3
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from worlds.dynamodb import IMPLEMENTATIONS, dynamodb_with_table
from zendesk_channel.accounts import Account, AccountsTable, AccountState
from zendesk_channel.contract import InstancePushId, PushToken, Subdomain
from zendesk_channel.credentials import CredentialStore
from zendesk_channel.errors import StoreError
from zendesk_channel.push_state import SharedPauses
from zendesk_push.in_memory.accounts import InMemoryAccounts, InMemoryPauses, InMemoryTable
from zendesk_push.in_memory.credentials import InMemoryCredentials

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_secretsmanager import SecretsManagerClient

REGION = "us-east-1"
_examples = itertools.count()

TIMES = st.sampled_from(
    [1_800_000_000.0, 1_800_000_000.0004, 1_800_000_000.123456, 1_800_000_060.5, 1_800_000_900]
)
TOKENS = st.sampled_from([PushToken(letter * 64) for letter in "abc"])
ACCOUNT = st.sampled_from([0, 0, 0, 1])  # the first is there from the start
MAYBE = st.sampled_from([None, 1, 16])

STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("save"), ACCOUNT, TOKENS, st.sampled_from(AccountState), TIMES),
        st.tuples(st.just("save_unread"), ACCOUNT, TOKENS),
        st.tuples(st.just("read"), ACCOUNT),
        st.tuples(st.just("mark_refused"), ACCOUNT),
        st.tuples(st.just("clear_refused"), ACCOUNT),
        st.tuples(st.just("save_some"), ACCOUNT, TOKENS, TIMES),
        st.tuples(st.just("abandon"), ACCOUNT, TIMES),
        st.tuples(st.just("pause_by_operator"), ACCOUNT, TIMES),
        st.tuples(st.just("resume_by_operator"), ACCOUNT),
        st.tuples(st.just("pause_account"), ACCOUNT, TIMES, MAYBE),
        st.tuples(st.just("clear_pause"), ACCOUNT, MAYBE),
        st.tuples(st.just("note"), ACCOUNT, TIMES, st.sampled_from([None, "throttled"])),
        st.tuples(st.just("pause_subdomain"), TIMES),
        st.tuples(st.just("store"), ACCOUNT, TOKENS, st.booleans()),
        st.tuples(st.just("read_token"), ACCOUNT, TOKENS),
        st.tuples(st.just("make_current"), ACCOUNT, TOKENS),
        st.tuples(st.just("schedule_deletion"), ACCOUNT),
        st.tuples(st.just("restore"), ACCOUNT),
    ),
    min_size=20,
    max_size=40,
)


class Side:
    """One implementation, and an account as it was last read: writes are made with what may be outdated."""

    def __init__(
        self, accounts: AccountsTable, pauses: SharedPauses, credentials: CredentialStore, prefix: str
    ) -> None:
        self.accounts = accounts
        self.pauses = pauses
        self.credentials = credentials
        self.subdomain = Subdomain(prefix)
        self.ids = [InstancePushId(f"{prefix}-{number}") for number in range(2)]
        self.read_last = [
            Account(key, self.subdomain, AccountState.ACTIVE, 0, token_version=PushToken("a" * 64).version)
            for key in self.ids
        ]

    def save(self, number: int, token: PushToken, state: AccountState, at: float) -> Account:
        account = self.accounts.get(self.ids[number]) or self.read_last[number]
        self.read_last[number] = self.accounts.save(
            replace(account, token_version=token.version, state=state, connected_at=at, name="Ä")
        )
        return self.read_last[number]

    def save_unread(self, number: int, token: PushToken) -> Account:
        return self.accounts.save(replace(self.read_last[number], token_version=token.version))

    def save_some(self, number: int, token: PushToken, at: float) -> Account:
        account = replace(self.read_last[number], token_version=token.version, pending_since=at, name="x")
        return self._save_some(account, "token_version", "pending_since")

    def abandon(self, number: int, at: float) -> Account:
        return self._save_some(replace(self.read_last[number], destroyed_at=at), "destroyed_at")

    def _save_some(self, account: Account, *names: str) -> Account:
        """Of an account that is there: a new one is written as a whole."""
        return self.accounts.save(account, only=names) if account.revision else account

    def pause_by_operator(self, number: int, at: float) -> bool:
        return self.accounts.pause_by_operator(self.ids[number], at)

    def resume_by_operator(self, number: int) -> bool:
        return self.accounts.resume_by_operator(self.ids[number])

    def read(self, number: int) -> Account | None:
        account = self.accounts.get(self.ids[number])
        self.read_last[number] = account or self.read_last[number]
        return account

    def mark_refused(self, number: int) -> bool:
        return self.accounts.mark_refused(self.read_last[number])

    def clear_refused(self, number: int) -> bool:
        return self.accounts.clear_refused(self.read_last[number])

    def pause_account(self, number: int, until: float, limit: int | None) -> bool:
        return self.pauses.pause_account(
            self.read_last[number], until, pause_seconds=2.5, reason="unavailable", request_limit=limit
        )

    def clear_pause(self, number: int, limit: int | None) -> bool:
        return self.pauses.clear_pause(self.read_last[number], request_limit=limit)

    def note(self, number: int, at: float, reason: str | None) -> bool:
        return self.pauses.note(
            self.read_last[number], delivered_at=at, failed_at=at if reason else None, failure_reason=reason
        )

    def pause_subdomain(self, until: float) -> bool:
        return self.pauses.pause_subdomain(self.subdomain, until)

    def store(self, number: int, token: PushToken, pending: bool) -> str:
        return self.credentials.store(self.ids[number], token, pending=pending)

    def read_token(self, number: int, token: PushToken) -> PushToken:
        return self.credentials.read(self.ids[number], token.version)

    def make_current(self, number: int, token: PushToken) -> None:
        self.credentials.make_current(self.ids[number], token.version)

    def schedule_deletion(self, number: int) -> None:
        self.credentials.schedule_deletion(self.ids[number])

    def restore(self, number: int) -> bool:
        return self.credentials.restore(self.ids[number])

    def snapshot(self) -> Any:
        return self.pauses.snapshot([*self.ids, InstancePushId("nobody")])

    def all_accounts(self) -> list[Account]:
        return sorted(
            (
                account
                for page, _ in self.accounts.pages(page_size=1)
                for account in page
                if account.subdomain == self.subdomain
            ),
            key=lambda account: account.instance_push_id,
        )


def outcome(call: Callable[..., Any], *arguments: Any) -> Any:
    """What it returned, or the kind of its failure."""
    try:
        return call(*arguments)
    except StoreError as error:
        return type(error)


@pytest.fixture(params=IMPLEMENTATIONS)
def clients(
    request: pytest.FixtureRequest, moto: None
) -> Iterator[tuple["DynamoDBClient", "SecretsManagerClient"]]:
    with dynamodb_with_table(request.param) as dynamodb:
        yield dynamodb, boto3.client("secretsmanager", region_name=REGION)


@settings(
    max_examples=15,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(steps=STEPS)
def test_both_tell_the_same_story(
    clients: tuple["DynamoDBClient", "SecretsManagerClient"], steps: list[Any]
) -> None:
    dynamodb, secrets = clients
    prefix = f"acme{next(_examples)}"
    table = InMemoryTable()
    memory = Side(InMemoryAccounts(table), InMemoryPauses(table), InMemoryCredentials(), prefix)
    real = Side(
        AccountsTable(dynamodb, "accounts"),
        SharedPauses(dynamodb, "accounts"),
        CredentialStore(secrets, "stack", "alias/key"),
        prefix,
    )
    for side in (memory, real):
        side.store(0, PushToken("a" * 64), pending=False)
        side.save(0, PushToken("a" * 64), AccountState.ACTIVE, 1_800_000_000)
    for name, *arguments in steps:
        if name == "make_current" and not isinstance(outcome(memory.read_token, *arguments), PushToken):
            continue  # asked for versions that are there only
        one, other = (outcome(getattr(side, name), *arguments) for side in (memory, real))
        assert one == other, name
    assert memory.snapshot() == real.snapshot()
    assert memory.all_accounts() == real.all_accounts()
