"""The page behind the scenes: faults by hand, requests, event callbacks."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING
from urllib.parse import urlencode

import pytest

from integration.simulator.client import codes
from zendesk_push.simulator import Fault, FaultKind

if TYPE_CHECKING:
    from integration.simulator.client import Client
    from zendesk_push.simulator import Simulator


def submit(client: Client, path: str, fields: dict[str, str], **headers: str) -> int:
    sent = {"Content-Type": "application/x-www-form-urlencoded", **headers}
    return client.pool.request("POST", path, body=urlencode(fields), headers=sent, redirect=False).status


def test_a_fault_is_switched_on_and_off_by_hand(zendesk: Simulator, client: Client) -> None:
    form = {"kind": "throttled", "endpoint": "push", "subdomain": "", "count": "", "retry_after": "9"}
    assert submit(client, "/traffic/faults", form) == 303
    assert client.push("1").headers["Retry-After"] == "9"
    [fault] = zendesk.core.faults
    page = client.get("/traffic").data.decode()
    assert f'action="/traffic/faults/{fault.id}/off"' in page
    assert submit(client, f"/traffic/faults/{fault.id}/off", {}) == 303
    assert codes(client.push("1")) == ["success"]


@pytest.mark.parametrize(
    "change", [{"kind": "unheard_of"}, {"kind": "status"}, {"count": "0"}, {"endpoint": "x"}]
)
def test_nonsense_is_refused_with_a_page(zendesk: Simulator, client: Client, change: dict[str, str]) -> None:
    assert submit(client, "/traffic/faults", {"kind": "hang", **change}) == 400
    assert list(zendesk.core.faults) == []


def test_another_sites_form_switches_nothing(zendesk: Simulator, client: Client) -> None:
    assert submit(client, "/traffic/faults", {"kind": "hang"}, Origin="null") == 403
    fault = zendesk.core.switch_on(Fault(FaultKind.HANG))
    assert submit(client, f"/traffic/faults/{fault.id}/off", {}, Origin="http://evil.localhost") == 403
    assert not fault.spent


def test_a_subdomains_own_page_reaches_only_its_own(zendesk: Simulator, client: Client) -> None:
    host = {"Host": f"globex.localhost:{zendesk.port}"}
    assert submit(client, "/traffic/faults", {"kind": "hang", "subdomain": "acme"}, **host) == 404
    assert submit(client, "/traffic/faults", {"kind": "hang"}, **host) == 404
    assert submit(client, "/traffic/faults", {"kind": "hang", "subdomain": "globex"}, **host) == 303


def test_content_nested_as_deep_as_json_goes_is_shown(client: Client) -> None:
    nested = "[" * 90 + "]" * 90
    body = {
        "instance_push_id": client.account.instance_push_id,
        "external_resources": [
            {
                "external_id": "1",
                "message": "x",
                "author": {"external_id": "a"},
                "created_at": "2025-11-24T12:00:00Z",
                "fields": [{"id": 1, "value": json.loads(nested)}, {"id": 2, "value": "plain"}],
            }
        ],
    }
    assert codes(client.post("/api/v2/any_channel/push", body)) == ["success"]
    page = client.get("/tickets/1001").data.decode()
    assert "1 = list" in page
    assert "2 = plain" in page
