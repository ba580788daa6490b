"""An HTTP API's event: where it came from, by whose word, and through which door."""

import hmac
from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import urlsplit

from zendesk_channel.addresses import is_loopback

HttpEvent = Mapping[str, Any]

_SECRET_HEADER: Final = "x-origin-secret"  # noqa: S105 (a name)
_VIEWER_HEADER: Final = "cloudfront-viewer-address"  # address:port, an IPv6 address without brackets


def header(event: HttpEvent, name: str) -> str:
    """A header's value, empty if it is not there; names compare without case."""
    headers: Mapping[str, str] = event.get("headers") or {}
    return next((value for key, value in headers.items() if key.lower() == name), "")


def came_through_edge(event: HttpEvent, origin_secret: str) -> bool:
    """Whether the edge has added its secret. Without an edge (no secret) there is nothing to go around."""
    given = header(event, _SECRET_HEADER).encode("utf-8", "surrogatepass")
    return not origin_secret or hmac.compare_digest(given, origin_secret.encode())


def source_address(event: HttpEvent, *, behind_edge: bool) -> str:
    """The viewer's address: API Gateway's word, or the edge's, which is believed only where there is one."""
    if behind_edge and (viewer := header(event, _VIEWER_HEADER)):
        return viewer.rpartition(":")[0].strip("[]")
    return str(event["requestContext"]["http"].get("sourceIp", ""))


def public_origin(event: HttpEvent) -> str:
    """Where the world reaches this API: ``https://<domain>``, or on loopback http and the port that was asked.

    The domain is API Gateway's word, not a header of the request's.
    """
    domain: str = event["requestContext"]["domainName"]
    if is_loopback(domain):
        host = header(event, "host") or domain
        if _on_loopback(host):
            return f"http://{host}"
    return f"https://{domain}"


def _on_loopback(host: str) -> bool:
    try:
        return is_loopback(urlsplit(f"//{host}").hostname or "")
    except ValueError:
        return False
