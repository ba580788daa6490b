"""The accounts: who is connected, and whose credentials Zendesk no longer accepts."""

import time
from collections import Counter
from collections.abc import Iterator, Sequence

from zendesk_channel.errors import StoreError
from zendesk_push.account_overview import PAUSED, REFUSED, AccountStatus, account_statuses
from zendesk_push.commands.doctor.findings import Finding, fail, ok, skip, warn
from zendesk_push.deployment import Deployment
from zendesk_push.terminal import duration

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
    refused = [status.label for status in statuses if status.state == REFUSED]
    if refused:
        yield fail(
            "credentials",
            f"Zendesk no longer accepts those of {_some(refused)}",
            "their administrator opens the account in Admin Center and saves it; what waits is delivered then",
        )
    else:
        yield ok("credentials", "none is known to be refused")
    yield from _check_trouble(statuses, time.time())


def _check_trouble(statuses: Sequence[AccountStatus], now: float) -> Iterator[Finding]:
    """What keeps accounts with good credentials from being pushed to."""
    paused = [status for status in statuses if status.is_paused(now)]
    lost = [str(status.account.subdomain) for status in paused if status.pause_reason == "wrong_address"]
    if lost:
        yield warn(
            "addresses",
            f"no Zendesk answers at {_some(lost)}",
            "was it renamed? The administrator opens the account in the renamed Zendesk and saves it",
        )
    stopped = [status.label for status in statuses if status.state == PAUSED]
    if stopped:
        yield warn("operator pauses", f"paused: {_some(stopped)}", "zendesk-push accounts resume ACCOUNT")
    limited = [
        f"{one.label} for {duration(one.paused_until - now)}"
        for one in paused
        if one.pause_reason == "throttled"
    ]
    if limited:
        yield warn(
            "rate limits",
            f"used up: {_some(limited)}",
            "it ends by itself; docs/operations.md, Raising limits",
        )
    failing = [
        one.label for one in statuses if one.account.pause_seconds and one.pause_reason == "unavailable"
    ]
    if failing:
        yield warn(
            "failing",
            f"nothing gets through to {_some(failing)}",
            "`zendesk-push status` says what waits; nothing to do, if it ends within the hour: status.zendesk.com",
        )
    slow = [one.label for one in statuses if one.account.request_limit is not None]
    if slow:
        yield warn(
            "time-outs",
            f"answers too slowly, so its requests are smaller: {_some(slow)}",
            "nothing, if it ends within the hour; else ask the customer, and see status.zendesk.com",
        )


def _some(names: list[str]) -> str:
    more = len(names) - _SHOWN
    return ", ".join(names[:_SHOWN]) + (f" and {more} more" if more > 0 else "")
