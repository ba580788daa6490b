"""What the function says about its work: log lines for one message's life, metrics for all of them.

No token and no message text goes in here: what Zendesk says of a message may quote it, so that is in the dead
letter only.
"""

import traceback
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

from aws_lambda_powertools.metrics import MetricUnit

from push_content.answers.answer_judge import Decision
from push_content.messages.message import Message, Resource
from push_content.messages.sqs_record import SqsRecord
from push_content.outcomes.outcome import ALREADY_IMPORTED, SUCCESS, Delivered, ErrorCode, Rejected
from push_content.requests.push_request import PushRequest
from zendesk_channel.accounts import Account
from zendesk_channel.errors import ZendeskChannelError
from zendesk_channel.telemetry import Telemetry

METRICS: Final[Mapping[str, MetricUnit]] = {
    "ResourcesPushed": MetricUnit.Count,
    "ResourcesAlreadyImported": MetricUnit.Count,
    "PushRequests": MetricUnit.Count,
    "PushLatency": MetricUnit.Milliseconds,
    "Throttled": MetricUnit.Count,
    "CredentialsRefused": MetricUnit.Count,  # accounts that became refused, once each
    "WrongAddress": MetricUnit.Count,  # accounts that became unreachable, once each
    "UnforeseenErrors": MetricUnit.Count,
    "AccountsRefused": MetricUnit.Count,  # marked, at the end of a round of the schedule
    "AccountsHealed": MetricUnit.Count,  # no longer marked
    "AccountsAbandoned": MetricUnit.Count,  # removed by the schedule: never saved, and refused by now
    "MessagesDelivered": MetricUnit.Count,
    "MessagesRetried": MetricUnit.Count,
    "MessagesDeadLettered": MetricUnit.Count,
    "OldestRetriedMessageAge": MetricUnit.Seconds,
}
"""Every metric's name and unit. The dimension is ``service``."""

METRICS_BY_REASON: Final = ("MessagesRetried", "MessagesDeadLettered")
"""Those that have the dimension ``reason`` besides, an ErrorCode."""

TOLD_OTHERWISE: Final = frozenset({ErrorCode.UNAUTHORIZED, ErrorCode.WRONG_ADDRESS, ErrorCode.PAUSED})
"""Reasons whose messages are not late: alarms of their own, or an operator, have said so when they began to wait."""

# CloudWatch cuts a line at 256 KiB, and a character may be twelve of an escape.
_EXTERNAL_ID_SHOWN: Final = 64  # characters; a request has at most 256 ids
_MESSAGES_A_LINE: Final = 250  # of what is not sent, with each one's first id


class PushTelemetry(Telemetry):
    """The lines and metrics of the push function."""

    def __init__(self, service: str, namespace: str, log_level: str) -> None:
        super().__init__(service, namespace, log_level, METRICS)

    def pushed(
        self,
        request: PushRequest,
        account: Account,
        decision: Decision,
        status: int | None,
        seconds: float,
        now: float,
    ) -> None:
        """A push request is over at ``now`` (epoch seconds). ``status`` None: no answer."""
        self.sample("PushLatency", seconds * 1000)
        self.count("PushRequests")
        for metric, code in (("ResourcesPushed", SUCCESS), ("ResourcesAlreadyImported", ALREADY_IMPORTED)):
            if decision.codes.get(code):
                self.count(metric, decision.codes[code])
        outcomes = Counter(
            {kind.__name__.lower(): n for kind, n in Counter(map(type, decision.outcomes.values())).items()}
        )
        self.info(
            "push request",
            account=account.instance_push_id,
            subdomain=account.subdomain,
            request_id=request.first.request_id,
            message_ids=[part.message.id for part in request.parts],
            external_ids=[_external_ids(part.resources) for part in request.parts],
            undelivered=_undelivered(request, decision),
            oldest_s=_oldest([part.message for part in request.parts], now),
            resources=len(request),
            status=status,
            duration_ms=round(seconds * 1000),
            outcomes=outcomes | Counter(again=len(decision.again) + len(decision.halved)),
            reasons=_reasons(decision),
            results=decision.codes,
        )

    def not_sent(
        self,
        account_id: str,
        account: Account | None,
        reason: ErrorCode,
        messages: Sequence[Message],
        now: float,
    ) -> None:
        """Nothing (more) is sent for an account at ``now`` (epoch seconds): its messages wait."""
        for start in range(0, len(messages), _MESSAGES_A_LINE):
            told = messages[start : start + _MESSAGES_A_LINE]
            self.info(
                "not sent",
                reason=reason,
                account=account_id,
                subdomain=account.subdomain if account else None,
                message_ids=[message.id for message in told],
                external_ids=[_external_ids(message.resources[:1]) for message in told],
                oldest_s=_oldest(messages, now),
            )

    def dead_lettered(
        self,
        record: SqsRecord,
        account_id: str | None,
        subdomain: str | None,
        rejected: Rejected,
        request_id: str,
        now: float,
    ) -> None:
        """A message is in the dead-letter queue."""
        self.count("MessagesDeadLettered", reason=rejected.reason)
        self.warning(
            "dead letter",
            reason=rejected.reason,
            account=account_id,
            subdomain=subdomain,
            request_id=request_id,
            message_ids=[record.message_id],
            status=rejected.status,
            receive_count=record.receive_count,
            age_s=round(record.age(now)),
        )

    def finished(
        self, outcomes: Counter[str], retried: Counter[ErrorCode], oldest_retried: float, seconds: float
    ) -> None:
        """An invocation ends: one line for it, and its metrics. What may be late is up to so many seconds old."""
        if outcomes["delivered"]:
            self.count("MessagesDelivered", outcomes["delivered"])
        for reason, number in retried.items():
            self.count("MessagesRetried", number, reason=reason)
        if oldest_retried:
            self.count("OldestRetriedMessageAge", round(oldest_retried))
        self.info("batch", messages=outcomes.total(), **outcomes, duration_ms=round(seconds * 1000))
        self.flush()

    def store_failed(self, error: ZendeskChannelError) -> None:
        """A call to AWS failed, and what it was for goes on without it."""
        self.warning("a call to AWS failed", error=str(error))

    def unforeseen(self, error: Exception, account_id: str | None = None) -> None:
        """Something unforeseen happened: where, but not what it says, as that may hold a message's text."""
        self.count("UnforeseenErrors")
        frames = traceback.extract_tb(error.__traceback__)
        self.error(
            "unforeseen error",
            error=type(error).__name__,
            at=[f"{frame.filename}:{frame.lineno} {frame.name}" for frame in frames],
            account=account_id,
        )


def _external_ids(resources: Iterable[Resource]) -> list[str]:
    """By which an operator finds the message. They are upstream's, and no customer's words."""
    ids = [resource.external_id for resource in resources if resource.external_id is not None]
    return [external_id[:_EXTERNAL_ID_SHOWN] for external_id in ids]


def _undelivered(request: PushRequest, decision: Decision) -> dict[str, list[str]]:
    """The messages that this request did not deliver, by ErrorCode; ``again``: they go out again at once."""
    found: dict[str, list[str]] = {}
    again = {part.message.id for part in (*decision.again, *decision.halved)}
    for message_id in dict.fromkeys(part.message.id for part in request.parts):
        outcome = decision.outcomes.get(message_id)
        if isinstance(outcome, Delivered):
            continue
        # What has no outcome was answered with 401 or 403.
        reason = outcome.reason if outcome else "again" if message_id in again else ErrorCode.UNAUTHORIZED
        found.setdefault(reason, []).append(message_id)
    return found


def _oldest(messages: Sequence[Message], now: float) -> int:
    """The age of the oldest, in seconds."""
    sent = [message.record.sent_at for message in messages if message.record.sent_at is not None]
    return round(max(0.0, now - min(sent))) if sent else 0


def _reasons(decision: Decision) -> dict[str, Any]:
    return Counter(
        outcome.reason for outcome in decision.outcomes.values() if not isinstance(outcome, Delivered)
    )
