"""What a 401 or 403 means: is there a newer token, is this one refused for good, or is Zendesk just confused?"""

from collections.abc import Collection
from dataclasses import dataclass

from push_content.answers.answer_judge import Retry, before_sending
from push_content.outcomes.error_codes import ErrorCode
from zendesk_channel.accounts import Account, AccountsTable
from zendesk_channel.token_verification import TokenRecheck


@dataclass(frozen=True)
class TryAgain:
    """There is another token: the request goes out again at once, for the account as it is now."""

    account: Account


@dataclass(frozen=True)
class GiveUp:
    """Nothing more is sent for the account now. ``marked``: it is marked as refused, which is news."""

    retry: Retry
    marked: bool = False


class CredentialRecovery:
    """Asks the table, then Zendesk. Raises StoreUnavailableError if AWS fails."""

    def __init__(self, accounts: AccountsTable, recheck: TokenRecheck) -> None:
        self._accounts = accounts
        self._recheck = recheck

    def take(self, account: Account, tried: Collection[str]) -> TryAgain | GiveUp:
        """``tried``: the versions of the token that were answered with 401 or 403, the account's own included."""
        now = self._accounts.get(account.instance_push_id)
        if now is None or now.refused or not now.token_version:
            # Pauses are looked at before each request, so 0 for both: only the record's state counts here.
            return GiveUp(before_sending(now, 0, float("inf")) or _not_confirmed())
        if now.token_version not in tried:
            return _if_active(now)
        answer = self._recheck.run(now)
        if answer.promoted and answer.account.token_version not in tried:
            return _if_active(answer.account)
        if not answer.validation.credentials_refused:
            return GiveUp(_not_confirmed())
        if self._accounts.mark_refused(answer.account):
            return GiveUp(
                Retry(ErrorCode.UNAUTHORIZED, "Zendesk does not accept the account's token any more"), True
            )
        newer = self._accounts.get(account.instance_push_id)
        if newer is not None and newer.token_version not in tried:
            return _if_active(newer)
        return GiveUp(_not_confirmed())


def _if_active(account: Account) -> TryAgain | GiveUp:
    retry = before_sending(account, 0, float("inf"))
    return GiveUp(retry) if retry else TryAgain(account)


def _not_confirmed() -> Retry:
    """As a 5xx: push says no, and validate_token does not."""
    return Retry(ErrorCode.UNAVAILABLE, "Zendesk refused the push, but did not say that the token is refused")
