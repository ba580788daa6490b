"""What the doctor makes of the account's limit of concurrent functions."""

import pytest

from zendesk_push.commands.doctor.concurrency_check import judge
from zendesk_push.commands.doctor.findings import Level


@pytest.mark.parametrize(
    ("limit", "unreserved", "reserved", "maximum", "level", "says"),
    [
        (10, 10, 0, 10, Level.WARN, "nothing is left for callbacks"),  # a new AWS account, stock parameters
        (10, 10, 0, 5, Level.OK, "none is reserved"),
        (1000, 995, 5, 50, Level.OK, "5 are reserved"),
        (1000, 1000, 0, 50, Level.OK, "push takes up to 50"),
        (100, 40, 5, 50, Level.WARN, "will be throttled"),
        (50, 50, 0, 50, Level.WARN, "nothing is left for callbacks"),
        (1000, 1000, 0, 0, Level.WARN, "all of them"),
    ],
)
def test_what_the_numbers_mean(
    limit: int, unreserved: int, reserved: int, maximum: int, level: Level, says: str
) -> None:
    found = judge(limit, unreserved, reserved, maximum)
    assert found.level is level
    assert says in found.seen
    assert bool(found.advice) is (level is Level.WARN)
