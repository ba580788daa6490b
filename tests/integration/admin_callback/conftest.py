"""moto's server and a loopback Zendesk, once; a fresh stack for each test."""

import urllib.request
from collections.abc import Iterator

import boto3
import pytest
from moto.server import ThreadedMotoServer

from integration.admin_callback import aws_faults
from integration.admin_callback.loopback_zendesk import running
from integration.admin_callback.world import MotoAdminWorld
from worlds.scripted_zendesk import ScriptedZendesk


@pytest.fixture(scope="session")
def aws_endpoint() -> Iterator[str]:
    server = ThreadedMotoServer("127.0.0.1", 0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    yield f"http://{host}:{port}"
    server.stop()


@pytest.fixture(scope="module")  # and no longer: other tests have an environment of their own
def aws_session(aws_endpoint: str) -> Iterator[boto3.Session]:
    """One session for a module, as loading the services' models takes longer than a test."""
    with pytest.MonkeyPatch.context() as patch:
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
            patch.setenv(name, value)
        patch.setattr(boto3, "DEFAULT_SESSION", None)
        boto3.setup_default_session()
        session = boto3.DEFAULT_SESSION
        assert session is not None
        yield session


@pytest.fixture
def aws(aws_session: boto3.Session, aws_endpoint: str) -> Iterator[str]:
    """An empty AWS, and an environment that points to it."""
    urllib.request.urlopen(  # noqa: S310 (loopback)
        urllib.request.Request(f"{aws_endpoint}/moto-api/reset", method="POST")  # noqa: S310
    ).close()
    yield aws_endpoint
    aws_faults.clear()
    assert aws_faults.not_met() == set(), "arranged, and never met"


@pytest.fixture
def zendesk() -> Iterator[ScriptedZendesk]:
    with running() as zendesk:
        yield zendesk


@pytest.fixture
def world(aws: str, zendesk: ScriptedZendesk) -> MotoAdminWorld:
    return MotoAdminWorld(zendesk)
