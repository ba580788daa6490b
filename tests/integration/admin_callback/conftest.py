"""moto's server and a loopback Zendesk, once; a fresh stack for each test."""

import urllib.request
from collections.abc import Iterator

import boto3
import pytest
from moto.server import ThreadedMotoServer

from integration.admin_callback.loopback_zendesk import LoopbackZendesk, running
from integration.admin_callback.world import World


@pytest.fixture(scope="session")
def aws_endpoint() -> Iterator[str]:
    server = ThreadedMotoServer("127.0.0.1", 0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    yield f"http://{host}:{port}"
    server.stop()


@pytest.fixture
def aws(aws_endpoint: str, monkeypatch: pytest.MonkeyPatch) -> str:
    """An empty AWS, and an environment that points to it."""
    urllib.request.urlopen(  # noqa: S310 (loopback)
        urllib.request.Request(f"{aws_endpoint}/moto-api/reset", method="POST")  # noqa: S310
    ).close()
    for name, value in {
        "AWS_ENDPOINT_URL": aws_endpoint,
        "AWS_DEFAULT_REGION": "eu-central-1",
        "AWS_REGION": "eu-central-1",
        "AWS_ACCESS_KEY_ID": "testing",
        "AWS_SECRET_ACCESS_KEY": "testing",
        "AWS_EC2_METADATA_DISABLED": "true",
        "POWERTOOLS_SERVICE_NAME": "admin-callback",
        "POWERTOOLS_METRICS_NAMESPACE": "ZendeskPush",
        "LOG_LEVEL": "DEBUG",
    }.items():
        monkeypatch.setenv(name, value)
    boto3.setup_default_session(region_name="eu-central-1")
    return aws_endpoint


@pytest.fixture
def zendesk() -> Iterator[LoopbackZendesk]:
    with running() as zendesk:
        yield zendesk


@pytest.fixture
def world(aws: str, zendesk: LoopbackZendesk) -> World:
    return World(zendesk)
