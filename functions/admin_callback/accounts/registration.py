"""Who may register what: every decision about a callback of Zendesk's Admin Center.

Only a token that Zendesk itself confirms for an account is stored for use, an account stays with the subdomain that
it was first confirmed for, and what nothing authenticates changes nothing. docs/registration.md has the reasons.
"""

import enum
import secrets
from collections.abc import Collection
from dataclasses import dataclass
from typing import Final

from admin_callback.accounts.account_lifecycle import AccountLifecycle, ConfirmedClaim
from admin_callback.accounts.callback import CallbackForm
from admin_callback.accounts.control_question import token_that_nobody_has
from admin_callback.accounts.sealed_metadata import Metadata, MetadataSealer
from admin_callback.accounts.validation_rate_limit import ValidationLimits
from zendesk_channel.accounts import Account, AccountsTable
from zendesk_channel.client import Validation, Verdict, ZendeskClient
from zendesk_channel.clock import Clock
from zendesk_channel.contract import PushToken, Subdomain
from zendesk_channel.credentials import CredentialStore
from zendesk_channel.errors import (
    CredentialMissingError,
    RevisionConflictError,
    StoreUnavailableError,
    ZendeskChannelError,
)

RESTARTS: Final = 3  # after a conflict
_NOT_ASKED: Final = Validation(Verdict.NO_VERDICT)


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
    """The decision on a callback, and the metadata that the page hands to Zendesk.

    ``proven``: Zendesk confirmed the token, or the callback brought the account's nonce.
    """

    outcome: Outcome
    metadata: str
    validation: Validation
    proven: bool


@dataclass(frozen=True)
class RegistrarDeps:
    """What decisions about accounts need. Callbacks and events have limits of their own."""

    accounts: AccountsTable
    credentials: CredentialStore
    zendesk: ZendeskClient
    sealer: MetadataSealer
    lifecycle: AccountLifecycle
    limits: ValidationLimits
    allowed_subdomains: Collection[Subdomain]
    clock: Clock

    def may_connect(self, subdomain: Subdomain) -> bool:
        """Whether AllowedSubdomains lets this one in; empty lets all in."""
        return not self.allowed_subdomains or subdomain in self.allowed_subdomains


def fresh_nonce() -> str:
    """256 random bits."""
    return secrets.token_urlsafe(32)


class Registrar:
    """Decides on callbacks. Every method raises StoreUnavailableError if AWS fails."""

    def __init__(self, deps: RegistrarDeps) -> None:
        self._deps = deps

    def register(self, form: CallbackForm, source: str) -> Registration:
        """Ask Zendesk, and store what it confirms. ``source`` is the address that the request came from.

        Raises:
            RegistrationRefusedError: not this account, or not this Zendesk.
            VerdictMissingError: the account is another subdomain's, which cannot be asked.
            MetadataVersionError: the form brought metadata of a newer version.
        """
        if not self._deps.may_connect(form.subdomain):
            raise RegistrationRefusedError("subdomain_not_allowed")
        brought = self._deps.sealer.authenticate(form.metadata)
        if brought is not None and brought.instance_push_id != form.instance_push_id:
            brought = None  # another account's metadata says nothing about this one
        for _ in range(1 + RESTARTS):
            try:
                return self._decide(form, source, brought)
            except RevisionConflictError:
                # Asked again: whoever was faster may have been handed a newer token.
                continue
        raise StoreUnavailableError("UpdateItem", "RevisionConflict")

    def _decide(self, form: CallbackForm, source: str, brought: Metadata | None) -> Registration:
        record = self._deps.accounts.get(form.instance_push_id)
        authentic = brought is not None and brought.speaks_for(record)
        validation = self._validate(form, source, authentic=authentic)
        if record is None and validation.verdict is Verdict.CONFIRMED:
            validation = self._confirmed_by_a_zendesk_that_can_refuse(form, source, validation)
        if validation.verdict is not Verdict.CONFIRMED:
            return self._not_confirmed(form, record if authentic else None, validation)
        if record is not None and record.subdomain != form.subdomain:
            self._check_move(record, authentic=authentic)
        connected = self._deps.lifecycle.connect(
            record,
            ConfirmedClaim(
                form.instance_push_id,
                form.subdomain,
                form.token,
                nonce=self._nonce_to_record(form, record, brought),
                name=form.name,
            ),
        )
        metadata = self._metadata(form, nonce=connected.nonce or "")
        return Registration(Outcome.CONNECTED, metadata, validation, proven=True)

    def _validate(self, form: CallbackForm, source: str, *, authentic: bool) -> Validation:
        """Ask Zendesk, unless it was asked often enough: then nothing is known, and the page says so."""
        limits, account = self._deps.limits, form.instance_push_id
        wait = limits.account(account) if authentic else limits.stranger(source, form.subdomain)
        return _NOT_ASKED if wait else self._ask(form, form.token)

    def _confirmed_by_a_zendesk_that_can_refuse(
        self, form: CallbackForm, source: str, confirmed: Validation
    ) -> Validation:
        if self._deps.limits.stranger(source, form.subdomain):
            return _NOT_ASKED
        control = self._ask(form, token_that_nobody_has(form.token))
        return (
            confirmed
            if control.verdict is Verdict.REFUSED
            else Validation(Verdict.NO_VERDICT, control.status)
        )

    def _ask(self, form: CallbackForm, token: PushToken) -> Validation:
        return self._deps.zendesk.validate_token(form.subdomain, token, form.instance_push_id)

    def _nonce_to_record(self, form: CallbackForm, record: Account | None, brought: Metadata | None) -> str:
        """The recorded one, unless the account was destroyed; for a new one, what was sealed beside this very token.

        That is what Zendesk keeps since the first Save, and the events of then may still be on their way.
        """
        if record is not None:
            return record.nonce or fresh_nonce()  # a destroyed account has none
        if brought is not None and self._deps.sealer.open(brought) == form.token:
            return brought.nonce
        return fresh_nonce()

    def _not_confirmed(
        self, form: CallbackForm, record: Account | None, validation: Validation
    ) -> Registration:
        """``record`` is there only for a callback that brought its nonce."""
        if record is None or record.nonce is None:
            # Stored nowhere: the token goes along sealed, and Zendesk's own event brings it back after Save.
            metadata = self._metadata(form, nonce=fresh_nonce(), token=form.token)
            return Registration(Outcome.UNCONFIRMED, metadata, validation, proven=False)
        # It gets its own nonce back: what Zendesk stores now must go on speaking for the account, and no event
        # will follow this edit.
        metadata = self._metadata(form, nonce=record.nonce)
        if record.subdomain != form.subdomain or record.token_version == form.token.version:
            return Registration(Outcome.UNCONFIRMED, metadata, validation, proven=True)
        self._deps.lifecycle.keep_pending(record, form.token)
        return Registration(Outcome.PENDING, metadata, validation, proven=True)

    def _check_move(self, record: Account, *, authentic: bool) -> None:
        """Let an account follow its Zendesk to a new name, and nobody take it elsewhere.

        Both must hold: the callback brought the account's nonce, and the old address refuses the stored token.
        """
        if not authentic:
            raise RegistrationRefusedError("other_subdomain")
        try:
            token = self._deps.credentials.read(record.instance_push_id, record.token_version)
        except CredentialMissingError:
            raise VerdictMissingError("the stored token is not there to be asked about") from None
        validation = self._deps.zendesk.validate_token(record.subdomain, token, record.instance_push_id)
        if validation.verdict is Verdict.CONFIRMED:
            raise RegistrationRefusedError("other_subdomain")
        if validation.verdict is Verdict.NO_VERDICT:
            raise VerdictMissingError("the account's former address gave no verdict")

    def _metadata(self, form: CallbackForm, *, nonce: str, token: PushToken | None = None) -> str:
        return self._deps.sealer.write(
            form.instance_push_id, form.subdomain, nonce=nonce, issued_at=self._deps.clock.now(), token=token
        )
