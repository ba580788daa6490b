"""``accounts list`` and ``accounts show``: nothing is changed."""

import argparse
import time
from collections.abc import Callable
from typing import Any

from zendesk_push.account_overview import AccountStatus, account_statuses, find_account
from zendesk_push.deployment import Deployment
from zendesk_push.terminal import Column, duration, isoformat, print_json, printable, remark, table, timestamp


def list_accounts(args: argparse.Namespace, deployment: Deployment) -> int:
    """A line for each, by subdomain and name."""
    now = time.time()
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
    if args.json:
        print_json([as_json(status, now) for status in found])
    elif found:
        print(_table(found, now))
    else:
        remark("no accounts" + (" like that" if args.state or args.subdomain else " are registered yet"))
    return 0


def show(args: argparse.Namespace, deployment: Deployment) -> int:
    """Everything that is known of one, its token excepted."""
    status = chosen(args, deployment)
    now = time.time()
    if args.json:
        print_json(as_json(status, now))
        return 0
    account = status.account
    print(f"instance_push_id: {account.instance_push_id}")
    print(f"subdomain: {account.subdomain}")
    print(f"name: {printable(account.name or '-')}")
    print(f"state: {status.state}{'' if account.saved else ', and not saved by its administrator yet'}")
    print(f"connected: {_when(account.connected_at, now)}")
    print(f"paused for: {_pause(status, now)}")
    if account.paused_by_operator_at is not None:
        print(f"paused by an operator: {_when(account.paused_by_operator_at, now)}")
    print(f"last delivery: {_when(account.last_delivery_at, now)}")
    print(f"last failure: {_failure(status, now, _when)}")
    if account.request_limit is not None:
        print(f"resources in a request, at most: {account.request_limit} (after a time-out)")
    return 0


def chosen(args: argparse.Namespace, deployment: Deployment) -> AccountStatus:
    """The account that the command is about."""
    return find_account(account_statuses(deployment.client("dynamodb"), deployment.table()), args.account)


def as_json(status: AccountStatus, now: float) -> dict[str, Any]:
    """An account for programs."""
    account = status.account
    paused = status.is_paused(now)
    return {
        "instance_push_id": account.instance_push_id,
        "subdomain": account.subdomain,
        "name": account.name,
        "state": status.state,
        "saved": account.saved,
        "paused_until": isoformat(status.paused_until) if paused else None,
        "pause_reason": status.pause_reason if paused else None,
        "paused_by_operator": isoformat(account.paused_by_operator_at),
        "last_delivery": isoformat(account.last_delivery_at),
        "last_failure": isoformat(account.last_failure_at),
        "last_failure_reason": account.last_failure_reason,
        "connected": isoformat(account.connected_at),
    }


def _table(statuses: list[AccountStatus], now: float) -> str:
    columns = [
        Column("INSTANCE_PUSH_ID"),
        Column("SUBDOMAIN"),
        Column("NAME", least=8),
        Column("STATE"),
        Column("PAUSED FOR", least=10),
        Column("LAST DELIVERY", least=13),
        Column("LAST FAILURE", least=12),
    ]
    rows = [
        [
            status.account.instance_push_id,
            status.account.subdomain,
            status.account.name or "-",
            status.state if status.account.saved else f"{status.state}, not saved",
            _pause(status, now),
            _ago(status.account.last_delivery_at, now),
            _failure(status, now, _ago),
        ]
        for status in statuses
    ]
    return table(columns, rows)


def _ago(moment: float | None, now: float) -> str:
    return f"{duration(now - moment)} ago" if moment else "never"


def _when(moment: float | None, now: float) -> str:
    return f"{timestamp(moment)} ({_ago(moment, now)})" if moment else "never"


def _failure(status: AccountStatus, now: float, said: Callable[[float | None, float], str]) -> str:
    account = status.account
    reason = f"{account.last_failure_reason}, " if account.last_failure_at is not None else ""
    return f"{reason}{said(account.last_failure_at, now)}"


def _pause(status: AccountStatus, now: float) -> str:
    if not status.is_paused(now):
        return "-"
    reason = f" ({status.pause_reason})" if status.pause_reason else ""
    return f"{duration(status.paused_until - now)}{reason}"
