"""The function on parts in memory, fresh for each test."""

import pytest

from worlds.admin_world import AdminWorld


@pytest.fixture
def world() -> AdminWorld:
    return AdminWorld()
