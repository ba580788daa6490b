"""A request's body as API Gateway hands it over: perhaps base64, of any size, perhaps not text at all."""

import base64
import binascii
from collections.abc import Mapping
from typing import Any


class BodyError(Exception):
    """The body cannot be used. ``status`` is the HTTP answer; nothing of the body is in here."""

    def __init__(self, status: int, problem: str) -> None:
        super().__init__(problem)
        self.status = status
        self.problem = problem


def text_of(event: Mapping[str, Any], limit: int) -> str:
    """The body of an HTTP API event as text; ``limit`` in bytes.

    Raises:
        BodyError: larger than the limit (413), or not base64 or UTF-8 where it says so (400).
    """
    raw = event.get("body") or ""
    if event.get("isBase64Encoded"):
        # 4 characters for 3 bytes: do not decode what is too large anyway.
        if len(raw) > limit * 4 // 3 + 4:
            raise BodyError(413, "too_large")
        try:
            data = base64.b64decode(raw, validate=True)
        except (binascii.Error, ValueError):
            raise BodyError(400, "not_readable") from None
    else:
        if len(raw) > limit:
            raise BodyError(413, "too_large")
        try:
            data = raw.encode()
        except UnicodeEncodeError:
            raise BodyError(400, "not_readable") from None
    if len(data) > limit:
        raise BodyError(413, "too_large")
    try:
        return data.decode()
    except UnicodeDecodeError:
        raise BodyError(400, "not_readable") from None
