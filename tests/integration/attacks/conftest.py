"""The running local stack, and an attacker's own server."""

import socket
from collections.abc import Iterator

import pytest

from integration.attacks.target import AttackTarget
from zendesk_push.local.stack import LocalStack
from zendesk_push.simulator import Simulator, ValidateTokenPolicy


@pytest.fixture(scope="module")
def running() -> Iterator[AttackTarget]:
    with (
        Simulator() as zendesk,
        LocalStack(
            zendesk_url=f"http://{{subdomain}}.localhost:{zendesk.port}", parameters={"Replies": "enabled"}
        ) as stack,
    ):
        zendesk.install(f"{stack.api_url}/manifest.json")
        target = AttackTarget(stack, zendesk)
        yield target
        target.http.clear()
        assert stack.failures == []


@pytest.fixture
def target(running: AttackTarget) -> AttackTarget:
    running.zendesk.core.validate_token_policy = ValidateTokenPolicy.BEFORE_SAVE
    running.replies.clear()
    return running


@pytest.fixture
def listener() -> Iterator[socket.socket]:
    """An attacker's own server: what connects to it has been led astray."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.setblocking(False)
        yield server
