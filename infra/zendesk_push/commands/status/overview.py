"""What ``status`` tells, computed from log lines, counts and accounts. Pure."""

from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Final

from push_content.outcomes.outcome import ErrorCode
from zendesk_channel.accounts import AccountState
from zendesk_push.account_overview import PAUSED, REFUSED, AccountStatus
from zendesk_push.function_logs import Line
from zendesk_push.terminal import counted
from zendesk_push.waiting import WaitingGroup

_IN_FLIGHT_MUCH: Final = 60_000  # from here on the push function itself takes measures; SQS stops at 120,000
_PARENT_SECONDS: Final = 15 * 60  # a parent that was sent with its reply is there by then
_NAMED: Final = 3


@dataclass(frozen=True)
class Throughput:
    """What got through in a span of time."""

    delivered: int
    delivered_a_minute: float
    dead_lettered: int
    requests: int
    average_ms: float


@dataclass(frozen=True)
class Overview:
    """The stack at one moment. ``hidden``: in flight, or waiting for a retry. ``problem``: what is unknown, and why."""

    visible: int
    hidden: int
    dead: int
    waiting: Sequence[WaitingGroup]
    throughput: Throughput | None
    problem: str | None = None


def throughput(lines: Iterable[Line], span: float) -> Throughput:
    """What the lines of ``span`` seconds say about how much got through."""
    lines = list(lines)
    batches = [line for line in lines if line["message"] == "batch"]
    requests = [line for line in lines if line["message"] == "push request"]
    delivered = sum(line.get("delivered", 0) for line in batches)
    return Throughput(
        delivered,
        delivered / (span / 60) if span else 0,
        sum(line.get("dead_lettered", 0) for line in batches),
        len(requests),
        sum(line.get("duration_ms", 0) for line in requests) / len(requests) if requests else 0,
    )


def needs(overview: Overview, accounts: Sequence[AccountStatus], now: float) -> list[tuple[str, str]]:
    """What nobody but a person can settle, and the command or the person that does."""
    found = []
    if overview.dead:
        found.append((counted(overview.dead, "dead letter"), "zendesk-push dlq list"))
    refused = [one for one in accounts if one.state == REFUSED]
    if refused:
        found.append(
            (
                f"Zendesk no longer accepts the token of {named(refused)}",
                "its administrator opens the account in Admin Center and saves it",
            )
        )
    lost = [one for one in accounts if one.is_paused(now) and one.pause_reason == ErrorCode.WRONG_ADDRESS]
    if lost:
        found.append(
            (
                f"no Zendesk answers at the address of {named(lost)}",
                "renamed? Its administrator opens the account in the renamed Zendesk and saves it",
            )
        )
    paused = [one for one in accounts if one.state == PAUSED]
    if paused:
        found.append((f"paused by an operator: {named(paused)}", "zendesk-push accounts resume ACCOUNT"))
    states = {str(one.account.instance_push_id): one.account.state for one in accounts}
    for group in overview.waiting:
        if group.reason == ErrorCode.UNKNOWN_ACCOUNT and group.account not in states:
            found.append(
                (
                    f"{counted(group.messages, 'message')} for {group.account}, an account that nobody has connected",
                    "is the sender's instance_push_id right? Else have its administrator connect it",
                )
            )
        if group.reason == ErrorCode.MISSING_PARENT and group.oldest_seconds > _PARENT_SECONDS:
            found.append(
                (
                    f"{counted(group.messages, 'message')} of {group.account} for a parent that has not come",
                    "is it a dead letter, or was it never sent? zendesk-push trace EXTERNAL_ID",
                )
            )
        if states.get(group.account or "") in (AccountState.INACTIVE, AccountState.DELETED):
            found.append(
                (
                    f"{counted(group.messages, 'message')} for {group.account}, which is switched off or removed",
                    "ask the customer, or have the sender stop",
                )
            )
    if overview.hidden > _IN_FLIGHT_MUCH:
        found.append(
            (
                f"{overview.hidden:,} messages are in flight: SQS stops delivering at 120,000",
                "docs/operations.md, InFlightAlarm",
            )
        )
    return found


def named(accounts: Sequence[AccountStatus]) -> str:
    """Some accounts by name."""
    more = len(accounts) - _NAMED
    return ", ".join(one.label for one in accounts[:_NAMED]) + (f" and {more} more" if more > 0 else "")


def as_json(overview: Overview, wanted: list[tuple[str, str]]) -> dict[str, Any]:
    """All of it for programs."""
    return {
        **asdict(overview),
        "needs_a_person": [{"what": what, "advice": advice} for what, advice in wanted],
    }
