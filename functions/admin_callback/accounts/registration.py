"""Who may register what: every decision about a callback of Zendesk's Admin Center.

Only a token that Zendesk itself confirms for an account is stored for use, an account stays with the subdomain that
it was first confirmed for, and what nothing authenticates changes nothing. docs/registration.md has the reasons.
"""

import enum
import hmac
import secrets
from collections.abc import Callable, Collection
from dataclasses import dataclass, replace
from typing import Final

from admin_callback.accounts.account_connector import AccountConnector, ConfirmedClaim
from admin_callback.accounts.sealed_metadata import MetadataSealer, Seal, parse_metadata
from admin_callback.accounts.validation_rate_limit import ValidationThrottle
from admin_callback.http.admin_ui_form import CallbackForm
from zendesk_channel.accounts import Account, AccountsTable, AccountState
from zendesk_channel.client import Validation, Verdict, ZendeskClient
from zendesk_channel.contract import PushToken, Subdomain
from zendesk_channel.credentials import CredentialStore
from zendesk_channel.errors import (
    CredentialMissingError,
    RevisionConflictError,
    StoreUnavailableError,
    ZendeskChannelError,
)

RESTARTS: Final = 3  # after a conflict


class RegistrationRefusedError(ZendeskChannelError):
    """The callback is for an account, or from a Zendesk, that it may not be for. ``problem`` names the sentence."""

    def __init__(self, problem: str) -> None:
        super().__init__(problem)
        self.problem = problem


class VerdictMissingError(ZendeskChannelError):
    """Zendesk gave no verdict, and nothing can be decided without one."""


class Outcome(enum.Enum):
    """What the page says. All of them but CONNECTED look the same to a machine."""

    CONNECTED = "connected"
    UNCONFIRMED = "unconfirmed"
    PENDING = "pending"  # unconfirmed, and kept, because the callback proved that it knows the account


@dataclass(frozen=True)
class Registration:
    """The decision on a callback, and the metadata that the page hands to Zendesk."""

    outcome: Outcome
    metadata: str
    validation: Validation


def fresh_nonce() -> str:
    """256 random bits."""
    return secrets.token_urlsafe(32)


def holds_nonce(record: Account | None, seal: Seal | None) -> bool:
    """Whether a seal speaks for the account: it holds the nonce that was recorded when Zendesk confirmed a token."""
    if record is None or seal is None or not record.nonce:
        return False
    return record.instance_push_id == seal.instance_push_id and hmac.compare_digest(
        record.nonce.encode(), seal.nonce.encode()
    )


class Registrar:
    """Decides on callbacks. Every method raises StoreUnavailableError if AWS fails."""

    def __init__(
        self,
        *,
        accounts: AccountsTable,
        credentials: CredentialStore,
        zendesk: ZendeskClient,
        sealer: MetadataSealer,
        connector: AccountConnector,
        throttle: ValidationThrottle,
        allowed_subdomains: Collection[Subdomain],
        clock: Callable[[], float],
    ) -> None:
        self._accounts = accounts
        self._credentials = credentials
        self._zendesk = zendesk
        self._sealer = sealer
        self._connector = connector
        self._throttle = throttle
        self._allowed = frozenset(allowed_subdomains)
        self._clock = clock

    def may_connect(self, subdomain: Subdomain) -> bool:
        """Whether AllowedSubdomains lets this one in; empty lets all in."""
        return not self._allowed or subdomain in self._allowed

    def register(self, form: CallbackForm) -> Registration:
        """Ask Zendesk, and store what it confirms.

        Raises:
            RegistrationRefusedError: not this account, or not this Zendesk.
            ThrottledError: too many unauthenticated callbacks for this subdomain.
            VerdictMissingError: the account is another subdomain's, which cannot be asked.
        """
        if not self.may_connect(form.subdomain):
            raise RegistrationRefusedError("subdomain_not_allowed")
        brought = _BroughtMetadata(form, self._sealer)
        if not brought.promising:
            # Nothing can authenticate it, so it waits its turn before it costs a single call.
            self._throttle.acquire(form.subdomain)
        for attempt in range(1 + RESTARTS):
            try:
                return self._decide(form, brought, first=attempt == 0)
            except RevisionConflictError:
                continue
        raise StoreUnavailableError("UpdateItem", "RevisionConflict")

    def _decide(self, form: CallbackForm, brought: "_BroughtMetadata", *, first: bool) -> Registration:
        record = self._accounts.get(form.instance_push_id)
        authentic = brought.speaks_for(record)
        if first and brought.promising and not authentic:
            self._throttle.acquire(form.subdomain)
        # Asked again after a conflict: whoever was faster may have been handed a newer token.
        validation = self._zendesk.validate_token(form.subdomain, form.token, form.instance_push_id)
        if validation.verdict is not Verdict.CONFIRMED:
            return self._not_confirmed(form, record if authentic else None, validation)
        if record is not None and record.subdomain != form.subdomain:
            self._check_move(record, authentic=authentic)
        # A destroyed account's nonce no longer counts, whatever is left of it.
        kept = record.nonce if record is not None and record.state is not AccountState.DELETED else None
        saved = self._connector.connect(
            record,
            ConfirmedClaim(
                form.instance_push_id,
                form.subdomain,
                form.token,
                nonce=kept or (brought.nonce_beside(form.token) if record is None else None) or fresh_nonce(),
                name=form.name,
            ),
        )
        return Registration(
            Outcome.CONNECTED, self._sealed(form, nonce=saved.nonce or "", token=None), validation
        )

    def _not_confirmed(
        self, form: CallbackForm, record: Account | None, validation: Validation
    ) -> Registration:
        """``record`` is there only for a callback that brought its nonce."""
        if record is None or record.nonce is None:
            # Stored nowhere: the token goes along sealed, and Zendesk's own event brings it back after Save.
            metadata = self._sealed(form, nonce=fresh_nonce(), token=form.token)
            return Registration(Outcome.UNCONFIRMED, metadata, validation)
        # It gets its own nonce back: what Zendesk stores now must go on speaking for the account, and no event
        # will follow this edit.
        metadata = self._sealed(form, nonce=record.nonce, token=None)
        if record.subdomain != form.subdomain or record.token_version == form.token.version:
            return Registration(Outcome.UNCONFIRMED, metadata, validation)
        version = self._credentials.store(form.instance_push_id, form.token, pending=True)
        self._accounts.save(replace(record, pending_version=version, pending_since=self._clock()))
        return Registration(Outcome.PENDING, metadata, validation)

    def _check_move(self, record: Account, *, authentic: bool) -> None:
        """Let an account follow its Zendesk to a new name, and nobody take it elsewhere.

        Both must hold: the callback brought the account's nonce, and the old address refuses the stored token.
        """
        if not authentic:
            raise RegistrationRefusedError("other_subdomain")
        try:
            token = self._credentials.read(record.instance_push_id, record.token_version)
        except CredentialMissingError:
            raise VerdictMissingError("the stored token is not there to be asked about") from None
        validation = self._zendesk.validate_token(record.subdomain, token, record.instance_push_id)
        if validation.verdict is Verdict.CONFIRMED:
            raise RegistrationRefusedError("other_subdomain")
        if validation.verdict is Verdict.NO_VERDICT:
            raise VerdictMissingError("the account's former address gave no verdict")

    def _sealed(self, form: CallbackForm, *, nonce: str, token: PushToken | None) -> str:
        return self._sealer.seal(
            Seal(form.instance_push_id, form.subdomain, nonce=nonce, issued_at=self._clock(), token=token)
        )


class _BroughtMetadata:
    """The metadata of a callback, opened at most once and only if it could matter."""

    def __init__(self, form: CallbackForm, sealer: MetadataSealer) -> None:
        envelope = parse_metadata(form.metadata) if form.metadata else None
        # Another account's metadata says nothing about this one.
        ours = envelope is not None and envelope.instance_push_id == form.instance_push_id
        self._envelope = envelope if ours else None
        self._sealer = sealer
        self._opened = False
        self._seal: Seal | None = None

    @property
    def promising(self) -> bool:
        """Whether it claims to be this account's."""
        return self._envelope is not None

    def speaks_for(self, record: Account | None) -> bool:
        """Whether it holds the nonce of this account, which must not be destroyed."""
        if record is None or record.state is AccountState.DELETED or not record.nonce:
            return False
        return holds_nonce(record, self._open())

    def nonce_beside(self, token: PushToken) -> str | None:
        """The nonce that was sealed with this very token.

        Zendesk keeps it since the first Save, and the events of then may still be on their way.
        """
        seal = self._open()
        return seal.nonce if seal and seal.token == token else None

    def _open(self) -> Seal | None:
        if self._envelope and not self._opened:
            self._seal = self._sealer.open(self._envelope)
            self._opened = True
        return self._seal
