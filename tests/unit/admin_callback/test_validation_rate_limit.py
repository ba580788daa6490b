"""Ten a minute for each subdomain, whatever comes in between."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from admin_callback.accounts import validation_rate_limit
from admin_callback.accounts.validation_rate_limit import LIMIT, WINDOW, ThrottledError, ValidationThrottle
from zendesk_channel.contract import Subdomain

ACME, OTHER = Subdomain("acme"), Subdomain("other")


class Clock:
    time = 1_000.0

    def __call__(self) -> float:
        return self.time


def test_ten_then_none_until_the_first_is_a_minute_old() -> None:
    clock = Clock()
    limits = ValidationThrottle(clock)
    for _ in range(LIMIT):
        limits.acquire(ACME)
        clock.time += 1
    with pytest.raises(ThrottledError) as caught:
        limits.acquire(ACME)
    assert caught.value.retry_after == 50
    limits.acquire(OTHER)
    clock.time += 50
    limits.acquire(ACME)
    with pytest.raises(ThrottledError) as caught:
        limits.acquire(ACME)
    assert caught.value.retry_after == 1


@given(st.lists(st.floats(min_value=0, max_value=20), min_size=1, max_size=200))
def test_never_more_than_ten_in_any_minute(waits: list[float]) -> None:
    clock = Clock()
    limits = ValidationThrottle(clock)
    granted: list[float] = []
    for wait in waits:
        clock.time += wait
        try:
            limits.acquire(ACME)
        except ThrottledError as error:
            assert 1 <= error.retry_after <= WINDOW  # noqa: PT017 (being granted is fine as well)
            continue
        granted.append(clock.time)
    for time in granted:
        assert sum(time - WINDOW < other <= time for other in granted) <= LIMIT


def test_memory_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(validation_rate_limit, "_MAX_SUBDOMAINS", 3)
    limits = ValidationThrottle(Clock())
    for n in range(10):
        limits.acquire(Subdomain(f"s{n}"))
    assert len(limits._calls) == 3
