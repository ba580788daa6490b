"""When an account last took something, and when and why it last failed: for people to read, so written seldom."""

from collections.abc import Callable, Iterable
from functools import partial
from typing import Final

from push_content.accounts.account_pusher import Pushed
from push_content.outcomes.outcome import Delivered, ErrorCode, Outcome, Retry
from zendesk_channel.accounts import Account
from zendesk_channel.errors import StoreUnavailableError
from zendesk_channel.push_state import SharedPauses

INTERVAL: Final = 900  # seconds between two notes of an account; DynamoDB's largest cost was such notes once
_SWITCHED_OFF: Final = (ErrorCode.PAUSED, ErrorCode.INACTIVE_ACCOUNT)
_REMEMBERED: Final = 50_000  # notes


class DeliveryNotes:
    """Notes an account's deliveries and failures, each at most every fifteen minutes from this container.

    A failure that pauses the account is noted with the pause, which is a write in any case.
    """

    def __init__(self, shared: SharedPauses) -> None:
        self._shared = shared
        self._noted: dict[tuple[str, str], float] = {}  # when, by account and what

    def calls(self, pushed: Iterable[Pushed], now: float) -> list[Callable[[], None]]:
        """The writes that are due, one for each account. Whether they succeed is of no consequence."""
        if len(self._noted) > _REMEMBERED:
            self._noted = {}
        found: list[Callable[[], None]] = []
        for each in pushed:
            account = each.standing.account
            if account is None:
                continue
            delivered = any(isinstance(outcome, Delivered) for outcome in each.outcomes.values())
            failure = next(filter(None, map(_failure, each.outcomes.values())), None)
            delivered_at = (
                now if delivered and self._due(account, "delivery", account.last_delivery_at, now) else None
            )
            failed = failure and self._due(account, "failure", account.last_failure_at, now)
            if delivered_at or failed:
                reason = failure if failed else None
                found.append(partial(self._write, account, delivered_at, now if failed else None, reason))
        return found

    def _due(self, account: Account, what: str, known: float | None, now: float) -> bool:
        key = (account.instance_push_id, what)
        if now - max(known or 0.0, self._noted.get(key, 0.0)) < INTERVAL:
            return False
        self._noted[key] = now
        return True

    def _write(
        self, account: Account, delivered_at: float | None, failed_at: float | None, reason: str | None
    ) -> None:
        try:
            self._shared.note(account, delivered_at=delivered_at, failed_at=failed_at, failure_reason=reason)
        except StoreUnavailableError:
            return


def _failure(outcome: Outcome) -> str | None:
    """The reason of what Zendesk did not take; what was nobody's failure, or was switched off, is none."""
    if isinstance(outcome, Delivered) or (isinstance(outcome, Retry) and outcome.nobodys):
        return None
    return None if outcome.reason in _SWITCHED_OFF else outcome.reason
