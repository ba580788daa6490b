"""manifest.json is what the function serves, and what Zendesk takes."""

import json
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from admin_callback.http.manifest import render
from admin_callback.settings import Settings
from zendesk_push.template.environment import function_environment

MANIFEST = json.loads((Path(__file__).resolve().parents[2] / "manifest.json").read_text("utf-8"))
ORIGIN = "https://push.example.com"

# Zendesk's published limits: https://developer.zendesk.com/documentation/channel_framework/
TEXTS = {"name": 255, "id": 511, "version": 255, "author": 255, "push_client_id": 127}
ADDRESSES = {
    *("admin_ui", "pull_url", "channelback_url", "clickthrough_url", "healthcheck_url", "about_url"),
    *("dashboard_url", "event_callback_url"),
}


def test_it_is_what_the_function_serves() -> None:
    """By a stack of the name zendesk-push, with all parameters at their defaults."""
    environment = function_environment("AdminCallbackFunction")
    assert render(Settings.from_env(environment), ORIGIN) == MANIFEST


def test_zendesk_takes_it() -> None:
    assert {"name", "id", "urls", "push_client_id"} <= MANIFEST.keys() <= {*TEXTS, "urls"}
    assert all(1 <= len(MANIFEST[key]) <= limit for key, limit in TEXTS.items() if key in MANIFEST)
    assert {"admin_ui"} <= MANIFEST["urls"].keys() <= ADDRESSES
    for address in MANIFEST["urls"].values():
        assert len(address) <= 511
        assert urlsplit(address).scheme == "https"


def test_its_addresses_are_routes(source: dict[str, Any]) -> None:
    events = source["Resources"]["AdminCallbackFunction"]["Properties"]["Events"].values()
    routes = {event["Properties"].get("Path") for event in events}
    assert {urlsplit(address).path for address in MANIFEST["urls"].values()} <= routes
