"""Asking Zendesk about a registered account's tokens, and keeping in the table what it says.

After a 401 or 403, and by the schedule. Writes nothing but what these two may: the token's version and what is pending,
and the mark that a version is refused.
"""

from dataclasses import dataclass, replace
from typing import Final

from zendesk_channel.accounts import Account, AccountsTable
from zendesk_channel.client import Validation, Verdict, ZendeskClient
from zendesk_channel.clock import Clock
from zendesk_channel.contract import PushToken
from zendesk_channel.credentials import CredentialStore
from zendesk_channel.errors import CredentialMissingError, RevisionConflictError

PENDING_LIFETIME: Final = 24 * 3600  # seconds an unconfirmed token is kept
_PENDING: Final = ("pending_version", "pending_since")
_NO_VERDICT: Final = Validation(Verdict.NO_VERDICT)


@dataclass(frozen=True)
class Verification:
    """The account as it was read last, and what Zendesk says of its registered token.

    ``promoted``: an unconfirmed token was waiting, Zendesk has confirmed it, and it is the registered one now.
    ``marked``: this token's version has become refused by this. ``healed``: it was refused until now.
    """

    account: Account
    validation: Validation
    promoted: bool = False
    marked: bool = False
    healed: bool = False


class TokenVerifier:
    """Asks about the pending token first, then about the registered one; marks and heals.

    Every method raises StoreUnavailableError if AWS fails.
    """

    def __init__(
        self, accounts: AccountsTable, credentials: CredentialStore, zendesk: ZendeskClient, clock: Clock
    ) -> None:
        self._accounts = accounts
        self._credentials = credentials
        self._zendesk = zendesk
        self._clock = clock

    def verify(self, account: Account, *, mark_unreachable: bool) -> Verification:
        """Ask Zendesk, and mark the account or take the mark off again; no verdict changes nothing.

        ``mark_unreachable``: an address where no Zendesk is (404, 3xx) is a refusal as well, as it is for the schedule;
        to a push it is one of the address. A secret that is missing is no verdict: it says nothing about what Zendesk
        accepts.
        """
        if account.pending_version:
            promoted = self._promoted(account)
            if promoted is not None:
                return replace(promoted, healed=account.refused)
            account = self._accounts.get(account.instance_push_id) or account
        validation = self._ask(account, account.token_version)
        if validation.verdict is Verdict.CONFIRMED:
            healed = account.refused and self._accounts.clear_refused(account)
            return Verification(replace(account, refused_version=None), validation, healed=healed)
        refused = validation.verdict is Verdict.REFUSED and (
            mark_unreachable or validation.credentials_refused
        )
        if not refused:
            return Verification(account, validation)
        marked = self._accounts.mark_refused(account)
        return Verification(
            replace(account, refused_version=account.token_version), validation, marked=marked
        )

    def _promoted(self, account: Account) -> Verification | None:
        """Promote or drop the pending version. None: it is not the registered one now."""
        pending = account.pending_version or ""
        live = self._clock.now() - (account.pending_since or 0) <= PENDING_LIFETIME
        validation = self._ask(account, pending) if live else _NO_VERDICT
        settled = replace(account, pending_version=None, pending_since=None)
        try:
            if validation.verdict is Verdict.CONFIRMED:
                settled = replace(settled, token_version=pending)
                settled = self._accounts.save(settled, only=("token_version", *_PENDING))
                self._credentials.make_current(account.instance_push_id, pending)
                return Verification(settled, validation, promoted=True)
            if not live:
                self._accounts.save(settled, only=_PENDING)
        except RevisionConflictError:
            # Somebody registered meanwhile: what they wrote is newer than what was asked about here.
            pass
        return None

    def _ask(self, account: Account, version: str) -> Validation:
        token = self._token(account, version) if version else None
        if token is None:
            return _NO_VERDICT
        return self._zendesk.validate_token(account.subdomain, token, account.instance_push_id)

    def _token(self, account: Account, version: str) -> PushToken | None:
        """A living account's token; its secret is restored, should a crash have left it marked for deletion."""
        try:
            return self._credentials.read(account.instance_push_id, version)
        except CredentialMissingError:
            if not self._credentials.restore(account.instance_push_id):
                return None
        try:
            return self._credentials.read(account.instance_push_id, version)
        except CredentialMissingError:
            return None
