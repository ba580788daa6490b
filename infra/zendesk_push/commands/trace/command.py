"""Where a message is: waiting, delivered or dead, and why. ID is SQS's message id, or a resource's external_id.

Looked at: what the functions' log lines say of it, and the dead letters (which hides them from others meanwhile).
What SQS holds can't be looked at: nothing is known of a message that the function has not received yet.
Tickets are those that Zendesk reports; on AWS, log lines show up within a minute or so.

Exit code: 0 delivered, or waiting; 1 dead, or nothing is known of it.
"""

import argparse
import itertools
import json
import time
from collections.abc import Sequence
from typing import Any, Final

from zendesk_push.dead_letters.dead_letter import ReceivedDeadLetter
from zendesk_push.dead_letters.finding import find_letters
from zendesk_push.dead_letters.letter_file import as_json
from zendesk_push.dead_letters.views import print_short
from zendesk_push.deployment import Deployment, add_deployment_arguments, find_deployment
from zendesk_push.errors import CommandError, UsageError
from zendesk_push.function_logs import Line, LogLines, read_log_lines
from zendesk_push.message_history import MESSAGE_LINES, TICKET_LINE, Fate, History, histories, tickets
from zendesk_push.terminal import counted, isoformat, parse_duration, print_json, printable, remark, timestamp

EXAMPLES: Final = """\
examples:
  zendesk-push trace review-4711
  zendesk-push trace 9f891124-8141-45a0-8360-84eff75034e8
  zendesk-push trace review-4711 --since 10d --json"""

_ASKED: Final = (
    5  # messages of an external_id, or external ids of a message, that are looked up: a query each
)
_NOTHING: Final = (
    "it was never sent, has not been received yet, or lies further back than --since and the log's retention; an "
    "external_id can't be found before a request has carried it"
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the command's options."""
    parser.add_argument("id", metavar="ID", help="a message id, as `send` prints it, or an external_id")
    parser.add_argument(
        "--since", metavar="AGE", default="4d", help="how far back to read the log (default: %(default)s)"
    )
    parser.add_argument("--json", action="store_true", help="the result as JSON")
    add_deployment_arguments(parser)


def run(args: argparse.Namespace) -> int:
    """Print what is known of it, the newest last."""
    if not args.id:
        raise UsageError("the ID is empty")
    since = time.time() - parse_duration(args.since)
    deployment = find_deployment(args)
    log, problem = _log(deployment, since, args.id)
    known = histories(log.lines)
    known = {one: known[one] for one in known if one == args.id or args.id in known[one].external_ids}
    if known.keys() - {args.id}:
        # Found by its external_id, which not all lines about the message hold.
        lines = [line for one in list(known)[-_ASKED:] for line in _log(deployment, since, one)[0].lines]
        unique = {json.dumps(line, sort_keys=True): line for line in (*log.lines, *lines)}
        log = LogLines(sorted(unique.values(), key=lambda line: line["timestamp"]))
        known = {one: history for one, history in histories(log.lines).items() if one in known}
    letters = find_letters(
        deployment,
        lambda letter: args.id in (letter.message_id, letter.source_message_id, *letter.external_ids),
    )
    numbers = _tickets(deployment, log, since, args.id, known)
    if args.json:
        print_json(_as_json(known, letters, numbers, problem))
    else:
        _print(log.lines, known, letters, numbers)
        if problem:
            remark(problem)
    if not known and not letters and not numbers:
        remark(f"nothing is known of {printable(args.id)}: {_NOTHING}")
        return 1
    return 1 if letters or any(one.fate is Fate.DEAD for one in known.values()) else 0


def _log(deployment: Deployment, since: float, wanted: str) -> tuple[LogLines, str | None]:
    """The lines about it, and what kept them from being read."""
    try:
        return read_log_lines(deployment, (*MESSAGE_LINES, TICKET_LINE), since, holding=wanted), None
    except CommandError as error:
        return LogLines(), f"the log could not be read: {error}"


def _tickets(
    deployment: Deployment, log: LogLines, since: float, wanted: str, known: dict[str, History]
) -> dict[str, tuple[int, ...]]:
    """The tickets of the traced messages' resources; a report names external ids, never messages."""
    ids = {wanted, *(one for history in known.values() for one in history.external_ids)}
    found = tickets(log.lines)
    for external_id in sorted(ids - found.keys() - {wanted})[:_ASKED]:
        found |= tickets(read_log_lines(deployment, (TICKET_LINE,), since, holding=external_id).lines)
    return {external_id: found[external_id] for external_id in sorted(ids & found.keys())}


def _as_json(
    known: dict[str, History],
    letters: Sequence[ReceivedDeadLetter],
    numbers: dict[str, tuple[int, ...]],
    problem: str | None,
) -> dict[str, Any]:
    return {
        "messages": [
            {
                "message_id": history.message_id,
                "state": history.fate,
                "at": isoformat(history.at),
                "reason": history.reason,
                "account": history.account,
                "subdomain": history.subdomain,
                "external_ids": history.external_ids,
            }
            for history in known.values()
        ],
        "dead_letters": [as_json(letter) for letter in letters],
        "tickets": numbers,
        "unknown": problem,
    }


def _print(
    lines: Sequence[Line],
    known: dict[str, History],
    letters: Sequence[ReceivedDeadLetter],
    numbers: dict[str, tuple[int, ...]],
) -> None:
    told = [line for line in lines if not known.keys().isdisjoint(line.get("message_ids", ()))]
    for said, run in itertools.groupby(told, _said):  # a message may be tried hundreds of times
        first, *others = run
        again = f" ({len(others) + 1} times, until {timestamp(others[-1]['timestamp'])})" if others else ""
        print(f"{timestamp(first['timestamp'])}  {said}{again}")
    for history in known.values():
        print(printable(f"{history.message_id}  {verdict(history, numbers)}"))
        gone = history.fate is Fate.DEAD and not any(
            letter.source_message_id == history.message_id for letter in letters
        )
        if gone:
            print(
                "    it is no longer among the dead letters: redriven, purged, or being read by somebody else"
            )
    if not known:
        for external_id, found in numbers.items():
            print(
                printable(
                    f"{external_id}  ticket {', '.join(f'#{number}' for number in found)}, Zendesk reported"
                )
            )
    for letter in letters:
        print_short(letter, time.time())


def verdict(history: History, numbers: dict[str, tuple[int, ...]]) -> str:
    """What became of a message, in words."""
    if history.fate is Fate.DEAD:
        return f"dead: {history.reason}"
    if history.fate is Fate.WAITING:
        return f"waits: {history.reason}"
    found = dict.fromkeys(number for one in history.external_ids for number in numbers.get(one, ()))
    return "delivered" + (": ticket " + ", ".join(f"#{number}" for number in found) if found else "")


def _said(line: Line) -> str:
    """A line of the log in words."""
    if line["message"] == "not sent":
        return f"not sent: {line.get('reason')}"
    if line["message"] == "dead letter":
        return f"dead letter: {line.get('reason')}, after {line.get('receive_count')} receipts"
    reasons = ", ".join(line.get("undelivered", {}))
    status = line.get("status") or "no answer"
    return f"pushed in a request of {counted(line.get('resources', 0), 'resource')}: {status}" + (
        f", {reasons}" if reasons else ""
    )
