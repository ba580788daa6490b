"""Drop messages on the content queue, and print their ids.

FILE holds one message as a JSON object, several one after the other (JSON lines, or spread over lines), or a JSON
array of them; "-" is stdin. Each is sent as it stands in the file, character by character; --to puts another account
into each. With --check nothing is sent unless every message would be taken by this software and, as far as its
published schema tells, by Zendesk, for an account that is connected. With --wait each is followed to its ticket or
refusal; the tickets are those that Zendesk reports.

Exit code: 0 every message is on the queue (with --wait: delivered), 1 some are not (which ones is said), 2 called
wrongly.
"""

import argparse
import hashlib
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, Final

from zendesk_channel.errors import StoreError
from zendesk_push.account_overview import account_statuses, find_account
from zendesk_push.commands.send.candidates import Candidate, file_name, read_candidates
from zendesk_push.commands.send.checking import passes, registered_accounts, warn_of_invalid
from zendesk_push.commands.send.following import Followed, follow
from zendesk_push.deployment import Deployment, add_deployment_arguments, find_deployment
from zendesk_push.errors import EXIT_INTERRUPTED, CommandError, UsageError
from zendesk_push.message_facts import message_facts
from zendesk_push.queue_sender import Outgoing, QueueSender, SendResult, maximum_message_size
from zendesk_push.terminal import (
    counted,
    parse_duration,
    print_json,
    printable,
    progress_bar,
    remark,
    stopping_in_order,
)

EXAMPLES: Final = """\
examples:
  zendesk-push send --to acme --message "Hello" --wait
  zendesk-push send review.json
  zendesk-push send reviews.jsonl --check
  zendesk-push send examples/ticket.jsonl --to acme
  jq -c .messages[] dump.json | zendesk-push send -
  zendesk-push send --exported dead-letters.jsonl"""
MAX_GROUP_ID: Final = 128  # characters, by SQS
_IDS_SHOWN: Final = 3
_LINES_SHOWN: Final = 100  # on a terminal


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the command's options."""
    parser.add_argument("file", metavar="FILE", nargs="?", help='the messages; "-" for stdin')
    parser.add_argument("--message", metavar="TEXT", help="in place of FILE: one message with this text")
    parser.add_argument(
        "--to", metavar="ACCOUNT", help="for this account: its instance_push_id, or its subdomain"
    )
    parser.add_argument(
        "--check", action="store_true", help="check all against the contract first; if one fails, send none"
    )
    parser.add_argument(
        "--wait",
        metavar="TIME",
        nargs="?",
        const="60s",
        help="follow each to its ticket or refusal, for so long at most (%(const)s)",
    )
    parser.add_argument("--dry-run", action="store_true", help="send nothing; say what would be sent")
    parser.add_argument(
        "--exported", action="store_true", help="FILE is what `dlq export` or `dlq purge` wrote"
    )
    parser.add_argument("--lines", action="store_true", help="every line is one message, JSON or not")
    parser.add_argument("--json", action="store_true", help="the result as JSON")
    add_deployment_arguments(parser)


def run(args: argparse.Namespace) -> int:
    """Send the messages and say what became of them."""
    _check_usage(args)
    patience = parse_duration(args.wait) if args.wait is not None else None
    deployment = _deployment(args)
    account = _account(deployment, args.to) if args.to is not None and deployment else None
    candidates = read_candidates(args, account)
    if args.check:
        accounts = registered_accounts(deployment) if deployment and deployment.accounts_table else None
        if accounts is None:
            remark("whether the accounts are connected was not checked: the accounts table is not known")
        if not passes(candidates, file_name(args), accounts, time.time()):
            return 1
    else:
        warn_of_invalid(candidates, file_name(args))
    if args.dry_run or deployment is None:
        print(f"{counted(len(candidates), 'message')} would be sent")
        return 0
    return _send(args, deployment, candidates, patience)


def group_id(account: str) -> str:
    """The MessageGroupId of an account: the account itself, or its SHA-256 where SQS finds it too long."""
    return account if len(account) <= MAX_GROUP_ID else hashlib.sha256(account.encode()).hexdigest()


def _check_usage(args: argparse.Namespace) -> None:
    if (args.file is None) == (args.message is None):
        raise UsageError("what? Give FILE, or --message TEXT with --to ACCOUNT")
    if args.message is not None and args.to is None:
        raise UsageError("--message needs --to ACCOUNT")
    if args.message is not None and not args.message.strip():
        raise UsageError("--message is empty")
    if args.exported and (args.to is not None or args.lines or args.message is not None):
        raise UsageError("--exported sends what was exported as it was: not with --to, --lines or --message")


def _deployment(args: argparse.Namespace) -> Deployment | None:
    """Where to send; None where nobody said, and nothing is to be sent."""
    try:
        return find_deployment(args)
    except UsageError:
        if args.dry_run and args.to is None:
            return None
        raise


def _account(deployment: Deployment, wanted: str) -> str:
    try:
        statuses = account_statuses(deployment.client("dynamodb"), deployment.table())
        return str(find_account(statuses, wanted).account.instance_push_id)
    except StoreError as error:
        raise CommandError(f"the accounts table {deployment.table()} can't be read: {error}") from error


def _send(
    args: argparse.Namespace, deployment: Deployment, candidates: list[Candidate], patience: float | None
) -> int:
    queue_url = deployment.content_queue()
    sqs = deployment.client("sqs")
    sender = QueueSender(sqs, queue_url, maximum_size=maximum_message_size(sqs, queue_url))
    sent_at = time.time()
    with stopping_in_order() as stopping, progress_bar() as progress:
        task = progress.add_task("sending", total=len(candidates))
        results = []
        for sent in sender.send(_outgoing(one) for one in candidates if not stopping()):
            results.append(sent)
            progress.advance(task)
        stopped = stopping()
    results.sort(key=lambda sent: int(sent.message.label))
    external_ids = {
        sent.message_id: message_facts(sent.message.body).external_ids
        for sent in results
        if sent.problem is None and sent.message_id
    }
    fates: Mapping[str, Followed] = {}
    if patience is not None and external_ids and not stopped:
        fates = follow(deployment, external_ids, sent_at, patience)
    _report(args, results, external_ids, fates, len(candidates))
    if stopped:
        remark(f"stopped: {len(candidates) - len(results):,} were not tried")
        return EXIT_INTERRUPTED
    unhappy = [one for one in fates.values() if str(one.fate) != "delivered"]
    return 1 if len(external_ids) < len(candidates) or unhappy else 0


def _outgoing(candidate: Candidate) -> Outgoing:
    if candidate.exported:
        return replace(candidate.exported, label=candidate.source.line)
    message = candidate.message
    return Outgoing(
        candidate.source.text,
        label=candidate.source.line,
        group_id=group_id(message.instance_push_id) if message else None,
    )


def _report(
    args: argparse.Namespace,
    results: Sequence[SendResult],
    external_ids: Mapping[str, tuple[str, ...]],
    fates: Mapping[str, Followed],
    count: int,
) -> None:
    if args.json:
        print_json([_as_json(sent, external_ids, fates.get(sent.message_id or "")) for sent in results])
        return
    shown = 0
    for sent in results:
        if sent.problem:
            doubt = " (it may have been, a repeat is harmless)" if sent.in_doubt else ""
            remark(f"{file_name(args)}:{sent.message.label}: not sent{doubt}: {printable(sent.problem)}")
        elif sent.message_id and (shown < _LINES_SHOWN or not sys.stdout.isatty()):
            shown += 1
            ids = external_ids[sent.message_id]
            more = f" and {len(ids) - _IDS_SHOWN} more" if len(ids) > _IDS_SHOWN else ""
            fate = f"  {fates[sent.message_id]}" if sent.message_id in fates else ""
            print(printable(f"{sent.message_id}  {', '.join(ids[:_IDS_SHOWN]) or '-'}{more}{fate}"))
    if shown < len(external_ids):
        print(f"... and {len(external_ids) - shown:,} more (in a pipe, or with --json, all of them)")
    print(f"{len(external_ids):,} of {counted(count, 'message')} sent")


def _as_json(
    sent: SendResult, external_ids: Mapping[str, tuple[str, ...]], fate: Followed | None
) -> dict[str, Any]:
    return {
        "line": sent.message.label,
        "message_id": sent.message_id,
        "external_ids": external_ids.get(sent.message_id or "", ()),
        "problem": sent.problem,
        "in_doubt": sent.in_doubt,
        "state": fate.fate if fate else None,
        "reason": fate.reason if fate else None,
        "explanation": fate.explanation if fate else None,
        "tickets": fate.tickets if fate else (),
    }
