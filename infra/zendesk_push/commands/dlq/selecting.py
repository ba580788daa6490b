"""Which dead letters a command is about: from its options to the letters, held and written down."""

import argparse
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Final

from push_content.outcomes.outcome import ErrorCode
from zendesk_push.command_parser import did_you_mean
from zendesk_push.dead_letters.dead_letter import MOVED_BY_SQS, ReceivedDeadLetter, Selection, resolve
from zendesk_push.dead_letters.finding import open_reading, read_letters, visible_letters
from zendesk_push.dead_letters.letter_file import LetterFile
from zendesk_push.dead_letters.reading import Reading
from zendesk_push.deployment import Deployment
from zendesk_push.errors import CommandError, UsageError
from zendesk_push.terminal import parse_duration

_PATIENCE_SECONDS: Final = 20  # for others to let go of what they read, where ids were given
_PAUSE_SECONDS: Final = 0.5  # between two looks, where the queue can't be waited for
_FILTERS: Final = {
    "reason": ("CODE", "only this ErrorCode; repeatable"),
    "account": ("ID", "only this account's; repeatable"),
    "subdomain": ("NAME", "only this Zendesk's; repeatable"),
    "external_id": ("ID", "only those with this resource; repeatable"),
}


@dataclass(frozen=True)
class Chosen:
    """What was selected: held by ``reading``, whole in ``file``, and oldest first and without bodies in ``letters``."""

    reading: Reading
    file: LetterFile
    letters: list[ReceivedDeadLetter]


def add_selection(parser: argparse.ArgumentParser) -> None:
    """Add the options that say which dead letters are meant."""
    for name, (metavar, text) in _FILTERS.items():
        parser.add_argument(
            f"--{name.replace('_', '-')}", action="append", default=[], metavar=metavar, help=text
        )
    parser.add_argument(
        "--older-than", metavar="AGE", help="only dead for longer than this, such as 90s, 2h or 1d"
    )
    parser.add_argument("--newer-than", metavar="AGE", help="only dead for less than this")


def selection(args: argparse.Namespace) -> Selection:
    """The selection of the options.

    Raises:
        UsageError: an option is empty (an unset variable of a script, say), or is not a span of time or a reason.
    """
    ids = getattr(args, "ids", [])
    if "" in ids:
        raise UsageError("an ID is empty")
    for name in _FILTERS:
        if "" in getattr(args, name):
            raise UsageError(f"--{name.replace('_', '-')} is empty")
    reasons = {*(code.value for code in ErrorCode), MOVED_BY_SQS}
    for reason in args.reason:
        if reason not in reasons:
            raise UsageError(
                f"--reason {reason} is none that a dead letter can have{did_you_mean(reason, reasons)}"
            )
    return Selection(
        reasons=frozenset(args.reason),
        accounts=frozenset(args.account),
        subdomains=frozenset(args.subdomain),
        external_ids=frozenset(args.external_id),
        ids=frozenset(ids),
        older_than=None if args.older_than is None else parse_duration(args.older_than),
        newer_than=None if args.newer_than is None else parse_duration(args.newer_than),
    )


def demanded_selection(args: argparse.Namespace) -> Selection:
    """The selection of a command that changes something: leaving it out does not mean everything.

    Raises:
        UsageError: there is none, or one beside ``--all``.
    """
    wanted = selection(args)
    if args.all == (wanted != Selection()):
        problem = (
            "either a selection or --all, not both" if args.all else "which? Give an ID, a filter or --all"
        )
        raise UsageError(f"{problem} (nothing was done)")
    return wanted


@contextmanager
def choose(args: argparse.Namespace, deployment: Deployment, wanted: Selection) -> Iterator[Chosen]:
    """Read once, keep what is meant (at most ``--limit``, the oldest), and let go of the rest.

    Raises:
        CommandError: an id is nobody's, also after waiting for others to let go, or several letters'.
    """
    with open_reading(deployment) as reading, LetterFile(tempfile.TemporaryFile()) as file:
        letters: list[ReceivedDeadLetter] = []
        deadline = time.monotonic() + _PATIENCE_SECONDS
        while True:
            # Asked before the pass: what others let go of in between is in it.
            others = visible_letters(deployment, "ApproximateNumberOfMessagesNotVisible") - len(letters)
            letters += _pass(deployment, reading, file, wanted)
            if not wanted.ids or _all_found(letters, wanted) or others <= 0 or time.monotonic() > deadline:
                break
            time.sleep(_PAUSE_SECONDS)  # SQS tells nobody when a message comes into sight
        if wanted.ids:
            letters = resolve(letters, wanted.ids)
        letters.sort(key=lambda letter: letter.dead_since)
        limit: int | None = getattr(args, "limit", None)
        if limit is not None:
            reading.release([letter.message_id for letter in letters[limit:]])
        yield Chosen(reading, file, letters[:limit])


def _pass(
    deployment: Deployment, reading: Reading, file: LetterFile, wanted: Selection
) -> list[ReceivedDeadLetter]:
    now = time.time()
    found, others = [], []
    for letter in read_letters(deployment, reading):
        if wanted.takes(letter, now):
            found.append(file.add(letter))
        else:
            others.append(letter.message_id)
    reading.release(others)
    return found


def _all_found(letters: list[ReceivedDeadLetter], wanted: Selection) -> bool:
    try:
        resolve(letters, wanted.ids)
    except CommandError:
        return False
    return True
