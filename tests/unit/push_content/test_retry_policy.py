"""How long a message waits, and when it has waited enough."""

import random
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from push_content.messages.sqs_record import SqsRecord
from push_content.outcomes import retry_policy
from push_content.outcomes.outcome import ErrorCode, Rejected, Retry
from push_content.outcomes.retry_policy import PressureGauge, Wait, WaitingRules, next_turn

NOW = 1_800_000_000.0
DAY = 86_400
RULES = WaitingRules(base_delay=2, max_delay=900, window=4 * DAY, retention=10 * DAY, visibility=360)
REASONS = st.sampled_from(list(ErrorCode))


def highest(_: float, most: float) -> float:
    return most


def lowest(least: float, _: float) -> float:
    return least


def record(age: float = 0, receive_count: int = 1) -> SqsRecord:
    return SqsRecord("id", "handle", "{}", sent_at=NOW - age, receive_count=receive_count)


def retry(reason: ErrorCode = ErrorCode.UNAVAILABLE, *, soon: bool = False) -> Retry:
    return Retry(reason, "Zendesk answered 500", soon=soon)


@pytest.mark.parametrize(
    ("receive_count", "most"), [(1, 2), (2, 4), (3, 8), (9, 512), (10, 900), (11, 900), (99, 900)]
)
def test_back_off_doubles_with_the_receive_count_and_has_full_jitter(receive_count: int, most: int) -> None:
    at_most = next_turn(
        record(receive_count=receive_count), retry(), RULES, now=NOW, not_before=0, uniform=highest
    )
    at_least = next_turn(
        record(receive_count=receive_count), retry(), RULES, now=NOW, not_before=0, uniform=lowest
    )

    assert (at_least, at_most) == (Wait(1), Wait(most))


def test_the_larger_of_pause_and_back_off_counts() -> None:
    waits = [
        next_turn(record(receive_count=count), retry(), RULES, now=NOW, not_before=NOW + 60, uniform=lowest)
        for count in (1, 11)
    ]
    longer = next_turn(
        record(receive_count=11), retry(), RULES, now=NOW, not_before=NOW + 60, uniform=highest
    )

    assert waits == [Wait(60), Wait(60)]
    assert longer == Wait(900)


def test_what_waits_for_its_account_backs_off_by_the_accounts_pause() -> None:
    """It may have had no failure of its own; and while the account works, every minute is one too many."""
    accounts = replace(retry(), accounts=True)
    waits = [
        next_turn(record(receive_count=11), accounts, RULES, now=NOW, not_before=NOW + pause, uniform=highest)
        for pause in (0, 8, 600)
    ]

    assert waits == [Wait(60), Wait(60), Wait(750)]


def test_what_is_left_of_a_pause_is_spread() -> None:
    assert next_turn(record(), retry(), RULES, now=NOW, not_before=NOW + 60, uniform=highest) == Wait(75)


def test_a_pause_longer_than_the_longest_delay_is_asked_about_in_between() -> None:
    assert next_turn(record(), retry(), RULES, now=NOW, not_before=NOW + 3600, uniform=lowest) == Wait(900)


def test_the_last_turn_is_at_the_end_of_the_window() -> None:
    old = record(age=4 * DAY - 30, receive_count=50)

    assert next_turn(old, retry(), RULES, now=NOW, not_before=0, uniform=highest) == Wait(30)


@pytest.mark.parametrize(
    "old",
    [
        record(age=4 * DAY, receive_count=5),
        record(age=5 * DAY, receive_count=5),
        record(receive_count=900),
        record(receive_count=999),
    ],
)
def test_who_has_waited_enough_is_rejected_with_the_last_reason(old: SqsRecord) -> None:
    outcome = next_turn(old, retry(ErrorCode.MISSING_PARENT), RULES, now=NOW, not_before=0, uniform=lowest)

    assert isinstance(outcome, Rejected)
    assert outcome.reason is ErrorCode.MISSING_PARENT
    assert outcome.text.startswith("Zendesk answered 500 (given up: ")


def test_a_message_is_dead_lettered_before_the_queue_forgets_it() -> None:
    rules = WaitingRules(base_delay=2, max_delay=900, window=8 * DAY, retention=2 * DAY, visibility=360)
    last_age = 2 * DAY - 1 - 360 - 3600

    kept = next_turn(record(age=last_age - 1), retry(), rules, now=NOW, not_before=0, uniform=lowest)
    lost = next_turn(record(age=last_age), retry(), rules, now=NOW, not_before=0, uniform=lowest)

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
        record(age, receive_count),
        retry(reason, soon=soon),
        rules,
        now=NOW,
        not_before=NOW + pause,
        uniform=seed.uniform,
        pressed=pressed,
    )

    if isinstance(turn, Wait):
        assert 0 <= turn.seconds <= (most if receive_count < 100 else 42_000)
        assert age + turn.seconds < window + 1 or (age >= window and receive_count < 5)
        assert age + turn.seconds + visibility + 3600 < 10 * DAY
        assert receive_count < 900
        assert turn.seconds <= 60 or receive_count >= 100 or not (soon or pressed)
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
        record(receive_count=20),
        retry(reason),
        RULES,
        now=NOW,
        not_before=NOW + 600,
        uniform=highest,
        pressed=True,
    )

    assert isinstance(turn, Rejected) if rejected else turn == Wait(60)


class CountedQueue:
    """Says how many messages are in flight, and how often it was asked."""

    def __init__(self, in_flight: int | None) -> None:
        self.in_flight = in_flight
        self.asked = 0

    def __call__(self) -> int | None:
        self.asked += 1
        return self.in_flight


@pytest.mark.parametrize(
    ("waiting", "in_flight", "pressed"),
    [(101, 60_001, True), (101, 60_000, False), (100, 120_000, False), (5_000, None, False)],
)
def test_pressure(waiting: int, in_flight: int | None, pressed: bool) -> None:
    assert PressureGauge().pressed(waiting, NOW, CountedQueue(in_flight)) is pressed


def test_the_queue_is_not_asked_while_few_wait() -> None:
    queue = CountedQueue(120_000)
    gauge = PressureGauge()

    assert not gauge.pressed(100, NOW, queue)
    assert queue.asked == 0


def test_small_batches_see_the_pressure_too() -> None:
    queue = CountedQueue(60_001)
    gauge = PressureGauge()
    found = [gauge.pressed(10, NOW + number, queue) for number in range(25)]

    assert found == [False] * 10 + [True] * 15
    assert queue.asked == 2


def test_pressure_is_not_remembered_for_long() -> None:
    gauge, queue = PressureGauge(), CountedQueue(60_001)

    assert gauge.pressed(101, NOW, queue)
    assert gauge.pressed(1, NOW + 60, queue)
    assert not gauge.pressed(1, NOW + 61, queue)


@pytest.mark.parametrize("nobodys", [False, True])
@pytest.mark.parametrize(("receive_count", "age"), [(1, 5 * DAY), (4, 9 * DAY), (900, DAY), (950, 8 * DAY)])
def test_who_is_rejected_after_a_long_outage(receive_count: int, age: float, nobodys: bool) -> None:
    """Age alone says nothing of who was tried less than five times, receipts nothing of what was nobody's failure."""
    old = record(age=age, receive_count=receive_count)
    failed = replace(retry(ErrorCode.THROTTLED if nobodys else ErrorCode.UNAVAILABLE), nobodys=nobodys)
    turn = next_turn(old, failed, RULES, now=NOW, not_before=0, uniform=highest)

    assert isinstance(turn, Rejected) == (receive_count >= 900 and not nobodys)


def test_what_is_nobodys_failure_ends_only_by_retention() -> None:
    last_age = 10 * DAY - 360 - 3600
    throttled = replace(retry(ErrorCode.THROTTLED), nobodys=True)
    turns = [
        next_turn(record(age=age, receive_count=3), throttled, RULES, now=NOW, not_before=0, uniform=lowest)
        for age in (4 * DAY, last_age - 2, last_age - 1)
    ]

    assert turns[:2] == [Wait(1), Wait(1)]
    assert isinstance(turns[2], Rejected)
    assert turns[2].reason is ErrorCode.THROTTLED


@pytest.mark.parametrize(
    ("receive_count", "age", "least"),
    [(99, 0, 60), (100, 0, 432), (100, 3 * DAY, 108), (500, DAY, 648), (899, DAY, 42_000)],
)
def test_after_the_hundredth_receipt_those_that_are_left_last_for_the_window(
    receive_count: int, age: float, least: int
) -> None:
    rules = replace(RULES, max_delay=60)

    for pressed in (False, True):
        turn = next_turn(
            record(age=age, receive_count=receive_count),
            retry(),
            rules,
            now=NOW,
            not_before=0,
            uniform=highest,
            pressed=pressed,
        )
        assert turn == Wait(least)


@pytest.mark.parametrize("max_delay", [1, 60, 900])
@pytest.mark.parametrize("nobodys", [False, True])
def test_the_window_is_a_promise_whatever_the_longest_delay_is(max_delay: float, nobodys: bool) -> None:
    """RetryMaxDelaySeconds=60 gave up after 15 hours of a window of 96."""
    rules = replace(RULES, max_delay=max_delay)
    failed = replace(retry(), nobodys=nobodys)
    age, receive_count = 0.0, 0
    while True:
        receive_count += 1
        turn = next_turn(record(age, receive_count), failed, rules, now=NOW, not_before=0, uniform=lowest)
        if isinstance(turn, Rejected):
            break
        age += turn.seconds

    assert receive_count < 1_000
    assert age >= (rules.last_age - 42_000 if nobodys else rules.window)


def test_a_failed_dead_letter_waits_longer_than_others_as_it_may_be_there_after_all() -> None:
    waits = [
        retry_policy.after_failed_rejection(
            record(receive_count=count), RULES, now=NOW, uniform=uniform
        ).seconds
        for count in (1, 7, 999)
        for uniform in (lowest, highest)
    ]

    assert waits == [30, 60, 128, 256, 450, 900]


def test_a_failed_dead_letter_waits_no_longer_than_any_other() -> None:
    rules = replace(RULES, max_delay=3)
    wait = retry_policy.after_failed_rejection(record(receive_count=9), rules, now=NOW, uniform=highest)

    assert wait.seconds == 3


def test_a_failed_dead_letter_is_tried_again_before_the_queue_forgets_its_message() -> None:
    last_age = 10 * DAY - 360 - 3600
    waits = [
        retry_policy.after_failed_rejection(record(age, 99), RULES, now=NOW, uniform=highest).seconds
        for age in (last_age - 100, last_age + 100)
    ]

    assert waits == [100, 1]


def test_messages_use_up_fewer_receipts_than_there_are_within_the_window() -> None:
    """With the defaults, retries alone take a message out by its age, before SQS would without a reason."""
    dice = random.Random(7)
    for paused in (0, 60):
        age, receive_count = 0.0, 0
        while True:
            receive_count += 1
            turn = next_turn(
                record(age, receive_count),
                retry(),
                RULES,
                now=NOW,
                not_before=NOW + paused,
                uniform=dice.uniform,
            )
            if isinstance(turn, Rejected):
                break
            age += turn.seconds
        assert age >= RULES.window
        assert receive_count < 900


def test_the_oldest() -> None:
    assert retry_policy.oldest([record(5), record(70), SqsRecord("id", "handle", "")], NOW) == 70
    assert retry_policy.oldest([], NOW) == 0
