"""The replies queue: who may read it, how long it keeps agents' answers, and what lies there unread."""

import json
from collections.abc import Iterator, Mapping
from typing import Any, Final

from zendesk_push.commands.doctor.findings import Finding, fail, ok, skip, warn
from zendesk_push.commands.doctor.queue_policy import readers, refuses_plain_http
from zendesk_push.commands.replies.command import dead_letter_queue_of
from zendesk_push.deployment import Deployment
from zendesk_push.terminal import duration

_DEPLOY: Final = "deploy template.yaml again: somebody has changed it by hand"
_RECEIPTS: Final = 10
_RETENTION: Final = 14 * 24 * 3600  # seconds, SQS's longest

Attributes = Mapping[str, str]


def check_replies(deployment: Deployment) -> Iterator[Finding]:
    """Everything that the attributes of the queue and its dead-letter queue tell."""
    if deployment.replies_queue_url is None:
        if deployment.local or deployment.resources:
            yield ok("replies", "disabled: Zendesk offers agents no answering of what came from here")
        else:
            yield skip("replies", "not known: give --stack-name or --replies-queue-url")
        return
    sqs = deployment.client("sqs")
    queue = _attributes(sqs, deployment.replies_queue_url)
    if not queue.get("RedrivePolicy"):
        yield fail("replies redrive", "none: what its reader fails on keeps coming back", _DEPLOY)
        return
    dead = _attributes(sqs, dead_letter_queue_of(sqs, deployment))
    yield from _check_policy(queue, dead, deployment)
    yield _check_keeping(queue, dead)
    yield _check_unread(queue)
    yield _check_dead(dead)


def _attributes(sqs: Any, queue_url: str) -> Attributes:
    found: Attributes = sqs.get_queue_attributes(QueueUrl=queue_url, AttributeNames=["All"])["Attributes"]
    return found


def _check_policy(queue: Attributes, dead: Attributes, deployment: Deployment) -> Iterator[Finding]:
    subject = "replies policy"
    policies = [json.loads(found.get("Policy") or "{}") for found in (queue, dead)]
    if deployment.local and not all(policies):
        yield skip(subject, "the local stack has none: nobody but this machine reaches it")
        return
    if not all(map(refuses_plain_http, policies)):
        yield fail(subject, "plain HTTP is allowed", _DEPLOY)
        return
    allowed = readers(policies[0])
    if "*" in allowed:
        yield fail(
            subject,
            "anybody on earth may read the queue",
            f"name them in ReplyReaderPrincipals, or {_DEPLOY}",
        )
        return
    who = f"only {', '.join(allowed)}" if allowed else "whom this AWS account's IAM policies allow"
    yield ok(subject, f"TLS only; read by {who}")


def _check_keeping(queue: Attributes, dead: Attributes) -> Finding:
    subject = "replies kept"
    count = int(json.loads(queue["RedrivePolicy"]).get("maxReceiveCount", 0))
    kept = [int(found.get("MessageRetentionPeriod", 0)) for found in (queue, dead)]
    seen = f"{duration(kept[0])}, after {count} receipts as dead letters for {duration(kept[1])}"
    if count != _RECEIPTS or kept != [_RETENTION, _RETENTION]:
        return fail(subject, seen, _DEPLOY)
    if not all(found.get("KmsMasterKeyId") for found in (queue, dead)):
        return fail(subject, f"{seen}; no KMS key", _DEPLOY)
    return ok(subject, f"{seen}; under a KMS key")


def _check_unread(queue: Attributes) -> Finding:
    subject = "replies unread"
    unread, read = (
        int(queue.get(name, 0))
        for name in ("ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible")
    )
    seen = f"about {unread:,} waiting, {read:,} being read"
    if unread and not read:
        return warn(
            subject,
            f"{seen}: is its reader running?",
            "`zendesk-push replies --no-wait` shows how old they are",
        )
    return ok(subject, seen)


def _check_dead(dead: Attributes) -> Finding:
    count = sum(
        int(dead.get(name, 0))
        for name in ("ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible")
    )
    if count:
        return warn(
            "replies dead",
            f"about {count:,} that no customer has got",
            "`zendesk-push replies --dead --no-wait` shows them; docs/operations.md says what to do",
        )
    return ok("replies dead", "none")
