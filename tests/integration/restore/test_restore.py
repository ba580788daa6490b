"""A stack that moves to another region, and a table that comes back from a point in time: on moto, region by region."""

import json
from collections.abc import Iterator
from typing import Any

import boto3
import pytest
from moto import mock_aws

from zendesk_channel.accounts import Account, AccountsTable, AccountState
from zendesk_channel.contract import InstancePushId, PushToken, Subdomain
from zendesk_channel.credentials import CredentialStore
from zendesk_channel.errors import CredentialMissingError
from zendesk_push.restore import Place, main, restore, restore_metadata_key

OLD, NEW = "eu-west-1", "eu-central-1"
# A string, as moto takes it; CloudFormation itself takes an object.
KEY_POLICY = json.dumps({"Version": "2012-10-17", "Statement": []})
TOKENS = {InstancePushId("one"): PushToken("a" * 64), InstancePushId("two"): PushToken("b" * 64)}


@pytest.fixture(autouse=True)
def aws(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "testing")
    with mock_aws():
        yield


class RestoredStack:
    """Table, secrets and key of a stack in one region."""

    def __init__(self, region: str, name: str = "push", table: str = "accounts") -> None:
        client = boto3.session.Session(region_name=region).client
        self.place = Place(client("dynamodb"), client("secretsmanager"), table, name)
        self.place.dynamodb.create_table(
            TableName=table,
            KeySchema=[{"AttributeName": "pk", "KeyType": "HASH"}],
            AttributeDefinitions=[{"AttributeName": "pk", "AttributeType": "S"}],
            BillingMode="PAY_PER_REQUEST",
        )
        self.key = client("kms").create_key()["KeyMetadata"]["Arn"]
        self.accounts = AccountsTable(self.place.dynamodb, table)
        self.credentials = CredentialStore(self.place.secrets, name, self.key)

    def with_metadata_key(self, *values: str) -> "RestoredStack":
        """Its versions, oldest first."""
        first, *later = values
        self.place.secrets.create_secret(Name=self.place.metadata_key, SecretString=first)
        for value in later:
            self.place.secrets.put_secret_value(SecretId=self.place.metadata_key, SecretString=value)
        return self

    def metadata_keys(self) -> list[str]:
        """The current one, and the one before."""
        return [
            self.place.secrets.get_secret_value(SecretId=self.place.metadata_key, VersionStage=stage)[
                "SecretString"
            ]
            for stage in ("AWSCURRENT", "AWSPREVIOUS")
        ]

    def connect(self) -> None:
        """Two accounts with their tokens, and a pause that is nobody's account."""
        for key, token in TOKENS.items():
            version = self.credentials.store(key, token)
            self.accounts.save(
                Account(key, Subdomain("acme"), AccountState.ACTIVE, 0, token_version=version, nonce="n")
            )
        self.place.dynamodb.put_item(TableName=self.place.table, Item={"pk": {"S": "subdomain#acme"}})


def everything(stack: RestoredStack) -> dict[str, Any]:
    """Each account, and its token as push would read it."""
    accounts = [account for page, _ in stack.accounts.pages(page_size=10) for account in page]
    return {
        account.instance_push_id: (
            account,
            stack.credentials.read(account.instance_push_id, account.token_version).reveal(),
        )
        for account in accounts
    }


def test_a_move_to_another_region_takes_accounts_tokens_and_metadata_along() -> None:
    old = RestoredStack(OLD).with_metadata_key("old", "newer")
    new = RestoredStack(NEW).with_metadata_key("generated")
    old.connect()
    assert restore_metadata_key(old.place, new.place) == 2
    restored = restore(old.place, new.place, new.key)
    assert (restored.accounts, restored.tokens, restored.without_token) == (2, 2, [])
    assert everything(new) == everything(old)
    # What Zendesk keeps was authenticated by these two.
    assert new.metadata_keys() == ["newer", "old"]
    # Pauses are the old region's, and its cursor.
    assert new.place.dynamodb.scan(TableName="accounts")["Count"] == 2
    # No key of the old region is needed any more.
    secret = new.place.secrets.describe_secret(SecretId="push/one")
    assert secret["KmsKeyId"] == new.key


def test_twice_is_as_once() -> None:
    old, new = RestoredStack(OLD), RestoredStack(NEW)
    old.connect()
    restore(old.place, new.place, new.key)
    before = everything(new)
    again = restore(old.place, new.place, new.key)
    assert (again.accounts, again.already_there) == (0, 2)
    assert everything(new) == before


def test_an_account_that_has_connected_meanwhile_stays_as_it_is() -> None:
    old, new = RestoredStack(OLD), RestoredStack(NEW)
    old.connect()
    key, token = InstancePushId("one"), PushToken("c" * 64)
    version = new.credentials.store(key, token)
    connected = new.accounts.save(
        Account(key, Subdomain("renamed"), AccountState.ACTIVE, 0, token_version=version, nonce="new")
    )
    restore(old.place, new.place, new.key)
    assert new.accounts.get(key) == connected
    assert new.credentials.read(key, version) == token


def test_whose_token_is_gone_is_named() -> None:
    """The old region is down, or the secret was deleted: the record comes along, its administrator saves it again."""
    old, new = RestoredStack(OLD), RestoredStack(NEW)
    old.connect()
    old.place.secrets.delete_secret(SecretId="push/two", ForceDeleteWithoutRecovery=True)
    restored = restore(old.place, new.place, new.key)
    assert (restored.accounts, restored.tokens, restored.without_token) == (2, 1, ["two"])
    account = new.accounts.get(InstancePushId("two"))
    assert account is not None
    with pytest.raises(CredentialMissingError):
        new.credentials.read(account.instance_push_id, account.token_version)


def test_a_point_in_time_needs_no_secret() -> None:
    """The restored table lies beside the stack's own, whose secrets are where they were."""
    stack, restored_table = RestoredStack(NEW), RestoredStack(NEW, table="restored")
    restored_table.credentials = stack.credentials
    restored_table.connect()
    restored = restore(restored_table.place, stack.place, stack.key, tokens=False)
    assert (restored.accounts, restored.tokens) == (2, 0)
    assert everything(stack) == everything(restored_table)


def test_the_command_finds_the_new_stacks_table_and_key(capsys: pytest.CaptureFixture[str]) -> None:
    old = RestoredStack(OLD).with_metadata_key("old", "newer")
    old.connect()
    old.place.secrets.delete_secret(SecretId="push/two", ForceDeleteWithoutRecovery=True)
    table = {
        "KeySchema": [{"AttributeName": "pk", "KeyType": "HASH"}],
        "AttributeDefinitions": [{"AttributeName": "pk", "AttributeType": "S"}],
        "BillingMode": "PAY_PER_REQUEST",
    }
    template = {
        "Resources": {
            "AccountsTable": {"Type": "AWS::DynamoDB::Table", "Properties": table},
            "DataKey": {"Type": "AWS::KMS::Key", "Properties": {"KeyPolicy": KEY_POLICY}},
        }
    }
    boto3.client("cloudformation", region_name=NEW).create_stack(
        StackName="moved", TemplateBody=json.dumps(template)
    )
    secrets = boto3.client("secretsmanager", region_name=NEW)
    secrets.create_secret(Name="moved-metadata-key", SecretString="generated")
    given = ["--from-table", "accounts", "--from-stack", "push", "--from-region", OLD, "--metadata-key"]
    assert main([*given, "--to-stack", "moved", "--to-region", NEW]) == 1
    said = capsys.readouterr()
    assert said.out == "2 accounts restored, 0 were there already, 1 tokens copied\n"
    assert said.err == "no token for two: its administrator has to open and save the account\n"
    assert secrets.get_secret_value(SecretId="moved/one")["SecretString"] == "a" * 64
    assert secrets.get_secret_value(SecretId="moved-metadata-key")["SecretString"] == "newer"


def test_a_stack_that_is_not_there_is_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    given = ["--from-table", "accounts", "--from-stack", "push", "--from-region", OLD]
    assert main([*given, "--to-stack", "nowhere", "--to-region", NEW]) == 1
    said = capsys.readouterr().err
    assert said.startswith("restore: ")
    assert said.count("\n") == 1
