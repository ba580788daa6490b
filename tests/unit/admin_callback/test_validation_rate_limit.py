"""How often Zendesk is asked for strangers: by source and subdomain, by subdomain, in all."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from admin_callback.accounts.validation_rate_limit import (
    FIRST,
    IN_ALL,
    PER_ACCOUNT,
    PER_SOURCE_AND_SUBDOMAIN,
    PER_SUBDOMAIN,
    WINDOW,
    ValidationLimits,
)
from worlds.set_clock import SetClock
from zendesk_channel.contract import InstancePushId, Subdomain

ACME, OTHER = Subdomain("acme"), Subdomain("other")


@pytest.fixture
def clock() -> SetClock:
    return SetClock()


@pytest.fixture
def limits(clock: SetClock) -> ValidationLimits:
    return ValidationLimits(clock.clock)


def test_one_source_asks_one_subdomain_ten_times_in_a_minute(
    clock: SetClock, limits: ValidationLimits
) -> None:
    for _ in range(PER_SOURCE_AND_SUBDOMAIN):
        assert limits.stranger("203.0.113.1", ACME) == 0
        clock.time += 1
    assert limits.stranger("203.0.113.1", ACME) == 50
    assert limits.stranger("203.0.113.1", OTHER) == 0
    assert limits.stranger("203.0.113.2", ACME) == 0
    clock.time += 49.5
    assert limits.stranger("203.0.113.1", ACME) == 1
    clock.time += 0.5
    assert limits.stranger("203.0.113.1", ACME) == 0
    assert limits.stranger("203.0.113.1", ACME) == 1


def test_many_sources_ask_one_subdomain_sixty_times(limits: ValidationLimits) -> None:
    allowed = [limits.stranger(f"203.0.113.{n}", ACME) for n in range(200)]
    assert allowed == [0] * PER_SUBDOMAIN + [60] * (200 - PER_SUBDOMAIN)
    assert limits.stranger("203.0.113.1", OTHER) == 0


@pytest.mark.parametrize("subdomains", [1, 6])
def test_a_few_that_ask_without_end_leave_a_third_to_those_who_come(
    clock: SetClock, limits: ValidationLimits, subdomains: int
) -> None:
    """At one customer's Zendesk, and in all."""
    names = [ACME, *(Subdomain(f"zendesk-{n}") for n in range(subdomains - 1))]
    for _ in range(PER_SOURCE_AND_SUBDOMAIN):
        for source in range(8):
            for name in names:
                limits.stranger(f"198.51.100.{source}", name)
    for newcomer in range(FIRST):
        clock.time += 20
        assert [limits.stranger(f"203.0.113.{newcomer}", ACME) for _ in range(FIRST + 1)] == [0] * FIRST + [
            40 - 20 * newcomer
        ]


def test_all_together_ask_three_hundred_times(limits: ValidationLimits) -> None:
    allowed = [limits.stranger(f"203.0.113.{n % 250}", Subdomain(f"zendesk-{n}")) for n in range(500)]
    assert allowed.count(0) == IN_ALL
    assert allowed == sorted(allowed)


def test_what_is_refused_counts_for_nothing(clock: SetClock, limits: ValidationLimits) -> None:
    for _ in range(1_000):
        limits.stranger("203.0.113.1", ACME)
    clock.time += WINDOW
    assert limits.stranger("203.0.113.1", ACME) == 0
    assert limits.stranger("203.0.113.2", OTHER) == 0


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("2001:db8::1", "2001:db8::ffff", True),
        ("2001:db8::1", "2001:db8:0:1::1", False),
        ("::ffff:203.0.113.1", "203.0.113.1", True),
        ("203.0.113.1", "203.0.113.2", False),
        ("", "", True),
        ("not an address", "not an address", True),
    ],
)
def test_who_has_one_address_of_a_network_has_them_all(
    limits: ValidationLimits, one: str, other: str, same: bool
) -> None:
    for _ in range(PER_SOURCE_AND_SUBDOMAIN):
        limits.stranger(one, ACME)
    assert bool(limits.stranger(other, ACME)) is same


def test_an_account_that_proves_itself_is_counted_apart(limits: ValidationLimits) -> None:
    one, two = InstancePushId("one"), InstancePushId("two")
    for n in range(300):
        limits.stranger(f"203.0.113.{n}", ACME)
    assert [limits.account(one) for _ in range(PER_ACCOUNT + 1)] == [0] * PER_ACCOUNT + [60]
    assert limits.account(two) == 0


@given(
    steps=st.lists(
        st.tuples(st.sampled_from(["a", "b", "c"]), st.sampled_from([ACME, OTHER]), st.floats(0, 30)),
        max_size=200,
    )
)
def test_no_minute_holds_more_than_it_may(steps: list[tuple[str, Subdomain, float]]) -> None:
    clock = SetClock()
    limits = ValidationLimits(clock.clock)
    taken: list[tuple[float, str, Subdomain]] = []
    for source, subdomain, seconds in steps:
        clock.time += seconds
        within = [each for each in taken if each[0] > clock.time - WINDOW]
        same = sum(each[1:] == (source, subdomain) for each in within)
        wait = limits.stranger(source, subdomain)
        assert (wait == 0) is (same < PER_SOURCE_AND_SUBDOMAIN)
        if not wait:
            taken.append((clock.time, source, subdomain))
