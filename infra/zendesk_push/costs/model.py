"""From traffic to dollars a month, component by component. Pure.

The counts are the design's: AWS calls of an invocation as tests/integration/push_content counts them, log lines
as long as the functions write them. Left out: taxes, free tiers, support, and whatever upstream pays for its own calls.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from zendesk_push.costs import prices
from zendesk_push.template.reader import load_source

_GB: Final = 1e9
_HOURS: Final = 730
_MINUTES: Final = 60 * _HOURS

MEMORY_GB: Final = 0.5
MAX_RESOURCES: Final = 256
_THREADS: Final = 64
_OVERHEAD_SECONDS: Final = 0.05  # an invocation's own work
_IDLE_POLLS: Final = 5 * 3 * _MINUTES  # five pollers, 20 s each
# The schedule: a run every 15 minutes asks about up to 200 accounts.
_RUNS: Final = 4 * _HOURS
_SLICE: Final = 200
_CALLBACK_SECONDS: Final = 0.5
_CALLBACKS_PER_ACCOUNT: Final = 4  # opened, saved, an event or two
# Bytes of log, measured: Lambda's own lines, the batch's and its metrics; a request's line; an id in it.
_INVOCATION_LINES: Final = 2_500
_REQUEST_LINE: Final = 800
_ID_IN_LINE: Final = 40
_METRICS_WRITTEN: Final = 25
_CONTAINERS_PER_DAY: Final = 10  # each reads the tokens that it meets once
_DELIVERY_NOTES_PER_DAY: Final = 24 * 4  # "last delivery", every 15 minutes at most


@dataclass(frozen=True)
class Traffic:
    """What a month brings.

    Attributes:
        messages: dropped on the queue in a month, one resource each.
        accounts: connected.
        batch: messages of an invocation, on average.
        accounts_per_batch: how many accounts these belong to.
        body_bytes: of a message.
        zendesk_seconds: that a push request takes.
        receipts: per message; retries are the part above 1.
        send_batch: messages of one call of upstream's.
    """

    messages: float
    accounts: int
    batch: float = 1
    accounts_per_batch: float = 1
    body_bytes: float = 1_000
    zendesk_seconds: float = 1.0
    receipts: float = 1.02
    send_batch: int = 10

    @property
    def invocations(self) -> float:
        """Of the push function, the idle ones' none."""
        return self.messages * self.receipts / self.batch

    @property
    def requests(self) -> float:
        """To Zendesk."""
        of_one_account = math.ceil(self.batch / self.accounts_per_batch / MAX_RESOURCES)
        return self.invocations * self.accounts_per_batch * of_one_account


def monthly_costs(traffic: Traffic) -> Mapping[str, float]:
    """US dollars a month by component."""
    return {
        "secrets, one for each account": traffic.accounts * prices.SECRET_MONTH,
        "SQS": _sqs(traffic),
        "Lambda": _lambda(traffic),
        "DynamoDB": _dynamodb(traffic),
        "KMS and reading secrets": _keys(traffic),
        "logs": _logs(traffic),
        "alarms, metrics, dashboard": _observability(),
        "HTTP API": _callbacks(traffic) * prices.HTTP_API_REQUEST,
        "data out to Zendesk": traffic.messages * traffic.body_bytes / _GB * prices.DATA_OUT_GB,
    }


def _sqs(traffic: Traffic) -> float:
    def calls(messages: float, tens: float) -> float:
        """Tens of messages in one call, which counts by its size."""
        return messages / tens * max(1, math.ceil(tens * traffic.body_bytes / prices.SQS_CHUNK_BYTES))

    received = traffic.messages * traffic.receipts
    tens = min(10, traffic.batch)
    deletions = traffic.messages / tens
    return prices.SQS_REQUEST * (
        calls(traffic.messages, traffic.send_batch) + calls(received, tens) + deletions + _IDLE_POLLS
    )


def _lambda(traffic: Traffic) -> float:
    requests_in_turn = math.ceil(traffic.requests / traffic.invocations / _THREADS)
    push = traffic.invocations * (_OVERHEAD_SECONDS + requests_in_turn * traffic.zendesk_seconds)
    schedule = min(traffic.accounts, _SLICE) * _RUNS * 0.25
    admin = _callbacks(traffic) * _CALLBACK_SECONDS
    calls = traffic.invocations + _RUNS + _callbacks(traffic)
    return (push + schedule + admin) * MEMORY_GB * prices.LAMBDA_GB_SECOND + calls * prices.LAMBDA_REQUEST


def _dynamodb(traffic: Traffic) -> float:
    # An account and its subdomain's pause, in one BatchGetItem for an invocation.
    reads = traffic.invocations * traffic.accounts_per_batch * 2 + min(traffic.accounts, _SLICE) * _RUNS
    active = min(traffic.accounts, traffic.invocations * traffic.accounts_per_batch)
    notes = min(
        active * _DELIVERY_NOTES_PER_DAY * _HOURS / 24, traffic.invocations * traffic.accounts_per_batch
    )
    writes = notes + _callbacks(traffic)
    stored = traffic.accounts * 1_000 / _GB
    return reads * prices.DYNAMODB_READ + writes * prices.DYNAMODB_WRITE + stored * prices.DYNAMODB_GB_MONTH


def _keys(traffic: Traffic) -> float:
    scheduled = min(traffic.accounts, _SLICE) * _RUNS
    met = min(
        traffic.accounts * _CONTAINERS_PER_DAY * _HOURS / 24, traffic.invocations * traffic.accounts_per_batch
    )
    tokens = scheduled + met
    # SQS and DynamoDB ask for a data key once an hour or less, for each of a few callers.
    others = 10 * _HOURS
    return (
        prices.KMS_KEY_MONTH
        + tokens * (prices.SECRETS_REQUEST + prices.KMS_REQUEST)
        + others * prices.KMS_REQUEST
    )


def _logs(traffic: Traffic) -> float:
    written = (
        traffic.invocations * _INVOCATION_LINES
        + traffic.requests * _REQUEST_LINE
        + traffic.messages * traffic.receipts * _ID_IN_LINE
        + _RUNS * _INVOCATION_LINES
    )
    return written / _GB * (prices.LOGS_GB + prices.LOGS_GB_MONTH)


def _observability() -> float:
    return (
        alarm_metrics() * prices.ALARM_METRIC_MONTH
        + _METRICS_WRITTEN * prices.METRIC_MONTH
        + prices.DASHBOARD_MONTH
    )


def alarm_metrics() -> int:
    """How many metrics the template's alarms look at: an alarm on an expression is billed for each in it."""
    alarms = [
        part["Properties"]
        for part in load_source()["Resources"].values()
        if part["Type"] == "AWS::CloudWatch::Alarm" and "Condition" not in part
    ]
    watched = [query for alarm in alarms for query in alarm.get("Metrics", [{"MetricStat": alarm}])]
    return sum("MetricStat" in query for query in watched)


def _callbacks(traffic: Traffic) -> float:
    return traffic.accounts * _CALLBACKS_PER_ACCOUNT
