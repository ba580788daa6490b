"""``send --check``: what this software or Zendesk would refuse, and whether the accounts can be pushed to."""

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from zendesk_channel.errors import StoreError
from zendesk_push.account_overview import PAUSED, REFUSED, AccountStatus, account_statuses
from zendesk_push.commands.send.candidates import Candidate
from zendesk_push.contract_check.external_resource import Violation, check_resource
from zendesk_push.deployment import Deployment
from zendesk_push.errors import CommandError
from zendesk_push.terminal import counted, printable, remark

_REMARKS_SHOWN: Final = 100
_INT_DIGITS: Final = 4000  # Python refuses to parse more; whether it is an integer is all that is asked here
_OWN_KEYS: Final = ("instance_push_id", "external_resources", "request_id")

Accounts = Mapping[str, AccountStatus]


def registered_accounts(deployment: Deployment) -> Accounts:
    """All accounts by id.

    Raises:
        CommandError: the table can't be read.
    """
    try:
        statuses = account_statuses(deployment.client("dynamodb"), deployment.table())
        return {str(status.account.instance_push_id): status for status in statuses}
    except StoreError as error:
        raise CommandError(f"the accounts table {deployment.table()} can't be read: {error}") from error


def passes(candidates: Sequence[Candidate], name: str, accounts: Accounts | None, now: float) -> bool:
    """Whether nothing is wrong with any of them; what is, is said. ``accounts`` None: they are not known."""
    shown = found = 0
    stopped: set[int] = set()
    told: set[str] = set()
    for line, where, violation in _violations(candidates, accounts, now):
        if not violation.warning:
            stopped.add(line)
        if where.startswith("account "):
            if where in told:  # once is enough to be read
                continue
            told.add(where)
        found += 1
        if shown < _REMARKS_SHOWN:
            shown += 1
            level = "warning: " if violation.warning else ""
            remark(f"{name}:{line}: {level}{where}{printable(str(violation))}")
    if found > shown:
        remark(f"... and {found - shown} more")
    if stopped:
        remark(f"{len(stopped)} of {counted(len(candidates), 'message')} would not arrive; nothing was sent")
    return not stopped


def warn_of_invalid(candidates: Sequence[Candidate], name: str) -> None:
    """Say which are not messages, where nobody asked for a check."""
    invalid = [candidate for candidate in candidates if candidate.message is None]
    for candidate in invalid[:_REMARKS_SHOWN]:
        remark(f"{name}:{candidate.source.line}: warning: {printable(candidate.problem or '')}")
    if len(invalid) > _REMARKS_SHOWN:
        remark(f"... and {len(invalid) - _REMARKS_SHOWN} more")
    if invalid:
        end = "will end as a dead letter" if len(invalid) == 1 else "will end as dead letters"
        remark(f"{counted(len(invalid), 'message')} {end}, invalid_message (--check stops before that)")


def _violations(
    candidates: Sequence[Candidate], accounts: Accounts | None, now: float
) -> Iterator[tuple[int, str, Violation]]:
    for candidate in candidates:
        line = candidate.source.line
        if candidate.message is None:
            yield line, "", Violation("", candidate.problem or "")
            continue
        account = str(candidate.message.instance_push_id)
        if accounts is not None:
            yield from ((line, f"account {account} ", one) for one in _of_account(accounts.get(account), now))
        for key in _further_keys(candidate.source.text):
            yield (
                line,
                "",
                Violation(key, "is not Zendesk's: it stays here and does not go along", warning=True),
            )
        for index, resource in enumerate(candidate.message.resources):
            for violation in check_resource(_value(resource.raw)):
                separator = "." if violation.path else " "
                yield line, f"external_resources[{index}]{separator}", violation


def _of_account(status: AccountStatus | None, now: float) -> Iterator[Violation]:
    if status is None:
        yield Violation("", "is not connected: the message would wait, and end as unknown_account")
    elif status.state in ("inactive", "deleted"):
        yield Violation("", f"is {status.state}: the message would wait, and end as inactive_account")
    elif status.state == REFUSED:
        yield Violation("", "is refused by Zendesk: its administrator has to save it again", warning=True)
    elif status.state == PAUSED:
        yield Violation("", "is paused by an operator: the message waits", warning=True)
    elif status.is_paused(now):
        yield Violation("", f"is paused for a while ({status.pause_reason})", warning=True)


def _further_keys(text: str) -> list[str]:
    return [key for key in _value(text) if key not in _OWN_KEYS]


def _value(text: str) -> Any:
    return json.loads(text, parse_int=lambda digits: int(digits) if len(digits) < _INT_DIGITS else 0)
