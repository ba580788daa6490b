"""What the function says about its work: log lines for one message's life, metrics for all of them.

No token and no message text goes in here: what Zendesk says of a message may quote it, so that is in the dead
letter only. No metric has a dimension per customer: each of their values would be a metric that AWS bills.
"""

import sys
import threading
import traceback
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

from aws_lambda_powertools.logging import Logger
from aws_lambda_powertools.metrics import Metrics, MetricUnit, single_metric

from push_content.answers.answer_judge import Judgement, Rejected
from push_content.answers.push_results import ALREADY_IMPORTED, CODES, SUCCESS
from push_content.messages.sqs_record import Receipt
from push_content.outcomes.error_codes import ErrorCode
from push_content.requests.push_request import PushRequest
from zendesk_channel.accounts import Account
from zendesk_channel.errors import ZendeskChannelError

METRICS: Final[Mapping[str, str]] = {
    "ResourcesPushed": "Count",
    "ResourcesAlreadyImported": "Count",
    "PushRequests": "Count",
    "PushLatency": "Milliseconds",
    "Throttled": "Count",
    "CredentialsRefused": "Count",
    "WrongAddress": "Count",
    "UnforeseenErrors": "Count",
    "MessagesDelivered": "Count",
    "MessagesRetried": "Count",
    "MessagesDeadLettered": "Count",
    "OldestRetriedMessageAge": "Seconds",
}
"""Every metric's name and unit. The dimension is ``service``."""

METRICS_BY_REASON: Final = ("MessagesRetried", "MessagesDeadLettered")
"""Those that have the dimension ``reason`` besides, an ErrorCode."""


class Telemetry:
    """Logs at once, counts until ``flush``. Safe to use from several threads."""

    def __init__(self, service: str, namespace: str, log_level: str) -> None:
        self._service = service
        self._namespace = namespace
        self._log = Logger(service=service, level=log_level, stream=sys.stdout)
        self._metrics = Metrics(namespace=namespace, service=service)
        self._counts: Counter[tuple[str, str | None]] = Counter()
        self._latencies: list[float] = []
        self._oldest: float | None = None
        self._lock = threading.Lock()

    def begin(self, request_id: str) -> None:
        """An invocation begins; its id is in all of its lines."""
        self._log.append_keys(function_request_id=request_id)

    def count(self, name: str, by: int = 1, *, reason: str | None = None) -> None:
        """Add to a metric of METRICS."""
        with self._lock:
            self._counts[name, reason] += by

    def pushed(
        self, request: PushRequest, account: Account, judgement: Judgement, status: int | None, seconds: float
    ) -> None:
        """A push request is over. ``status`` None: no answer."""
        codes = Counter(result.code if result.code in CODES else "other" for result in judgement.results)
        with self._lock:
            self._latencies.append(seconds * 1000)
            self._counts["PushRequests", None] += 1
            self._counts["ResourcesPushed", None] += codes[SUCCESS]
            self._counts["ResourcesAlreadyImported", None] += codes[ALREADY_IMPORTED]
        outcomes = Counter(type(outcome).__name__.lower() for outcome in judgement.outcomes.values())
        self._log.info(
            "push request",
            extra={
                "account": account.instance_push_id,
                "subdomain": account.subdomain,
                "request_id": _printable(request.first.request_id),
                "message_ids": [part.message.id for part in request.parts],
                "resources": len(request),
                "status": status,
                "duration_ms": round(seconds * 1000),
                "outcomes": outcomes | Counter(again=sum(len(again.parts) for again in judgement.again)),
                "reasons": _reasons(judgement),
                "results": codes,
            },
        )

    def not_sent(
        self, account_id: str, account: Account | None, reason: ErrorCode, message_ids: Sequence[str]
    ) -> None:
        """Nothing may be sent for an account now: its messages wait."""
        self._log.info(
            "not sent",
            extra={
                "reason": reason,
                "account": account_id,
                "subdomain": account.subdomain if account else None,
                "message_ids": message_ids,
            },
        )

    def dead_lettered(
        self,
        receipt: Receipt,
        account_id: str | None,
        account: Account | None,
        rejected: Rejected,
        request_id: str,
        now: float,
    ) -> None:
        """A message is in the dead-letter queue."""
        self.count("MessagesDeadLettered", reason=rejected.reason)
        self._log.warning(
            "dead letter",
            extra={
                "reason": rejected.reason,
                "account": account_id,
                "subdomain": account.subdomain if account else None,
                "request_id": _printable(request_id),
                "message_ids": [receipt.message_id],
                "status": rejected.status,
                "receive_count": receipt.receive_count,
                "age_s": round(receipt.age(now)),
            },
        )

    def retried(self, reasons: Iterable[str], oldest_age: float) -> None:
        """Messages stay on the queue; the oldest is so many seconds old."""
        for reason in reasons:
            self.count("MessagesRetried", reason=reason)
            with self._lock:
                self._oldest = max(self._oldest or 0.0, oldest_age)

    def store_failed(self, error: ZendeskChannelError) -> None:
        """A call to AWS failed, and what it was for goes on without it."""
        self._log.warning("a call to AWS failed", extra={"error": str(error)})

    def unforeseen(self, error: Exception, account: Account | None = None) -> None:
        """Something happened that nobody thought of. Where, but not what it says: that may hold a message's text."""
        self.count("UnforeseenErrors")
        frames = traceback.extract_tb(error.__traceback__)
        self._log.error(
            "unforeseen error",
            extra={
                "error": type(error).__name__,
                "at": [f"{frame.filename}:{frame.lineno} {frame.name}" for frame in frames],
                "account": account.instance_push_id if account else None,
            },
        )

    def finished(self, summary: Mapping[str, Any]) -> None:
        """An invocation ends: one line for it, and its metrics."""
        self._log.info("batch", extra=dict(summary))
        self._flush()

    def _flush(self) -> None:
        with self._lock:
            counts, latencies, oldest = self._counts, self._latencies, self._oldest
            self._counts, self._latencies, self._oldest = Counter(), [], None
        # Powertools prints by itself at 100 values of a metric, and warns when asked to print nothing. So what
        # can be many comes first, and comes with something after it: each latency is one of PushRequests.
        for latency in latencies:
            self._metrics.add_metric("PushLatency", METRICS["PushLatency"], latency)
        plain = {name: value for (name, reason), value in counts.items() if reason is None and value}
        if oldest is not None:
            plain["OldestRetriedMessageAge"] = round(oldest)
        for name, value in plain.items():
            self._metrics.add_metric(name, METRICS[name], value)
        if plain:
            self._metrics.flush_metrics()
        for (name, reason), value in counts.items():
            if reason is not None:
                with single_metric(
                    name, MetricUnit(METRICS[name]), value, namespace=self._namespace
                ) as metric:
                    metric.add_dimension("service", self._service)
                    metric.add_dimension("reason", reason)


def _reasons(judgement: Judgement) -> dict[str, int]:
    return dict(
        Counter(outcome.reason.value for outcome in judgement.outcomes.values() if hasattr(outcome, "reason"))
    )


def _printable(text: str | None) -> str | None:
    """What upstream chose, with escapes for lone surrogates: stdout is UTF-8."""
    return None if text is None else text.encode("utf-8", "backslashreplace").decode()
