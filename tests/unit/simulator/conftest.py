from __future__ import annotations

import pytest

from unit.simulator.worlds import World


@pytest.fixture
def world() -> World:
    return World()
