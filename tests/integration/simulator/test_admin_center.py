"""Accounts connected the way a browser does it, against a minimal integration."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

import pytest

from zendesk_push.simulator import Fault, FaultKind, Simulator
from zendesk_push.simulator.admin_center import ConnectError, connect_account, edit_account

if TYPE_CHECKING:
    from integration.simulator.client import Client
    from integration.simulator.example_integration import ExampleIntegration

FINALIZER = "/zendesk/channels/integration_service_instances/editor_finalizer"


def test_an_account_is_connected(zendesk: Simulator, integration: ExampleIntegration) -> None:
    connected = connect_account(zendesk.url, "acme", "Acme & <Söhne>", locale="de")
    account = zendesk.core.accounts.get(connected.instance_push_id)
    assert (account.subdomain, account.name, account.state) == ("acme", "Acme & <Söhne>", "active")
    assert account.metadata == connected.metadata == integration.metadata
    assert (connected.subdomain, connected.page_state) == ("acme", "connected")
    assert integration.content_types == ["application/x-www-form-urlencoded"]
    assert integration.callbacks == [
        [
            ("name", ""),
            ("metadata", ""),
            ("state", ""),
            ("return_url", zendesk.url + FINALIZER),
            ("subdomain", "acme"),
            ("locale", "de"),
            ("instance_push_id", connected.instance_push_id),
            ("zendesk_access_token", account.token),
        ]
    ]
    assert zendesk.events.settle(20)
    assert [event["type_id"] for event in integration.events()] == [
        "create_integration",
        "create_integration_instance",
    ]


def test_on_a_subdomains_own_host(zendesk: Simulator, integration: ExampleIntegration) -> None:
    connected = connect_account(zendesk.url_of("acme"), "acme", "Acme")
    assert connected.subdomain == "acme"
    assert dict(integration.callbacks[0])["return_url"] == zendesk.url_of("acme") + FINALIZER
    with pytest.raises(ConnectError) as caught:
        connect_account(zendesk.url_of("acme"), "globex", "Globex")
    assert caught.value.status == 404


def test_an_edit_brings_back_what_was_stored(zendesk: Simulator, integration: ExampleIntegration) -> None:
    connected = connect_account(zendesk.url, "acme", "Acme")
    first = zendesk.core.accounts.get(connected.instance_push_id).token
    edited = edit_account(zendesk.url, "acme", connected.instance_push_id, locale="ja")
    fields = dict(integration.callbacks[1])
    assert (edited.name, fields["name"], fields["metadata"]) == ("Acme", "Acme", integration.metadata)
    assert fields["locale"] == "ja"
    assert fields["zendesk_access_token"] != first
    edit_account(zendesk.url, "acme", connected.instance_push_id, name="New", new_token=False)
    assert dict(integration.callbacks[2])["zendesk_access_token"] == fields["zendesk_access_token"]
    assert zendesk.core.accounts.get(connected.instance_push_id).name == "New"


def test_without_push_client_id_no_credentials_are_handed_over(
    zendesk: Simulator, integration: ExampleIntegration
) -> None:
    del integration.manifest["push_client_id"]
    connect_account(zendesk.url, "acme", "Acme")
    assert [key for key, _ in integration.callbacks[0]][-2:] == ["subdomain", "locale"]


def test_a_refusal_is_reported_with_its_text(zendesk: Simulator, integration: ExampleIntegration) -> None:
    integration.page_status = 403
    with pytest.raises(ConnectError, match="Connected") as caught:
        connect_account(zendesk.url, "acme", "Acme")
    assert (caught.value.step, caught.value.status) == ("the integration's page", 403)
    assert [account.state for account in zendesk.core.accounts] == ["pending"]


@pytest.mark.parametrize(
    ("change", "text"),
    [
        ({"name": ""}, "name in the manifest must be a string of 1 to 255 characters"),
        ({"id": None}, "The manifest lacks id"),
        ({"urls": {}}, "lacks urls.admin_ui"),
        ({"urls": []}, "not an object with urls"),
        ({"urls": {"admin_ui": "http://example.com/admin_ui"}}, "must be an https URL"),
        ({"urls": {"admin_ui": "./admin_ui"}}, "must be an https URL"),
        ({"push_client_id": "x" * 128}, "push_client_id in the manifest must be"),
    ],
)
def test_a_bad_manifest_is_told(
    zendesk: Simulator, integration: ExampleIntegration, change: dict[str, Any], text: str
) -> None:
    integration.manifest |= change
    with pytest.raises(ConnectError, match=text) as caught:
        connect_account(zendesk.url, "acme", "Acme")
    assert caught.value.status == 502


def test_an_integration_that_is_not_there(zendesk: Simulator, client: Client) -> None:
    client.control("POST", "integration", {"manifest_url": "http://127.0.0.1:1/manifest.json"})
    with pytest.raises(ConnectError, match="can't be reached"):
        connect_account(zendesk.url, "acme", "Acme")
    assert client.get("/").status == 200
    with Simulator() as bare, pytest.raises(ConnectError, match="without a manifest URL"):
        connect_account(bare.url, "acme", "Acme")


def test_the_finalizer_redirects_or_says_why_not(zendesk: Simulator, client: Client) -> None:
    editor = zendesk.core.open_new("acme")
    cookie = {
        "Cookie": f"simulated_zendesk_editor={editor.id}",
        "Content-Type": "application/x-www-form-urlencoded",
    }

    def post(**fields: str) -> Any:
        return client.pool.request("POST", FINALIZER, body=urlencode(fields), headers=cookie, redirect=False)

    assert post(metadata="x").status == 400
    assert b"Enter a name" in post(name=" ").data
    response = post(name="<b>", metadata="m", state="s")
    assert (response.status, response.data) == (303, b"")
    assert response.headers["Location"].startswith("/zendesk/channels/integration_service_instances/")
    page = client.get(response.headers["Location"])
    assert (page.status, b"&lt;b&gt;" in page.data) == (200, True)
    assert b"has been saved already" in post(name="again").data


def test_two_administrators_at_once(zendesk: Simulator, client: Client) -> None:
    first, second = zendesk.core.open_new("acme"), zendesk.core.open_new("acme")
    for editor, name in ((first, "first"), (second, "second")):
        headers = {
            "Cookie": f"simulated_zendesk_editor={editor.id}",
            "Content-Type": "application/x-www-form-urlencoded",
        }
        client.pool.request("POST", FINALIZER, body=f"name={name}", headers=headers, redirect=False)
    assert (first.account.name, second.account.name) == ("first", "second")


def test_buttons_of_the_list(zendesk: Simulator, integration: ExampleIntegration, client: Client) -> None:
    connected = connect_account(zendesk.url, "globex", "Globex")
    base = f"/admin/globex/accounts/{connected.instance_push_id}"

    def press(action: str, **headers: str) -> int:
        return client.pool.request("POST", f"{base}/{action}", headers=headers, redirect=False).status

    assert press("remove", Origin="https://evil.example") == 403
    assert press("deactivate", Origin=zendesk.url) == 303
    assert zendesk.core.accounts.get(connected.instance_push_id).state == "inactive"
    assert press("activate") == 303
    assert press("remove") == 303
    assert press("remove") == 409
    assert client.pool.request("POST", "/admin/globex/uninstall", redirect=False).status == 303
    assert zendesk.events.settle(20)
    events = integration.events()[2:]
    assert [event["type_id"] for event in events] == [
        "deactivate_integration_instance",
        "activate_integration_instance",
        "destroy_integration_instance",
        "destroy_integration",
    ]
    assert all(event["data"]["metadata"] == integration.metadata for event in events[:3])
    assert events[3]["data"] == {"manifest_url": integration.manifest_url}
    assert {(event["integration_name"], event["integration_id"], event["subdomain"]) for event in events} == {
        ("Example channel", "https://example.com/channel", "globex")
    }


def test_events_wait_while_paused_and_go_together(
    zendesk: Simulator, integration: ExampleIntegration, client: Client
) -> None:
    client.control("POST", "events", {"paused": True})
    connect_account(zendesk.url, "acme", "Acme")
    client.push("1")
    assert integration.event_bodies == []
    client.control("POST", "events", {"paused": False})
    assert zendesk.events.settle(20)
    [body] = integration.event_bodies
    assert [event["type_id"] for event in body["events"]] == [
        "create_integration",
        "create_integration_instance",
        "resources_created_from_external_ids",
    ]
    [delivery] = client.control("GET", "events")["deliveries"]
    assert (delivery["status"], len(delivery["events"])) == (200, 3)


def test_an_event_callback_that_fails_is_recorded_and_not_repeated(
    zendesk: Simulator, client: Client
) -> None:
    zendesk.install("http://127.0.0.1:1/manifest.json")
    client.push("1")
    assert zendesk.events.settle(20)
    [delivery] = zendesk.events.deliveries
    assert (delivery.status, "can't be reached" in (delivery.error or "")) == (None, True)


PAGES = [
    "/",
    "/admin/acme",
    "/admin/nobody",
    "/tickets",
    "/tickets?subdomain=acme",
    "/tickets/1001",
    "/traffic",
]


@pytest.mark.parametrize("path", PAGES)
def test_pages_show_hostile_content_as_text(zendesk: Simulator, client: Client, path: str) -> None:
    zendesk.core.create_account("acme", name="<script>alert(1)</script>")
    body: dict[str, Any] = {
        "instance_push_id": client.account.instance_push_id,
        "request_id": "<script>alert(2)</script>",
        "external_resources": [
            {
                "external_id": "<script>alert(3)</script>",
                "message": "<script>alert(4)</script> \ud83d",
                "author": {"external_id": "x", "name": "<script>alert(5)</script>"},
                "created_at": "2025-11-24T12:00:00Z",
                "html_message": html,
                "fields": [{"id": "<script>", "value": {"items": "<script>"}}],
                "file_urls": ["https://<script>"],
            }
            for html in ("<script>alert(6)</script><p>fine</p>",)
        ],
    }
    zendesk.core.push(None, f"Bearer {client.account.token}", json.dumps(body).encode())
    zendesk.core.switch_on(Fault(FaultKind.BAD_REQUEST, subdomain="<script>"))
    response = client.get(path)
    assert response.status == 200
    text = response.data.decode()
    assert "<script>" not in text
    assert "Simulation." in text
    assert "script-src 'self'" in response.headers["Content-Security-Policy"]


def test_a_subdomains_own_pages_show_nothing_of_others(zendesk: Simulator, client: Client) -> None:
    client.push("1")
    other = {"Host": f"globex.localhost:{zendesk.port}"}
    assert client.get("/tickets", headers=other).data.count(b"Text of 1") == 0
    assert client.get("/tickets/1001", headers=other).status == 404
    assert client.get("/admin/acme", headers=other).status == 404
    assert client.get("/", headers=other).headers["Location"] == "/admin/globex"
    assert b"No request yet" in client.get("/traffic", headers=other).data


@pytest.mark.parametrize("subdomain", ["UPPER", "-a", "a" * 64, "a.b", "a%2fb", "ü"])
def test_what_is_no_subdomain_has_no_admin_center(client: Client, subdomain: str) -> None:
    assert client.get(f"/admin/{subdomain}").status == 404
