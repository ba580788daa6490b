"""List the registered accounts: whose they are, whether they can be pushed to, and when that last happened.

The state is what Zendesk last said of the account (active, inactive, deleted), or "refused" for an active one whose
token Zendesk no longer accepts: its administrator has to open it in Zendesk's Admin Center once and save it.
"""

import argparse
import json
import time
from typing import Any, Final

from zendesk_channel.errors import StoreError
from zendesk_push.account_overview import STATES, AccountStatus, account_statuses
from zendesk_push.deployment import add_deployment_arguments, find_deployment
from zendesk_push.errors import CommandError
from zendesk_push.terminal import Column, duration, isoformat, remark, table, timestamp

EXAMPLES: Final = """\
examples:
  zendesk-push accounts
  zendesk-push accounts --state refused"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the command's options."""
    parser.add_argument("--state", choices=STATES, action="append", help="only these; may be repeated")
    parser.add_argument("--subdomain", action="append", help="only this Zendesk's; may be repeated")
    parser.add_argument("--json", action="store_true", help="a JSON array instead of a table")
    add_deployment_arguments(parser)


def run(args: argparse.Namespace) -> int:
    """Print the accounts."""
    deployment = find_deployment(args)
    now = time.time()
    try:
        found = sorted(
            (
                status
                for status in account_statuses(deployment.client("dynamodb"), deployment.table())
                if (not args.state or status.state in args.state)
                and (not args.subdomain or status.account.subdomain in args.subdomain)
            ),
            key=lambda status: (
                status.account.subdomain,
                status.account.name or "",
                status.account.instance_push_id,
            ),
        )
    except StoreError as error:
        raise CommandError(f"the accounts table {deployment.table()} can't be read: {error}") from error
    if args.json:
        print(json.dumps([_as_json(status, now) for status in found], indent=2, ensure_ascii=False))
    elif found:
        _print_table(found, now)
    else:
        remark("no accounts" + (" like that" if args.state or args.subdomain else " are registered yet"))
    return 0


def _as_json(status: AccountStatus, now: float) -> dict[str, Any]:
    account = status.account
    paused = status.paused_until > now
    return {
        "instance_push_id": account.instance_push_id,
        "subdomain": account.subdomain,
        "name": account.name,
        "state": status.state,
        "paused_until": isoformat(status.paused_until) if paused else None,
        "pause_reason": status.pause_reason if paused else None,
        "last_push": isoformat(account.last_delivery_at),
        "connected": isoformat(account.connected_at),
    }


def _print_table(statuses: list[AccountStatus], now: float) -> None:
    columns = [
        Column("INSTANCE_PUSH_ID"),
        Column("SUBDOMAIN"),
        Column("NAME", least=8),
        Column("STATE"),
        Column("PAUSED UNTIL", least=12),
        Column("LAST PUSH", least=9),
    ]
    rows = [
        [
            status.account.instance_push_id,
            status.account.subdomain,
            status.account.name or "-",
            status.state,
            _pause(status, now),
            _ago(status.account.last_delivery_at, now),
        ]
        for status in statuses
    ]
    print(table(columns, rows))


def _ago(moment: float | None, now: float) -> str:
    return f"{timestamp(moment)} ({duration(now - moment)} ago)" if moment else "never"


def _pause(status: AccountStatus, now: float) -> str:
    if status.paused_until <= now:
        return "-"
    reason = f", {status.pause_reason}" if status.pause_reason else ""
    return f"{timestamp(status.paused_until)} (for {duration(status.paused_until - now)}{reason})"
