"""Days of each kind: one ring for a cause, one all-clear when it is over, nothing in between."""

from unit.alarms.day import DAY, HOUR, Day, counts


def usual(**parameters: str) -> Day:
    """Traffic all day, an administrator now and then, and what strangers ask of any address on the internet."""
    day = Day(**parameters)
    day.emitted("push-content", "MessagesDelivered", range(DAY), 30)
    day.emitted("admin-callback", "UnauthenticatedRequests", range(0, DAY, 45), 2)
    day.emitted("admin-callback", "EventsForged", [700, 701])
    day.of_api("4xx", range(0, DAY, 10), 3)
    return day


def flowing(day: Day) -> None:
    """The content queue when nothing waits."""
    day.queue("ContentQueue", hidden=lambda _: 20, age=lambda _: 2)


def test_a_quiet_day() -> None:
    day = usual()
    flowing(day)
    day.queue("DeadLetterQueue")
    assert day.heard() == {}


def test_a_stack_that_nobody_uses() -> None:
    """No metric at all: SQS reports nothing of queues that are not used, and functions that do not run emit nothing."""
    assert Day().heard() == {}


def test_one_refused_message_that_somebody_looks_at_and_purges() -> None:
    """While it is looked at it is hidden; SQS counts approximately, so that for a minute it is nowhere."""
    day = usual()
    flowing(day)
    there = range(10 * HOUR, 15 * HOUR)
    looked_at = range(11 * HOUR, 11 * HOUR + 15)
    nowhere = {11 * HOUR - 1, 11 * HOUR + 15}
    day.queue(
        "DeadLetterQueue",
        visible=lambda minute: minute in there and minute not in looked_at and minute not in nowhere,
        hidden=lambda minute: minute in looked_at,
        age=lambda minute: (minute - there.start) * 60 if minute in there else 0,
    )
    heard = day.heard()
    assert counts(heard) == {"DeadLettersAlarm": (1, 1)}
    [rang], [cleared] = heard["DeadLettersAlarm"]
    assert 0 < rang - there.start <= 2
    assert 0 < cleared - there.stop <= 10


def test_a_flood_of_bad_messages() -> None:
    """Ten thousand dead letters in two hours, into an empty queue, are one cause."""
    day = usual()
    flowing(day)
    begun = 9 * HOUR
    day.queue(
        "DeadLetterQueue",
        visible=lambda minute: min(10_000, max(0, minute - begun) * 84) if minute < 20 * HOUR else 0,
        age=lambda minute: max(0, minute - begun) * 60 if minute < 20 * HOUR else 0,
    )
    assert counts(day.heard()) == {"DeadLettersAlarm": (1, 1)}


def test_a_flood_beside_a_dead_letter_that_was_known() -> None:
    """The first alarm has been on since yesterday, and would not say a word."""
    day = usual()
    flowing(day)
    begun = 9 * HOUR
    day.queue(
        "DeadLetterQueue",
        visible=lambda minute: 3 + min(10_000, max(0, minute - begun) * 84),
        age=lambda minute: (minute + 5 * HOUR) * 60,
    )
    heard = day.heard()
    assert counts(heard) == {"DeadLettersAlarm": (1, 0), "DeadLettersRisingAlarm": (1, 1)}
    assert heard["DeadLettersAlarm"][0] == [1]  # on since before the day
    [rang], _ = heard["DeadLettersRisingAlarm"]
    assert 0 < rang - begun <= 5


def test_dead_letters_that_nobody_deals_with() -> None:
    """At four days, once, whoever looks at them meanwhile."""
    day = usual()
    flowing(day)
    three_days = 3 * DAY
    day.queue(
        "DeadLetterQueue",
        visible=lambda minute: 0 if minute % 240 < 15 else 5,
        hidden=lambda minute: 5 if minute % 240 < 15 else 0,
        # SQS knows no age while all of them are hidden.
        age=lambda minute: 0 if minute % 240 < 15 else (three_days + 12 * HOUR + minute) * 60,
    )
    heard = day.heard()
    assert counts(heard) == {"DeadLettersAlarm": (1, 0), "DeadLettersExpiringAlarm": (1, 0)}
    [rang], _ = heard["DeadLettersExpiringAlarm"]
    assert rang // HOUR == 12


def test_a_message_that_crashes_the_function_again_and_again() -> None:
    """It comes back every 13 minutes, when its visibility time-out is over, for nine hours."""
    day = usual()
    flowing(day)
    day.queue("DeadLetterQueue")
    day.of_lambda("PushContentFunction", "Errors", range(8 * HOUR, 17 * HOUR, 13))
    heard = day.heard()
    assert counts(heard) == {"PushErrorsAlarm": (1, 1)}
    _, [cleared] = heard["PushErrorsAlarm"]
    assert cleared < 18 * HOUR + 15


def test_an_error_that_nobody_foresaw() -> None:
    day = usual()
    flowing(day)
    day.emitted("push-content", "UnforeseenErrors", range(8 * HOUR, 9 * HOUR, 7))
    assert counts(day.heard()) == {"PushErrorsAlarm": (1, 1)}


def test_one_destroy_event_that_could_not_be_stored() -> None:
    """A customer has left, and is pushed to until the schedule finds out."""
    day = usual()
    flowing(day)
    day.emitted("admin-callback", "EventsFailed", [10 * HOUR])
    day.of_api("5xx", [10 * HOUR])
    assert counts(day.heard()) == {"CallbacksFailedAlarm": (1, 1)}


def test_administrators_who_cannot_connect_all_afternoon() -> None:
    day = usual()
    flowing(day)
    day.emitted("admin-callback", "RegistrationsFailed", range(12 * HOUR, 18 * HOUR, 25))
    day.of_api("5xx", range(12 * HOUR, 18 * HOUR, 25))
    assert counts(day.heard()) == {"CallbacksFailedAlarm": (1, 1)}


def test_a_flood_of_forged_callbacks() -> None:
    """For three hours, in waves."""
    day = usual()
    flowing(day)
    waves = [minute for minute in range(9 * HOUR, 12 * HOUR) if minute % 30 < 10]
    day.emitted("admin-callback", "UnauthenticatedRequests", waves, 300)
    day.emitted("admin-callback", "RegistrationsUnconfirmed", waves, 250)
    assert counts(day.heard()) == {"StrangersAlarm": (1, 1)}


def test_forged_events_alone_ring_sooner() -> None:
    day = usual()
    flowing(day)
    minutes = range(9 * HOUR, 9 * HOUR + 5)
    day.emitted("admin-callback", "EventsForged", minutes, 20)
    day.emitted("admin-callback", "UnauthenticatedRequests", minutes, 20)
    assert counts(day.heard()) == {"StrangersAlarm": (1, 1)}


def test_lambda_has_no_concurrency_left_at_every_peak() -> None:
    day = usual()
    flowing(day)
    day.of_lambda("PushContentFunction", "Throttles", range(8 * HOUR, 18 * HOUR, 40), 5)
    assert counts(day.heard()) == {"PushThrottlesAlarm": (1, 1)}


def test_so_many_wait_that_sqs_will_stop_delivering() -> None:
    """The function holds the number down at 60,000, so that it hovers there."""
    day = usual()
    hovering = range(6 * HOUR, 14 * HOUR)
    day.queue(
        "ContentQueue", hidden=lambda minute: 60_500 - 1_000 * (minute % 3) if minute in hovering else 20
    )
    assert counts(day.heard()) == {"InFlightAlarm": (1, 1)}


def test_hundreds_of_accounts_refused_at_once() -> None:
    """Somebody has deleted the OAuth client: the schedule finds a slice of them every quarter of an hour."""
    day = usual()
    flowing(day)
    day.emitted("push-content", "CredentialsRefused", range(6 * HOUR, 14 * HOUR, 15), 200)
    assert counts(day.heard()) == {"CredentialsRefusedAlarm": (1, 0)}


def test_two_customers_refused_hours_apart() -> None:
    """A level would stay up for weeks with the first, and say nothing of the second."""
    day = usual()
    flowing(day)
    day.emitted("push-content", "CredentialsRefused", [6 * HOUR, 14 * HOUR])
    heard = day.heard()
    assert counts(heard) == {"CredentialsRefusedAlarm": (2, 0)}
