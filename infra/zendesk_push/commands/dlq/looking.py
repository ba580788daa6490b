"""``dlq list`` and ``dlq show``: nothing is changed."""

import argparse
import json
import time
from typing import Any

from zendesk_push.commands.dlq.selecting import choose, selection
from zendesk_push.dead_letters.dead_letter import Selection
from zendesk_push.dead_letters.finding import find_letters, visible_letters
from zendesk_push.dead_letters.letter_file import as_json
from zendesk_push.dead_letters.views import print_short, summary
from zendesk_push.deployment import Deployment
from zendesk_push.errors import UsageError
from zendesk_push.terminal import duration, print_json, printable, remark, timestamp


def list_letters(args: argparse.Namespace, deployment: Deployment) -> int:
    """Count by reason and account, then one by one, the oldest first."""
    wanted = selection(args)
    out_of_sight = visible_letters(deployment, "ApproximateNumberOfMessagesNotVisible")
    if out_of_sight:
        remark(f"about {out_of_sight:,} more are out of sight: somebody else is reading them just now")
    now = time.time()
    letters = find_letters(deployment, lambda letter: wanted.takes(letter, now))
    if args.json:
        print_json([as_json(letter) for letter in letters])
        return 0
    if not letters:
        print("no dead letters" + (" like that" if wanted != Selection() else ""))
        return 0
    print(summary(letters, now))
    print()
    for letter in letters[: args.limit]:
        print_short(letter, now)
    if len(letters) > args.limit:
        print(f"... and {len(letters) - args.limit:,} more, younger than these (--limit)")
    return 0


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
        print_json(line)
    else:
        since = chosen.letters[0].dead_since
        line["dead_since"] = f"{timestamp(since)} ({duration(time.time() - since)} ago)"
        for name, value in line.items():
            if value not in (None, "", {}, []):
                text = value if isinstance(value, str) else json.dumps(value, indent=2, ensure_ascii=False)
                print(f"{name}: {printable(text)}")
    return 0
