"""HTTP in and out: which route does what, and which answer each refusal is."""

import json
import re
from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import urlsplit

from aws_lambda_powertools.event_handler import APIGatewayHttpResolver, Response
from aws_lambda_powertools.event_handler.exceptions import NotFoundError

from admin_callback.accounts.event_callback import EventCallbacks
from admin_callback.accounts.registration import (
    Outcome,
    Registrar,
    RegistrationRefusedError,
    VerdictMissingError,
)
from admin_callback.accounts.validation_rate_limit import ThrottledError
from admin_callback.http import manifest, pages
from admin_callback.http.admin_ui_form import CallbackForm, parse_form
from admin_callback.http.channelback_form import parse_channelback
from admin_callback.http.form import FormError
from admin_callback.http.http_body import BodyError
from admin_callback.replies.channelback import Channelbacks, ReplyOutcome
from admin_callback.settings import Settings
from zendesk_channel.addresses import is_loopback
from zendesk_channel.contract import Subdomain
from zendesk_channel.errors import StoreError
from zendesk_channel.telemetry import Telemetry

_ROUTES: Final = {
    manifest.MANIFEST_PATH: "GET",
    manifest.HEALTHCHECK_PATH: "GET",
    manifest.ADMIN_UI_PATH: "POST",
    manifest.EVENT_CALLBACK_PATH: "POST",
}
_CHANNELBACK_STATUSES: Final[Mapping[ReplyOutcome, int]] = {
    ReplyOutcome.QUEUED: 200,
    ReplyOutcome.REPEATED: 200,
    ReplyOutcome.FORGED: 403,
    ReplyOutcome.INACTIVE: 403,
    ReplyOutcome.FAILED: 503,
}
_EVENT_ANSWERS: Final[Mapping[int, Mapping[str, str]]] = {
    200: {},
    429: {"error": "too_many_requests"},
    503: {"error": "unavailable"},
}
_HTML: Final = "text/html; charset=utf-8"
_JSON: Final = "application/json"


class Routes:
    """The HTTP side of the function."""

    def __init__(
        self,
        settings: Settings,
        registrar: Registrar,
        event_callbacks: EventCallbacks,
        channelbacks: Channelbacks | None,
        telemetry: Telemetry,
    ) -> None:
        self._settings = settings
        self._registrar = registrar
        self._event_callbacks = event_callbacks
        self._telemetry = telemetry
        self._resolver = APIGatewayHttpResolver(
            debug=False
        )  # debug prints events, by an environment variable too
        self._resolver.get(_exactly(manifest.MANIFEST_PATH))(self._manifest)
        self._resolver.get(_exactly(manifest.HEALTHCHECK_PATH))(self._healthcheck)
        self._resolver.post(_exactly(manifest.ADMIN_UI_PATH))(self._admin_ui)
        self._resolver.post(_exactly(manifest.EVENT_CALLBACK_PATH))(self._event_callback)
        self._routes = dict(_ROUTES)
        if channelbacks:
            self._routes[manifest.CHANNELBACK_PATH] = "POST"
            self._resolver.post(_exactly(manifest.CHANNELBACK_PATH))(lambda: self._channelback(channelbacks))
        self._resolver.not_found(self._not_found)

    def answer(self, event: dict[str, Any], context: Any) -> dict[str, Any]:
        """The answer to an HTTP API request."""
        return self._resolver.resolve(event, context)

    def _manifest(self) -> Response[str]:
        return _json(
            200,
            manifest.render(self._settings, public_origin(self._event)),
            {"Cache-Control": "public, max-age=300"},
        )

    def _healthcheck(self) -> Response[str]:
        return _json(200, {"status": "ok"}, {"Cache-Control": "no-store"})

    def _admin_ui(self) -> Response[str]:
        try:
            form = parse_form(self._event, self._settings.addresses)
        except FormError as error:
            return self._refused(error.status, error.problem, error.locale, error.subdomain, error.field)
        try:
            registration = self._registrar.register(form)
        except RegistrationRefusedError as error:
            return self._refused(
                403, error.problem, form.locale, form.subdomain, account=form.instance_push_id
            )
        except ThrottledError as error:
            return self._refused(
                429, "throttled", form.locale, form.subdomain, headers={"Retry-After": str(error.retry_after)}
            )
        except (StoreError, VerdictMissingError) as error:
            return self._failed(form, error)
        self._telemetry.count(
            "AccountsConnected" if registration.outcome is Outcome.CONNECTED else "RegistrationsUnconfirmed"
        )
        self._telemetry.info(
            "callback",
            outcome=registration.outcome.value,
            subdomain=form.subdomain,
            instance_push_id=form.instance_push_id,
            verdict=registration.validation.verdict.value,
            zendesk_status=registration.validation.status,
        )
        return self._page(
            200,
            self._describe(
                registration.outcome.value,
                form.locale,
                form.subdomain,
                form=pages.Form(form.return_url, form.name, registration.metadata),
            ),
        )

    def _event_callback(self) -> Response[str]:
        try:
            answer = self._event_callbacks.take(self._event)
        except BodyError as error:
            self._telemetry.info("events", outcome="refused", status=error.status, problem=error.problem)
            return _json(error.status, {"error": error.problem})
        headers = {"Retry-After": str(answer.retry_after)} if answer.retry_after else {}
        return _json(answer.status, _EVENT_ANSWERS[answer.status], headers)

    def _channelback(self, channelbacks: Channelbacks) -> Response[str]:
        try:
            channelback = parse_channelback(self._event)
        except FormError as error:
            self._telemetry.count("RepliesRefused")
            self._telemetry.info(
                "channelback",
                outcome="refused",
                status=error.status,
                problem=error.problem,
                field=error.field or None,
            )
            return _json(error.status, {"error": error.problem})
        answer = channelbacks.take(channelback)
        status = _CHANNELBACK_STATUSES[answer.outcome]
        if status == 200:
            return _json(200, {"external_id": answer.external_id, "allow_channelback": True})
        if status == 503:
            return _json(503, {"error": "unavailable"}, {"Retry-After": "10"})
        return _json(status, {"error": "forbidden"})

    def _refused(
        self,
        status: int,
        problem: str,
        locale: str,
        subdomain: Subdomain | None,
        field: str = "",
        *,
        account: str = "",
        headers: Mapping[str, str] | None = None,
    ) -> Response[str]:
        self._telemetry.count("RegistrationsRefused")
        self._telemetry.info(
            "callback",
            outcome="refused",
            status=status,
            problem=problem,
            field=field or None,
            subdomain=subdomain,
            instance_push_id=account or None,
        )
        return self._page(status, self._describe(problem, locale, subdomain, field), headers)

    def _failed(self, form: CallbackForm, error: StoreError | VerdictMissingError) -> Response[str]:
        self._telemetry.count("RegistrationsFailed")
        self._telemetry.error(
            "callback",
            outcome="failed",
            problem=str(error),
            subdomain=form.subdomain,
            instance_push_id=form.instance_push_id,
        )
        return self._page(
            503, self._describe("unavailable", form.locale, form.subdomain), {"Retry-After": "60"}
        )

    def _describe(
        self,
        message: str,
        locale: str,
        subdomain: Subdomain | None,
        field: str = "",
        form: pages.Form | None = None,
    ) -> pages.Page:
        origin = self._settings.addresses.origin(subdomain) if subdomain else ""
        host = urlsplit(origin).netloc
        return pages.Page(
            message=message,
            locale=locale,
            origin=origin,
            reference=self._resolver.lambda_context.aws_request_id,
            subdomain=host if subdomain and host.startswith(subdomain) else subdomain or "",
            field=field,
            form=form,
        )

    def _page(self, status: int, page: pages.Page, headers: Mapping[str, str] | None = None) -> Response[str]:
        return Response(
            status_code=status,
            content_type=_HTML,
            body=pages.render(page, self._settings.integration_name),
            headers={**pages.headers(page), **(headers or {})},
        )

    def _not_found(self, _: NotFoundError) -> Response[str]:
        """Also for a known path with another method: Powertools does not tell the two apart."""
        method = self._routes.get(self._resolver.current_event.path)
        if method:
            return _json(405, {"error": "method_not_allowed"}, {"Allow": method})
        return _json(404, {"error": "not_found"})

    @property
    def _event(self) -> dict[str, Any]:
        return self._resolver.current_event.raw_event


def _exactly(path: str) -> str:
    """A path as Powertools' rule for it: a regular expression, whose end a line break may follow."""
    return re.escape(path) + r"\Z"


def public_origin(event: Mapping[str, Any]) -> str:
    """Where the world reaches this API: ``https://<domain>``, or on loopback http and the port that was asked.

    The domain is API Gateway's word, not a header of the request's.
    """
    domain: str = event["requestContext"]["domainName"]
    if is_loopback(domain):
        host = next((value for key, value in event["headers"].items() if key.lower() == "host"), domain)
        if _on_loopback(host):
            return f"http://{host}"
    return f"https://{domain}"


def _on_loopback(host: str) -> bool:
    try:
        return is_loopback(urlsplit(f"//{host}").hostname or "")
    except ValueError:
        return False


def _json(status: int, value: Mapping[str, Any], headers: Mapping[str, str] | None = None) -> Response[str]:
    return Response(
        status_code=status,
        content_type=_JSON,
        body=json.dumps(value),
        headers={"X-Content-Type-Options": "nosniff", **(headers or {})},
    )
