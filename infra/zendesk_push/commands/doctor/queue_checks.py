"""The two queues: who may use them, how long they keep what is in them, and how full they are."""

import json
from collections.abc import Iterator, Mapping
from typing import Any, Final

from zendesk_push.commands.doctor.findings import Finding, fail, ok, skip, warn
from zendesk_push.commands.doctor.queue_policy import (
    deleted_senders,
    denies_others,
    open_to_everybody,
    refuses_plain_http,
    senders,
)
from zendesk_push.deployment import Deployment
from zendesk_push.terminal import duration

_DEPLOY: Final = "deploy template.yaml again: somebody has changed it by hand"
_MAX_RECEIVES: Final = 1000  # SQS's highest; the function decides what is dead long before
_MAX_MESSAGE_BYTES: Final = 1_000_000  # leaves room for the reason in the dead letter
_IN_FLIGHT_LIMIT: Final = 120_000  # SQS's own: then it delivers nothing, without an error
_IN_FLIGHT_MUCH: Final = 60_000  # from here on the push function itself takes measures

Attributes = Mapping[str, str]


def check_queues(deployment: Deployment) -> Iterator[Finding]:
    """Everything that the queues' own attributes tell."""
    if deployment.queue_url is None or deployment.dead_letter_queue_url is None:
        yield skip("queues", "not known: give --stack-name, or --queue-url and --dead-letter-queue-url")
        return
    sqs = deployment.client("sqs")
    queue = _attributes(sqs, deployment.queue_url)
    dead = _attributes(sqs, deployment.dead_letter_queue_url)
    yield from _check_policy("content queue policy", queue, deployment, with_senders=True)
    yield from _check_policy("dead-letter queue policy", dead, deployment, with_senders=False)
    yield _check_encryption(queue, dead)
    yield _check_redrive(queue, dead)
    yield _check_retention(queue, dead)
    yield _check_size(queue)
    yield _check_backlog(queue)


def _attributes(sqs: Any, queue_url: str) -> Attributes:
    found: Attributes = sqs.get_queue_attributes(QueueUrl=queue_url, AttributeNames=["All"])["Attributes"]
    return found


def _check_policy(
    subject: str, attributes: Attributes, deployment: Deployment, *, with_senders: bool
) -> Iterator[Finding]:
    text = attributes.get("Policy")
    if not text:
        if deployment.local:
            yield skip(subject, "the local stack has none: nobody but this machine reaches it")
        else:
            yield fail(subject, "there is none: plain HTTP is allowed", _DEPLOY)
        return
    policy = json.loads(text)
    if refuses_plain_http(policy):
        yield ok(subject, "TLS only")
    else:
        yield fail(subject, "plain HTTP is allowed", _DEPLOY)
    if with_senders:
        yield _check_senders(policy)


def _check_senders(policy: Mapping[str, Any]) -> Finding:
    subject = "senders"
    if open_to_everybody(policy):
        return fail(
            subject, "anybody on earth may send to the queue", f"name them in SenderPrincipals, or {_DEPLOY}"
        )
    gone = deleted_senders(policy)
    if gone:
        return warn(
            subject,
            f"{', '.join(gone)} no longer exists",
            "give SenderPrincipals the roles that send now and deploy; one made again under its old name is another",
        )
    named = ", ".join(senders(policy))
    if denies_others(policy):
        return ok(subject, f"only {named}")
    if named:
        return ok(subject, f"{named}, and whom this AWS account's IAM policies allow")
    return ok(subject, "whom this AWS account's IAM policies allow (SenderPrincipals is empty)")


def _check_encryption(queue: Attributes, dead: Attributes) -> Finding:
    without = [
        name for name, found in (("content", queue), ("dead-letter", dead)) if not found.get("KmsMasterKeyId")
    ]
    if without:
        return fail("encryption", f"no KMS key on the {' and '.join(without)} queue", _DEPLOY)
    return ok("encryption", "both queues under a KMS key")


def _check_redrive(queue: Attributes, dead: Attributes) -> Finding:
    subject = "redrive policy"
    policy = json.loads(queue.get("RedrivePolicy") or "{}")
    if not policy:
        return fail(subject, "there is none: a message that crashes the function keeps coming back", _DEPLOY)
    if policy.get("deadLetterTargetArn") != dead.get("QueueArn"):
        return fail(subject, f"leads to {policy.get('deadLetterTargetArn')}", _DEPLOY)
    count = int(policy.get("maxReceiveCount", 0))
    if count < _MAX_RECEIVES:
        return fail(subject, f"maxReceiveCount {count}: SQS moves what only waits, without a reason", _DEPLOY)
    return ok(subject, f"to the dead-letter queue after {count} receipts")


def _check_retention(queue: Attributes, dead: Attributes) -> Finding:
    subject = "retention"
    kept, dead_kept = (int(found.get("MessageRetentionPeriod", 0)) for found in (queue, dead))
    seen = f"messages {duration(kept)}, dead letters {duration(dead_kept)}"
    if dead_kept <= kept:
        return fail(subject, f"{seen}: what SQS moves keeps its age, and is lost early", _DEPLOY)
    return ok(subject, seen)


def _check_size(queue: Attributes) -> Finding:
    subject = "message size"
    size = int(queue.get("MaximumMessageSize", 0))
    if size > _MAX_MESSAGE_BYTES:
        return warn(subject, f"{size:,} bytes are taken: the largest leave no room for a reason", _DEPLOY)
    return ok(subject, f"at most {size:,} bytes")


def _check_backlog(queue: Attributes) -> Finding:
    subject = "backlog"
    waiting = int(queue.get("ApproximateNumberOfMessages", 0))
    in_flight = int(queue.get("ApproximateNumberOfMessagesNotVisible", 0))
    seen = f"about {waiting:,} waiting, {in_flight:,} in flight or waiting for a retry"
    if in_flight > _IN_FLIGHT_MUCH:
        return warn(
            subject,
            f"{seen}; SQS stops delivering at {_IN_FLIGHT_LIMIT:,}",
            "`zendesk-push status` says what waits, and docs/operations.md what to do",
        )
    return ok(subject, seen)
