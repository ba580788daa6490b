"""The evaluator itself, against the examples in CloudWatch's documentation of missing data and of metric math."""

import pytest

from unit.alarms.cloudwatch import Alarm, Metrics, Query, metric
from unit.alarms.metric_math import UnknownMathError, evaluate

KEY = metric("Example", "Value")


def alarm(periods: int, to_alarm: int) -> Alarm:
    return Alarm(
        name="example",
        queries={"only": Query(KEY, "Sum")},
        expression="only",
        period=1,
        evaluation_periods=periods,
        to_alarm=to_alarm,
        threshold=1,
        rings_bell=True,
        tells_all_clear=True,
    )


@pytest.mark.parametrize(
    ("data", "to_alarm", "on"),
    [
        # Of the table "missing data treatment" for 3 of 3; - is missing, 0 is good, X is bad; an evaluation range of 5.
        ("0-X-X", 3, False),
        ("0----", 3, False),
        ("-----", 3, False),
        ("0XX-X", 3, True),
        ("--X--", 3, False),
        # … and for 2 of 3.
        ("0-X-X", 2, True),
        ("00X0X", 2, True),
        ("0-X--", 2, False),
        ("----0", 2, False),
        ("---X-", 2, False),
    ],
)
def test_missing_data_points(data: str, to_alarm: int, on: bool) -> None:
    metrics = Metrics()
    for minute, point in enumerate(data):
        if point != "-":
            metrics.put(KEY, minute, float(point == "X"))
    watched = alarm(3, to_alarm)
    watched.look(metrics, len(data), further=2)
    assert watched.on is on


def test_it_rings_when_it_goes_on_and_clears_when_it_goes_off() -> None:
    metrics = Metrics()
    for minute in (10, 11, 30):
        metrics.put(KEY, minute, 1)
    watched = alarm(3, 1)
    for now in range(60):
        watched.look(metrics, now, further=0)
    assert (watched.rang, watched.cleared) == ([11, 31], [15, 34])


PERIODS = [1, 2, 3]


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("a + b", {2: 12.0}),  # only where both are
        ("SUM(METRICS())", {1: 1.0, 2: 12.0, 3: 20.0}),  # what there is
        ("SUM(FILL(METRICS(), 0))", {1: 1.0, 2: 12.0, 3: 20.0}),
        ("MAX(METRICS())", {1: 1.0, 2: 10.0, 3: 20.0}),
        ("FILL(a, 7)", {1: 1.0, 2: 2.0, 3: 7.0}),
        ("FILL(never, 0)", {}),  # nothing to fill
        ("SUM([0 * b, never])", {2: 0.0, 3: 0.0}),
        ("DIFF(b)", {3: 10.0}),
        ("IF(b >= 15, b, 0)", {2: 0.0, 3: 20.0}),
        ("IF(b >= 15 AND SUM([0 * b, a]) < 1, 1, 0)", {2: 0.0, 3: 1.0}),
    ],
)
def test_metric_math(expression: str, expected: dict[int, float]) -> None:
    metrics = {"a": {1: 1.0, 2: 2.0}, "b": {2: 10.0, 3: 20.0}, "never": {}}
    assert evaluate(expression, metrics, PERIODS) == expected


@pytest.mark.parametrize("expression", ["SEARCH('x', 'Sum')", "a / 2", "SUM(a)", "1 + 1"])
def test_what_it_cannot_play_it_refuses(expression: str) -> None:
    with pytest.raises((UnknownMathError, KeyError)):
        evaluate(expression, {"a": {1: 1.0}}, PERIODS)
