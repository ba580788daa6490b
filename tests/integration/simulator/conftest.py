from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
import urllib3

from integration.simulator.client import Client
from integration.simulator.example_integration import ExampleIntegration
from zendesk_push.simulator import Simulator

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture
def integration() -> Iterator[ExampleIntegration]:
    example = ExampleIntegration()
    try:
        yield example
    finally:
        example.close()


@pytest.fixture
def zendesk(integration: ExampleIntegration) -> Iterator[Simulator]:
    with Simulator(manifest_url=integration.manifest_url) as simulator:
        yield simulator


@pytest.fixture
def client(zendesk: Simulator) -> Iterator[Client]:
    with urllib3.HTTPConnectionPool("127.0.0.1", zendesk.port, maxsize=1, timeout=20, retries=False) as pool:
        yield Client(pool, zendesk.core.create_account("acme", name="Acme"))
