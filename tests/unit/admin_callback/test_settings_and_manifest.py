"""The environment, and the manifest that is made of it."""

import re
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

import pytest

from admin_callback.http import manifest
from admin_callback.http.http_request import public_origin
from admin_callback.settings import Settings
from worlds.environment import admin_environment
from zendesk_channel.errors import ConfigurationError

ENV = admin_environment(
    PUSH_CLIENT_ID="zendesk_push",
    INTEGRATION_NAME="Newsroom",
    INTEGRATION_ID="urn:example:newsroom",
    INTEGRATION_AUTHOR="Example",
    ALLOWED_SUBDOMAINS=" acme, other ,",
)

NAMES = sorted(ENV)
MAY_BE_EMPTY = {
    "PUSH_CLIENT_ID",
    "INTEGRATION_AUTHOR",
    "ALLOWED_SUBDOMAINS",
    "RECEIPT_QUEUE_URL",
    "REPLIES_QUEUE_URL",
    "ORIGIN_SECRET",
}


def test_settings() -> None:
    settings = Settings.from_env(ENV)
    assert settings.allowed_subdomains == {"acme", "other"}
    assert settings.accounts_table == "AccountsTable"


@pytest.mark.parametrize("name", NAMES)
def test_a_variable_that_is_missing_is_named(name: str) -> None:
    with pytest.raises(ConfigurationError, match=name):
        Settings.from_env({key: value for key, value in ENV.items() if key != name})


@pytest.mark.parametrize("name", NAMES)
def test_empty_variables(name: str) -> None:
    if name in MAY_BE_EMPTY:
        Settings.from_env({**ENV, name: ""})
    else:
        with pytest.raises(ConfigurationError, match=name):
            Settings.from_env({**ENV, name: " "})


@pytest.mark.parametrize("value", ["acme.zendesk.com", "Acme", "acme other", "*"])
def test_allowed_subdomains_that_are_none(value: str) -> None:
    with pytest.raises(ConfigurationError, match="ALLOWED_SUBDOMAINS"):
        Settings.from_env({**ENV, "ALLOWED_SUBDOMAINS": value})


@pytest.mark.parametrize("value", ["http://{subdomain}.zendesk.com", "https://zendesk.com", "x"])
def test_a_base_url_that_is_none(value: str) -> None:
    with pytest.raises(ConfigurationError):
        Settings.from_env({**ENV, "ZENDESK_BASE_URL": value})


def test_the_manifest() -> None:
    assert manifest.render(Settings.from_env(ENV), "https://push.example.com") == {
        "name": "Newsroom",
        "id": "urn:example:newsroom",
        "version": manifest.VERSION,
        "author": "Example",
        "push_client_id": "zendesk_push",
        "urls": {
            "admin_ui": "https://push.example.com/admin_ui",
            "event_callback_url": "https://push.example.com/event_callback",
            "healthcheck_url": "https://push.example.com/healthcheck",
        },
    }


def test_what_is_not_configured_is_not_in_the_manifest() -> None:
    settings = Settings.from_env({**ENV, "PUSH_CLIENT_ID": "", "INTEGRATION_AUTHOR": ""})
    assert not {"push_client_id", "author"} & set(manifest.render(settings, "https://x"))


def test_replies_are_in_the_manifest_only_where_there_is_a_queue_for_them() -> None:
    plain = manifest.render(Settings.from_env(ENV), "https://x")
    with_replies = manifest.render(Settings.from_env({**ENV, "REPLIES_QUEUE_URL": "https://q"}), "https://x")
    assert "channelback" not in str(plain)
    assert with_replies == {
        **plain,
        "channelback_files": False,
        "urls": {**plain["urls"], "channelback_url": "https://x/channelback"},
    }


def test_the_version_is_the_projects() -> None:
    project = tomllib.loads((Path(__file__).parents[3] / "pyproject.toml").read_text())
    assert project["project"]["version"] == manifest.VERSION


@pytest.mark.parametrize(
    ("domain", "host", "origin"),
    [
        ("push.example.com", "evil.com", "https://push.example.com"),
        (
            "abc.execute-api.eu-central-1.amazonaws.com",
            None,
            "https://abc.execute-api.eu-central-1.amazonaws.com",
        ),
        ("127.0.0.1", "127.0.0.1:8080", "http://127.0.0.1:8080"),
        ("localhost", "localhost:3000", "http://localhost:3000"),
        ("localhost", "evil.com", "https://localhost"),
        ("localhost", None, "http://localhost"),
        ("localhost", "[::1]:3000", "http://[::1]:3000"),
        ("localhost", "[::1", "https://localhost"),
    ],
)
def test_the_origin_is_api_gateways_word(domain: str, host: str | None, origin: str) -> None:
    event: dict[str, Any] = {
        "requestContext": {"domainName": domain},
        "headers": {"host": host} if host else {},
    }
    assert public_origin(event) == origin


def test_importing_the_handler_reads_no_environment_and_no_page_engine() -> None:
    code = (
        "import sys, admin_callback.handler\n"
        "print(sorted({'jinja2', 'pydantic', 'jsonschema', 'aws_xray_sdk'} & set(sys.modules)))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=False, env={}, timeout=60
    )
    assert (done.stdout.strip(), done.returncode) == ("[]", 0), done.stderr


def test_the_handler_is_a_few_lines() -> None:
    source = (Path(manifest.__file__).parents[1] / "handler.py").read_text()
    body = source.split("def lambda_handler", 1)[1]
    assert len(body.splitlines()) < 10
    assert not re.search(r"\b(boto3|urllib3|os\.environ)\b", source)
