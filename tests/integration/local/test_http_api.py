"""The HTTP API over real sockets."""

import http.client
import json
import threading
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

import pytest

from integration.local.conftest import SECONDS, ExampleStack
from zendesk_push.local.event_wiring import Route
from zendesk_push.local.http_api import HttpApiServer
from zendesk_push.local.invocation import InvocationResult


class ApiAnswer:
    def __init__(self, response: http.client.HTTPResponse) -> None:
        self.status = response.status
        self.headers = response.headers
        self.body = response.read()

    @property
    def json(self) -> Any:
        return json.loads(self.body)


def call(
    example: ExampleStack,
    method: str,
    path: str,
    body: Any = None,
    headers: Mapping[str, str] | None = None,
    **arguments: Any,
) -> ApiAnswer:
    return call_at(urlsplit(example.stack.api_url).netloc, method, path, body, headers, **arguments)


def call_at(
    address: str,
    method: str,
    path: str,
    body: Any = None,
    headers: Mapping[str, str] | None = None,
    **arguments: Any,
) -> ApiAnswer:
    connection = http.client.HTTPConnection(address, timeout=60)
    try:
        connection.request(method, path, body, dict(headers or {}), **arguments)
        return ApiAnswer(connection.getresponse())
    finally:
        connection.close()


def test_a_request_reaches_its_function_and_the_answer_comes_back(example: ExampleStack) -> None:
    answer = call(example, "POST", "/echo?a=1", b"x=1", {"Content-Type": "application/x-www-form-urlencoded"})

    event = answer.json["event"]
    assert answer.status == 200
    assert answer.headers["content-type"] == "application/json"
    assert answer.headers["set-cookie"] == "seen=1"
    assert answer.headers["apigw-requestid"]
    assert event["routeKey"] == "ANY /echo"
    assert event["body"] == "eD0x"
    assert event["isBase64Encoded"] is True
    assert event["requestContext"]["http"]["sourceIp"] == "127.0.0.1"
    assert event["requestContext"]["domainName"] == "127.0.0.1"
    assert event["headers"]["host"] == urlsplit(example.stack.api_url).netloc


def test_path_parameters(example: ExampleStack) -> None:
    assert call(example, "GET", "/things/a%20b").json["event"]["pathParameters"] == {"id": "a b"}


@pytest.mark.parametrize(("method", "path"), [("GET", "/nowhere"), ("POST", "/things/1"), ("GET", "/echo/")])
def test_without_a_route_there_is_api_gateway_s_404(example: ExampleStack, method: str, path: str) -> None:
    answer = call(example, method, path)

    assert (answer.status, answer.json) == (404, {"message": "Not Found"})


@pytest.mark.parametrize("how", ["raise", "exit", "unserializable", "malformed", "large"])
def test_a_failing_function_is_a_500_that_tells_nothing(example: ExampleStack, how: str) -> None:
    answer = call(example, "POST", f"/behave/{how}")

    assert (answer.status, answer.json) == (500, {"message": "Internal Server Error"})


def test_a_head_request_has_headers_only(example: ExampleStack) -> None:
    answer = call(example, "HEAD", "/echo")

    assert answer.status == 200
    assert int(answer.headers["content-length"]) > 0
    assert answer.body == b""


def test_a_chunked_body_is_put_together(example: ExampleStack) -> None:
    answer = call(
        example,
        "POST",
        "/echo",
        iter([b'{"a"', b": 1}"]),
        {"Content-Type": "application/json"},
        encode_chunked=True,
    )

    assert answer.json["event"]["body"] == '{"a": 1}'


def test_a_body_over_10_mb_is_refused(example: ExampleStack) -> None:
    # Only announced: it is refused before it is read.
    answer = call(example, "POST", "/echo", headers={"Content-Length": str(10 * 1024 * 1024 + 1)})

    assert (answer.status, answer.json) == (413, {"message": "Request Entity Too Large"})


def test_a_body_that_no_event_can_hold_is_refused(example: ExampleStack) -> None:
    answer = call(example, "POST", "/echo", b"x" * 6_000_000)

    assert (answer.status, answer.json) == (413, {"message": "Request Entity Too Large"})


@pytest.mark.parametrize("length", ["many", "-1"])
def test_a_nonsensical_length_is_refused(example: ExampleStack, length: str) -> None:
    assert call(example, "POST", "/echo", headers={"Content-Length": length}).status == 400


@pytest.mark.parametrize("host", ["attacker.example", "127.0.0.1.attacker.example", "", "[::1"])
def test_under_a_foreign_name_there_is_nothing(example: ExampleStack, host: str) -> None:
    answer = call(example, "GET", "/echo", headers={"Host": host})

    assert (answer.status, answer.json) == (403, {"message": "Forbidden"})


@pytest.mark.parametrize("host", ["localhost:80", "acme.localhost:80", "host.docker.internal:80", "[::1]:80"])
def test_under_a_name_of_this_machine_it_answers(example: ExampleStack, host: str) -> None:
    answer = call(example, "GET", "/echo", headers={"Host": host})

    assert answer.json["event"]["headers"]["host"] == host


def test_a_connection_serves_several_requests(example: ExampleStack) -> None:
    connection = http.client.HTTPConnection(urlsplit(example.stack.api_url).netloc, timeout=60)
    try:
        for number in range(3):
            connection.request("GET", f"/things/{number}")
            answer = ApiAnswer(connection.getresponse())
            assert answer.json["event"]["pathParameters"] == {"id": str(number)}
    finally:
        connection.close()


def test_a_function_that_takes_too_long_is_a_503() -> None:
    released = threading.Event()

    def slow(_: Any) -> InvocationResult:
        released.wait(SECONDS)
        return InvocationResult("r", "{}")

    api = HttpApiServer(
        [Route("$default", "Slow")], {"Slow": slow}, bind="127.0.0.1", port=0, answer_seconds=0.01
    )
    api.start()
    try:
        answer = call_at(f"127.0.0.1:{api.port}", "GET", "/")
    finally:
        released.set()
        api.stop()

    assert (answer.status, answer.json) == (503, {"message": "Service Unavailable"})
