"""A form as anyone on the internet may post it: what every form is checked for, whichever route it came by.

Nothing of an error but a field's name is ever shown or logged.
"""

import re
import unicodedata
from collections.abc import Collection, Mapping
from typing import Any, Final
from urllib.parse import parse_qsl

from admin_callback.http.http_body import BodyError, text_of
from zendesk_channel.contract import Subdomain
from zendesk_channel.errors import ZendeskChannelError

MAX_FORM_BYTES: Final = 256 * 1024
_MAX_FIELDS: Final = 25_000  # Zendesk's forms have ten; a megabyte of ampersands is not read
_CONTENT_TYPE: Final = "application/x-www-form-urlencoded"

Pairs = list[tuple[str, str]]


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


def read_pairs(event: Mapping[str, Any], limit: int = MAX_FORM_BYTES) -> Pairs:
    """The names and values of an HTTP API event's form, in its order; ``limit`` in bytes, as they were sent.

    Raises:
        FormError: not a form (415), too large (413), of too many fields, or not UTF-8 throughout (400).
    """
    media_type, _, parameters = _header(event, "content-type").partition(";")
    charset = re.fullmatch(r"\s*charset\s*=\s*\"?([^\";]*)\"?\s*;?\s*", parameters, re.IGNORECASE)
    if media_type.strip().lower() != _CONTENT_TYPE or (
        charset and charset[1].strip().lower() not in ("utf-8", "utf8", "us-ascii")
    ):
        raise FormError(415, "not_a_form")
    try:
        text = text_of(event, limit)
        if text.count("&") >= _MAX_FIELDS:
            raise FormError(400, "not_readable")
        return parse_qsl(text, keep_blank_values=True, errors="strict")
    except BodyError as error:
        raise FormError(error.status, error.problem) from None
    except UnicodeDecodeError:  # percent-encoded bytes, half a surrogate pair among them
        raise FormError(400, "not_readable") from None


def check_repeats(pairs: Pairs, fields: Collection[str]) -> None:
    """Refuse a form in which one of these fields is there twice: whichever were taken, the other was meant too.

    Raises:
        FormError: 400.
    """
    names = [name for name, _ in pairs]
    for name in fields:
        if names.count(name) > 1:
            raise FormError(400, "repeated_field", name)


def check_characters(name: str, value: str) -> None:
    """Refuse control characters.

    Raises:
        FormError: 400.
    """
    if any(unicodedata.category(character) == "Cc" for character in value):
        raise FormError(400, "invalid_field", name)


def optional(values: Mapping[str, str], name: str, limit: int) -> str:
    """A field's text; absent, empty and ``null`` are the same. ``limit`` in characters.

    Raises:
        FormError: it is longer (400).
    """
    value = values.get(name, "")
    if value == "null":
        return ""
    if len(value) > limit:
        raise FormError(400, "invalid_field", name)
    return value


def _header(event: Mapping[str, Any], name: str) -> str:
    headers: Mapping[str, str] = event.get("headers") or {}
    return next((value for key, value in headers.items() if key.lower() == name), "")
