"""Asking Zendesk again about a registered account's tokens: after a 401 or 403, and by the schedule."""

import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Final

from zendesk_channel.accounts import Account, AccountsTable
from zendesk_channel.client import Validation, Verdict, ZendeskClient
from zendesk_channel.credentials import CredentialStore
from zendesk_channel.errors import CredentialMissingError, RevisionConflictError

PENDING_LIFETIME: Final = 24 * 3600  # seconds an unconfirmed token is kept


@dataclass(frozen=True)
class Recheck:
    """The account as it is now, and what Zendesk says of its registered token.

    ``promoted``: an unconfirmed token was waiting, Zendesk has confirmed it, and it is the registered one now.
    """

    account: Account
    validation: Validation
    promoted: bool = False


class TokenRecheck:
    """Asks about the pending token first, then about the registered one. Marks nothing as refused: the caller decides.

    Every method raises StoreUnavailableError if AWS fails.
    """

    def __init__(
        self,
        accounts: AccountsTable,
        credentials: CredentialStore,
        zendesk: ZendeskClient,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._accounts = accounts
        self._credentials = credentials
        self._zendesk = zendesk
        self._clock = clock

    def run(self, account: Account) -> Recheck:
        """Ask Zendesk; a pending token that it confirms replaces the registered one, one that is too old is dropped.

        A secret that is missing counts as no verdict: it says nothing about what Zendesk accepts.
        """
        if account.pending_version:
            promoted = self._settle_pending(account)
            if promoted is not None:
                return promoted
            account = self._accounts.get(account.instance_push_id) or account
        if not account.token_version:
            return Recheck(account, Validation(Verdict.NO_VERDICT))
        return Recheck(account, self._ask(account, account.token_version))

    def _settle_pending(self, account: Account) -> Recheck | None:
        """Promote or drop the pending version. None: it is not the registered one now."""
        pending = account.pending_version or ""
        age = self._clock() - (account.pending_since or 0)
        validation = self._ask(account, pending) if age <= PENDING_LIFETIME else None
        settled = replace(account, pending_version=None, pending_since=None)
        try:
            if validation is not None and validation.verdict is Verdict.CONFIRMED:
                settled = self._accounts.save(replace(settled, token_version=pending))
                self._credentials.make_current(account.instance_push_id, pending)
                return Recheck(settled, validation, promoted=True)
            if validation is None:
                self._accounts.save(settled)
        except RevisionConflictError:
            # Somebody registered meanwhile: what they wrote is newer than what was asked about here.
            pass
        return None

    def _ask(self, account: Account, version: str) -> Validation:
        try:
            token = self._credentials.read(account.instance_push_id, version)
        except CredentialMissingError:
            return Validation(Verdict.NO_VERDICT)
        return self._zendesk.validate_token(account.subdomain, token, account.instance_push_id)
