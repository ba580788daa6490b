"""Drop messages on the content queue.

FILE holds one message as a JSON object, several one after the other (JSON lines, or spread over lines), or a JSON
array of them; "-" is stdin. Each is sent as it stands in the file, character by character. With --check nothing is
sent unless every message would be taken by this software and, as far as its published schema tells, by Zendesk.

Exit code: 0 every message is on the queue, 1 some are not (which ones is said), 2 called wrongly.
"""

import argparse
import hashlib
import json
import sys
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

from push_content.messages.message import InvalidMessageError, Message, parse
from push_content.messages.sqs_record import Receipt
from zendesk_push.commands.send.message_file import FileMessage, cut_lines, cut_messages, decode
from zendesk_push.contract_check.external_resource import Violation, check_resource
from zendesk_push.dead_letters.letter_file import outgoing_of
from zendesk_push.deployment import add_deployment_arguments, find_deployment
from zendesk_push.errors import CommandError, UsageError
from zendesk_push.queue_sender import Outgoing, QueueSender, Sent, maximum_message_size
from zendesk_push.terminal import printable, progress_bar, remark

EXAMPLES: Final = """\
examples:
  zendesk-push send review.json
  zendesk-push send reviews.jsonl --check
  jq -c .messages[] dump.json | zendesk-push send -
  zendesk-push send --exported dead-letters.jsonl"""
MAX_GROUP_ID: Final = 128  # characters, by SQS
_REMARKS_SHOWN: Final = 100
_INT_DIGITS: Final = 4000  # Python refuses to parse more; whether it is an integer is all that is asked here


@dataclass(frozen=True)
class Candidate:
    """A message of the file: routed if it is one by the message contract, else with what is wrong."""

    source: FileMessage
    message: Message | None = None
    problem: str | None = None
    exported: Outgoing | None = None  # as it first came, where FILE is an export


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the command's options."""
    parser.add_argument("file", metavar="FILE", help='the messages; "-" for stdin')
    parser.add_argument(
        "--check", action="store_true", help="check all against the contract first; if one fails, send none"
    )
    parser.add_argument("--dry-run", action="store_true", help="send nothing; say what would be sent")
    parser.add_argument(
        "--exported", action="store_true", help="FILE is what `dlq export` or `dlq purge` wrote"
    )
    parser.add_argument("--lines", action="store_true", help="every line is one message, JSON or not")
    add_deployment_arguments(parser)


def run(args: argparse.Namespace) -> int:
    """Send the file's messages and say what became of them."""
    name = "stdin" if args.file == "-" else args.file
    sources = _cut(args, name)
    candidates = (
        [_exported(one, name) for one in sources] if args.exported else list(map(_candidate, sources))
    )
    if not candidates:
        raise UsageError(f"{name} holds no messages")
    if args.check and not _passes(candidates, name):
        return 1
    if not args.check:
        _warn_of_invalid(candidates, name)
    if args.dry_run:
        print(f"{_count(len(candidates))} would be sent")
        return 0
    return _send(args, candidates, name)


def group_id(account: str) -> str:
    """The MessageGroupId of an account: the account itself, or its SHA-256 where SQS finds it too long."""
    return account if len(account) <= MAX_GROUP_ID else hashlib.sha256(account.encode()).hexdigest()


def _cut(args: argparse.Namespace, name: str) -> list[FileMessage]:
    text = decode(_read(args.file), name)
    if args.lines or args.exported:
        return list(cut_lines(text))
    try:
        return list(cut_messages(text, name))
    except UsageError as error:
        raise UsageError(
            f"{error}. Nothing was sent; with --lines every line is a message, JSON or not"
        ) from None


def _read(file: str) -> bytes:
    if file == "-":
        return sys.stdin.buffer.read()
    try:
        return Path(file).read_bytes()
    except OSError as error:
        raise CommandError(f"{file} can't be read: {error.strerror}") from error


def _candidate(source: FileMessage) -> Candidate:
    try:
        return Candidate(source, parse(Receipt(message_id="", receipt_handle="", body=source.text)))
    except InvalidMessageError as error:
        return Candidate(source, problem=str(error))


def _exported(line: FileMessage, name: str) -> Candidate:
    try:
        outgoing = outgoing_of(line.text.encode())
    except UsageError as error:
        raise UsageError(f"{name}:{line.line}: {error}") from None
    return replace(_candidate(replace(line, text=outgoing.body)), exported=outgoing)


def _passes(candidates: list[Candidate], name: str) -> bool:
    """Whether nothing is wrong with any of them; what is, is said."""
    shown = errors = warnings = 0
    refused: set[int] = set()
    for line, where, finding in _findings(candidates):
        if finding.warning:
            warnings += 1
        else:
            errors += 1
            refused.add(line)
        if shown < _REMARKS_SHOWN:
            shown += 1
            remark(f"{name}:{line}: {'warning: ' if finding.warning else ''}{where}{printable(str(finding))}")
    if errors + warnings > shown:
        remark(f"... and {errors + warnings - shown} more")
    if errors:
        remark(f"{len(refused)} of {_count(len(candidates))} would be refused; nothing was sent")
    return not errors


def _findings(candidates: list[Candidate]) -> Iterator[tuple[int, str, Violation]]:
    for candidate in candidates:
        line = candidate.source.line
        if candidate.message is None:
            yield line, "", Violation("", candidate.problem or "")
            continue
        for index, resource in enumerate(candidate.message.resources):
            for finding in check_resource(_value(resource.raw)):
                separator = "." if finding.path else " "
                yield line, f"external_resources[{index}]{separator}", finding


def _value(text: str) -> Any:
    return json.loads(text, parse_int=lambda digits: int(digits) if len(digits) < _INT_DIGITS else 0)


def _warn_of_invalid(candidates: list[Candidate], name: str) -> None:
    invalid = [candidate for candidate in candidates if candidate.message is None]
    for candidate in invalid[:_REMARKS_SHOWN]:
        remark(f"{name}:{candidate.source.line}: warning: {printable(candidate.problem or '')}")
    if len(invalid) > _REMARKS_SHOWN:
        remark(f"... and {len(invalid) - _REMARKS_SHOWN} more")
    if invalid:
        end = "will end as a dead letter" if len(invalid) == 1 else "will end as dead letters"
        remark(f"{_count(len(invalid))} {end}, invalid_message (--check stops before that)")


def _send(args: argparse.Namespace, candidates: list[Candidate], name: str) -> int:
    deployment = find_deployment(args)
    queue_url = deployment.content_queue()
    sqs = deployment.client("sqs")
    sender = QueueSender(sqs, queue_url, maximum_size=maximum_message_size(sqs, queue_url))
    outgoing = (
        replace(candidate.exported, label=candidate.source.line)
        if candidate.exported
        else Outgoing(
            candidate.source.text,
            label=candidate.source.line,
            group_id=group_id(candidate.message.instance_push_id) if candidate.message else None,
        )
        for candidate in candidates
    )
    unsent: list[Sent] = []
    done = 0
    try:
        with progress_bar() as progress:
            task = progress.add_task("sending", total=len(candidates))
            for sent in sender.send(outgoing):
                if sent.problem:
                    unsent.append(sent)
                else:
                    done += 1
                progress.advance(task)
    except KeyboardInterrupt:
        remark(
            f"stopped: {done} of {_count(len(candidates))} sent for certain; send all again, repeats are harmless"
        )
        raise
    unsent.sort(key=lambda sent: int(sent.message.label))
    for sent in unsent:
        doubt = " (it may have been, a repeat is harmless)" if sent.in_doubt else ""
        remark(f"{name}:{sent.message.label}: not sent{doubt}: {printable(sent.problem or '')}")
    print(f"{done} of {_count(len(candidates))} sent")
    return 1 if unsent else 0


def _count(number: int) -> str:
    return f"{number:,} message" + ("" if number == 1 else "s")
