"""What a 401 or 403 means: is there a newer token, is this one refused for good, or is Zendesk just confused?"""

from collections.abc import Collection
from dataclasses import dataclass

from push_content.outcomes.outcome import ErrorCode, Retry
from zendesk_channel.accounts import Account, AccountsTable, AccountState
from zendesk_channel.token_verification import TokenVerifier


@dataclass(frozen=True)
class TryAgain:
    """The account has changed: try again with it as it is now."""

    account: Account


@dataclass(frozen=True)
class GiveUp:
    """Nothing more is sent for the account now. ``marked``: it is marked as refused, which is news."""

    retry: Retry
    marked: bool = False


class CredentialRecovery:
    """Asks the table, then Zendesk. Raises StoreUnavailableError if AWS fails."""

    def __init__(self, accounts: AccountsTable, verifier: TokenVerifier) -> None:
        self._accounts = accounts
        self._verifier = verifier

    def take(self, account: Account, tried: Collection[str]) -> TryAgain | GiveUp:
        """``tried``: the versions of the token that were answered with 401 or 403, the account's own included."""
        now = self._accounts.get(account.instance_push_id)
        if now is None:
            return GiveUp(Retry(ErrorCode.UNKNOWN_ACCOUNT, "no such account is registered"))
        if now.state is not AccountState.ACTIVE or now.refused or now.token_version not in tried:
            return TryAgain(now)
        answer = self._verifier.verify(now, mark_unreachable=False)
        if answer.promoted and answer.account.token_version not in tried:
            return TryAgain(answer.account)
        if not answer.validation.credentials_refused:
            return GiveUp(not_confirmed())
        newest = self._accounts.get(account.instance_push_id)
        if newest is not None and newest.token_version not in tried:
            return TryAgain(newest)
        if newest is None or not newest.refused:
            return GiveUp(not_confirmed())
        return GiveUp(
            Retry(ErrorCode.UNAUTHORIZED, "Zendesk no longer accepts the account's token"),
            answer.marked,
        )


def not_confirmed() -> Retry:
    """As a 5xx: push says no, and validate_token does not."""
    return Retry(ErrorCode.UNAVAILABLE, "Zendesk refused the push, but did not say that the token is refused")
