"""How many calls to AWS, and how many of them one after the other."""

import threading
import time
from collections.abc import Iterator, Sequence
from typing import Any, Final, cast

import boto3
from moto import mock_aws

from zendesk_channel.accounts import AccountsTable, account_key
from zendesk_channel.contract import InstancePushId, PushToken
from zendesk_channel.credentials import CredentialStore
from zendesk_channel.push_state import SharedPauses
from zendesk_push.bench.figures import Chapter, Effort, Figure
from zendesk_push.bench.harness import Harness, records
from zendesk_push.in_memory.credentials import InMemoryCredentials
from zendesk_push.in_memory.zendesk import InMemoryZendeskClient
from zendesk_push.simulator.core import ZendeskState

_REGION: Final = "us-east-1"
_SECONDS: Final = 0.01  # of a call


def aws_calls(effort: Effort) -> Chapter:
    """Counted by botocore's hooks on moto, beside the poller's own; and on a table that takes 10 ms."""
    chapter = Chapter("Calls to AWS", "Beside the poller's own.")
    chapter.figures += _invocations()
    chapter.figures += _token_reads(210 if effort.short else 2_100)
    number = 200 if effort.short else 1_000
    chapter.figures.append(
        Figure("1,000 accounts: BatchGetItem one after the other", [_in_series(number)], "20", "5")
    )
    return chapter


def _invocations() -> Iterator[Figure]:
    accounts = [f"a{number}" for number in range(10)]
    calls: list[str] = []
    with mock_aws():
        session = boto3.session.Session(
            region_name=_REGION,
            aws_access_key_id="local",
            aws_secret_access_key="local",  # noqa: S106
        )
        session.events.register("before-call.*", lambda model, **_: calls.append(model.name))
        dynamodb = session.client("dynamodb")
        dynamodb.create_table(
            TableName="accounts",
            KeySchema=[{"AttributeName": "pk", "KeyType": "HASH"}],
            AttributeDefinitions=[{"AttributeName": "pk", "AttributeType": "S"}],
            BillingMode="PAY_PER_REQUEST",
        )
        harness = Harness(
            accounts,
            table=(AccountsTable(dynamodb, "accounts"), SharedPauses(dynamodb, "accounts")),
            credentials=CredentialStore(session.client("secretsmanager"), "bench", "alias/bench"),
            sqs=session.client("sqs"),
        )
        container = harness.container(_zendesk(harness))
        for what, first, version, target in (("first", 1, "13", "-"), ("next", 1_001, "1", "1")):
            calls.clear()
            if container.run(records(accounts, 1_000, first=first)):
                raise RuntimeError("a message stayed on the queue")
            yield Figure(f"calls for the {what} 1,000 messages of 10 accounts", [len(calls)], version, target)


def _token_reads(accounts: int) -> Iterator[Figure]:
    """Accounts in rotation, more than the first version's cache held."""
    names = [f"a{number}" for number in range(accounts)]
    credentials = _CountedCredentials()
    harness = Harness(names, credentials=credentials)
    container = harness.container(_zendesk(harness))
    for what, version, target in (("the first time", "2,100", "2,100"), ("the second time", "2,142", "0")):
        credentials.reads = 0
        container.run(records(names, accounts))
        yield Figure(f"token reads, 2,100 accounts in rotation, {what}", [credentials.reads], version, target)


def _in_series(accounts: int) -> int:
    """The longest chain of calls of which each began after the one before had ended."""
    names = [InstancePushId(f"a{number}") for number in range(accounts)]
    table = _SlowTable(names)
    pauses = SharedPauses(cast("Any", table), "accounts")
    pauses.snapshot(names)
    chain, end = 0, 0.0
    for begun, ended in sorted(table.calls, key=lambda call: call[1]):
        if begun >= end:
            chain, end = chain + 1, ended
    return chain


def _zendesk(harness: Harness) -> InMemoryZendeskClient:
    state = ZendeskState(rate_limit=100_000)
    for number, (key, token) in enumerate(harness.tokens.items()):
        state.create_account(f"sub{number}", instance_push_id=key, token=token)
    return InMemoryZendeskClient(state, time.sleep)


class _CountedCredentials(InMemoryCredentials):
    reads = 0

    def read(self, instance_push_id: InstancePushId, version: str) -> PushToken:
        self.reads += 1
        return super().read(instance_push_id, version)


class _SlowTable:
    """BatchGetItem of accounts that are all there, and when each call was."""

    def __init__(self, accounts: Sequence[InstancePushId]) -> None:
        self.calls: list[tuple[float, float]] = []
        self._items = {
            account_key(key)["pk"]["S"]: {
                **account_key(key),
                "instance_push_id": {"S": key},
                "subdomain": {"S": f"sub{number}"},
                "state": {"S": "active"},
                "revision": {"N": "1"},
            }
            for number, key in enumerate(accounts)
        }
        self._lock = threading.Lock()

    def batch_get_item(self, RequestItems: Any) -> Any:  # noqa: N803 (boto3's name)
        begun = time.monotonic()
        time.sleep(_SECONDS)
        ((table, wanted),) = RequestItems.items()
        found = [self._items[key["pk"]["S"]] for key in wanted["Keys"] if key["pk"]["S"] in self._items]
        with self._lock:
            self.calls.append((begun, time.monotonic()))
        return {"Responses": {table: found}}
