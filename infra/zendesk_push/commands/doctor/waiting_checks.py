"""What waits for what will not come by itself, and how long dead letters still have."""

import time
from collections.abc import Iterator
from typing import Final

from push_content.outcomes.outcome import ErrorCode
from zendesk_push.commands.doctor.findings import Finding, fail, ok, skip, warn
from zendesk_push.dead_letters.finding import find_letters
from zendesk_push.deployment import Deployment
from zendesk_push.errors import CommandError
from zendesk_push.function_logs import read_log_lines
from zendesk_push.message_history import MESSAGE_LINES
from zendesk_push.terminal import counted, duration
from zendesk_push.waiting import waiting

_LOOKED_BACK: Final = 20 * 60  # seconds: a message is tried every 15 minutes at least
_MOST_READ: Final = 20_000  # dead letters: more would take minutes
_URGENT: Final = 2 * 86_400  # seconds that are left
_ADVICE: Final = {
    ErrorCode.UNKNOWN_ACCOUNT: "is the sender's instance_push_id right? Else have the account connected",
    ErrorCode.INACTIVE_ACCOUNT: "ask the customer, or have the sender stop",
    ErrorCode.MISSING_PARENT: "is the parent a dead letter, or was it never sent? `zendesk-push trace ID`",
}


def check_waiting(deployment: Deployment) -> Iterator[Finding]:
    """Messages whose reason a person has to look into."""
    subject = "waiting"
    now = time.time()
    try:
        log = read_log_lines(deployment, MESSAGE_LINES, now - _LOOKED_BACK)
    except CommandError as error:
        yield skip(subject, str(error))
        return
    groups = [group for group in waiting(log.lines, [], now) if group.reason in _ADVICE]
    for group in groups:
        yield warn(
            subject,
            f"{counted(group.messages, 'message')} of {group.account}: {group.reason},"
            f" the oldest for {duration(group.oldest_seconds)}",
            _ADVICE[ErrorCode(group.reason)],
        )
    if not groups:
        yield ok(subject, "nothing for an account or a parent that is missing")


def check_dead_letters(deployment: Deployment) -> Iterator[Finding]:
    """How many there are, and when the first of them is lost: SQS counts from when it was sent there, and what it moved
    itself from when that was sent first.
    """
    subject = "dead letters"
    if deployment.dead_letter_queue_url is None:
        yield skip(subject, "the queue is not known: give --stack-name or --dead-letter-queue-url")
        return
    attributes = deployment.client("sqs").get_queue_attributes(
        QueueUrl=deployment.dead_letter_queue_url, AttributeNames=["All"]
    )["Attributes"]
    count = sum(
        int(attributes.get(name, 0))
        for name in ("ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible")
    )
    if not count:
        yield ok(subject, "none")
        return
    advice = "`zendesk-push dlq list` says why; docs/operations.md what to do"
    oldest = find_letters(deployment, lambda _: True)[:1] if count <= _MOST_READ else []
    if not oldest:
        yield warn(subject, f"about {count:,}", advice)
        return
    age = time.time() - oldest[0].dead_since
    left = int(attributes.get("MessageRetentionPeriod", 0)) - age
    seen = f"about {count:,}, the oldest for {duration(age)}: it is lost in {duration(left)}"
    yield fail(subject, seen, advice) if left < _URGENT else warn(subject, seen, advice)
