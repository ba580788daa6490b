"""The administrative interface: a form in, the decision on it, a page out. One log line, one metric for each."""

from collections.abc import Mapping
from typing import Final
from urllib.parse import urlsplit

from admin_callback.accounts.callback import CallbackForm
from admin_callback.accounts.registration import (
    Outcome,
    Registrar,
    Registration,
    RegistrationRefusedError,
    VerdictMissingError,
)
from admin_callback.accounts.sealed_metadata import MetadataVersionError
from admin_callback.http import pages
from admin_callback.http.admin_ui_form import parse_form
from admin_callback.http.form import FormError
from admin_callback.http.http_request import HttpEvent
from admin_callback.http.http_response import HttpResponse
from admin_callback.settings import Settings
from zendesk_channel.contract import InstancePushId, Subdomain
from zendesk_channel.errors import StoreError, ZendeskChannelError
from zendesk_channel.telemetry import Telemetry

_RETRY_AFTER: Final = {"Retry-After": "60"}


class AdminUi:
    """Answers ``POST /admin_ui``."""

    def __init__(self, settings: Settings, registrar: Registrar, telemetry: Telemetry) -> None:
        self._settings = settings
        self._registrar = registrar
        self._telemetry = telemetry

    def answer(self, event: HttpEvent, source: str, reference: str) -> HttpResponse:
        """The page; ``source`` is the viewer's address, ``reference`` what support will be given."""
        try:
            form = parse_form(event, self._settings.addresses)
        except FormError as error:
            return self._refused(error, reference)
        try:
            registration = self._registrar.register(form, source)
        except RegistrationRefusedError as error:
            refusal = FormError(403, error.problem, "", form.locale, form.subdomain)
            return self._refused(refusal, reference, form.instance_push_id)
        except (StoreError, VerdictMissingError, MetadataVersionError) as error:
            return self._failed(form, error, reference)
        self._note(form, registration)
        return self._page(
            200,
            _message(form, registration),
            form.locale,
            form.subdomain,
            reference,
            form=pages.Form(form.return_url, form.name, registration.metadata),
        )

    def _note(self, form: CallbackForm, registration: Registration) -> None:
        connected = registration.outcome is Outcome.CONNECTED
        self._telemetry.count("AccountsConnected" if connected else "RegistrationsUnconfirmed")
        if not registration.proven:
            self._telemetry.count("UnauthenticatedRequests")
        self._telemetry.info(
            "callback",
            outcome=registration.outcome.value,
            subdomain=form.subdomain,
            instance_push_id=form.instance_push_id,
            verdict=registration.validation.verdict.value,
            zendesk_status=registration.validation.status,
        )

    def _refused(
        self, error: FormError, reference: str, instance_push_id: InstancePushId | None = None
    ) -> HttpResponse:
        self._telemetry.count("RegistrationsRefused")
        self._telemetry.count("UnauthenticatedRequests")
        self._telemetry.info(
            "callback",
            outcome="refused",
            status=error.status,
            problem=error.problem,
            field=error.field or None,
            subdomain=error.subdomain,
            instance_push_id=instance_push_id,
        )
        return self._page(
            error.status, error.problem, error.locale, error.subdomain, reference, field=error.field
        )

    def _failed(self, form: CallbackForm, error: ZendeskChannelError, reference: str) -> HttpResponse:
        self._telemetry.count("RegistrationsFailed")
        self._telemetry.error(
            "callback",
            outcome="failed",
            problem=str(error),
            subdomain=form.subdomain,
            instance_push_id=form.instance_push_id,
        )
        return self._page(503, "unavailable", form.locale, form.subdomain, reference, headers=_RETRY_AFTER)

    def _page(
        self,
        status: int,
        message: str,
        locale: str,
        subdomain: Subdomain | None,
        reference: str,
        *,
        field: str = "",
        form: pages.Form | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> HttpResponse:
        origin = self._settings.addresses.origin(subdomain) if subdomain else ""
        host = urlsplit(origin).netloc
        page = pages.Page(
            message=message,
            locale=locale,
            origin=origin,
            reference=reference,
            subdomain=host if subdomain and host.startswith(subdomain) else subdomain or "",
            field=field,
            form=form,
        )
        return HttpResponse(
            status,
            "text/html; charset=utf-8",
            pages.render(page, self._settings.integration_name),
            {**pages.headers(page), **(headers or {})},
        )


def _message(form: CallbackForm, registration: Registration) -> str:
    """Which page: Zendesk fills in a name and metadata for an account that was saved before."""
    if registration.outcome is Outcome.PENDING:
        return "pending"
    edited = bool(form.name or form.metadata)
    if registration.outcome is Outcome.CONNECTED:
        return "connected" if edited else "confirmed"
    return "unconfirmed_edit" if edited else "unconfirmed"
