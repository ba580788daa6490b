from __future__ import annotations

import pytest

from unit.simulator.worlds import SimulatorWorld


@pytest.fixture
def world() -> SimulatorWorld:
    return SimulatorWorld()
