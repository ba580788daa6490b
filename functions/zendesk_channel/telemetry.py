"""What both functions log and count, in one way.

Each function has a list of its metrics; nothing else can be counted. A metric has the dimension ``service`` and at most
a ``reason`` from a list of ours: CloudWatch bills every value of a dimension, so none comes from a request.
"""

import functools
import json
import sys
import threading
from collections import Counter
from collections.abc import Mapping
from typing import Any, Final

from aws_lambda_powertools.logging import Logger
from aws_lambda_powertools.metrics import Metrics, MetricUnit, single_metric

_CALLER: Final = 3  # whose line the log's "location" names: not this module's


class Telemetry:
    """Logs at once, counts until ``flush``. Thread-safe.

    ``units`` has the unit of every metric by its name.
    """

    def __init__(self, service: str, namespace: str, log_level: str, units: Mapping[str, MetricUnit]) -> None:
        self._service = service
        self._namespace = namespace
        self._units = units
        # ASCII: anybody may send half a surrogate pair, which cannot be written and would cost the line.
        self._logger = Logger(
            service=service,
            level=log_level,
            stream=sys.stdout,
            json_serializer=functools.partial(json.dumps, separators=(",", ":"), default=str),
        )
        self._metrics = Metrics(namespace=namespace, service=service)
        self._counts: Counter[tuple[str, str | None]] = Counter()
        self._samples: dict[str, list[float]] = {}
        self._lock = threading.Lock()

    def begin(self, request_id: str) -> None:
        """An invocation begins: its id is on all of its lines."""
        with self._lock:
            self._counts.clear()
            self._samples.clear()
        self._logger.append_keys(function_request_id=request_id)

    def info(self, message: str, **fields: Any) -> None:
        """A line about something that went as it should, a refusal included."""
        self._logger.info(message, extra=fields, stacklevel=_CALLER)

    def warning(self, message: str, **fields: Any) -> None:
        """A line about something that an operator may want to look at."""
        self._logger.warning(message, extra=fields, stacklevel=_CALLER)

    def error(self, message: str, **fields: Any) -> None:
        """A line about something that failed here or at AWS."""
        self._logger.error(message, extra=fields, stacklevel=_CALLER)

    def count(self, metric: str, value: int = 1, *, reason: str | None = None) -> None:
        """Add to a metric, or to what it counts for one reason.

        Raises:
            KeyError: there is no such metric, so nothing could be watching it.
        """
        self._check(metric)
        with self._lock:
            self._counts[metric, reason] += value

    def sample(self, metric: str, value: float) -> None:
        """Add a value that is not to be summed, such as a latency.

        Raises:
            KeyError: there is no such metric.
        """
        self._check(metric)
        with self._lock:
            self._samples.setdefault(metric, []).append(value)

    def flush(self) -> None:
        """Write the invocation's metrics as EMF lines, if there are any: one, and one more for each reason."""
        with self._lock:
            counts, self._counts = self._counts, Counter()
            samples, self._samples = self._samples, {}
        # Powertools prints by itself at 100 values of a metric, and warns when asked to print nothing: so what can be
        # many goes first, and counts, of which there is at least one wherever there are samples, behind it.
        for metric, values in samples.items():
            for value in values:
                self._metrics.add_metric(metric, self._units[metric], value)
        plain = {metric: value for (metric, reason), value in counts.items() if reason is None}
        for metric, value in plain.items():
            self._metrics.add_metric(metric, self._units[metric], value)
        if plain:
            self._metrics.flush_metrics()
        for (metric, reason), value in counts.items():
            if reason is not None:
                with single_metric(metric, self._units[metric], value, namespace=self._namespace) as single:
                    single.add_dimension("service", self._service)
                    single.add_dimension("reason", reason)

    def _check(self, metric: str) -> None:
        if metric not in self._units:
            raise KeyError(metric)
