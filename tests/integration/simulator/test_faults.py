"""Faults as a client on a socket meets them, and that nothing outlives ``close``."""

from __future__ import annotations

import socket
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import pytest
import urllib3

from integration.simulator.client import PUSH, VALIDATE, Client, codes, push_body
from zendesk_push.simulator import Fault, FaultKind, Simulator, ValidateTokenPolicy
from zendesk_push.simulator.silent_address import SilentAddress

if TYPE_CHECKING:
    from collections.abc import Callable


def test_switched_on_and_off_over_http(client: Client) -> None:
    fault = client.control("POST", "faults", {"kind": "throttled", "subdomain": "acme", "retry_after": 7})
    response = client.push("1")
    assert (response.status, response.headers["Retry-After"]) == (429, "7")
    [listed] = client.control("GET", "faults")["faults"]
    assert (listed["id"], listed["hits"]) == (fault["id"], 1)
    client.control("DELETE", f"faults/{fault['id']}")
    assert codes(client.push("1")) == ["success"]


@pytest.mark.parametrize("kind", ["drop_connection", "reply_lost"])
def test_a_broken_connection(zendesk: Simulator, client: Client, kind: str) -> None:
    client.control("POST", "faults", {"kind": kind, "count": 1})
    with pytest.raises(urllib3.exceptions.ProtocolError):
        client.push("1")
    assert codes(client.push("1")) == (["success"] if kind == "drop_connection" else ["already_imported"])
    assert zendesk.core.requests[0].outcome == ("dropped" if kind == "drop_connection" else "reply_lost")
    assert len(list(zendesk.core.tickets)) == 1


def test_a_dropped_connection_ends_before_the_body_is_there(zendesk: Simulator, client: Client) -> None:
    client.control("POST", "faults", {"kind": "drop_connection"})
    with socket.create_connection(("127.0.0.1", zendesk.port), timeout=20) as connection:
        connection.sendall(f"POST {PUSH} HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\n".encode())
        assert connection.recv(1) == b""


def test_a_time_out_imports_nothing_once_the_client_has_gone(zendesk: Simulator, client: Client) -> None:
    fault = zendesk.core.switch_on(Fault(FaultKind.HANG))
    with pytest.raises(urllib3.exceptions.ReadTimeoutError):
        client.push("1", timeout=0.2)
    zendesk.core.switch_off(fault.id)
    assert codes(client.push("1")) == ["success"]


def test_a_time_out_after_the_import_is_harmless(zendesk: Simulator, client: Client) -> None:
    zendesk.core.switch_on(Fault(FaultKind.HANG, after_import=True, count=1))
    with pytest.raises(urllib3.exceptions.ReadTimeoutError):
        client.push("1", timeout=0.2)
    assert codes(client.push("1")) == ["already_imported"]


def hanging(simulator: Simulator, **settings: Any) -> tuple[Fault, threading.Event]:
    """A hang that is switched on, and what is set once a request waits on it."""
    waiting = threading.Event()
    fault = Fault(FaultKind.HANG, **settings)
    register = fault.on_release

    def on_release(wake: Callable[[], None]) -> None:
        register(wake)
        waiting.set()

    fault.on_release = on_release  # type: ignore[method-assign]
    simulator.core.switch_on(fault)
    return fault, waiting


@pytest.mark.parametrize("after_import", [True, False])
def test_whoever_waits_long_enough_gets_the_answer(
    zendesk: Simulator, client: Client, after_import: bool
) -> None:
    fault, waiting = hanging(zendesk, after_import=after_import, count=1)
    with ThreadPoolExecutor() as threads:
        answer = threads.submit(client.push, "1")
        assert waiting.wait(20)
        assert not answer.done()
        zendesk.core.switch_off(fault.id)
        assert codes(answer.result(20)) == ["success"]
    assert [request.outcome for request in zendesk.core.requests] == (
        ["hang"] if after_import else ["hang", "answered"]
    )


def test_close_ends_those_who_wait_and_those_who_are_silent() -> None:
    others = simulators_threads()
    simulator = Simulator().start()
    account = simulator.core.create_account("acme")
    _, waiting = hanging(simulator)
    with (
        ThreadPoolExecutor() as threads,
        urllib3.HTTPConnectionPool("127.0.0.1", simulator.port, timeout=60, retries=False) as pool,
        socket.create_connection(("127.0.0.1", simulator.port), timeout=20) as silent,
    ):
        answer = threads.submit(Client(pool, account).push, "1")
        assert waiting.wait(20)
        simulator.close()
        with pytest.raises(urllib3.exceptions.ProtocolError):
            answer.result(20)
        assert silent.recv(1) == b""
    assert simulators_threads() <= others
    simulator.close()


def test_close_ends_who_waits_with_the_next_request_sent_already() -> None:
    others = simulators_threads()
    simulator = Simulator().start()
    _, waiting = hanging(simulator)
    request = f"POST {PUSH} HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\n{{}}"
    with socket.create_connection(("127.0.0.1", simulator.port), timeout=20) as connection:
        connection.sendall(request.encode())
        assert waiting.wait(20)
        connection.sendall(request.encode())
        simulator.close()
    assert simulators_threads() <= others


def simulators_threads() -> set[threading.Thread]:
    """Those of every simulator in this process: tests beside this one may have some of their own."""
    return {
        thread
        for thread in threading.enumerate()
        if "simulated-zendesk" in thread.name or "process_request_thread" in thread.name
    }


def test_a_late_answer_is_waited_for_and_harmless_to_whoever_gives_up(client: Client) -> None:
    client.control("POST", "faults", {"kind": "delay", "seconds": 0.2, "subdomain": "acme", "count": 1})
    assert codes(client.push("1")) == ["success"]
    client.control("POST", "faults", {"kind": "delay", "seconds": 3_000, "count": 1})
    with pytest.raises(urllib3.exceptions.ReadTimeoutError):
        client.push("2", timeout=0.2)
    assert codes(client.push("2")) == ["already_imported"]


def test_a_silent_address_takes_no_connection() -> None:
    with SilentAddress() as silent, urllib3.PoolManager(retries=False) as pool:
        for _ in range(2):
            with pytest.raises(urllib3.exceptions.ConnectTimeoutError):
                pool.request("GET", silent.url, timeout=0.2)


@pytest.mark.parametrize("policy", ["after_save", "error"])
def test_validate_token_policy_over_http(zendesk: Simulator, client: Client, policy: str) -> None:
    client.control("POST", "validate_token", {"policy": policy})
    editor = zendesk.core.open_new("acme")
    body = {"instance_push_id": editor.account.instance_push_id}
    token = {"Authorization": f"Bearer {editor.token.value}"}
    assert client.post(VALIDATE, body, headers=token).status == {"after_save": 401, "error": 500}[policy]
    assert client.control("GET", "validate_token") == {"policy": policy}


def test_validate_token_hangs(zendesk: Simulator, client: Client) -> None:
    zendesk.core.validate_token_policy = ValidateTokenPolicy.HANG
    with pytest.raises(urllib3.exceptions.ReadTimeoutError):
        client.post(VALIDATE, {"instance_push_id": "x"}, timeout=0.2)
    assert codes(client.push("1")) == ["success"]


@pytest.mark.parametrize("status", [204, 304, 299, 418, 599])
def test_any_status_keeps_the_connection_usable(client: Client, status: int) -> None:
    client.control("POST", "faults", {"kind": "status", "status": status, "body": "odd", "count": 1})
    response = client.push("1")
    assert response.status == status
    assert response.data == (b"" if status in (204, 304) else b"odd")
    assert codes(client.push("1")) == ["success"]
    assert client.pool.num_connections == 1


@pytest.mark.parametrize(
    ("body", "content_type", "status"),
    [
        ('{"kind": "unheard_of"}', "application/json", 400),
        ("{", "application/json", 400),
        ("[]", "application/json", 400),
        ('{"kind": "hang"}', "text/plain", 415),
    ],
)
def test_bad_control_requests_are_told_why(client: Client, body: str, content_type: str, status: int) -> None:
    headers = {"Content-Type": content_type}
    response = client.pool.request("POST", "/simulator/faults", body=body, headers=headers)
    assert response.status == status
    assert response.json()["error"]


def test_another_sites_page_controls_nothing(client: Client) -> None:
    for method, path in (("DELETE", "/simulator/faults"), ("POST", "/simulator/reset")):
        for headers in (
            {"Origin": "https://evil.example"},
            {"Origin": "http://evil.example:80", "Host": "evil.example:80"},  # a name pointed at this machine
        ):
            assert client.pool.request(method, path, headers=headers).status == 403


def test_faults_over_http_by_conditions(client: Client) -> None:
    body = push_body(client.account, "1", "2")
    client.control("POST", "faults", {"kind": "too_large", "min_resources": 2})
    assert client.post(PUSH, body).status == 413
    assert codes(client.push("1")) == ["success"]
