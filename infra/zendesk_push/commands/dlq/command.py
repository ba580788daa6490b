"""Dead letters: what was refused or ran out of time, and why.

Reading takes messages out of sight for as long as it lasts; all that is not redriven or purged is back afterwards.
The reason is the dead letter's ErrorCode; "receive_count" is what SQS itself moved after 1,000 receipts.
"""

import argparse
import json
import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Final

from zendesk_push.dead_letters.dead_letter import ReceivedDeadLetter, Selection
from zendesk_push.dead_letters.reading import LONG_POLL_SECONDS, Reading, hold_seconds
from zendesk_push.dead_letters.redrive import RedriveOutcome, original, purge, redrive, until_all_are_seen
from zendesk_push.dead_letters.views import as_json, attributes_as_json, summary, without_schemas
from zendesk_push.deployment import Deployment, add_deployment_arguments, find_deployment
from zendesk_push.errors import CommandError, UsageError
from zendesk_push.queue_sender import QueueSender, maximum_message_size
from zendesk_push.terminal import (
    confirm,
    duration,
    output,
    parse_duration,
    printable,
    progress_bar,
    remarks,
    timestamp,
)

_EXPLANATION_SHOWN: Final = 200  # characters, in the list
_EXPLANATION_KEPT: Final = 1000  # of a message that is only listed
_FAILURES_SHOWN: Final = 50
_PATIENCE_SECONDS: Final = 20  # SQS's longest poll: for others to let go of what they read


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the command's own commands and their options."""
    actions = parser.add_subparsers(dest="action", metavar="ACTION", required=True)

    listing = actions.add_parser("list", help="count by reason and account, then each of them, oldest first")
    _add_selection(listing)
    listing.add_argument(
        "--limit", type=int, default=50, metavar="N", help="how many to show (default: %(default)s)"
    )
    listing.add_argument("--json", action="store_true", help="all of them as JSON, without bodies")

    showing = actions.add_parser("show", help="one dead letter, whole")
    showing.add_argument("id", metavar="ID", help="its message id, or that of the message it was")
    showing.add_argument("--body", action="store_true", help="print only the body, as it is")
    showing.add_argument("--json", action="store_true", help="as JSON")

    redriving = actions.add_parser("redrive", help="send a selection back to the content queue, as it was")
    purging = actions.add_parser("purge", help="delete a selection for good")
    for action in (redriving, purging):
        action.add_argument(
            "ids", metavar="ID", nargs="*", help="message ids; otherwise all that the options select"
        )
        _add_selection(action)
        action.add_argument("--limit", type=int, metavar="N", help="the N oldest at most")
        action.add_argument("--dry-run", action="store_true", help="only say what would be done")
        action.add_argument("--yes", action="store_true", help="do not ask")

    for action in (listing, showing, redriving, purging):
        add_deployment_arguments(action)


def run(args: argparse.Namespace) -> int:
    """Do what the action says."""
    actions: Mapping[str, Callable[[argparse.Namespace, Deployment], int]] = {
        "list": _list,
        "show": _show,
        "redrive": _redrive,
        "purge": _purge,
    }
    if getattr(args, "limit", None) is not None and args.limit < 1:
        raise UsageError("--limit must be at least 1")
    return actions[args.action](args, find_deployment(args))


def _add_selection(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--reason", action="append", default=[], metavar="CODE", help="only this ErrorCode; repeatable"
    )
    parser.add_argument(
        "--account", action="append", default=[], metavar="ID", help="only this account; repeatable"
    )
    parser.add_argument(
        "--subdomain", action="append", default=[], metavar="NAME", help="only this Zendesk; repeatable"
    )
    parser.add_argument(
        "--older-than", metavar="AGE", help="only dead for longer than this, such as 90s, 2h or 1d"
    )
    parser.add_argument("--newer-than", metavar="AGE", help="only dead for less than this")


def _selection(args: argparse.Namespace) -> Selection:
    return Selection(
        reasons=frozenset(args.reason),
        accounts=frozenset(args.account),
        subdomains=frozenset(args.subdomain),
        ids=frozenset(getattr(args, "ids", ())),
        older_than=parse_duration(args.older_than) if args.older_than else None,
        newer_than=parse_duration(args.newer_than) if args.newer_than else None,
    )


def _reading(deployment: Deployment, *, patient: bool = False) -> Reading:
    sqs, queue_url = deployment.client("sqs"), deployment.dead_letter_queue()
    answer = sqs.get_queue_attributes(QueueUrl=queue_url, AttributeNames=["ApproximateNumberOfMessages"])
    return Reading(
        sqs,
        queue_url,
        wait_seconds=_PATIENCE_SECONDS if patient else _polling_seconds(deployment),
        hold_seconds=hold_seconds(int(answer["Attributes"]["ApproximateNumberOfMessages"])),
        remark=remarks().print,
    )


def _polling_seconds(deployment: Deployment) -> int:
    """Long polling is for SQS's many servers; a local one is one, and has told all at once."""
    return 0 if deployment.local else LONG_POLL_SECONDS


def _select(deployment: Deployment, selection: Selection) -> list[ReceivedDeadLetter]:
    """What is meant, oldest first, without bodies: there may be many, of up to 1 MiB each."""
    now = time.time()
    with _reading(deployment) as reading:
        found = [_light(letter) for letter in reading if selection.takes(letter, now)]
    return sorted(found, key=lambda letter: letter.dead_since)


def _light(letter: ReceivedDeadLetter) -> ReceivedDeadLetter:
    explanation = letter.explanation[:_EXPLANATION_KEPT] if letter.explanation else None
    return replace(letter, body="", attributes={}, context={}, explanation=explanation)


def _list(args: argparse.Namespace, deployment: Deployment) -> int:
    _tell_of_others(deployment)
    letters = _select(deployment, _selection(args))
    if args.json:
        print(json.dumps([as_json(letter) for letter in letters], indent=2, ensure_ascii=False))
        return 0
    if not letters:
        print("no dead letters" + (" like that" if _selection(args) != Selection() else ""))
        return 0
    now = time.time()
    console = output()
    console.print(summary(letters, now))
    console.print()
    for letter in letters[: args.limit]:
        dead_for = f"dead for {duration(now - letter.dead_since)}"
        console.print(
            printable(f"{letter.message_id}  {letter.reason}  {letter.account or '-'}  {dead_for}"),
            soft_wrap=True,
        )
        if letter.explanation:
            explanation = " ".join(without_schemas(letter.explanation).split())
            cut = explanation[:_EXPLANATION_SHOWN] + ("..." if len(explanation) > _EXPLANATION_SHOWN else "")
            console.print(f"    {printable(cut)}", soft_wrap=True)
    if len(letters) > args.limit:
        console.print(f"... and {len(letters) - args.limit:,} more, younger than these (--limit)")
    return 0


def _tell_of_others(deployment: Deployment) -> None:
    answer = deployment.client("sqs").get_queue_attributes(
        QueueUrl=deployment.dead_letter_queue(), AttributeNames=["ApproximateNumberOfMessagesNotVisible"]
    )
    out_of_sight = int(answer["Attributes"]["ApproximateNumberOfMessagesNotVisible"])
    if out_of_sight:
        remarks().print(
            f"about {out_of_sight:,} more are out of sight: somebody else is reading them just now"
        )


def _show(args: argparse.Namespace, deployment: Deployment) -> int:
    with _reading(deployment) as reading:
        wanted = Selection(ids=frozenset({args.id}))
        letter = next((letter for letter in reading if wanted.takes(letter, 0)), None)
    if letter is None:
        raise CommandError(f"there is no dead letter {args.id} (or somebody else is reading it just now)")
    if args.body:
        print(letter.body)
        return 0
    shown = as_json(letter) | {
        "message_group_id": letter.group_id,
        "context": letter.context,
        "attributes": attributes_as_json(original(letter).attributes),
        "body": letter.body,
    }
    if args.json:
        print(json.dumps(shown, indent=2, ensure_ascii=False))
        return 0
    shown |= {
        "dead_since": f"{timestamp(letter.dead_since)} ({duration(time.time() - letter.dead_since)} ago)"
    }
    for name, value in shown.items():
        if value not in (None, "", {}):
            text = value if isinstance(value, str) else json.dumps(value, indent=2, ensure_ascii=False)
            print(f"{name}: {printable(text)}")
    return 0


def _redrive(args: argparse.Namespace, deployment: Deployment) -> int:
    queue_url = deployment.content_queue()
    sqs = deployment.client("sqs")
    sender = QueueSender(sqs, queue_url, maximum_size=maximum_message_size(sqs, queue_url))
    return _apply(
        args,
        deployment,
        ("redrive", "redriven"),
        lambda reading, wanted, advance: redrive(reading, sender, wanted, advance),
    )


def _purge(args: argparse.Namespace, deployment: Deployment) -> int:
    return _apply(args, deployment, ("purge", "purged"), purge)


def _apply(
    args: argparse.Namespace,
    deployment: Deployment,
    verb: tuple[str, str],
    act: Callable[[Reading, set[str], Callable[[int], None]], RedriveOutcome],
) -> int:
    """Select, ask, and do it in a second reading: nothing is held out of sight while somebody thinks."""
    chosen = _select(deployment, _selection(args))
    missing = set(args.ids) - {
        known for letter in chosen for known in (letter.message_id, letter.source_message_id)
    }
    if missing:
        raise CommandError(f"no such dead letter: {', '.join(sorted(missing))}; nothing was {verb[1]}")
    chosen = chosen[: args.limit]
    if not chosen:
        print(
            f"no dead letters{' like that' if _selection(args) != Selection() else ''}: nothing to {verb[0]}"
        )
        return 0
    remarks().print(summary(chosen, time.time()))
    if args.dry_run:
        print(f"{_count(len(chosen))} would be {verb[1]}")
        return 0
    for_good = ", for good" if verb[0] == "purge" else ""
    if not confirm(f"{verb[0].capitalize()} {_count(len(chosen))}{for_good}?", assume_yes=args.yes):
        print(f"nothing was {verb[1]}")
        return 1
    wanted = {letter.message_id for letter in chosen}
    with progress_bar() as progress:
        task = progress.add_task(verb[0], total=len(wanted))
        outcome = until_all_are_seen(
            lambda patient: _reading(deployment, patient=patient),
            lambda reading, ids: act(reading, ids, lambda count: progress.advance(task, count)),
            wanted,
        )
    return _report(outcome, len(wanted), verb)


def _report(outcome: RedriveOutcome, wanted: int, verb: tuple[str, str]) -> int:
    console = remarks()
    for message_id, reason in list(outcome.failed.items())[:_FAILURES_SHOWN]:
        console.print(f"{message_id}: not {verb[1]}: {printable(reason)}")
    for message_id, reason in list(outcome.left_behind.items())[:_FAILURES_SHOWN]:
        console.print(f"{message_id}: sent, but still a dead letter too: {printable(reason)}")
    more = sum(max(0, len(found) - _FAILURES_SHOWN) for found in (outcome.failed, outcome.left_behind))
    if more:
        console.print(f"... and {more} more")
    print(f"{len(outcome.done)} of {_count(wanted)} {verb[1]}")
    return 1 if outcome.failed or outcome.left_behind else 0


def _count(number: int) -> str:
    return f"{number:,} dead letter" + ("" if number == 1 else "s")
