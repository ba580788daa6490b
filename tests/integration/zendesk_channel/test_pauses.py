"""Accounts and pauses in DynamoDB: what every worker sees, and that none shortens what another has set."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from botocore.stub import ANY, Stubber

from zendesk_channel.accounts import Account, AccountsTable, AccountState
from zendesk_channel.contract import InstancePushId, PushToken, Subdomain
from zendesk_channel.errors import StoreUnavailableError
from zendesk_channel.push_state import SharedPauses

REGION = "us-east-1"
NOW = 1_800_000_000.0
ACME = Subdomain("acme")


@pytest.fixture
def calls(dynamodb: Any) -> Counter[str]:
    counted: Counter[str] = Counter()
    dynamodb.meta.events.register("before-call", lambda model, **_: counted.update([model.name]))
    return counted


@pytest.fixture
def pauses(dynamodb: Any) -> SharedPauses:
    return SharedPauses(dynamodb, "accounts")


def saved(dynamodb: Any, number: int = 1, subdomain: str = "acme") -> Account:
    account = Account(
        InstancePushId(f"account-{number}"),
        Subdomain(subdomain),
        AccountState.ACTIVE,
        0,
        token_version=PushToken("token").version,
    )
    return AccountsTable(dynamodb, "accounts").save(account)


def read(pauses: SharedPauses, account: Account) -> Account:
    return pauses.snapshot([account.instance_push_id]).accounts[account.instance_push_id]


def test_what_stands(dynamodb: Any, pauses: SharedPauses) -> None:
    one, other = saved(dynamodb, 1), saved(dynamodb, 2, "globex")
    pauses.pause_subdomain(ACME, NOW + 60)

    standing = pauses.snapshot([one.instance_push_id, other.instance_push_id, InstancePushId("unknown")])

    assert standing.accounts == {one.instance_push_id: one, other.instance_push_id: other}
    assert standing.paused_until == {ACME: NOW + 60}


def test_one_call_for_accounts_and_pauses_once_the_subdomains_are_known(
    dynamodb: Any, pauses: SharedPauses, calls: Counter[str]
) -> None:
    keys = [saved(dynamodb, number, f"customer{number}").instance_push_id for number in range(50)]
    calls.clear()
    pauses.snapshot(keys)
    assert calls == {"BatchGetItem": 2}
    calls.clear()

    pauses.pause_subdomain(Subdomain("customer7"), NOW)
    assert pauses.snapshot(keys).paused_until == {"customer7": NOW}
    assert calls == {"BatchGetItem": 1, "UpdateItem": 1}


def test_more_keys_than_one_call_takes(dynamodb: Any, pauses: SharedPauses) -> None:
    keys = [saved(dynamodb, number, f"customer{number}").instance_push_id for number in range(130)]

    for _ in range(2):
        assert set(pauses.snapshot(keys).accounts) == set(keys)


def test_what_decides_is_read_consistently(dynamodb: Any, pauses: SharedPauses) -> None:
    """moto's reads always are: an account that has just connected, or was just paused, must be seen as it is."""
    seen: list[tuple[str, Any]] = []

    def note(params: dict[str, Any], model: Any, **_: Any) -> None:
        requests = params.get("RequestItems", {"accounts": params})
        seen.append((model.name, requests["accounts"].get("ConsistentRead")))

    account = saved(dynamodb)
    dynamodb.meta.events.register("provide-client-params", note)
    pauses.snapshot([account.instance_push_id])
    accounts = AccountsTable(dynamodb, "accounts")
    accounts.get(account.instance_push_id)
    next(accounts.pages())

    # The second round is for the subdomain, not met before.
    calls = ("BatchGetItem", "BatchGetItem", "GetItem", "Scan")
    assert seen == [(name, True) for name in calls]


def test_a_renamed_account_is_asked_for_under_its_new_name(dynamodb: Any, pauses: SharedPauses) -> None:
    account = saved(dynamodb)
    pauses.snapshot([account.instance_push_id])
    AccountsTable(dynamodb, "accounts").save(replace(account, subdomain=Subdomain("renamed")))
    pauses.pause_subdomain(Subdomain("renamed"), NOW)

    assert pauses.snapshot([account.instance_push_id]).paused_until == {"renamed": NOW}


@pytest.mark.parametrize("broken", [{"state": {"S": "odd"}}, {"subdomain": {"S": "a/b"}}, {}])
def test_an_item_that_cannot_be_read_costs_the_others_nothing(
    dynamodb: Any, pauses: SharedPauses, broken: dict[str, Any]
) -> None:
    account = saved(dynamodb)
    item = {"pk": {"S": "account#odd"}, "instance_push_id": {"S": "odd"}, "revision": {"N": "1"}}
    dynamodb.put_item(TableName="accounts", Item=item | broken)

    standing = pauses.snapshot([account.instance_push_id, InstancePushId("odd")])

    assert list(standing.accounts) == [account.instance_push_id]


def test_nobody_shortens_a_subdomains_pause(pauses: SharedPauses, dynamodb: Any) -> None:
    account = saved(dynamodb)

    assert pauses.pause_subdomain(ACME, NOW + 60)
    assert not pauses.pause_subdomain(ACME, NOW + 30)
    assert not pauses.pause_subdomain(ACME, NOW + 60)
    assert pauses.pause_subdomain(ACME, NOW + 61)
    assert pauses.snapshot([account.instance_push_id]).paused_until == {ACME: NOW + 61}


def test_a_subdomains_pause_may_be_cleaned_up_long_after_its_end(pauses: SharedPauses, dynamodb: Any) -> None:
    pauses.pause_subdomain(ACME, NOW)

    item = dynamodb.get_item(TableName="accounts", Key={"pk": {"S": "subdomain#acme"}})["Item"]
    assert int(item["expires_at"]["N"]) > NOW + 3600


def test_nobody_shortens_an_accounts_pause(pauses: SharedPauses, dynamodb: Any) -> None:
    account = saved(dynamodb)

    assert pauses.pause_account(account, NOW + 60, pause_seconds=60, reason="unavailable", request_limit=16)
    assert not pauses.pause_account(account, NOW + 30, pause_seconds=30, reason="wrong_address")
    paused = read(pauses, account)
    assert (paused.paused_until, paused.pause_seconds, paused.pause_reason, paused.request_limit) == (
        NOW + 60,
        60,
        "unavailable",
        16,
    )
    assert pauses.pause_account(account, NOW + 90, pause_seconds=90, reason="wrong_address")
    assert read(pauses, account).request_limit == 16


def test_an_account_that_is_not_there_is_not_made_by_a_pause(pauses: SharedPauses, dynamodb: Any) -> None:
    account = Account(InstancePushId("gone"), ACME, AccountState.ACTIVE, 1)

    assert not pauses.pause_account(account, NOW, pause_seconds=1, reason="unavailable")
    assert not pauses.clear_pause(account, request_limit=None)
    assert not pauses.note(account, delivered_at=NOW)
    assert dynamodb.scan(TableName="accounts")["Count"] == 0


def test_a_success_clears_the_pause_that_it_knew_and_no_other(pauses: SharedPauses, dynamodb: Any) -> None:
    account = saved(dynamodb)
    pauses.pause_account(account, NOW + 60, pause_seconds=60, reason="unavailable", request_limit=16)
    known = read(pauses, account)
    pauses.pause_account(account, NOW + 120, pause_seconds=120, reason="unavailable")

    assert not pauses.clear_pause(known, request_limit=32)
    assert pauses.clear_pause(read(pauses, account), request_limit=32)
    failed = replace(account, last_failure_at=NOW, last_failure_reason="unavailable")
    assert read(pauses, account) == replace(failed, request_limit=32)
    assert pauses.clear_pause(read(pauses, account), request_limit=None)
    assert read(pauses, account) == failed


def test_registration_and_pauses_do_not_undo_each_other(pauses: SharedPauses, dynamodb: Any) -> None:
    account = saved(dynamodb)
    pauses.pause_account(account, NOW + 60, pause_seconds=60, reason="unavailable")
    AccountsTable(dynamodb, "accounts").save(replace(account, name="New name"))

    both = read(pauses, account)
    assert (both.name, both.paused_until) == ("New name", NOW + 60)


def test_deliveries_and_failures_are_noted_each_by_itself(pauses: SharedPauses, dynamodb: Any) -> None:
    account = saved(dynamodb)

    assert pauses.note(account, delivered_at=NOW)
    assert pauses.note(account, failed_at=NOW + 1, failure_reason="processing_error")
    assert read(pauses, account) == replace(
        account, last_delivery_at=NOW, last_failure_at=NOW + 1, last_failure_reason="processing_error"
    )


@pytest.fixture
def stub(dynamodb: Any) -> Iterator[Stubber]:
    with Stubber(dynamodb) as stubber:
        yield stubber


@pytest.mark.parametrize(
    ("operation", "call"),
    [
        ("batch_get_item", lambda pauses, account: pauses.snapshot([account.instance_push_id])),
        ("update_item", lambda pauses, _: pauses.pause_subdomain(ACME, NOW)),
        (
            "update_item",
            lambda pauses, account: pauses.pause_account(account, NOW, pause_seconds=1, reason="unavailable"),
        ),
        ("update_item", lambda pauses, account: pauses.clear_pause(account, request_limit=None)),
        ("update_item", lambda pauses, account: pauses.note(account, delivered_at=NOW)),
    ],
)
def test_what_aws_refuses_has_a_name(pauses: SharedPauses, stub: Stubber, operation: str, call: Any) -> None:
    stub.add_client_error(operation, "InternalServerError", http_status_code=500)
    account = Account(InstancePushId("account-1"), ACME, AccountState.ACTIVE, 1)

    with pytest.raises(StoreUnavailableError) as raised:
        call(pauses, account)

    assert raised.value.code == "InternalServerError"


def test_keys_that_were_not_read_are_asked_for_again(dynamodb: Any, stub: Stubber) -> None:
    waits: list[float] = []
    pauses = SharedPauses(dynamodb, "accounts", sleep=waits.append)
    left = {"accounts": {"Keys": [{"pk": {"S": "account#account-1"}}]}}
    stub.add_response("batch_get_item", {"Responses": {}, "UnprocessedKeys": left})
    stub.add_response(
        "batch_get_item", {"Responses": {"accounts": []}, "UnprocessedKeys": {}}, {"RequestItems": left}
    )

    found = pauses.snapshot([InstancePushId("account-1")])

    assert (found.accounts, found.unread) == ({}, frozenset())
    assert len(waits) == 1


def test_a_key_that_stays_unread_costs_no_other_account_anything(dynamodb: Any, stub: Stubber) -> None:
    pauses = SharedPauses(dynamodb, "accounts", sleep=lambda _: None)
    item = {
        "pk": {"S": "account#good"},
        "instance_push_id": {"S": "good"},
        "subdomain": {"S": "acme"},
        "state": {"S": "active"},
        "revision": {"N": "1"},
    }
    hot = {"accounts": {"Keys": [{"pk": {"S": "account#hot"}}]}}
    stub.add_response("batch_get_item", {"Responses": {"accounts": [item]}, "UnprocessedKeys": hot})
    for _ in range(3):
        stub.add_response("batch_get_item", {"UnprocessedKeys": hot}, {"RequestItems": ANY})
    stub.add_response("batch_get_item", {"Responses": {"accounts": []}})  # good's subdomain

    found = pauses.snapshot([InstancePushId("good"), InstancePushId("hot")])

    assert list(found.accounts) == ["good"]
    assert found.unread == {"hot"}


def test_an_account_whose_subdomain_stays_unread_is_not_known(dynamodb: Any, stub: Stubber) -> None:
    pauses = SharedPauses(dynamodb, "accounts", sleep=lambda _: None)
    item = {
        "pk": {"S": "account#good"},
        "instance_push_id": {"S": "good"},
        "subdomain": {"S": "acme"},
        "state": {"S": "active"},
        "revision": {"N": "1"},
    }
    hot = {"accounts": {"Keys": [{"pk": {"S": "subdomain#acme"}}]}}
    stub.add_response("batch_get_item", {"Responses": {"accounts": [item]}})
    for _ in range(4):
        stub.add_response("batch_get_item", {"UnprocessedKeys": hot}, {"RequestItems": ANY})

    assert pauses.snapshot([InstancePushId("good")]).unread == {"good"}
