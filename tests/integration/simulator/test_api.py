"""Zendesk's API over real HTTP: keep-alive, bytes, addresses, and requests that are none."""

from __future__ import annotations

import socket
from typing import TYPE_CHECKING

import pytest

from integration.simulator.client import PUSH, VALIDATE, Client, codes, push_body

if TYPE_CHECKING:
    from zendesk_push.simulator import Simulator


def test_one_connection_serves_many_requests(client: Client) -> None:
    for index in range(20):
        assert codes(client.push(str(index))) == ["success"]
    assert client.push("").status == 400
    assert client.get("/tickets").status == 200
    assert client.get("/nothing").status == 404
    assert client.pool.num_connections == 1


def test_push_and_its_headers(client: Client) -> None:
    response = client.push("1", "2")
    assert response.json() == {
        "results": [
            {"external_resource_id": "1", "status": {"code": "success"}},
            {"external_resource_id": "2", "status": {"code": "success"}},
        ]
    }
    assert response.headers["Content-Type"] == "application/json; charset=utf-8"
    assert response.headers["X-Rate-Limit"] == "700"
    assert response.headers["X-Rate-Limit-Remaining"] == "699"


def test_push_without_json_at_the_end(client: Client) -> None:
    assert codes(client.post("/api/v2/any_channel/push", push_body(client.account, "1"))) == ["success"]


def test_validate_token_answers_null(client: Client) -> None:
    response = client.post(VALIDATE, {"instance_push_id": client.account.instance_push_id})
    assert (response.status, response.data) == (200, b"null")
    response = client.post(VALIDATE, {"instance_push_id": "other"})
    assert response.status == 403


def test_requests_are_recorded_byte_for_byte(zendesk: Simulator, client: Client) -> None:
    raw = (
        b'{"external_resources": [ {"n": 1e400, "s": "\\ud83d \xf0\x9f\x98\x80"} ], "external_resources":[1]}'
    )
    headers = {"Authorization": f"Bearer {client.account.token}", "X-Trace": "7"}
    client.pool.request("POST", PUSH, body=raw, headers=headers)
    [request] = zendesk.core.requests
    assert request.body == raw
    assert ("X-Trace", "7") in request.headers
    assert (request.status, request.subdomain) == (400, "acme")


def test_a_chunked_body_is_read_whole(zendesk: Simulator, client: Client) -> None:
    parts = [b'{"instance_push_id": ', b'"x"', b', "external_resources": []}']
    headers = {"Authorization": f"Bearer {client.account.token}"}
    response = client.pool.request("POST", PUSH, body=iter(parts), headers=headers)
    assert response.status == 403
    assert zendesk.core.requests[-1].body == b"".join(parts)
    assert codes(client.push("1")) == ["success"]


@pytest.mark.parametrize(
    ("host", "status"),
    [
        ("acme.localhost:{port}", 200),
        ("ACME.localhost:{port}", 200),
        ("globex.localhost:{port}", 401),
        ("nobody.localhost:{port}", 404),
        ("a.acme.localhost:{port}", 404),
        ("localhost:{port}", 200),
        ("127.0.0.1:{port}", 200),
        ("[::1]:{port}", 200),
        ("host.docker.internal:{port}", 200),
    ],
)
def test_the_host_says_whose_zendesk_it_is(
    zendesk: Simulator, client: Client, host: str, status: int
) -> None:
    zendesk.core.create_account("globex")
    response = client.push("1", headers={"Host": host.format(port=zendesk.port)})
    assert response.status == status


def test_a_wrong_method_or_path_is_json(client: Client) -> None:
    assert client.get(PUSH).status == 405
    response = client.get("/api/v2/tickets.json")
    assert (response.status, response.json()) == (404, {"error": "Not Found"})


def test_a_body_beyond_all_limits_is_answered_without_being_kept(zendesk: Simulator, client: Client) -> None:
    with socket.create_connection(("127.0.0.1", zendesk.port), timeout=20) as connection:
        head = f"POST {PUSH} HTTP/1.1\r\nHost: x\r\nContent-Length: {10**12}\r\n\r\n"
        connection.sendall(head.encode() + b"x" * 16_000_000)  # more than buffers hold: it has to be read
        connection.shutdown(socket.SHUT_WR)
        answer = b"".join(iter(lambda: connection.recv(65_536), b""))
    assert answer.startswith(b"HTTP/1.1 413 ")
    assert b"Connection: close" in answer
    assert zendesk.core.requests == []


@pytest.mark.parametrize(
    "head",
    [
        b"POST /api/v2/any_channel/push HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n\r\n",
        b"POST /api/v2/any_channel/push HTTP/1.1\r\nHost: x\r\nContent-Length: many\r\n\r\n",
        b"POST /api/v2/any_channel/push HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\nshort",
        b"POST /api/v2/any_channel/push HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\nno length\r\n",
        b"\x16\x03\x01\x02\x00",
        b"GET / HTTP/9.9\r\n\r\n",
    ],
)
def test_what_is_no_http_ends_its_own_connection_only(
    zendesk: Simulator, client: Client, head: bytes
) -> None:
    with socket.create_connection(("127.0.0.1", zendesk.port), timeout=20) as connection:
        connection.sendall(head)
        connection.shutdown(socket.SHUT_WR)
        while connection.recv(65_536):
            pass
    assert codes(client.push("1")) == ["success"]


def test_http_1_0_gets_its_connection_closed(zendesk: Simulator) -> None:
    with socket.create_connection(("127.0.0.1", zendesk.port), timeout=20) as connection:
        connection.sendall(b"HEAD /static/simulator.css HTTP/1.0\r\n\r\n")
        answer = b"".join(iter(lambda: connection.recv(65_536), b""))
    head, _, body = answer.partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 200 OK")
    assert body == b""


def test_expect_100_continue_is_met(zendesk: Simulator) -> None:
    with socket.create_connection(("127.0.0.1", zendesk.port), timeout=20) as connection:
        connection.sendall(
            f"POST {PUSH} HTTP/1.1\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n".encode()
        )
        assert connection.recv(65_536).startswith(b"HTTP/1.1 100 ")
        connection.sendall(b"{}")
        assert connection.recv(65_536).startswith(b"HTTP/1.1 401 ")
