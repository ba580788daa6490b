"""A day in minutes: what AWS and the functions put into CloudWatch, and what then rang."""

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from unit.alarms.cloudwatch import Alarm, Metrics, metric, template_alarms

HOUR = 60
DAY = 24 * HOUR
# How many periods more than it evaluates an alarm looks at is not published.
FURTHER = (0, 2)


class Day:
    """Put in what happens, then ask what rang."""

    def __init__(self, **parameters: str) -> None:
        self.metrics = Metrics()
        self._parameters = parameters

    def queue(
        self,
        name: str,
        *,
        visible: Callable[[int], float] = lambda _: 0,
        hidden: Callable[[int], float] = lambda _: 0,
        age: Callable[[int], float] = lambda _: 0,
    ) -> None:
        """SQS's own metrics of a queue that is in use, minute by minute; ``age`` in seconds."""
        for minute in range(DAY):
            for of, value in (
                ("ApproximateNumberOfMessagesVisible", visible(minute)),
                ("ApproximateNumberOfMessagesNotVisible", hidden(minute)),
                ("ApproximateAgeOfOldestMessage", age(minute)),
            ):
                self.metrics.put(metric("AWS/SQS", of, QueueName=name), minute, value)

    def emitted(self, service: str, name: str, minutes: Iterable[int], value: float = 1) -> None:
        """A metric of one of the functions."""
        for minute in minutes:
            self.metrics.put(metric("ZendeskPush/stack", name, service=service), minute, value)

    def emf(self, minute: int, line: Mapping[str, Any]) -> None:
        """A line of a function's output in CloudWatch's embedded metric format."""
        for directive in line["_aws"]["CloudWatchMetrics"]:
            [dimensions] = directive["Dimensions"]
            for given in directive["Metrics"]:
                key = metric("ZendeskPush/stack", given["Name"], **{name: line[name] for name in dimensions})
                values = line[given["Name"]]
                for value in values if isinstance(values, list) else [values]:
                    self.metrics.put(key, minute, value)

    def of_lambda(self, function: str, name: str, minutes: Iterable[int], value: float = 1) -> None:
        """A metric of Lambda's own."""
        for minute in minutes:
            self.metrics.put(metric("AWS/Lambda", name, FunctionName=function), minute, value)

    def of_api(self, name: str, minutes: Iterable[int], value: float = 1) -> None:
        """A metric of API Gateway's own."""
        for minute in minutes:
            self.metrics.put(metric("AWS/ApiGateway", name, ApiId="HttpApi"), minute, value)

    def heard(self, days: int = 1) -> dict[str, tuple[list[int], list[int]]]:
        """Of each alarm that was heard of: the minutes of its rings, and of its all-clears.

        Raises:
            AssertionError: it depends on what CloudWatch does not publish.
        """
        first, *others = (self._heard(days, further) for further in FURTHER)
        for other in others:
            counts = [
                {name: tuple(map(len, times)) for name, times in heard.items()} for heard in (first, other)
            ]
            assert counts[0] == counts[1]
        return first

    def silently_on(self, further: int) -> dict[str, list[int]]:
        """Of each alarm that tells nobody: the minutes in which it was on."""
        return {
            alarm.name: alarm.was_on
            for alarm in self._looked_at(1, further)
            if alarm.was_on and not alarm.rings_bell
        }

    def _heard(self, days: int, further: int) -> dict[str, tuple[list[int], list[int]]]:
        alarms = self._looked_at(days, further)
        return {alarm.name: (alarm.rang, alarm.cleared) for alarm in alarms if alarm.rang or alarm.cleared}

    def _looked_at(self, days: int, further: int) -> list[Alarm]:
        alarms = list(template_alarms(self._parameters))
        for now in range(days * DAY):
            for alarm in alarms:
                alarm.look(self.metrics, now, further)
        return alarms


def counts(heard: Mapping[str, tuple[list[int], list[int]]]) -> dict[str, tuple[int, int]]:
    """How many rings and all-clears."""
    return {name: (len(rang), len(cleared)) for name, (rang, cleared) in heard.items()}
