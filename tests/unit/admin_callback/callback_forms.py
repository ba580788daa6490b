"""Forms as Zendesk posts them, and the HTTP API events that carry them."""

import base64
from typing import Any
from urllib.parse import urlencode

from zendesk_channel.addresses import ZendeskAddresses

ADDRESSES = ZendeskAddresses("https://{subdomain}.zendesk.com")
FINALIZER = "/zendesk/channels/integration_service_instances/editor_finalizer"
VALID = {
    "name": "",
    "metadata": "",
    "state": "",
    "return_url": f"https://acme.zendesk.com{FINALIZER}",
    "subdomain": "acme",
    "locale": "en-US",
    "instance_push_id": "3cd1d2a5-aaf2-41fe-a9f1-519499605854",
    "zendesk_access_token": "a" * 64,
}


def http_event(
    body: str | bytes,
    content_type: str | None = "application/x-www-form-urlencoded",
    *,
    base64_encoded: bool = True,
) -> dict[str, Any]:
    """An event as API Gateway sends it for a form: base64."""
    data = body.encode() if isinstance(body, str) else body
    text = base64.b64encode(data).decode() if base64_encoded else data.decode()
    headers = {} if content_type is None else {"content-type": content_type}
    return {"headers": headers, "body": text, "isBase64Encoded": base64_encoded}


def form_event(**changes: str | None) -> dict[str, Any]:
    """A valid form with changes; None leaves a field out."""
    fields = {**VALID, **changes}
    return http_event(urlencode({name: value for name, value in fields.items() if value is not None}))
