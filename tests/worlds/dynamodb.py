"""DynamoDB by two who read AWS's documentation apart from each other: moto, and dynalite, the stricter one."""

import atexit
import functools
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Final

import boto3
from moto import mock_aws

from machine_parts import missing

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

IMPLEMENTATIONS: Final = ("moto", "dynalite")
TABLE: Final = "accounts"
REGION: Final = "eu-central-1"
_ROOT: Final = Path(__file__).resolve().parents[2]
_DYNALITE: Final = _ROOT / ".tools/node/node_modules/dynalite"


@contextmanager
def dynamodb_with_table(implementation: str) -> Iterator["DynamoDBClient"]:
    """A client with an empty table as the template makes it. Credentials are the caller's to set."""
    if implementation == "moto":
        with mock_aws():
            client = boto3.client("dynamodb", region_name=REGION)
            _create_table(client)
            yield client
        return
    client = boto3.client("dynamodb", region_name=REGION, endpoint_url=_dynalite())
    _create_table(client)
    try:
        yield client
    finally:
        client.delete_table(TableName=TABLE)


def _create_table(client: "DynamoDBClient") -> None:
    client.create_table(
        TableName=TABLE,
        KeySchema=[{"AttributeName": "pk", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": "pk", "AttributeType": "S"}],
        BillingMode="PAY_PER_REQUEST",
    )
    while client.describe_table(TableName=TABLE)["Table"]["TableStatus"] != "ACTIVE":
        pass  # at dynalite for the time that its event loop takes for another turn


@functools.cache
def _dynalite() -> str:
    """One process for the whole run: it ends when its standard input does, which is with this one."""
    node = shutil.which("node")
    if not node or not _DYNALITE.is_dir():
        missing("node", "needs node on PATH and its packages (`make .tools/node/.installed`)")
    script = Path(__file__).with_name("dynalite.js")
    process = subprocess.Popen(
        [node, script, _DYNALITE], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    atexit.register(process.communicate)
    assert process.stdout
    return f"http://127.0.0.1:{process.stdout.readline().strip()}"
