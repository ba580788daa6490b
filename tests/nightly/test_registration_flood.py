"""Ten thousand forged callbacks and a thousand forged bodies, while an administrator goes through an account's life."""

import pytest

from worlds.admin_world import AdminWorld
from worlds.registration_flood import play


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_an_administrator_does_not_notice(seed: int) -> None:
    play(AdminWorld(), callbacks=10_000, seed=seed)
