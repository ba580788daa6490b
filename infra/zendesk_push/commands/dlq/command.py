"""Dead letters: what was refused or ran out of time, and why.

Reading hides letters from others while it lasts; whatever is not redriven or purged is back afterwards, even if the
command is interrupted. The reason is the dead letter's ErrorCode; "receive_count" is what SQS itself
moved after 1,000 receipts. An ID may be shortened, as long as only one letter's begins like that.
"""

import argparse
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final

from zendesk_push.commands.dlq import acting, editing, looking
from zendesk_push.commands.dlq.selecting import add_selection
from zendesk_push.deployment import Deployment, add_deployment_arguments, find_deployment
from zendesk_push.errors import UsageError

EXAMPLES: Final = """\
examples:
  zendesk-push dlq list
  zendesk-push dlq show 3cd1d2a5
  zendesk-push dlq redrive --reason unavailable --account acc-1
  zendesk-push dlq edit 3cd1d2a5
  zendesk-push dlq export --all > letters.jsonl
  zendesk-push dlq purge --reason invalid_message --older-than 7d"""

_ACTIONS: Final[Mapping[str, Callable[[argparse.Namespace, Deployment], int]]] = {
    "list": looking.list_letters,
    "show": looking.show,
    "export": acting.export,
    "edit": editing.edit,
    "redrive": acting.redrive_letters,
    "purge": acting.purge_letters,
}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the command's own commands and their options."""
    actions = parser.add_subparsers(dest="action", metavar="ACTION", required=True)

    listing = actions.add_parser("list", help="count by reason and account, then each of them, oldest first")
    add_selection(listing)
    listing.add_argument(
        "--limit", type=int, default=50, metavar="N", help="how many to show (default: %(default)s)"
    )

    showing = actions.add_parser("show", help="one dead letter, whole")
    showing.add_argument("id", metavar="ID", help="its message id, or that of the message it was")
    showing.add_argument("--body", action="store_true", help="print only the body, as it is")

    exporting = actions.add_parser(
        "export", help="write a selection to a file; the letters stay where they are"
    )
    exporting.add_argument("--output", metavar="PATH", type=Path, help="the file (default: stdout)")

    editing_one = actions.add_parser(
        "edit", help="open one's body in $EDITOR; send it corrected and remove the letter"
    )
    editing_one.add_argument("id", metavar="ID", help="its message id, or that of the message it was")
    editing_one.add_argument(
        "--body-file", metavar="PATH", help='the corrected body, in place of an editor; "-" for stdin'
    )

    redriving = actions.add_parser("redrive", help="send a selection back to the content queue, as it was")
    purging = actions.add_parser("purge", help="delete a selection, written to a file before")
    purging.add_argument(
        "--output",
        metavar="PATH",
        type=Path,
        help="the file (default: dead-letters-TIME.jsonl in this folder)",
    )
    for action in (exporting, redriving, purging):
        action.add_argument("ids", metavar="ID", nargs="*", help="message ids")
        add_selection(action)
        action.add_argument("--all", action="store_true", help="every dead letter there is")
        action.add_argument("--limit", type=int, metavar="N", help="the N oldest at most")
    for action in (redriving, purging):
        action.add_argument("--dry-run", action="store_true", help="only say what would be done")
    for action in (redriving, purging, editing_one):
        action.add_argument("--yes", action="store_true", help="do not ask")
    for action in (listing, showing, exporting, editing_one, redriving, purging):
        if action is not exporting:
            action.add_argument("--json", action="store_true", help="the result as JSON")
        add_deployment_arguments(action)


def run(args: argparse.Namespace) -> int:
    """Do what the action says."""
    if getattr(args, "limit", None) is not None and args.limit < 1:
        raise UsageError("--limit must be at least 1")
    return _ACTIONS[args.action](args, find_deployment(args))
