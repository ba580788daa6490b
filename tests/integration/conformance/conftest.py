"""Every scenario here runs on the part in memory, on the same as `local` serves it, and on moto: `world` is each."""

from collections.abc import Iterator

import boto3
import pytest
from moto import mock_aws

from integration.conformance.worlds import SqsWorld
from zendesk_push.in_memory.clock import ManualClock
from zendesk_push.in_memory.sqs import InMemorySqs
from zendesk_push.local.aws import LocalAws
from zendesk_push.local.sqs_service import MOST_BODY_BYTES, SqsService
from zendesk_push.loopback_http import LoopbackRequest, LoopbackResponse, LoopbackServer

REGION = "us-east-1"


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
def in_memory_sqs(clock: ManualClock) -> SqsWorld:
    return SqsWorld("in_memory", InMemorySqs(clock).client, clock.advance)


class _Served:
    """SQS alone on a loopback server."""

    most_body_bytes = MOST_BODY_BYTES

    def __init__(self, clock: ManualClock) -> None:
        self.server = LoopbackServer("127.0.0.1", 0, self, name="sqs")
        self.respond = SqsService(f"http://127.0.0.1:{self.server.port}/123456789012/", clock).respond

    def drops(self, _: LoopbackRequest) -> bool:
        return False

    def refusal(self, status: int) -> LoopbackResponse:
        return LoopbackResponse(status, [])


@pytest.fixture
def served_sqs(clock: ManualClock) -> Iterator[SqsWorld]:
    served = _Served(clock)
    served.server.start()
    client = LocalAws(f"http://127.0.0.1:{served.server.port}").client("sqs")
    yield SqsWorld("served", client, clock.advance)
    client.close()
    served.server.close()


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


@pytest.fixture(params=["in_memory", "served", "moto"])
def world(request: pytest.FixtureRequest) -> SqsWorld:
    chosen: SqsWorld = request.getfixturevalue(f"{request.param}_sqs")
    return chosen
