"""``dlq list`` and ``dlq show``: nothing is changed."""

import argparse
import json
import time
from collections import defaultdict
from dataclasses import replace
from typing import Any, Final

from zendesk_push.commands.dlq.selecting import choose, open_reading, read_letters, selection, visible_letters
from zendesk_push.dead_letters.dead_letter import (
    ReceivedDeadLetter,
    Selection,
    without_schemas,
)
from zendesk_push.dead_letters.letter_file import as_json
from zendesk_push.deployment import Deployment
from zendesk_push.errors import UsageError
from zendesk_push.terminal import Column, duration, printable, remark, table, timestamp

_EXPLANATION_SHOWN: Final = 200  # characters, in the list
_IDS_SHOWN: Final = 3


def list_letters(args: argparse.Namespace, deployment: Deployment) -> int:
    """Count by reason and account, then one by one, the oldest first."""
    wanted = selection(args)
    out_of_sight = visible_letters(deployment, "ApproximateNumberOfMessagesNotVisible")
    if out_of_sight:
        remark(f"about {out_of_sight:,} more are out of sight: somebody else is reading them just now")
    now = time.time()
    with open_reading(deployment) as reading:
        letters = [
            _without_body(letter) for letter in read_letters(deployment, reading) if wanted.takes(letter, now)
        ]
    letters.sort(key=lambda letter: letter.dead_since)
    if args.json:
        print(json.dumps([as_json(letter) for letter in letters], indent=2, ensure_ascii=False))
        return 0
    if not letters:
        print("no dead letters" + (" like that" if wanted != Selection() else ""))
        return 0
    print(summary(letters, now))
    print()
    for letter in letters[: args.limit]:
        _print_short(letter, now)
    if len(letters) > args.limit:
        print(f"... and {len(letters) - args.limit:,} more, younger than these (--limit)")
    return 0


def summary(letters: list[ReceivedDeadLetter], now: float) -> str:
    """A table that counts dead letters, which are in the order of their age, by reason and account at ``now``."""
    groups: dict[tuple[str, str, str], list[ReceivedDeadLetter]] = defaultdict(list)
    for letter in letters:
        groups[letter.reason, letter.account or "-", letter.subdomain or "-"].append(letter)
    rows = [
        [
            f"{len(group):,}",
            reason,
            account,
            subdomain,
            duration(now - group[0].dead_since),
            duration(now - group[-1].dead_since),
        ]
        for (reason, account, subdomain), group in sorted(
            groups.items(), key=lambda entry: (-len(entry[1]), entry[0])
        )
    ]
    if len(groups) > 1:
        rows.append([f"{len(letters):,}", "in all"])
    columns = [
        Column("COUNT", right=True),
        Column("REASON"),
        Column("ACCOUNT"),
        Column("SUBDOMAIN", least=9),
        Column("OLDEST"),
        Column("NEWEST"),
    ]
    return table(columns, rows)


def show(args: argparse.Namespace, deployment: Deployment) -> int:
    """One letter, whole."""
    if not args.id:
        raise UsageError("the ID is empty")
    with choose(args, deployment, Selection(ids=frozenset({args.id}))) as chosen:
        line: dict[str, Any] = json.loads(chosen.file.line(chosen.letters[0]))
    del line["zendesk_push_dead_letter"]
    if args.body:
        print(line["body"])
    elif args.json:
        print(json.dumps(line, indent=2, ensure_ascii=False))
    else:
        since = chosen.letters[0].dead_since
        line["dead_since"] = f"{timestamp(since)} ({duration(time.time() - since)} ago)"
        for name, value in line.items():
            if value not in (None, "", {}, []):
                text = value if isinstance(value, str) else json.dumps(value, indent=2, ensure_ascii=False)
                print(f"{name}: {printable(text)}")
    return 0


def _without_body(letter: ReceivedDeadLetter) -> ReceivedDeadLetter:
    explanation = letter.explanation[:1000] if letter.explanation else None
    return replace(letter, body="", attributes={}, context={}, explanation=explanation)


def _print_short(letter: ReceivedDeadLetter, now: float) -> None:
    dead_for = f"dead for {duration(now - letter.dead_since)}"
    print(printable(f"{letter.message_id}  {letter.reason}  {letter.account or '-'}  {dead_for}"))
    if letter.external_ids:
        more = len(letter.external_ids) - _IDS_SHOWN
        shown = ", ".join(letter.external_ids[:_IDS_SHOWN]) + (f" and {more} more" if more > 0 else "")
        print(printable(f"    {shown}"))
    if letter.explanation:
        explanation = " ".join(without_schemas(letter.explanation).split())
        cut = explanation[:_EXPLANATION_SHOWN] + ("..." if len(explanation) > _EXPLANATION_SHOWN else "")
        print(printable(f"    {cut}"))
