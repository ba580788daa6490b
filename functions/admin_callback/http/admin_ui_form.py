"""The form that Zendesk's Admin Center posts, checked field by field into a typed value.

Anyone on the internet can send one. Nothing of an error but a field's name is ever shown or logged.
"""

import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final
from urllib.parse import parse_qsl

from admin_callback.http.http_body import BodyError, text_of
from zendesk_channel.addresses import ZendeskAddresses
from zendesk_channel.contract import MAX_ACCOUNT_NAME, MAX_METADATA, InstancePushId, PushToken, Subdomain
from zendesk_channel.errors import InvalidValueError, ZendeskChannelError

MAX_FORM_BYTES: Final = 256 * 1024
MAX_RETURN_URL: Final = 2_048  # characters
_CONTENT_TYPE: Final = "application/x-www-form-urlencoded"
_FIELDS: Final = (
    "name",
    "metadata",
    "state",
    "return_url",
    "subdomain",
    "locale",
    "instance_push_id",
    "zendesk_access_token",
)
_CREDENTIALS: Final = ("instance_push_id", "zendesk_access_token")
_PRINTABLE: Final = re.compile(r"[\x21-\x7e]*")


class FormError(ZendeskChannelError):
    """The form is refused.

    Attributes:
        status: the HTTP answer.
        problem: which sentence of the translations explains it.
        field: the name of the field that it is about, or empty.
        locale: the administrator's, as far as it could be read.
        subdomain: whose Zendesk shows the refusal, if the form names one that is well-formed.
    """

    def __init__(
        self,
        status: int,
        problem: str,
        field_name: str = "",
        locale: str = "",
        subdomain: Subdomain | None = None,
    ) -> None:
        super().__init__(f"{problem} {field_name}".strip())
        self.status = status
        self.problem = problem
        self.field = field_name
        self.locale = locale
        self.subdomain = subdomain


@dataclass(frozen=True)
class CallbackForm:
    """A well-formed callback. That says nothing yet of who sent it.

    ``name``, ``metadata`` and ``state`` are empty for a new account. ``return_url`` is below the subdomain's origin.
    """

    subdomain: Subdomain
    instance_push_id: InstancePushId
    token: PushToken
    return_url: str
    name: str = field(repr=False)
    metadata: str = field(repr=False)
    locale: str


def parse_form(event: Mapping[str, Any], addresses: ZendeskAddresses) -> CallbackForm:
    """The form of an HTTP API event.

    Raises:
        FormError: it breaks a rule; 400, 413 or 415.
    """
    media_type, _, parameters = _header(event, "content-type").partition(";")
    charset = re.fullmatch(r"\s*charset\s*=\s*\"?([^\";]*)\"?\s*;?\s*", parameters, re.IGNORECASE)
    if media_type.strip().lower() != _CONTENT_TYPE or (
        charset and charset[1].strip().lower() not in ("utf-8", "utf8", "us-ascii")
    ):
        raise FormError(415, "not_a_form")
    try:
        pairs = _pairs(text_of(event, MAX_FORM_BYTES))
    except BodyError as error:
        raise FormError(error.status, error.problem) from None
    values = {name: value for name, value in pairs if name in _FIELDS}
    locale = values.get("locale", "")
    subdomain = _subdomain_or_none(values.get("subdomain", ""))
    try:
        _check_repeats([name for name, _ in pairs])
        return _checked(values, addresses)
    except FormError as error:
        raise FormError(error.status, error.problem, error.field, locale, subdomain) from None


def _check_repeats(names: list[str]) -> None:
    for name in _FIELDS:
        if names.count(name) > 1:
            raise FormError(400, "repeated_field", name)


def _checked(values: Mapping[str, str], addresses: ZendeskAddresses) -> CallbackForm:
    for name, value in values.items():
        # The locale only chooses a language, and an odd one means English.
        if name != "locale" and any(unicodedata.category(character) == "Cc" for character in value):
            raise FormError(400, "invalid_field", name)
    for name in ("subdomain", "return_url"):
        if not values.get(name):
            raise FormError(400, "missing_field", name)
    subdomain = _subdomain_or_none(values["subdomain"])
    if subdomain is None:
        raise FormError(400, "invalid_subdomain", "subdomain")
    return_url = values["return_url"]
    if (
        len(return_url) > MAX_RETURN_URL
        or not _PRINTABLE.fullmatch(return_url)
        or "\\" in return_url
        or not return_url.startswith(addresses.origin(subdomain) + "/")
    ):
        raise FormError(400, "invalid_return_url", "return_url")
    credentials = {name: _optional(values, name, limit=2_048) for name in _CREDENTIALS}
    for name, value in credentials.items():
        if not value:
            raise FormError(400, "missing_credentials", name)
    try:
        instance_push_id = InstancePushId(credentials["instance_push_id"])
        token = PushToken(credentials["zendesk_access_token"])
    except InvalidValueError as error:
        raise FormError(400, "invalid_field", error.field) from None
    _optional(values, "state", MAX_METADATA)
    return CallbackForm(
        subdomain=subdomain,
        instance_push_id=instance_push_id,
        token=token,
        return_url=return_url,
        name=_optional(values, "name", MAX_ACCOUNT_NAME),
        metadata=_optional(values, "metadata", MAX_METADATA),
        locale=values.get("locale", ""),
    )


def _optional(values: Mapping[str, str], name: str, limit: int) -> str:
    """A field's text; absent, empty and ``null`` are the same."""
    value = values.get(name, "")
    if value == "null":
        return ""
    if len(value) > limit:
        raise FormError(400, "invalid_field", name)
    return value


def _pairs(text: str) -> list[tuple[str, str]]:
    try:
        return parse_qsl(text, keep_blank_values=True, errors="strict")
    except UnicodeDecodeError:  # percent-encoded bytes
        raise BodyError(400, "not_readable") from None


def _subdomain_or_none(text: str) -> Subdomain | None:
    try:
        return Subdomain(text)
    except InvalidValueError:
        return None


def _header(event: Mapping[str, Any], name: str) -> str:
    headers: Mapping[str, str] = event.get("headers") or {}
    return next((value for key, value in headers.items() if key.lower() == name), "")
