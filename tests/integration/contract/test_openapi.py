"""docs/contract/openapi.yaml against what the routes answer, over HTTP."""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

import pytest
import urllib3
import yaml
from jsonschema import Draft202012Validator

if TYPE_CHECKING:
    from integration.contract.conftest import ContractStack

OPENAPI: dict[str, Any] = yaml.safe_load(
    (Path(__file__).parents[3] / "docs/contract/openapi.yaml").read_text("utf-8")
)
FORM = "application/x-www-form-urlencoded"
FORGED = {
    "name": "",
    "metadata": "",
    "return_url": "{zendesk_url}/zendesk/channels/integration_service_instances/editor_finalizer",
    "subdomain": "acme",
    "locale": "en-US",
    "instance_push_id": "00000000-0000-0000-0000-000000000000",
    "zendesk_access_token": "0" * 64,
}
EVENT = {
    "type_id": "activate_integration_instance",
    "timestamp": "2026-01-31T09:00:24Z",
    "subdomain": "acme",
    "data": {"metadata": "not ours"},
}

REQUESTS: list[tuple[str, str, str, str, int]] = [
    ("GET", "/manifest.json", "", "", 200),
    ("GET", "/healthcheck", "", "", 200),
    ("POST", "/admin_ui", FORM, urlencode(FORGED, safe="{}"), 200),
    ("POST", "/admin_ui", FORM, "subdomain=acme", 400),
    ("POST", "/admin_ui", FORM, "a=" + "x" * 262_144, 413),
    ("POST", "/admin_ui", "application/json", "{}", 415),
    ("POST", "/event_callback", "application/json", json.dumps({"events": [EVENT]}), 200),
    ("POST", "/event_callback", "application/json", "not JSON", 400),
    ("POST", "/event_callback", "application/json", " " * 1_048_577, 413),
    ("POST", "/channelback", FORM, urlencode({"message": "Hello", "metadata": "not ours"}), 403),
    ("POST", "/channelback", FORM, "message=Hello&message=Hello", 400),
    ("POST", "/channelback", FORM, "message=" + "x" * 1_048_577, 413),
    ("POST", "/channelback", "application/json", "{}", 415),
]


def documented(response: dict[str, Any]) -> dict[str, Any]:
    """A response of the document, followed if it is a reference."""
    if "$ref" not in response:
        return response
    found: dict[str, Any] = OPENAPI["components"]["responses"][response["$ref"].rpartition("/")[2]]
    return found


@pytest.mark.parametrize(
    ("method", "path", "media_type", "body", "status"),
    REQUESTS,
    ids=[f"{path} {status}" for _, path, _, _, status in REQUESTS],
)
def test_a_route_answers_as_the_document_says(
    method: str, path: str, media_type: str, body: str, status: int, contract_stack: "ContractStack"
) -> None:
    answer = urllib3.request(
        method,
        contract_stack.stack.api_url + path,
        headers={"Content-Type": media_type} if media_type else {},
        body=body.replace("{zendesk_url}", contract_stack.stack.zendesk_url).encode() or None,
        retries=False,
    )
    assert answer.status == status
    response = documented(OPENAPI["paths"][path][method.lower()]["responses"][str(status)])
    given = answer.headers["Content-Type"].partition(";")[0]
    assert given in response["content"]
    if given == "application/json":
        schema = response["content"][given]["schema"] | {"components": OPENAPI["components"]}
        Draft202012Validator(schema).validate(answer.json())
    for name, header in response.get("headers", {}).items():
        Draft202012Validator(header["schema"]).validate(answer.headers[name])


@pytest.mark.parametrize(
    ("method", "path", "status", "error"),
    [("GET", "/nowhere", 404, "not_found"), ("POST", "/healthcheck", 405, "method_not_allowed")],
)
def test_what_is_not_documented_is_not_there(
    method: str, path: str, status: int, error: str, contract_stack: "ContractStack"
) -> None:
    answer = urllib3.request(method, contract_stack.stack.api_url + path, retries=False)
    assert (answer.status, answer.json()) == (status, {"error": error})
