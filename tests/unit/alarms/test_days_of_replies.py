"""Days with Replies enabled: a reader that stops, one that fails on an answer, and answers that could not be taken."""

from unit.alarms.day import DAY, HOUR, Day, counts
from unit.alarms.test_days import flowing, usual


def answering() -> Day:
    """Agents answer all day."""
    day = usual(Replies="enabled")
    flowing(day)
    day.queue("DeadLetterQueue")
    day.emitted("admin-callback", "RepliesQueued", range(0, DAY, 3))
    return day


def test_a_quiet_day() -> None:
    day = answering()
    day.queue("RepliesQueue", hidden=lambda _: 1, age=lambda _: 3)
    day.queue("RepliesDeadLetterQueue")
    assert day.heard() == {}


def test_a_reader_that_stops_for_an_afternoon() -> None:
    day = answering()
    stopped = range(12 * HOUR, 17 * HOUR)
    day.queue(
        "RepliesQueue",
        visible=lambda minute: (minute - stopped.start) / 3 if minute in stopped else 0,
        age=lambda minute: (minute - stopped.start) * 60 if minute in stopped else 3,
    )
    day.queue("RepliesDeadLetterQueue")
    heard = day.heard()
    assert counts(heard) == {"RepliesUnreadAlarm": (1, 1)}
    [rang], [cleared] = heard["RepliesUnreadAlarm"]
    assert HOUR <= rang - stopped.start <= HOUR + 10
    assert 0 < cleared - stopped.stop <= HOUR + 10


def test_a_reader_that_fails_on_one_answer_and_is_mended() -> None:
    """After three receipts SQS leaves it out of the age, after ten it is moved; somebody looks at it meanwhile."""
    day = answering()
    there = range(10 * HOUR, 15 * HOUR)
    looked_at = range(11 * HOUR, 11 * HOUR + 3)
    nowhere = {looked_at.start - 1, looked_at.stop}
    day.queue("RepliesQueue", hidden=lambda _: 1, age=lambda minute: 180 if minute == there.start - 7 else 3)
    day.queue(
        "RepliesDeadLetterQueue",
        visible=lambda minute: minute in there and minute not in looked_at and minute not in nowhere,
        hidden=lambda minute: minute in looked_at,
        age=lambda minute: (minute - there.start) * 60 if minute in there else 0,
    )
    heard = day.heard()
    assert counts(heard) == {"RepliesDeadLettersAlarm": (1, 1)}
    [rang], [cleared] = heard["RepliesDeadLettersAlarm"]
    assert 0 < rang - there.start <= 2
    assert 0 < cleared - there.stop <= 10


def test_answers_that_aws_kept_from_being_taken() -> None:
    day = answering()
    day.queue("RepliesQueue", age=lambda _: 3)
    day.queue("RepliesDeadLetterQueue")
    failed = range(9 * HOUR, 10 * HOUR, 7)
    day.emitted("admin-callback", "RepliesFailed", failed)
    day.of_api("5xx", failed)
    assert counts(day.heard()) == {"CallbacksFailedAlarm": (1, 1)}


def test_forged_answers_by_the_thousand_ring_as_strangers_do() -> None:
    day = answering()
    day.queue("RepliesQueue", age=lambda _: 3)
    day.queue("RepliesDeadLetterQueue")
    flood = range(9 * HOUR, 12 * HOUR)
    day.emitted("admin-callback", "RepliesForged", flood, 500)
    day.emitted("admin-callback", "UnauthenticatedRequests", flood, 500)
    assert counts(day.heard()) == {"StrangersAlarm": (1, 1)}
