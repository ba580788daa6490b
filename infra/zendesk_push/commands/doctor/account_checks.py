"""The accounts: who is connected, and whose credentials Zendesk no longer accepts."""

import time
from collections import Counter
from collections.abc import Iterator

from zendesk_channel.errors import StoreError
from zendesk_push.account_overview import REFUSED, account_statuses
from zendesk_push.commands.doctor.findings import Finding, fail, ok, skip, warn
from zendesk_push.deployment import Deployment

_SHOWN = 5


def check_accounts(deployment: Deployment) -> Iterator[Finding]:
    """Counts, refused credentials, and addresses that are wrong."""
    if deployment.accounts_table is None:
        yield skip("accounts", "the table is not known: give --stack-name or --accounts-table")
        return
    try:
        statuses = list(account_statuses(deployment.client("dynamodb"), deployment.accounts_table))
    except StoreError as error:
        yield fail(
            "accounts", f"the table {deployment.accounts_table} can't be read: {error}", "check permissions"
        )
        return
    counts = Counter(status.state for status in statuses)
    if not counts:
        yield warn(
            "accounts",
            "none is connected",
            "add an account in Zendesk's Admin Center (README, the Zendesk side)",
        )
        return
    yield ok("accounts", ", ".join(f"{count} {state}" for state, count in sorted(counts.items())))
    refused = [
        f"{status.account.subdomain} ({status.account.name or status.account.instance_push_id})"
        for status in statuses
        if status.state == REFUSED
    ]
    if refused:
        yield fail(
            "credentials",
            f"Zendesk no longer accepts those of {_some(refused)}",
            "their administrator opens the account in Admin Center and saves it; what waits is delivered then",
        )
    else:
        yield ok("credentials", "none is known to be refused")
    now = time.time()
    lost = [
        str(status.account.subdomain)
        for status in statuses
        if status.paused_until > now and status.pause_reason == "wrong_address"
    ]
    if lost:
        yield warn(
            "addresses",
            f"no Zendesk answers at {_some(lost)}",
            "was it renamed? The administrator opens the account in the renamed Zendesk and saves it",
        )


def _some(names: list[str]) -> str:
    more = len(names) - _SHOWN
    return ", ".join(names[:_SHOWN]) + (f" and {more} more" if more > 0 else "")
