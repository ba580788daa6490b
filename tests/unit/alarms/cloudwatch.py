"""CloudWatch as far as an alarm sees it: metrics by the minute, and the template's alarms evaluated over them.

https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/alarm-evaluation.html

An alarm is looked at every minute, over periods that slide along with it. It retrieves more of them than it evaluates
(the *evaluation range*; how many more is not published: ``further`` is tried with 0 and with 2), takes the newest data
points that there are, and fills up with what TreatMissingData says only if these are too few.
"""

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from unit.alarms.metric_math import Series, evaluate
from zendesk_push.template.intrinsics import Resolver
from zendesk_push.template.parameters import resolve_parameters
from zendesk_push.template.reader import load_source

MINUTE = 60


class Metric(NamedTuple):
    """A metric's identity: other dimensions are another metric."""

    namespace: str
    name: str
    dimensions: tuple[tuple[str, str], ...]


def metric(namespace: str, name: str, **dimensions: str) -> Metric:
    """A metric by its names."""
    return Metric(namespace, name, tuple(sorted(dimensions.items())))


class Metrics:
    """What was put, by metric and minute."""

    def __init__(self) -> None:
        self._values: dict[Metric, dict[int, list[float]]] = {}
        self._windows: dict[
            tuple[Metric, str, int, int], float | None
        ] = {}  # a window is asked for many times

    def put(self, key: Metric, minute: int, value: float) -> None:
        """A value in a minute of the day."""
        self._values.setdefault(key, {}).setdefault(minute, []).append(value)
        self._windows.clear()

    def any_of(self, keys: Iterable[Metric]) -> bool:
        """Whether one of them was ever put."""
        return not self._values.keys().isdisjoint(keys)

    def statistic(self, key: Metric, stat: str, start: int, end: int) -> float | None:
        """Over the minutes from ``start`` to before ``end``; None where there is nothing."""
        window = (key, stat, start, end)
        if window not in self._windows:
            of_minutes = self._values.get(key, {})
            values = [value for minute in range(start, end) for value in of_minutes.get(minute, ())]
            combine = sum if stat == "Sum" else max
            self._windows[window] = combine(values) if values else None
        return self._windows[window]


@dataclass(frozen=True)
class Query:
    """A metric in an alarm."""

    metric: Metric
    stat: str


@dataclass
class Alarm:
    """One of the template's, and what it did: the minutes in which it was on, rang, and gave the all-clear."""

    name: str
    queries: Mapping[str, Query]
    expression: str
    period: int  # minutes
    evaluation_periods: int
    to_alarm: int
    threshold: float
    rings_bell: bool
    tells_all_clear: bool
    on: bool = False
    was_on: list[int] = field(default_factory=list)
    rang: list[int] = field(default_factory=list)
    cleared: list[int] = field(default_factory=list)

    def look(self, metrics: Metrics, now: int, further: int) -> None:
        """Evaluate at a minute, everything before it being known."""
        if not metrics.any_of(query.metric for query in self.queries.values()):
            return
        periods = range(-(self.evaluation_periods + further), 0)  # the last one ends now
        # One before the range, as DIFF needs it: CloudWatch retrieves what it needs for that.
        earlier = [periods[0] - 1, *periods]
        series = {key: self._series(query, metrics, now, earlier) for key, query in self.queries.items()}
        values = evaluate(self.expression, series, earlier)
        newest = [values[period] for period in reversed(periods) if period in values]
        # TreatMissingData: notBreaching. What is missing counts as none of those that it takes.
        breaching = sum(value >= self.threshold for value in newest[: self.evaluation_periods])
        self._become(breaching >= self.to_alarm, now)

    def _series(self, query: Query, metrics: Metrics, now: int, periods: Sequence[int]) -> Series:
        found = {
            period: metrics.statistic(
                query.metric, query.stat, now + period * self.period, now + (period + 1) * self.period
            )
            for period in periods
        }
        return {period: value for period, value in found.items() if value is not None}

    def _become(self, on: bool, now: int) -> None:
        if on and not self.on and self.rings_bell:
            self.rang.append(now)
        if self.on and not on and self.tells_all_clear:
            self.cleared.append(now)
        self.on = on
        if on:
            self.was_on.append(now)


def template_alarms(parameters: Mapping[str, str] | None = None) -> Iterator[Alarm]:
    """The alarms of template.yaml; queues, functions and the API have their logical ids for names."""
    source = load_source()
    resolver = Resolver(
        {
            "AWS::StackName": "stack",
            "AWS::Region": "us-east-1",
            "AWS::AccountId": "123456789012",
            "AWS::Partition": "aws",
            **resolve_parameters(
                source["Parameters"],
                {"AlarmTopicArn": "arn:aws:sns:us-east-1:123456789012:on-call", **(parameters or {})},
            ),
        },
        conditions=source["Conditions"],
        mappings=source["Mappings"],
        ref=lambda name: name,
        attribute=lambda name, _: name,
    )
    for name, resource in source["Resources"].items():
        deployed = "Condition" not in resource or resolver.condition(resource["Condition"])
        if resource["Type"] == "AWS::CloudWatch::Alarm" and deployed:
            yield _alarm(name, resolver.resolve(resource["Properties"], name))


def _alarm(name: str, properties: Mapping[str, Any]) -> Alarm:
    assert properties["ComparisonOperator"] == "GreaterThanOrEqualToThreshold"
    assert properties["TreatMissingData"] == "notBreaching"
    if "Metrics" in properties:
        [expression] = [query["Expression"] for query in properties["Metrics"] if "Expression" in query]
        stats = {query["Id"]: query["MetricStat"] for query in properties["Metrics"] if "MetricStat" in query}
    else:
        expression = "only"
        stats = {
            "only": {
                "Metric": properties,
                "Stat": properties["Statistic"],
                "Period": properties["Period"],
            }
        }
    [seconds] = {int(stat["Period"]) for stat in stats.values()}
    return Alarm(
        name=name,
        queries={
            key: Query(
                metric(
                    stat["Metric"]["Namespace"],
                    stat["Metric"]["MetricName"],
                    **{part["Name"]: part["Value"] for part in stat["Metric"]["Dimensions"]},
                ),
                stat["Stat"],
            )
            for key, stat in stats.items()
        },
        expression=expression,
        period=math.ceil(seconds / MINUTE),
        evaluation_periods=int(properties["EvaluationPeriods"]),
        to_alarm=int(properties.get("DatapointsToAlarm", properties["EvaluationPeriods"])),
        threshold=float(properties["Threshold"]),
        rings_bell=bool(properties.get("AlarmActions")),
        tells_all_clear=bool(properties.get("OKActions")),
    )
