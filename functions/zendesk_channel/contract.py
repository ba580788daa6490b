"""The Channel framework's limits, and the values that come from outside as types.

A value of one of these types has been checked: whoever holds a ``Subdomain`` may build a host name of it.
The rules are this project's own reading of Zendesk's documentation, written down in docs/registration.md
and docs/message.md.
"""

import hashlib
import re
from typing import Final, Self

from zendesk_channel.errors import InvalidValueError

MAX_RESOURCES: Final = 256  # external_resources of one push request
MAX_REQUEST_ID: Final = 64  # characters
MAX_ACCOUNT_NAME: Final = 255  # characters
MAX_METADATA: Final = 5_000  # characters; the same for state

# No dots, no slashes, no ports: one DNS label, and not one that only looks like ASCII.
_SUBDOMAIN = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?")
_INSTANCE_PUSH_ID = re.compile(r"[A-Za-z0-9_-]{1,255}")
_TOKEN = re.compile(r"[A-Za-z0-9._~+/=-]{1,2048}")
_SHORTEST_MASKED: Final = 8


class Subdomain(str):
    """One Zendesk customer's DNS label, such as ``acme`` of acme.zendesk.com.

    Raises:
        InvalidValueError: not one lower-case DNS label, or an internationalised one (``xn--``).
    """

    __slots__ = ()

    def __new__(cls, value: str) -> Self:
        if not _SUBDOMAIN.fullmatch(value) or value.startswith("xn--"):
            raise InvalidValueError("subdomain", "is not the name of a Zendesk subdomain")
        return super().__new__(cls, value)


class InstancePushId(str):
    """The id that Zendesk gives an integration account; usually a UUID.

    Raises:
        InvalidValueError: not 1 to 255 ASCII letters, digits, ``-`` or ``_``.
    """

    __slots__ = ()

    def __new__(cls, value: str) -> Self:
        if not _INSTANCE_PUSH_ID.fullmatch(value):
            raise InvalidValueError("instance_push_id", "must be 1 to 255 letters, digits, '-' or '_'")
        return super().__new__(cls, value)


class PushToken:
    """An account's bearer token. Its text leaves only through ``reveal``; printing it shows asterisks.

    Raises:
        InvalidValueError: not 1 to 2,048 characters of RFC 6750's b68token.
    """

    __slots__ = ("_text",)

    def __init__(self, text: str) -> None:
        if not _TOKEN.fullmatch(text):
            raise InvalidValueError("zendesk_access_token", "must be 1 to 2048 characters of a bearer token")
        self._text = text

    def reveal(self) -> str:
        """The token itself: for an Authorization header, a secret's value or a sealed blob, nothing else."""
        return self._text

    def masked_in(self, text: str) -> str:
        """``text`` without the token: what answers a request may repeat its headers, as error pages do.

        Also without the token's beginning where ``text`` was cut off within it. A token of less than eight
        characters is left alone: it would be found everywhere.
        """
        if len(self._text) < _SHORTEST_MASKED:
            return text
        text = text.replace(self._text, "****")
        for length in range(min(len(self._text) - 1, len(text)), _SHORTEST_MASKED - 1, -1):
            if text.endswith(self._text[:length]):
                return text[:-length] + "****"
        return text

    @property
    def version(self) -> str:
        """The id of the secret version that holds this token: 64 hexadecimal digits, its SHA-256.

        The same token always has the same version, which makes storing it twice one write.
        """
        return hashlib.sha256(self._text.encode()).hexdigest()

    def __eq__(self, other: object) -> bool:
        return isinstance(other, PushToken) and self._text == other._text

    def __hash__(self) -> int:
        return hash(self._text)

    def __repr__(self) -> str:
        return "PushToken(****)"

    __str__ = __repr__

    def __reduce__(self) -> str:
        raise TypeError("a token is not pickled")
