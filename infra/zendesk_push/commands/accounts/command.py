"""The registered accounts: whose they are, whether they can be pushed to, and what happened last.

The state is what Zendesk last said of the account (active, inactive, deleted), "refused" for an active one whose
token Zendesk no longer accepts (its administrator has to open it in Zendesk's Admin Center once and save it), or
"paused" for one that an operator has paused. ACCOUNT is an instance_push_id, what only one begins with, or a
subdomain that has one account.
"""

import argparse
from collections.abc import Callable, Mapping
from typing import Final

from zendesk_channel.errors import StoreError
from zendesk_push.account_overview import STATES
from zendesk_push.commands.accounts import changing, looking
from zendesk_push.deployment import Deployment, add_deployment_arguments, find_deployment
from zendesk_push.errors import CommandError

EXAMPLES: Final = """\
examples:
  zendesk-push accounts list
  zendesk-push accounts list --state refused --state paused
  zendesk-push accounts show acme
  zendesk-push accounts pause acme
  zendesk-push accounts resume acme
  zendesk-push accounts revalidate acme
  zendesk-push accounts forget 3cd1d2a5-aaf2-41fe-a9f1-519499605854"""
DEFAULT_ACTION: Final = "list"

_ACTIONS: Final[Mapping[str, Callable[[argparse.Namespace, Deployment], int]]] = {
    "list": looking.list_accounts,
    "show": looking.show,
    "pause": changing.pause,
    "resume": changing.resume,
    "revalidate": changing.revalidate,
    "forget": changing.forget,
}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the command's own commands and their options."""
    actions = parser.add_subparsers(dest="action", metavar="ACTION", required=True)
    listing = actions.add_parser("list", help="all of them, or those that are meant (the default)")
    listing.add_argument("--state", choices=STATES, action="append", help="only these; repeatable")
    listing.add_argument("--subdomain", action="append", help="only this Zendesk's; repeatable")
    showing = actions.add_parser("show", help="everything that is known of one")
    pausing = actions.add_parser("pause", help="push nothing to one until it is resumed; its messages wait")
    resuming = actions.add_parser("resume", help="push to one again")
    asking = actions.add_parser("revalidate", help="have Zendesk asked now whether it accepts one's token")
    forgetting = actions.add_parser("forget", help="remove one as if its administrator had")
    forgetting.add_argument("--yes", action="store_true", help="do not ask")
    for action in (showing, pausing, resuming, asking, forgetting):
        action.add_argument("account", metavar="ACCOUNT")
    for action in (listing, showing, pausing, resuming, asking, forgetting):
        action.add_argument("--json", action="store_true", help="the result as JSON")
        add_deployment_arguments(action)


def run(args: argparse.Namespace) -> int:
    """Do what the action says."""
    deployment = find_deployment(args)
    try:
        return _ACTIONS[args.action](args, deployment)
    except StoreError as error:
        raise CommandError(f"the accounts table {deployment.table()} can't be read: {error}") from error
