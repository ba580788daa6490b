"""The table, by each of two implementations."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

from worlds.dynamodb import IMPLEMENTATIONS, dynamodb_with_table

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient


@pytest.fixture
def credentials_of_nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "testing")


@pytest.fixture(params=IMPLEMENTATIONS)
def dynamodb(request: pytest.FixtureRequest, credentials_of_nobody: None) -> Iterator["DynamoDBClient"]:
    with dynamodb_with_table(request.param) as client:
        yield client
