"""HTTP requests as the events of API Gateway's payload format 2.0, and a function's answers as HTTP.

https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-develop-integrations-lambda.html
"""

import base64
import binascii
import json
import time
import uuid
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, Final
from urllib.parse import parse_qsl, urlsplit

from zendesk_push.local.moto_process import ACCOUNT_ID
from zendesk_push.loopback_http import LoopbackRequest, LoopbackResponse, host_name

# Bodies of these types, and of text/*, reach the function as text; all others in Base64, forms too.
_TEXT_TYPES: Final = ("application/json", "application/xml", "application/javascript")
# API Gateway's own, or the connection's: a function can't set them.
_RESERVED_HEADERS: Final = ("connection", "content-length", "transfer-encoding")


class MalformedAnswerError(Exception):
    """The function's answer is not an HTTP response: API Gateway turns it into a 500."""


def message(status: int, text: str) -> LoopbackResponse:
    """An answer of API Gateway's own, such as 404 ``{"message":"Not Found"}``."""
    body = json.dumps({"message": text}, separators=(",", ":")).encode()
    return LoopbackResponse(status, [("content-type", "application/json")], body)


def build_event(
    request: LoopbackRequest, route_key: str, path_parameters: Mapping[str, str]
) -> dict[str, Any]:
    """The event that a function gets for a request which matched a route."""
    query = urlsplit(request.target).query
    body, is_base64 = _body(request)
    domain = host_name(request.header("host")) or ""
    now = time.time()
    cookies = [cookie.strip() for cookie in request.header("cookie").split(";") if cookie.strip()]
    event = {
        "version": "2.0",
        "routeKey": route_key,
        "rawPath": request.path,
        "rawQueryString": query,
        "cookies": cookies,
        "headers": _headers(request, now),
        "queryStringParameters": _joined(parse_qsl(query, keep_blank_values=True)),
        "requestContext": {
            "accountId": ACCOUNT_ID,
            "apiId": "local",
            "domainName": domain,  # as AWS's, it has no port: that is in the host header only
            "domainPrefix": domain.split(".")[0],
            "http": {
                "method": request.method,
                "path": request.path,
                "protocol": request.protocol,
                "sourceIp": request.source_ip,
                "userAgent": request.header("user-agent"),
            },
            "requestId": uuid.uuid4().hex[:15] + "=",
            "routeKey": route_key,
            "stage": "$default",
            "time": datetime.fromtimestamp(now, UTC).strftime("%d/%b/%Y:%H:%M:%S +0000"),
            "timeEpoch": int(now * 1000),
        },
        "pathParameters": dict(path_parameters),
        "body": body,
        "isBase64Encoded": is_base64,
    }
    # What there is nothing of is left out, except for the flag.
    optional = ("cookies", "queryStringParameters", "pathParameters", "body")
    return {key: value for key, value in event.items() if value or key not in optional}


def _headers(request: LoopbackRequest, now: float) -> dict[str, str]:
    headers = _joined([(name.lower(), value) for name, value in request.headers])
    headers.pop("cookie", None)
    forwarded = [headers["x-forwarded-for"]] if "x-forwarded-for" in headers else []
    return {
        **headers,
        "x-amzn-trace-id": f"Root=1-{int(now):08x}-{uuid.uuid4().hex[:24]}",
        "x-forwarded-for": ", ".join([*forwarded, request.source_ip]),
        "x-forwarded-port": str(request.port),
        "x-forwarded-proto": "http",
    }


def _joined(pairs: Sequence[tuple[str, str]]) -> dict[str, str]:
    """Repeated names have their values joined by commas."""
    joined: dict[str, str] = {}
    for name, value in pairs:
        joined[name] = f"{joined[name]},{value}" if name in joined else value
    return joined


def _body(request: LoopbackRequest) -> tuple[str | None, bool]:
    if not request.body:
        return None, False
    content_type = request.header("content-type").split(";")[0].strip().lower()
    is_text = content_type.startswith("text/") or content_type in _TEXT_TYPES
    if is_text and not request.header("content-encoding"):
        try:
            return request.body.decode("utf-8"), False
        except UnicodeDecodeError:
            pass  # as text it could not get through a JSON event unharmed
    return base64.b64encode(request.body).decode("ascii"), True


def build_response(answer: Any) -> LoopbackResponse:
    """A function's answer as an HTTP response. An answer without statusCode is itself the JSON body of a 200.

    Raises:
        MalformedAnswerError: it has a statusCode, but what comes with it can't be sent.
    """
    if not isinstance(answer, dict) or "statusCode" not in answer:
        return LoopbackResponse(200, [("content-type", "application/json")], json.dumps(answer).encode())
    try:
        status = int(answer["statusCode"])
        headers = [
            (str(name).lower(), _header_value(value)) for name, value in (answer.get("headers") or {}).items()
        ]
        cookies = [("set-cookie", _header_value(cookie)) for cookie in answer.get("cookies") or []]
        body = answer.get("body") or ""
        content = base64.b64decode(body, validate=True) if answer.get("isBase64Encoded") else body.encode()
    except (AttributeError, TypeError, ValueError, binascii.Error) as error:
        raise MalformedAnswerError(str(error)) from None
    if not 100 <= status <= 599:
        raise MalformedAnswerError(f"statusCode {status}")
    sent = [(name, value) for name, value in headers if name not in _RESERVED_HEADERS]
    if not any(name == "content-type" for name, _ in sent):
        sent.append(("content-type", "text/plain;charset=UTF-8"))
    return LoopbackResponse(status, [*sent, *cookies], content)


def _header_value(value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    text = str(value)
    if "\r" in text or "\n" in text:
        raise ValueError("a header's value holds a line break")
    return text
