"""Every scenario here runs on the in-memory part and on moto: `world` is the one, then the other."""

from collections.abc import Iterator

import boto3
import pytest
from moto import mock_aws

from integration.conformance.worlds import SqsWorld
from zendesk_push.in_memory.clock import ManualClock
from zendesk_push.in_memory.sqs import InMemorySqs

REGION = "us-east-1"


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
def in_memory_sqs(clock: ManualClock) -> SqsWorld:
    return SqsWorld("in_memory", InMemorySqs(clock).client, clock.advance)


@pytest.fixture
def moto(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "testing")
    monkeypatch.setenv("AWS_DEFAULT_REGION", REGION)
    with mock_aws():
        yield


@pytest.fixture
def moto_sqs(moto: None, clock: ManualClock, monkeypatch: pytest.MonkeyPatch) -> SqsWorld:
    """moto's SQS on the test's clock: twelve hours pass without anybody waiting."""
    monkeypatch.setattr("moto.sqs.models.unix_time", clock)
    monkeypatch.setattr("moto.sqs.models.unix_time_millis", lambda: clock() * 1000)

    def advance(seconds: float) -> None:
        # moto makes a message visible after its time-out, AWS and the in-memory queue at its end.
        clock.advance(seconds + 0.001)

    return SqsWorld("moto", boto3.client("sqs", region_name=REGION), advance)


@pytest.fixture(params=["in_memory", "moto"])
def world(request: pytest.FixtureRequest) -> SqsWorld:
    chosen: SqsWorld = request.getfixturevalue(f"{request.param}_sqs")
    return chosen
