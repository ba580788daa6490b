"""What a gradual deployment sees of a bad version: soon, whatever it does wrong, and no longer once it is gone."""

from collections.abc import Callable

import pytest

from unit.alarms.cloudwatch import metric
from unit.alarms.day import DAY, FURTHER, HOUR, Day

BEGUN, GONE = 10 * HOUR, 10 * HOUR + 4


def usual() -> Day:
    """Traffic, a bad message and an unconfirmed callback now and then."""
    day = Day()
    for minute in range(DAY):
        day.metrics.put(metric("AWS/SQS", "NumberOfMessagesReceived", QueueName="ContentQueue"), minute, 40)
        if not BEGUN <= minute < GONE + 5:
            day.emitted("push-content", "MessagesDelivered", [minute], 40)
    day.emitted("push-content", "MessagesDelivered", range(BEGUN, GONE + 5), 36)  # the other nine tenths
    dead(day, "zendesk_400", range(0, DAY, 20), 2)
    return day


def dead(day: Day, reason: str, minutes: range, value: float) -> None:
    """Dead letters of one reason."""
    key = metric("ZendeskPush/stack", "MessagesDeadLettered", service="push-content", reason=reason)
    for minute in minutes:
        day.metrics.put(key, minute, value)


def crashes(day: Day) -> None:
    version(day, "PushContentFunction")


def version(day: Day, function: str, number: str | None = None) -> None:
    """Lambda's errors of a version; the new one has the function's logical id for a number here."""
    key = metric(
        "AWS/Lambda",
        "Errors",
        FunctionName=function,
        Resource=f"{function}:live",
        ExecutedVersion=number or function,
    )
    for minute in range(BEGUN, GONE):
        day.metrics.put(key, minute, 1)


def raises_where_nobody_foresaw_it(day: Day) -> None:
    day.emitted("push-content", "UnforeseenErrors", range(BEGUN, GONE))


def cannot_read_messages(day: Day) -> None:
    dead(day, "invalid_message", range(BEGUN, GONE), 12)


def writes_what_zendesk_refuses(day: Day) -> None:
    dead(day, "zendesk_422", range(BEGUN, GONE), 12)


def answers_administrators_with_503(day: Day) -> None:
    day.emitted("admin-callback", "RegistrationsFailed", [BEGUN + 1])


def loses_events(day: Day) -> None:
    day.emitted("admin-callback", "EventsFailed", [BEGUN + 1])


def admin_crashes(day: Day) -> None:
    version(day, "AdminCallbackFunction")


@pytest.mark.parametrize(
    ("does_wrong", "seen_by"),
    [
        (crashes, "PushVersionFailsAlarm"),
        (raises_where_nobody_foresaw_it, "PushVersionBadAlarm"),
        (cannot_read_messages, "PushVersionBadAlarm"),
        (writes_what_zendesk_refuses, "PushVersionBadAlarm"),
        (answers_administrators_with_503, "AdminVersionBadAlarm"),
        (loses_events, "AdminVersionBadAlarm"),
        (admin_crashes, "AdminVersionBadAlarm"),
    ],
)
@pytest.mark.parametrize("further", FURTHER)
def test_a_bad_version_is_seen_at_once_and_forgotten_soon(
    does_wrong: Callable[[Day], None], seen_by: str, further: int
) -> None:
    """With a tenth of the calls, beside a good one."""
    day = usual()
    does_wrong(day)
    [(alarm, minutes)] = day.silently_on(further).items()
    assert alarm == seen_by
    assert minutes[0] <= BEGUN + 2
    assert minutes[-1] <= GONE + 8


@pytest.mark.parametrize("further", FURTHER)
def test_a_version_that_delivers_nothing_is_seen(further: int) -> None:
    """Once it has all the calls, or those of five minutes."""
    day = Day()
    for minute in range(DAY):
        day.metrics.put(metric("AWS/SQS", "NumberOfMessagesReceived", QueueName="ContentQueue"), minute, 40)
        if not BEGUN <= minute < BEGUN + 10:
            day.emitted("push-content", "MessagesDelivered", [minute], 40)
    [(alarm, minutes)] = day.silently_on(further).items()
    assert alarm == "PushNothingDeliveredAlarm"
    assert BEGUN + 5 <= minutes[0] <= BEGUN + 6


@pytest.mark.parametrize("further", FURTHER)
def test_a_good_version_is_left_alone_and_so_is_a_cure(further: int) -> None:
    """The version before it fails all the while: that is why there is a new one."""
    day = usual()
    version(day, "PushContentFunction", number="41")
    day.of_lambda("PushContentFunction", "Errors", range(BEGUN, GONE))
    assert day.silently_on(further) == {}
