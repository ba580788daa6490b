"""Where customers' Zendesks are, and which settings are refused."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from zendesk_channel.addresses import ZendeskAddresses, is_loopback
from zendesk_channel.contract import Subdomain
from zendesk_channel.errors import ConfigurationError


@pytest.mark.parametrize(
    ("base_url", "origin"),
    [
        ("https://{subdomain}.zendesk.com", "https://acme.zendesk.com"),
        ("https://{subdomain}.zendesk.com/", "https://acme.zendesk.com"),
        ("https://{subdomain}.zendesk.example:8443", "https://acme.zendesk.example:8443"),
        ("http://{subdomain}.localhost:8080", "http://acme.localhost:8080"),
        ("http://127.0.0.1:8080", "http://127.0.0.1:8080"),
        ("http://[::1]:8080", "http://[::1]:8080"),
        ("http://localhost", "http://localhost"),
        ("http://host.docker.internal:8080", "http://host.docker.internal:8080"),
        ("https://127.9.9.9", "https://127.9.9.9"),
    ],
)
def test_origins(base_url: str, origin: str) -> None:
    assert ZendeskAddresses(base_url).origin(Subdomain("acme")) == origin


@pytest.mark.parametrize(
    "base_url",
    [
        "",
        "zendesk.com",
        "//{subdomain}.zendesk.com",
        "http://{subdomain}.zendesk.com",
        "https://zendesk.com",
        "https://{subdomain}.zendesk.com/api",
        "https://{subdomain}.zendesk.com?x=1",
        "https://{subdomain}.zendesk.com#x",
        "https://{subdomain}@evil.com",
        "https://user@{subdomain}.zendesk.com",
        "https://{subdomain}.zendesk.com:99999",
        "ftp://{subdomain}.zendesk.com",
        "http://localhost.evil.com",
        "http://127.0.0.1.evil.com",
        "http://10.0.0.1",
        "http://[::1",
    ],
)
def test_settings_that_are_refused(base_url: str) -> None:
    with pytest.raises(ConfigurationError):
        ZendeskAddresses(base_url)


@pytest.mark.parametrize("host", ["localhost", "acme.localhost", "127.0.0.1", "127.1.2.3", "::1"])
def test_loopback(host: str) -> None:
    assert is_loopback(host)


@given(st.from_regex(r"[a-z0-9]([a-z0-9-]{0,10}[a-z0-9])?\.(com|net|localhost\.com)", fullmatch=True))
def test_no_other_name_is_loopback(host: str) -> None:
    assert not is_loopback(host)
