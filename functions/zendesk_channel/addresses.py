"""Where a customer's Zendesk is: the one place that builds its addresses."""

import ipaddress
from typing import Final
from urllib.parse import urlsplit

from zendesk_channel.contract import Subdomain
from zendesk_channel.errors import ConfigurationError

_PLACEHOLDER: Final = "{subdomain}"
# host.docker.internal is this machine as seen from a container that runs on it.
_LOOPBACK_NAMES: Final = ("localhost", "host.docker.internal")


def is_loopback(host: str) -> bool:
    """Whether a host name or address can only mean this machine."""
    if host in _LOOPBACK_NAMES or host.endswith(".localhost"):
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


class ZendeskAddresses:
    """Origins of customers' Zendesks, from the setting ``ZendeskBaseUrl``.

    It is https and names the customer by ``{subdomain}``. On loopback, where a simulator answers, it may be
    http, and without ``{subdomain}`` every customer is at that one origin.

    Raises:
        ConfigurationError: anything else, or more than an origin.
    """

    def __init__(self, base_url: str) -> None:
        try:
            parts = urlsplit(base_url.replace(_PLACEHOLDER, "subdomain"))
            host, _ = parts.hostname or "", parts.port
        except ValueError:
            parts, host = urlsplit(""), ""
        if (
            parts.scheme not in ("http", "https")
            or not host
            or parts.username is not None
            or parts.path not in ("", "/")
            or parts.query
            or parts.fragment
        ):
            raise ConfigurationError(
                "ZendeskBaseUrl must be an origin such as https://{subdomain}.zendesk.com"
            )
        if not is_loopback(host) and (parts.scheme != "https" or _PLACEHOLDER not in base_url):
            raise ConfigurationError("ZendeskBaseUrl must be https and hold {subdomain}, except on loopback")
        self._template = base_url.rstrip("/")

    def origin(self, subdomain: Subdomain) -> str:
        """``https://acme.zendesk.com`` for acme, without a slash at the end."""
        return self._template.replace(_PLACEHOLDER, subdomain)
