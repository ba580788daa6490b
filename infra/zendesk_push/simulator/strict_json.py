"""JSON as Zendesk's parser takes it: UTF-8 without a byte order mark, no NaN, numbers of any size.

Python's own parser differs where it matters here: it takes NaN and Infinity, reads 1e400 as infinity and
refuses integers of more than 4,300 digits.
"""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any, NoReturn

MAX_NATIVE_DIGITS = 1_000


class UnparsableError(ValueError):
    """The body is not JSON, or nested more deeply than the parser can go."""


class HugeInteger:
    """An integer that is only ever looked at as one; ``text`` is how it was written."""

    def __init__(self, text: str) -> None:
        self.text = text

    def __repr__(self) -> str:
        return f"{self.text[:20]}…"


def parse(body: bytes) -> Any:
    """The value of ``body``; raises UnparsableError."""
    try:
        return json.loads(
            body.decode("utf-8"), parse_constant=_refuse, parse_int=_integer, parse_float=Decimal
        )
    except (ValueError, RecursionError) as error:
        raise UnparsableError(type(error).__name__) from error


def _refuse(constant: str) -> NoReturn:
    raise UnparsableError(f"{constant} is not JSON")


def _integer(text: str) -> int | HugeInteger:
    return int(text) if len(text) <= MAX_NATIVE_DIGITS else HugeInteger(text)
