"""``dlq export``, ``redrive`` and ``purge``: a selection is read once, shown, and dealt with."""

import argparse
import os
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Final

from zendesk_push.commands.dlq.selecting import Chosen, choose, demanded_selection
from zendesk_push.dead_letters.redrive import Pace, Tally, purge, redrive
from zendesk_push.dead_letters.views import summary
from zendesk_push.deployment import Deployment
from zendesk_push.errors import EXIT_INTERRUPTED, CommandError
from zendesk_push.queue_sender import QueueSender, maximum_message_size
from zendesk_push.terminal import (
    confirm,
    counted,
    print_json,
    printable,
    progress_bar,
    remark,
    stopping_in_order,
)

_FAILURES_SHOWN: Final = 50


def export(args: argparse.Namespace, deployment: Deployment) -> int:
    """Write letters down, a JSON object on each line; they stay where they are."""
    with choose(args, deployment, demanded_selection(args)) as chosen:
        if args.output is None:
            for letter in chosen.letters:
                sys.stdout.buffer.write(chosen.file.line(letter))
            sys.stdout.flush()
            return 0
        _write(args.output, chosen)
    print(f"{_letters(len(chosen.letters))} written to {args.output}")
    return 0


def redrive_letters(args: argparse.Namespace, deployment: Deployment) -> int:
    """Send letters back to the content queue as they were."""
    sender = content_sender(deployment)
    return _apply(
        args,
        deployment,
        ("redrive", "redriven"),
        lambda chosen, pace: redrive(chosen.reading, sender, chosen.letters, chosen.file.original, pace),
    )


def purge_letters(args: argparse.Namespace, deployment: Deployment) -> int:
    """Delete letters, once all of them are in a file."""
    path: Path = args.output or Path(f"dead-letters-{time.strftime('%Y%m%dT%H%M%SZ', time.gmtime())}.jsonl")

    def act(chosen: Chosen, pace: Pace) -> Tally:
        _write(path, chosen)
        remark(f"written to {path}; `zendesk-push send --exported {path}` would send them again")
        return purge(chosen.reading, chosen.letters, pace)

    return _apply(args, deployment, ("purge", "purged"), act)


def content_sender(deployment: Deployment) -> QueueSender:
    """A sender to the content queue that knows what it takes."""
    sqs, queue_url = deployment.client("sqs"), deployment.content_queue()
    return QueueSender(sqs, queue_url, maximum_size=maximum_message_size(sqs, queue_url))


def _apply(
    args: argparse.Namespace,
    deployment: Deployment,
    verb: tuple[str, str],
    act: Callable[[Chosen, Pace], Tally],
) -> int:
    """Select, ask, do it, and say what became of it."""
    with choose(args, deployment, demanded_selection(args)) as chosen:
        count = len(chosen.letters)
        if count:
            remark(summary(chosen.letters, time.time()))
        if not count or args.dry_run:
            return _say(args, verb, Tally(), count, f"{_letters(count)} would be {verb[1]}")
        if not confirm(f"{verb[0].capitalize()} {_letters(count)}?", assume_yes=args.yes):
            _say(args, verb, Tally(), count, f"nothing was {verb[1]}")
            return 1
        with stopping_in_order() as stopping, progress_bar() as progress:
            task = progress.add_task(verb[0], total=count)
            tally = act(chosen, Pace(lambda done: progress.advance(task, done), stopping))
    report(tally, verb[1])
    left = count - len(tally.done)
    text = f"{len(tally.done):,} of {_letters(count)} {verb[1]}"
    _say(args, verb, tally, count, f"stopped: {text}, {left:,} left as they were" if tally.stopped else text)
    if tally.stopped:
        return EXIT_INTERRUPTED
    return 1 if tally.failed or tally.left_behind else 0


def report(tally: Tally, done: str) -> None:
    """Say what was not ``done``, and why."""
    for message_id, reason in list(tally.failed.items())[:_FAILURES_SHOWN]:
        remark(f"{message_id}: not {done}: {printable(reason)}")
    for message_id, reason in list(tally.left_behind.items())[:_FAILURES_SHOWN]:
        remark(f"{message_id}: sent, but still a dead letter too: {printable(reason)}")
    more = sum(max(0, len(found) - _FAILURES_SHOWN) for found in (tally.failed, tally.left_behind))
    if more:
        remark(f"... and {more:,} more")


def _say(args: argparse.Namespace, verb: tuple[str, str], tally: Tally, count: int, text: str) -> int:
    if args.json:
        result = {
            "selected": count,
            verb[1]: len(tally.done),
            "failed": tally.failed,
            "left_behind": tally.left_behind,
            "interrupted": tally.stopped,
        }
        print_json(result)
    else:
        print(text if count else f"no dead letters like that: nothing to {verb[0]}")
    return 0


def _write(path: Path, chosen: Chosen) -> None:
    """All or nothing, on the disk when this returns; never over a file that is there."""
    try:
        with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
            for letter in chosen.letters:
                file.write(chosen.file.line(letter))
            file.flush()
            os.fsync(file.fileno())
    except FileExistsError:
        raise CommandError(f"{path} is there already: give another --output") from None
    except OSError as error:
        with suppress(OSError):
            path.unlink()  # half of it would look like all of it
        raise CommandError(f"{path} can't be written: {error.strerror}; nothing was done") from None


def _letters(number: int) -> str:
    return counted(number, "dead letter")
