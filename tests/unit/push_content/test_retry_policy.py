"""How long a message waits, and when it has waited enough."""

import random
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from push_content.answers.answer_judge import Rejected, Retry
from push_content.messages.sqs_record import Receipt
from push_content.outcomes import retry_policy
from push_content.outcomes.error_codes import ErrorCode
from push_content.outcomes.retry_policy import Wait, WaitingRules, next_turn, under_pressure

NOW = 1_800_000_000.0
DAY = 86_400
RULES = WaitingRules(base_delay=2, max_delay=900, window=4 * DAY, retention=10 * DAY, visibility=360)
REASONS = st.sampled_from(list(ErrorCode))


def highest(_: float, most: float) -> float:
    return most


def lowest(least: float, _: float) -> float:
    return least


def receipt(age: float = 0, receive_count: int = 1) -> Receipt:
    return Receipt("id", "handle", "{}", sent_at=NOW - age, receive_count=receive_count)


def retry(reason: ErrorCode = ErrorCode.UNAVAILABLE, *, soon: bool = False) -> Retry:
    return Retry(reason, "Zendesk answered 500", soon=soon)


@pytest.mark.parametrize(
    ("receive_count", "most"), [(1, 2), (2, 4), (3, 8), (9, 512), (10, 900), (11, 900), (899, 900)]
)
def test_back_off_doubles_with_the_receive_count_and_has_full_jitter(receive_count: int, most: int) -> None:
    at_most = next_turn(
        receipt(receive_count=receive_count), retry(), RULES, now=NOW, paused_until=0, uniform=highest
    )
    at_least = next_turn(
        receipt(receive_count=receive_count), retry(), RULES, now=NOW, paused_until=0, uniform=lowest
    )

    assert (at_least, at_most) == (Wait(1), Wait(most))


def test_the_larger_of_pause_and_back_off_counts() -> None:
    waits = [
        next_turn(
            receipt(receive_count=count), retry(), RULES, now=NOW, paused_until=NOW + 60, uniform=lowest
        )
        for count in (1, 11)
    ]
    longer = next_turn(
        receipt(receive_count=11), retry(), RULES, now=NOW, paused_until=NOW + 60, uniform=highest
    )

    assert waits == [Wait(60), Wait(60)]
    assert longer == Wait(900)


def test_what_is_left_of_a_pause_is_spread() -> None:
    assert next_turn(receipt(), retry(), RULES, now=NOW, paused_until=NOW + 60, uniform=highest) == Wait(75)


def test_a_pause_longer_than_the_longest_delay_is_asked_about_in_between() -> None:
    assert next_turn(receipt(), retry(), RULES, now=NOW, paused_until=NOW + 3600, uniform=lowest) == Wait(900)


def test_the_last_turn_is_at_the_end_of_the_window() -> None:
    old = receipt(age=4 * DAY - 30, receive_count=50)

    assert next_turn(old, retry(), RULES, now=NOW, paused_until=0, uniform=highest) == Wait(30)


@pytest.mark.parametrize(
    "old",
    [receipt(age=4 * DAY), receipt(age=5 * DAY), receipt(receive_count=900), receipt(receive_count=999)],
)
def test_who_has_waited_enough_is_rejected_with_the_last_reason(old: Receipt) -> None:
    outcome = next_turn(old, retry(ErrorCode.MISSING_PARENT), RULES, now=NOW, paused_until=0, uniform=lowest)

    assert isinstance(outcome, Rejected)
    assert outcome.reason is ErrorCode.MISSING_PARENT
    assert outcome.text.startswith("Zendesk answered 500 (given up: ")


def test_a_message_is_dead_lettered_before_the_queue_forgets_it() -> None:
    rules = WaitingRules(base_delay=2, max_delay=900, window=8 * DAY, retention=2 * DAY, visibility=360)
    last_age = 2 * DAY - 1 - 360 - 3600

    kept = next_turn(receipt(age=last_age - 1), retry(), rules, now=NOW, paused_until=0, uniform=lowest)
    lost = next_turn(receipt(age=last_age), retry(), rules, now=NOW, paused_until=0, uniform=lowest)

    assert kept == Wait(1)
    assert isinstance(lost, Rejected)


@given(
    age=st.floats(0, 12 * DAY),
    receive_count=st.integers(1, 1000),
    reason=REASONS,
    soon=st.booleans(),
    pressed=st.booleans(),
    pause=st.floats(-100, 10_000),
    base=st.floats(0.1, 100),
    most=st.integers(1, 43_200),
    window=st.integers(1, 8 * DAY),
    visibility=st.integers(0, 43_200),
    seed=st.randoms(),
)
def test_every_wait_is_short_enough(
    age: float,
    receive_count: int,
    reason: ErrorCode,
    soon: bool,
    pressed: bool,
    pause: float,
    base: float,
    most: int,
    window: int,
    visibility: int,
    seed: random.Random,
) -> None:
    rules = WaitingRules(base, most, window, 10 * DAY, visibility)
    turn = next_turn(
        receipt(age, receive_count),
        retry(reason, soon=soon),
        rules,
        now=NOW,
        paused_until=NOW + pause,
        uniform=seed.uniform,
        pressed=pressed,
    )

    if isinstance(turn, Wait):
        assert 0 <= turn.seconds <= min(most, 43_200)
        assert age + turn.seconds < window + 1
        assert age + turn.seconds + visibility + 3600 < 10 * DAY
        assert receive_count < 900
        assert turn.seconds <= 60 or not (soon or pressed)
        if 0 < pause <= most and not (soon or pressed) and age + pause < window:
            assert turn.seconds >= int(pause)
    else:
        assert turn.reason is reason


@pytest.mark.parametrize(
    ("reason", "rejected"),
    [
        (reason, reason in (ErrorCode.UNAUTHORIZED, ErrorCode.UNKNOWN_ACCOUNT, ErrorCode.INACTIVE_ACCOUNT))
        for reason in ErrorCode
    ],
)
def test_under_pressure_what_depends_on_an_administrator_is_rejected_and_the_rest_waits_shortly(
    reason: ErrorCode, rejected: bool
) -> None:
    turn = next_turn(
        receipt(receive_count=20),
        retry(reason),
        RULES,
        now=NOW,
        paused_until=NOW + 600,
        uniform=highest,
        pressed=True,
    )

    assert isinstance(turn, Rejected) if rejected else turn == Wait(60)


@pytest.mark.parametrize(
    ("waiting_now", "in_flight", "pressed"),
    [(101, 60_001, True), (101, 60_000, False), (100, 120_000, False), (5_000, None, False)],
)
def test_pressure(waiting_now: int, in_flight: int | None, pressed: bool) -> None:
    assert under_pressure(waiting_now, lambda: in_flight) is pressed


def test_the_queue_is_not_asked_while_few_wait() -> None:
    def asked() -> int:
        raise AssertionError("this costs a call")

    assert not under_pressure(100, asked)


def test_a_failed_dead_letter_is_tried_again_soon() -> None:
    waits = [
        retry_policy.after_failed_rejection(receipt(receive_count=count), RULES, uniform).seconds
        for count in (1, 5, 999)
        for uniform in (lowest, highest)
    ]

    assert waits == [1, 4, 1, 60, 1, 60]


def test_a_failed_dead_letter_waits_no_longer_than_any_other() -> None:
    rules = replace(RULES, max_delay=3)

    assert retry_policy.after_failed_rejection(receipt(receive_count=9), rules, highest).seconds == 3


def test_messages_use_up_fewer_receipts_than_there_are_within_the_window() -> None:
    """With the defaults, retries alone take a message out by its age, before SQS would without a reason."""
    dice = random.Random(7)
    for paused in (0, 60):
        age, receive_count = 0.0, 0
        while True:
            receive_count += 1
            turn = next_turn(
                receipt(age, receive_count),
                retry(),
                RULES,
                now=NOW,
                paused_until=NOW + paused,
                uniform=dice.uniform,
            )
            if isinstance(turn, Rejected):
                break
            age += turn.seconds
        assert age >= RULES.window
        assert receive_count < 900


def test_the_oldest() -> None:
    assert retry_policy.oldest([receipt(5), receipt(70), Receipt("id", "handle", "")], NOW) == 70
    assert retry_policy.oldest([], NOW) == 0
