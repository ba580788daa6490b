"""HTTP as API Gateway's payload format 2.0, and back."""

import base64
import json
from collections.abc import Sequence
from typing import Any

import pytest

from zendesk_push.local.http_events import MalformedAnswerError, build_event, build_response
from zendesk_push.loopback_http import LoopbackRequest


def request(
    method: str = "POST",
    target: str = "/admin_ui",
    headers: Sequence[tuple[str, str]] = (),
    body: bytes = b"",
) -> LoopbackRequest:
    return LoopbackRequest(
        method, target, "HTTP/1.1", [("Host", "127.0.0.1:8080"), *headers], body, "10.1.2.3", 8080
    )


def event_of(one: LoopbackRequest, route_key: str = "$default") -> dict[str, Any]:
    return build_event(one, route_key, {})


def test_a_request_is_described_as_api_gateway_does() -> None:
    event = build_event(
        request(
            "GET",
            "/a%20b/c?x=1&y=&x=%C3%A4",
            [
                ("X-One", "1"),
                ("x-one", "2"),
                ("User-Agent", "test/1"),
                ("Cookie", "a=1; b=2"),
                ("Cookie", "c=3"),
                ("X-Forwarded-For", "192.0.2.7"),
            ],
        ),
        "GET /{proxy+}",
        {"proxy": "a b/c"},
    )

    context = event["requestContext"]
    assert event["version"] == "2.0"
    assert event["routeKey"] == context["routeKey"] == "GET /{proxy+}"
    assert event["rawPath"] == context["http"]["path"] == "/a b/c"
    assert event["rawQueryString"] == "x=1&y=&x=%C3%A4"
    assert event["queryStringParameters"] == {"x": "1,ä", "y": ""}
    assert event["pathParameters"] == {"proxy": "a b/c"}
    assert event["headers"]["x-one"] == "1,2"
    assert "cookie" not in event["headers"]
    assert event["headers"]["x-forwarded-for"] == "192.0.2.7, 10.1.2.3"
    assert event["headers"]["x-forwarded-port"] == "8080"
    assert event["headers"]["x-forwarded-proto"] == "http"
    assert event["headers"]["host"] == "127.0.0.1:8080"
    assert (context["domainName"], context["domainPrefix"]) == ("127.0.0.1", "127")
    assert context["stage"] == "$default"
    assert context["http"] == {
        "method": "GET",
        "path": "/a b/c",
        "protocol": "HTTP/1.1",
        "sourceIp": "10.1.2.3",
        "userAgent": "test/1",
    }
    assert isinstance(context["timeEpoch"], int)
    assert context["requestId"]
    assert "body" not in event
    assert event["isBase64Encoded"] is False


def test_cookies_have_a_field_of_their_own() -> None:
    assert event_of(request(headers=[("Cookie", "a=1; b=2")]))["cookies"] == ["a=1", "b=2"]


def test_what_a_request_does_not_have_is_left_out() -> None:
    event = event_of(request())

    assert event["rawQueryString"] == ""
    assert not {"cookies", "queryStringParameters", "pathParameters", "body"} & event.keys()


@pytest.mark.parametrize(
    "content_type",
    ["application/json", "application/json; charset=utf-8", "TEXT/plain", "text/html", "application/xml"],
)
def test_text_arrives_as_text(content_type: str) -> None:
    event = event_of(request(headers=[("Content-Type", content_type)], body='{"ä": 1}'.encode()))

    assert (event["body"], event["isBase64Encoded"]) == ('{"ä": 1}', False)


@pytest.mark.parametrize(
    "headers",
    [
        [("Content-Type", "application/x-www-form-urlencoded")],
        [("Content-Type", "application/octet-stream")],
        [("Content-Type", "application/json"), ("Content-Encoding", "gzip")],
        [],
    ],
)
def test_everything_else_arrives_in_base64(headers: list[tuple[str, str]]) -> None:
    event = event_of(request(headers=headers, body=b"a=1&b=2"))

    assert (base64.b64decode(event["body"]), event["isBase64Encoded"]) == (b"a=1&b=2", True)


def test_text_that_is_not_utf_8_gets_through_unharmed() -> None:
    event = event_of(request(headers=[("Content-Type", "text/plain")], body=b"\xff\xfe"))

    assert (base64.b64decode(event["body"]), event["isBase64Encoded"]) == (b"\xff\xfe", True)


def test_an_answer_with_a_status_is_an_http_response() -> None:
    response = build_response(
        {
            "statusCode": 201,
            "headers": {"Content-Type": "text/html", "X-N": 3, "Content-Length": "99", "x-flag": True},
            "cookies": ["a=1", "b=2"],
            "body": "<p>ä",
        }
    )

    assert response.status == 201
    assert response.headers == [
        ("content-type", "text/html"),
        ("x-n", "3"),
        ("x-flag", "true"),
        ("set-cookie", "a=1"),
        ("set-cookie", "b=2"),
    ]
    assert response.body == "<p>ä".encode()


def test_an_answer_in_base64_is_decoded() -> None:
    answer = {"statusCode": 200, "isBase64Encoded": True, "body": base64.b64encode(b"\x00\xff").decode()}

    assert build_response(answer).body == b"\x00\xff"


def test_the_default_content_type_is_plain_text() -> None:
    assert build_response({"statusCode": "204"}).headers == [("content-type", "text/plain;charset=UTF-8")]


@pytest.mark.parametrize("answer", [{"status": "ok"}, "text", None, [1]])
def test_an_answer_without_a_status_is_the_body_of_a_200(answer: Any) -> None:
    response = build_response(answer)

    assert (response.status, json.loads(response.body)) == (200, answer)
    assert response.headers == [("content-type", "application/json")]


@pytest.mark.parametrize(
    "answer",
    [
        {"statusCode": "many"},
        {"statusCode": 42},
        {"statusCode": None},
        {"statusCode": 200, "body": {"not": "text"}},
        {"statusCode": 200, "headers": "none"},
        {"statusCode": 200, "headers": {"x-a": "1\r\nx-b: 2"}},
        {"statusCode": 200, "isBase64Encoded": True, "body": "%%%"},
    ],
)
def test_an_answer_that_can_not_be_sent_is_malformed(answer: Any) -> None:
    with pytest.raises(MalformedAnswerError):
        build_response(answer)
