"""Accounts and tokens where they are kept: who may overwrite whom, and what a version is worth."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import boto3
import pytest
from moto import mock_aws

from zendesk_channel.accounts import Account, AccountsTable, AccountState
from zendesk_channel.contract import InstancePushId, PushToken, Subdomain
from zendesk_channel.credentials import CredentialStore
from zendesk_channel.errors import CredentialMissingError, RevisionConflictError
from zendesk_channel.push_state import SharedPauses

REGION = "eu-central-1"
ACCOUNT = InstancePushId("account")
OLD, NEW = PushToken("old"), PushToken("new")
FRESH = Account(
    ACCOUNT,
    Subdomain("acme"),
    AccountState.ACTIVE,
    revision=0,
    token_version=OLD.version,
    nonce="nonce",
    name="Name \U0001f600",
    pending_version=NEW.version,
    pending_since=1_700_000_000.125,
    events_applied_until=1_700_000_001.5,
    connected_at=1_700_000_002.0,
)


@pytest.fixture
def accounts(dynamodb: Any) -> AccountsTable:
    return AccountsTable(dynamodb, "accounts")


@pytest.fixture
def secrets(credentials_of_nobody: None) -> Iterator[Any]:
    with mock_aws():
        yield boto3.client("secretsmanager", region_name=REGION)


@pytest.fixture
def credentials(secrets: Any) -> CredentialStore:
    return CredentialStore(secrets, "stack", "alias/key")


def test_an_account_comes_back_as_it_was_saved(accounts: AccountsTable) -> None:
    assert accounts.get(ACCOUNT) is None
    saved = accounts.save(FRESH)
    assert saved == replace(FRESH, revision=1) == accounts.get(ACCOUNT)


def test_what_is_none_is_gone(accounts: AccountsTable) -> None:
    saved = accounts.save(FRESH)
    emptied = replace(
        saved, nonce=None, name=None, pending_version=None, pending_since=None, token_version=""
    )
    assert accounts.save(emptied) == replace(emptied, revision=2) == accounts.get(ACCOUNT)


def test_of_two_who_read_the_same_the_second_is_told(accounts: AccountsTable) -> None:
    first = accounts.save(FRESH)
    accounts.save(replace(first, name="one"))
    with pytest.raises(RevisionConflictError):
        accounts.save(replace(first, name="two"))
    with pytest.raises(RevisionConflictError):
        accounts.save(FRESH)
    now = accounts.get(ACCOUNT)
    assert now is not None
    assert (now.name, now.revision) == ("one", 2)


def test_registration_does_not_undo_what_push_has_written(accounts: AccountsTable, dynamodb: Any) -> None:
    read = accounts.save(FRESH)
    pauses = SharedPauses(dynamodb, "accounts")
    pauses.pause_account(read, 2_000_000_000, pause_seconds=60, reason="unavailable", request_limit=64)
    pauses.note(read, delivered_at=1_900_000_000)
    accounts.mark_refused(read)
    accounts.save(replace(read, name="renamed"))
    saved = accounts.get(ACCOUNT)
    assert saved is not None
    assert (saved.paused_until, saved.pause_seconds, saved.request_limit) == (2_000_000_000, 60, 64)
    assert (saved.last_delivery_at, saved.refused) == (1_900_000_000, True)


def test_a_mark_is_about_one_version_of_the_token(accounts: AccountsTable) -> None:
    read = accounts.save(FRESH)
    replaced = accounts.save(replace(read, token_version=NEW.version))
    assert not accounts.mark_refused(read)
    assert accounts.mark_refused(replaced)
    renewed = accounts.save(replace(replaced, token_version=OLD.version))
    assert not renewed.refused
    assert not accounts.clear_refused(renewed)
    assert accounts.clear_refused(replaced)


def test_marks_make_no_accounts(accounts: AccountsTable) -> None:
    assert not accounts.mark_refused(FRESH)
    assert not accounts.clear_refused(FRESH)
    assert accounts.get(ACCOUNT) is None


def test_pages_hold_every_account_once_and_can_be_continued(accounts: AccountsTable, dynamodb: Any) -> None:
    ids = {InstancePushId(f"account-{n}") for n in range(23)}
    for name in ids:
        accounts.save(replace(FRESH, instance_push_id=name))
    others = ["subdomain#acme", "cursor#revalidation", *(f"reply#{n}" for n in range(60))]
    for key in others:
        dynamodb.put_item(TableName="accounts", Item={"pk": {"S": key}})
    dynamodb.put_item(TableName="accounts", Item={"pk": {"S": "account#spoilt"}, "state": {"S": "?"}})
    at_once = [account.instance_push_id for page, _ in accounts.pages() for account in page]
    assert sorted(at_once) == sorted(ids)
    one_by_one: list[str] = []
    position: str | None = None
    while True:
        page, position = next(accounts.pages(position, page_size=3))
        # However many other items lie between: the schedule would not come round if they counted.
        assert (3 if position else 0) <= len(page) < 6
        one_by_one += [account.instance_push_id for account in page]
        if position is None:
            break
    assert one_by_one == at_once


def stages(secrets: Any) -> dict[str, list[str]]:
    answer: dict[str, list[str]] = secrets.describe_secret(SecretId="stack/account")["VersionIdsToStages"]
    return answer


def test_a_token_is_read_by_its_version(credentials: CredentialStore) -> None:
    first = credentials.store(ACCOUNT, OLD)
    second = credentials.store(ACCOUNT, NEW)
    assert (first, second) == (OLD.version, NEW.version)
    assert credentials.read(ACCOUNT, first) == OLD
    assert credentials.read(ACCOUNT, second) == NEW


def test_the_last_stored_is_current_even_if_it_was_stored_before(
    credentials: CredentialStore, secrets: Any
) -> None:
    for token in (OLD, NEW, OLD, OLD):
        credentials.store(ACCOUNT, token)
        assert "AWSCURRENT" in stages(secrets)[token.version]
    assert len(secrets.list_secret_version_ids(SecretId="stack/account")["Versions"]) == 2


def test_a_pending_token_leaves_the_current_one_current(credentials: CredentialStore, secrets: Any) -> None:
    credentials.store(ACCOUNT, OLD)
    credentials.store(ACCOUNT, NEW, pending=True)
    assert stages(secrets) == {OLD.version: ["AWSCURRENT"], NEW.version: ["AWSPENDING"]}
    credentials.make_current(ACCOUNT, NEW.version)
    assert "AWSCURRENT" in stages(secrets)[NEW.version]
    assert credentials.read(ACCOUNT, OLD.version) == OLD


def test_what_is_not_there_is_missing(credentials: CredentialStore) -> None:
    with pytest.raises(CredentialMissingError):
        credentials.read(ACCOUNT, OLD.version)
    assert not credentials.restore(ACCOUNT)
    credentials.schedule_deletion(ACCOUNT)
    credentials.store(ACCOUNT, OLD)
    with pytest.raises(CredentialMissingError):
        credentials.read(ACCOUNT, NEW.version)


@pytest.mark.parametrize("value", [{"SecretString": '{"token": "old"}'}, {"SecretBinary": b"old"}])
def test_what_somebody_has_written_there_by_hand_is_no_token(
    credentials: CredentialStore, secrets: Any, value: dict[str, Any]
) -> None:
    credentials.store(ACCOUNT, OLD)
    version = secrets.put_secret_value(SecretId="stack/account", **value)["VersionId"]
    with pytest.raises(CredentialMissingError):
        credentials.read(ACCOUNT, version)


def test_a_deleted_secret_can_be_brought_back_for_seven_days(
    credentials: CredentialStore, secrets: Any
) -> None:
    credentials.store(ACCOUNT, OLD)
    assert not credentials.restore(ACCOUNT)
    for _ in range(2):  # twice is as once
        credentials.schedule_deletion(ACCOUNT)
    described = secrets.describe_secret(SecretId="stack/account")
    assert 6 <= (described["DeletedDate"] - described["CreatedDate"]).days <= 7
    with pytest.raises(CredentialMissingError):
        credentials.read(ACCOUNT, OLD.version)
    assert credentials.restore(ACCOUNT)
    assert credentials.read(ACCOUNT, OLD.version) == OLD


@pytest.mark.parametrize("token", [OLD, NEW])
def test_storing_brings_a_deleted_secret_back(credentials: CredentialStore, token: PushToken) -> None:
    credentials.store(ACCOUNT, OLD)
    credentials.schedule_deletion(ACCOUNT)
    credentials.store(ACCOUNT, token)
    assert credentials.read(ACCOUNT, token.version) == token
