"""What this function logs and counts: the one list of its metrics, and the one way to write either.

No metric has a dimension that comes from a request: CloudWatch bills each value of one, and anyone can POST here.
"""

import functools
import json
from collections import Counter
from collections.abc import Mapping
from typing import Any, Final

from aws_lambda_powertools import Logger, Metrics
from aws_lambda_powertools.metrics import MetricUnit

METRICS: Final[Mapping[str, MetricUnit]] = {
    "AccountsConnected": MetricUnit.Count,  # a token was confirmed and stored
    "RegistrationsUnconfirmed": MetricUnit.Count,  # answered with the page that says so
    "RegistrationsRefused": MetricUnit.Count,  # a 4xx of /admin_ui
    "RegistrationsFailed": MetricUnit.Count,  # a 503 of /admin_ui
    "AccountsDeactivated": MetricUnit.Count,
    "AccountsDestroyed": MetricUnit.Count,
    "IntegrationsDestroyed": MetricUnit.Count,  # cannot be authenticated
    "ResourcesReported": MetricUnit.Count,  # likewise
    "EventsForged": MetricUnit.Count,  # events that nothing authenticates
    "EventsFailed": MetricUnit.Count,  # no verdict in time, or AWS failed
    "AccountsRefused": MetricUnit.Count,  # active accounts whose token Zendesk refused in one run of the schedule
    "AccountsHealed": MetricUnit.Count,  # no longer marked as refused
}
_CALLER: Final = 3  # whose line the log's "location" names: not this module's


class Telemetry:
    """One invocation's log lines and metrics. Fields are names, counts and checked ids; never a form's other values."""

    def __init__(self) -> None:
        # Service, namespace and level are Powertools' own environment variables.
        # ASCII, as anybody may post half a surrogate pair, which cannot be written and would cost the line.
        self._logger = Logger(
            json_serializer=functools.partial(json.dumps, separators=(",", ":"), default=str)
        )
        self._metrics = Metrics()
        self._counts: Counter[str] = Counter()

    def begin(self, request_id: str) -> None:
        """Start an invocation: its id is on every line and on the page, as the reference for support."""
        self._counts.clear()
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

    def count(self, metric: str, value: int = 1) -> None:
        """Add to one of METRICS.

        Raises:
            KeyError: there is no such metric, so nothing could be watching it.
        """
        if metric not in METRICS:
            raise KeyError(metric)
        self._counts[metric] += value

    def end(self) -> None:
        """Write the invocation's metrics as one EMF line, if there are any."""
        if not self._counts:
            return
        for name, value in self._counts.items():
            self._metrics.add_metric(name=name, unit=METRICS[name], value=value)
        self._metrics.flush_metrics()
        self._counts.clear()
