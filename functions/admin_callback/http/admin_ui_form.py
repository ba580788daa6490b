"""The form that Zendesk's Admin Center posts, checked field by field into a typed value.

Anyone on the internet can send one. Nothing of an error but a field's name is ever shown or logged.
"""

import re
from collections.abc import Mapping
from typing import Any, Final

from admin_callback.accounts.callback import CallbackForm
from admin_callback.http.form import FormError, check_characters, check_repeats, optional, read_pairs
from zendesk_channel.addresses import ZendeskAddresses
from zendesk_channel.contract import MAX_ACCOUNT_NAME, MAX_METADATA, InstancePushId, PushToken, Subdomain
from zendesk_channel.errors import InvalidValueError

MAX_RETURN_URL: Final = 2_048  # characters
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


def parse_form(event: Mapping[str, Any], addresses: ZendeskAddresses) -> CallbackForm:
    """The form of an HTTP API event.

    Raises:
        FormError: it breaks a rule; 400, 413 or 415.
    """
    pairs = read_pairs(event)
    values = {name: value for name, value in pairs if name in _FIELDS}
    locale = values.get("locale", "")
    subdomain = _subdomain_or_none(values.get("subdomain", ""))
    try:
        check_repeats(pairs, _FIELDS)
        return _checked(values, addresses)
    except FormError as error:
        raise FormError(error.status, error.problem, error.field, locale, subdomain) from None


def _checked(values: Mapping[str, str], addresses: ZendeskAddresses) -> CallbackForm:
    for name, value in values.items():
        # The locale only chooses a language, and an odd one means English.
        if name != "locale":
            check_characters(name, value)
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
    credentials = {name: optional(values, name, limit=2_048) for name in _CREDENTIALS}
    for name, value in credentials.items():
        if not value:
            raise FormError(400, "missing_credentials", name)
    try:
        instance_push_id = InstancePushId(credentials["instance_push_id"])
        token = PushToken(credentials["zendesk_access_token"])
    except InvalidValueError as error:
        raise FormError(400, "invalid_field", error.field) from None
    optional(values, "state", MAX_METADATA)
    return CallbackForm(
        subdomain=subdomain,
        instance_push_id=instance_push_id,
        token=token,
        return_url=return_url,
        name=optional(values, "name", MAX_ACCOUNT_NAME),
        metadata=optional(values, "metadata", MAX_METADATA),
        locale=values.get("locale", ""),
    )


def _subdomain_or_none(text: str) -> Subdomain | None:
    try:
        return Subdomain(text)
    except InvalidValueError:
        return None
