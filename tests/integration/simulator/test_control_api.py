"""The JSON API for scripts and tests of other processes."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from integration.simulator.client import Client, codes

if TYPE_CHECKING:
    from zendesk_push.simulator import Simulator


def test_accounts(client: Client) -> None:
    created = client.control(
        "POST",
        "accounts",
        {
            "subdomain": "globex",
            "name": "Globex",
            "instance_push_id": "chosen",
            "token": "a" * 64,
            "metadata": "m",
        },
    )
    assert created == {
        "instance_push_id": "chosen",
        "subdomain": "globex",
        "state": "active",
        "name": "Globex",
        "metadata": "m",
        "token": "a" * 64,
        "tokens": [{"value": "a" * 64, "saved": True}],
    }
    assert client.control("GET", "accounts/chosen") == created
    assert client.control("GET", "accounts?subdomain=globex") == {"accounts": [created]}
    rotated = client.control("POST", "accounts/chosen/rotate_token")
    assert rotated["token"] not in (None, created["token"])
    assert client.control("POST", "accounts/chosen/revoke_token")["token"] is None
    assert client.control("POST", "accounts/chosen/deactivate")["state"] == "inactive"
    assert client.control("POST", "accounts/chosen/activate")["state"] == "active"
    assert client.control("POST", "accounts/chosen/remove")["state"] == "deleted"


@pytest.mark.parametrize(
    ("body", "status"),
    [({}, 400), ({"subdomain": "A"}, 400), ({"subdomain": "a", "name": 1}, 400)],
)
def test_a_bad_account_is_refused(client: Client, body: dict[str, object], status: int) -> None:
    assert client.post("/simulator/accounts", body).status == status


def test_a_taken_id_is_a_conflict(client: Client) -> None:
    body = {"subdomain": "a", "instance_push_id": client.account.instance_push_id}
    assert client.post("/simulator/accounts", body).status == 409
    assert client.get("/simulator/accounts/nobody").status == 404


def test_tickets_and_their_closing(client: Client) -> None:
    client.push("1")
    [ticket] = client.control("GET", "tickets?subdomain=acme")["tickets"]
    assert (ticket["subject"], ticket["closed"]) == ("Text of 1", False)
    assert [comment["external_id"] for comment in ticket["comments"]] == ["1"]
    assert client.control("GET", "tickets?subdomain=globex") == {"tickets": []}
    client.control("POST", f"tickets/{ticket['id']}/close")
    assert client.control("GET", "tickets")["tickets"][0]["closed"]
    assert client.post("/simulator/tickets/1/close", {}).status == 404


def test_requests_can_be_followed(client: Client) -> None:
    for each in "123":
        client.push(each)
    listed = client.control("GET", "requests?endpoint=push&subdomain=acme&limit=2")
    assert (listed["total"], [each["number"] for each in listed["requests"]]) == (3, [1, 2])
    assert [each["codes"] for each in client.control("GET", "requests?after=2")["requests"]] == [["success"]]
    assert client.control("GET", "requests?subdomain=globex")["total"] == 0


def test_rate_limits(client: Client) -> None:
    assert client.control("POST", "rate_limits", {"subdomain": "acme", "limit": 200, "remaining": 1}) == {
        "limit": 200,
        "remaining": 1,
    }
    assert client.post("/simulator/rate_limits", {"subdomain": "acme", "limit": -1}).status == 400
    assert client.post("/simulator/rate_limits", {"subdomain": "acme", "limit": True}).status == 400


def test_subdomains_are_renamed(zendesk: Simulator, client: Client) -> None:
    client.control("POST", "subdomains", {"rename": "acme", "to": "acme-new"})
    assert client.push("1", headers={"Host": f"acme.localhost:{zendesk.port}"}).status == 404
    # Where the host names no customer, the token goes to the address at which it was handed out.
    assert client.push("1").status == 404
    assert codes(client.push("1", headers={"Host": f"acme-new.localhost:{zendesk.port}"})) == ["success"]
    assert client.post("/simulator/subdomains", {"rename": "acme", "to": "other"}).status == 409


def test_reset(client: Client) -> None:
    client.push("1")
    client.control("POST", "reset")
    assert client.control("GET", "accounts") == {"accounts": []}
    assert client.control("GET", "requests")["total"] == 0
