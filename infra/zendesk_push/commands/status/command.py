"""What waits and why, by reason and account, the oldest first; how much gets through; and what needs a person.

Counts are SQS's own, which are approximate. Reasons come from the functions' newest log lines: SQS does not show what
waits, so all that is known of messages that were not received within --since is their number.

Exit code: 0 nothing needs a person, 1 something does.
"""

import argparse
import time
from typing import Final

from zendesk_channel.errors import StoreError
from zendesk_push.account_overview import AccountStatus, account_statuses
from zendesk_push.commands.status.overview import Overview, as_json, needs, throughput
from zendesk_push.deployment import Deployment, add_deployment_arguments, find_deployment
from zendesk_push.errors import CommandError
from zendesk_push.function_logs import LogLines, read_log_lines
from zendesk_push.message_history import MESSAGE_LINES
from zendesk_push.terminal import (
    Column,
    counted,
    duration,
    parse_duration,
    print_json,
    printable,
    remark,
    styled,
    table,
)
from zendesk_push.waiting import waiting

EXAMPLES: Final = """\
examples:
  zendesk-push status
  zendesk-push status --since 1h --json"""
_COUNTS: Final = ("ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the command's options."""
    parser.add_argument(
        "--since", metavar="AGE", default="20m", help="how far back to read the log (default: %(default)s)"
    )
    parser.add_argument("--json", action="store_true", help="the result as JSON")
    add_deployment_arguments(parser)


def run(args: argparse.Namespace) -> int:
    """Look, count, print."""
    span = parse_duration(args.since)
    deployment = find_deployment(args)
    now = time.time()
    log, problem = _log(deployment, now - span)
    accounts = _accounts(deployment)
    visible, hidden = queue_counts(deployment, deployment.content_queue())
    overview = Overview(
        visible=visible,
        hidden=hidden,
        dead=sum(queue_counts(deployment, deployment.dead_letter_queue())),
        waiting=waiting(log.lines, accounts, now),
        throughput=None if problem else throughput(log.lines, span),
        problem=problem or ("only the newest log lines were read: --since less" if log.cut else None),
    )
    wanted = needs(overview, accounts, now)
    if args.json:
        print_json(as_json(overview, wanted))
    else:
        _print(overview, wanted, args.since)
    return 1 if wanted else 0


def queue_counts(deployment: Deployment, queue_url: str) -> tuple[int, int]:
    """About how many messages of a queue are visible, and how many are not."""
    answer = deployment.client("sqs").get_queue_attributes(QueueUrl=queue_url, AttributeNames=list(_COUNTS))
    visible, hidden = (int(answer["Attributes"][name]) for name in _COUNTS)
    return visible, hidden


def _log(deployment: Deployment, since: float) -> tuple[LogLines, str | None]:
    try:
        return read_log_lines(deployment, (*MESSAGE_LINES, "batch"), since), None
    except CommandError as error:
        return LogLines(), f"reasons and throughput are not known: {error}"


def _accounts(deployment: Deployment) -> list[AccountStatus]:
    try:
        return list(account_statuses(deployment.client("dynamodb"), deployment.table()))
    except StoreError as error:
        raise CommandError(f"the accounts table {deployment.table()} can't be read: {error}") from error


def _print(overview: Overview, wanted: list[tuple[str, str]], since: str) -> None:
    print(
        f"{counted(overview.visible, 'message')} on the queue, {overview.hidden:,} being pushed or waiting for a"
        f" retry, {counted(overview.dead, 'dead letter')}"
    )
    flow = overview.throughput
    if flow is not None:
        print(
            f"in the last {since}: {flow.delivered:,} delivered ({flow.delivered_a_minute:,.1f} a minute),"
            f" {flow.dead_lettered:,} dead-lettered, {counted(flow.requests, 'request')}"
            + (f", {flow.average_ms:,.0f} ms each" if flow.requests else "")
        )
    if overview.waiting:
        columns = [
            Column("WAITING", right=True),
            Column("REASON"),
            Column("ACCOUNT"),
            Column("SUBDOMAIN", least=9),
            Column("OLDEST"),
            Column("TRIED"),
        ]
        rows = [
            [
                f"{group.messages:,}",
                group.reason,
                group.account or "-",
                group.subdomain or "-",
                duration(group.oldest_seconds),
                f"{duration(group.tried_seconds)} ago",
            ]
            for group in overview.waiting
        ]
        print()
        print(table(columns, rows))
    unexplained = overview.hidden - sum(group.messages for group in overview.waiting)
    if unexplained > 0 and not overview.problem:
        remark(f"about {unexplained:,} more are being pushed just now, or were last tried before --since")
    if overview.problem:
        remark(overview.problem)
    print()
    for what, advice in wanted:
        print(f"{styled('!', 'red')} {printable(what)}\n    -> {advice}")
    if not wanted:
        print("nothing needs a person")
