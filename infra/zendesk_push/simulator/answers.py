"""What Zendesk's API answers, as values: status, headers, body, in the forms that are seen from Zendesk.

Errors come in three dresses, and a client has to cope with each: JSON (401, 403, 400), plain text (429) and
HTML pages of whatever stands in front of the application (404, 413, 5xx).
"""

from __future__ import annotations

import json
from typing import Any, NamedTuple

from zendesk_push.loopback_http import reason_phrase


class ZendeskAnswer(NamedTuple):
    """One HTTP response. ``headers`` lack Content-Length, which is the server's business."""

    status: int
    headers: tuple[tuple[str, str], ...]
    body: bytes


class NoAnswerError(Exception):
    """The request gets no response (now). ``reason`` says what the client sees instead.

    - ``dropped``: the connection ends before the request was read; nothing was imported.
    - ``reply_lost``: the request was worked on, then the connection ends without a reply.
    - ``delay``: ``answer`` comes after ``fault.seconds``; it has been worked on.
    - ``hang``: nothing happens until ``fault`` is switched off. ``answer`` is what the client gets then,
      or None when the request is still to be worked on.
    """

    def __init__(self, reason: str, fault: Any, answer: ZendeskAnswer | None = None) -> None:
        super().__init__(reason)
        self.reason = reason
        self.fault = fault
        self.answer = answer


def with_headers(answer: ZendeskAnswer, *headers: tuple[str, str]) -> ZendeskAnswer:
    return answer._replace(headers=answer.headers + headers)


def json_answer(status: int, value: object, *headers: tuple[str, str]) -> ZendeskAnswer:
    body = json.dumps(value, separators=(",", ":")).encode("ascii")
    return ZendeskAnswer(status, (("Content-Type", "application/json; charset=utf-8"), *headers), body)


def text_answer(status: int, text: str, *headers: tuple[str, str]) -> ZendeskAnswer:
    return ZendeskAnswer(status, (("Content-Type", "text/plain; charset=utf-8"), *headers), text.encode())


def html_answer(status: int, text: str, *headers: tuple[str, str]) -> ZendeskAnswer:
    title = f"{status} {reason_phrase(status)}".strip()
    page = (
        f"<html>\r\n<head><title>{title}</title></head>\r\n<body>\r\n"
        f"<center><h1>{title}</h1></center>\r\n<p>{text}</p>\r\n<hr>\r\n</body>\r\n</html>\r\n"
    )
    return ZendeskAnswer(status, (("Content-Type", "text/html; charset=utf-8"), *headers), page.encode())


def unauthorized() -> ZendeskAnswer:
    return json_answer(
        401,
        {
            "error": "invalid_token",
            "error_description": "The access token provided is expired, revoked, malformed or invalid "
            "for other reasons.",
        },
        ("WWW-Authenticate", 'Bearer realm="Web Password"'),
    )


def forbidden() -> ZendeskAnswer:
    return json_answer(
        403,
        {"error": {"title": "Forbidden", "message": "You do not have access to this page."}},
    )


def no_help_desk() -> ZendeskAnswer:
    return html_answer(404, "Oops, this help desk does not exist.")


def too_large() -> ZendeskAnswer:
    return html_answer(413, "The request is larger than the server accepts.")


def throttled(retry_after: int | str | None) -> ZendeskAnswer:
    answer = text_answer(429, "Number of allowed API requests per minute exceeded")
    return answer if retry_after is None else with_headers(answer, ("Retry-After", str(retry_after)))


def schema_errors(messages: list[str]) -> ZendeskAnswer:
    return json_answer(400, {"error": {"message": messages}})


def unparsable() -> ZendeskAnswer:
    return json_answer(400, {"error": {"title": "Bad Request", "message": "Server could not parse JSON"}})
