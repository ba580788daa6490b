"""``python -m zendesk_push.restore``: accounts, tokens and the metadata key, brought to where they are needed.

For a table that was restored from a point in time, and for a stack that moves to another region or AWS account. What is
there already stays as it is, so that it can be run again; docs/deployment.md has the steps around it.
"""

import argparse
import sys
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

import boto3
from botocore.exceptions import BotoCoreError, ClientError

from zendesk_channel.accounts import ACCOUNT_PREFIX
from zendesk_push.errors import CommandError

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_secretsmanager import SecretsManagerClient

# What is gone, marked for deletion, or behind a key or a region that is out of reach.
_UNREADABLE: Final = (
    "ResourceNotFoundException",
    "InvalidRequestException",
    "DecryptionFailure",
    "AccessDeniedException",
)


@dataclass(frozen=True)
class Place:
    """One side: a table, and the stack by which secrets are named."""

    dynamodb: "DynamoDBClient"
    secrets: "SecretsManagerClient"
    table: str
    stack: str

    def secret(self, account: str) -> str:
        """The name of an account's secret."""
        return f"{self.stack}/{account}"

    @property
    def metadata_key(self) -> str:
        """The name of the metadata key's secret."""
        return f"{self.stack}-metadata-key"


@dataclass
class Restored:
    """What came of it. ``without_token``: accounts whose administrators have to open and save them again."""

    accounts: int = 0
    already_there: int = 0
    tokens: int = 0
    without_token: list[str] = field(default_factory=list)


def restore(source: Place, target: Place, key_arn: str, *, tokens: bool = True) -> Restored:
    """Copy accounts, and their tokens before them, so that no record names a token that is not there.

    ``key_arn`` encrypts the new secrets. Without ``tokens`` both places have the same secrets.
    """
    restored = Restored()
    for item in _accounts(source):
        account = item["pk"]["S"].removeprefix(ACCOUNT_PREFIX)
        version = item.get("token_version", {}).get("S")
        if version and tokens:
            if _copy_token(source, target, account, version, key_arn):
                restored.tokens += 1
            else:
                restored.without_token.append(account)
        try:
            target.dynamodb.put_item(
                TableName=target.table, Item=item, ConditionExpression="attribute_not_exists(pk)"
            )
            restored.accounts += 1
        except target.dynamodb.exceptions.ConditionalCheckFailedException:
            restored.already_there += 1
    return restored


def restore_metadata_key(source: Place, target: Place) -> int:
    """Make the old key the current one, the one before it the previous one; returns how many versions there were.

    Metadata that the new stack has written meanwhile is authentic no longer.
    """
    versions = [
        value
        for stage in ("AWSPREVIOUS", "AWSCURRENT")
        if (value := _value(source.secrets, source.metadata_key, VersionStage=stage))
    ]
    for value in versions:
        target.secrets.put_secret_value(SecretId=target.metadata_key, SecretString=value)
    return len(versions)


def _accounts(place: Place) -> Iterator[dict[str, Any]]:
    for page in place.dynamodb.get_paginator("scan").paginate(TableName=place.table, ConsistentRead=True):
        yield from (item for item in page["Items"] if item["pk"]["S"].startswith(ACCOUNT_PREFIX))


def _copy_token(source: Place, target: Place, account: str, version: str, key_arn: str) -> bool:
    token = _value(source.secrets, source.secret(account), VersionId=version)
    if token is None:
        return False
    name = target.secret(account)
    with suppress(target.secrets.exceptions.ResourceExistsException):
        target.secrets.create_secret(
            Name=name, SecretString=token, ClientRequestToken=version, KmsKeyId=key_arn
        )
        return True
    target.secrets.put_secret_value(SecretId=name, SecretString=token, ClientRequestToken=version)
    return True


def _value(secrets: "SecretsManagerClient", name: str, **which: str) -> str | None:
    try:
        return secrets.get_secret_value(SecretId=name, **which)["SecretString"]
    except ClientError as error:
        if error.response["Error"]["Code"] in _UNREADABLE:
            return None
        raise


def main(arguments: Sequence[str] | None = None) -> int:
    """Restore, and say what came of it; 1 if accounts are left without a token."""
    parser = argparse.ArgumentParser(prog="restore", description=(__doc__ or "").partition(": ")[2])
    parser.add_argument("--from-table", required=True, metavar="NAME")
    parser.add_argument("--from-stack", required=True, metavar="NAME", help="whose secrets are read")
    parser.add_argument("--from-region", required=True, metavar="REGION")
    parser.add_argument("--from-profile", metavar="NAME", help="of another AWS account")
    parser.add_argument("--to-stack", required=True, metavar="NAME")
    parser.add_argument("--to-region", required=True, metavar="REGION")
    parser.add_argument(
        "--metadata-key", action="store_true", help="the metadata key too: before the new stack is in use"
    )
    options = parser.parse_args(arguments)
    try:
        return _run(options)
    except (CommandError, ClientError, BotoCoreError) as error:
        print(f"restore: {error}", file=sys.stderr)
        return 1


def _run(options: argparse.Namespace) -> int:
    old = boto3.Session(region_name=options.from_region, profile_name=options.from_profile)
    new = boto3.Session(region_name=options.to_region)
    found = new.client("cloudformation").describe_stack_resources(StackName=options.to_stack)
    there = {
        part["LogicalResourceId"]: part.get("PhysicalResourceId", "") for part in found["StackResources"]
    }
    if not there.get("AccountsTable"):
        raise CommandError(f"{options.to_stack} in {options.to_region} has no AccountsTable")
    key = new.client("kms").describe_key(KeyId=there["DataKey"])["KeyMetadata"]["Arn"]
    source = Place(
        old.client("dynamodb"), old.client("secretsmanager"), options.from_table, options.from_stack
    )
    target = Place(
        new.client("dynamodb"), new.client("secretsmanager"), there["AccountsTable"], options.to_stack
    )
    if options.metadata_key and not restore_metadata_key(source, target):
        raise CommandError(f"{source.metadata_key} can't be read in {options.from_region}")
    here = (options.from_stack, options.from_region, options.from_profile)
    restored = restore(source, target, key, tokens=here != (options.to_stack, options.to_region, None))
    print(
        f"{restored.accounts} accounts restored, {restored.already_there} were there already, "
        f"{restored.tokens} tokens copied"
    )
    for account in restored.without_token:
        print(f"no token for {account}: its administrator has to open and save the account", file=sys.stderr)
    return 1 if restored.without_token else 0


if __name__ == "__main__":
    sys.exit(main())
