"""The metrics of this function. What writes them is zendesk_channel.telemetry."""

from collections.abc import Mapping
from typing import Final

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
    "UnauthenticatedRequests": MetricUnit.Count,  # callbacks and event bodies that prove nothing
    "UnforeseenErrors": MetricUnit.Count,
    "RepliesQueued": MetricUnit.Count,
    "RepliesRepeated": MetricUnit.Count,  # on the queue already
    "RepliesForged": MetricUnit.Count,  # channelbacks that nothing authenticates
    "RepliesRefused": MetricUnit.Count,  # a 4xx of /channelback, but for forged ones
    "RepliesFailed": MetricUnit.Count,  # a 503 of /channelback
}
