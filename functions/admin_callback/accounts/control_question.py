"""A Zendesk that says yes to everything confirms nobody: before an account's first registration it is asked about a
token that nobody has, and must refuse it."""

import secrets
import string
from typing import Final

from zendesk_channel.contract import PushToken

_ALPHABETS: Final = ("0123456789abcdef", string.ascii_letters + string.digits)


def token_that_nobody_has(token: PushToken) -> PushToken:
    """A random token of the same form: as long, and hexadecimal if this one is."""
    text = token.reveal()
    alphabet = next((each for each in _ALPHABETS if set(text) <= set(each)), _ALPHABETS[-1])
    while True:
        other = PushToken("".join(secrets.choice(alphabet) for _ in text))
        if other != token:
            return other
