"""What waits on the queue and why, by what the functions' log lines say. Pure."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from zendesk_push.account_overview import AccountStatus
from zendesk_push.message_history import MESSAGE_LINES, Fate, History, Line, histories


@dataclass(frozen=True)
class WaitingGroup:
    """Messages that wait for one reason and account. ``oldest_seconds``: since the oldest was sent, as far as the log
    tells, else since it was first seen waiting; ``tried_seconds``: since the newest try.
    """

    reason: str
    account: str | None
    subdomain: str | None
    messages: int
    oldest_seconds: float
    tried_seconds: float


def waiting(lines: Iterable[Line], accounts: Sequence[AccountStatus], now: float) -> list[WaitingGroup]:
    """What waits at ``now`` (epoch seconds), the oldest first."""
    lines = [line for line in lines if line["message"] in MESSAGE_LINES]
    sent_before = _oldest_ages(lines)
    subdomains = {str(one.account.instance_push_id): str(one.account.subdomain) for one in accounts}
    groups: dict[tuple[str, str | None], list[History]] = defaultdict(list)
    for history in histories(lines).values():
        if history.fate is Fate.WAITING:
            groups[history.reason or "?", history.account].append(history)
    found = [
        WaitingGroup(
            reason,
            account,
            group[0].subdomain or subdomains.get(account or ""),
            len(group),
            now - min([one.since for one in group] + [sent_before.get((reason, account), now)]),
            now - max(one.at for one in group),
        )
        for (reason, account), group in groups.items()
    ]
    return sorted(found, key=lambda group: -group.oldest_seconds)


def _oldest_ages(lines: Iterable[Line]) -> dict[tuple[str, str | None], float]:
    """When the oldest message of a reason and account was sent, by its newest line."""
    found: dict[tuple[str, str | None], float] = {}
    for line in lines:
        if "oldest_s" in line:
            reasons = [line["reason"]] if line.get("reason") else list(line.get("undelivered", ()))
            for reason in reasons:
                found[reason, line.get("account")] = line["timestamp"] - line["oldest_s"]
    return found
