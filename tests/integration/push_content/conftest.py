"""moto's server in a process of its own, and the simulated Zendesk on a port: everything over real HTTP."""

from collections.abc import Iterator

import pytest

from integration.push_content.stack import PushStack
from zendesk_push.local.aws import LocalAws
from zendesk_push.local.moto_process import CREDENTIALS, REGION, MotoProcess
from zendesk_push.simulator import Simulator


@pytest.fixture(scope="session")
def aws_server() -> Iterator[LocalAws]:
    process = MotoProcess("127.0.0.1")
    yield LocalAws(f"http://127.0.0.1:{process.wait_until_ready()}")
    process.stop()


@pytest.fixture
def zendesk() -> Iterator[Simulator]:
    with Simulator() as simulator:
        yield simulator


@pytest.fixture
def stack(aws_server: LocalAws, zendesk: Simulator, monkeypatch: pytest.MonkeyPatch) -> PushStack:
    for name, value in CREDENTIALS.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("AWS_DEFAULT_REGION", REGION)
    monkeypatch.setenv("AWS_ENDPOINT_URL", aws_server.endpoint_url)
    return PushStack(aws_server, zendesk)
