"""What docs/contract publishes: valid by public validators, and the same as the code.

``asyncapi-3.0.0.schema.json.gz`` is the AsyncAPI Initiative's JSON Schema of an AsyncAPI document, unchanged
(asyncapi/spec-json-schemas, Apache License 2.0).
"""

import gzip
import json
import re
from pathlib import Path
from typing import Any

import yaml
from jsonschema import Draft7Validator, Draft202012Validator
from openapi_spec_validator import OpenAPIV31SpecValidator

from admin_callback.accounts.event import Event
from admin_callback.http.import_reports import receipts_of
from admin_callback.http.manifest import VERSION
from push_content.outcomes.outcome import ErrorCode
from zendesk_push.contract_check import published
from zendesk_push.template.reader import load_source

ROOT = Path(__file__).parents[3]
MESSAGE = json.loads(published.PATH.read_text("utf-8"))
RESOURCE = {"$ref": "#/$defs/external_resource", "$defs": MESSAGE["$defs"]}
ASYNCAPI: dict[str, Any] = yaml.safe_load((ROOT / "docs/contract/asyncapi.yaml").read_text("utf-8"))
OPENAPI: dict[str, Any] = yaml.safe_load((ROOT / "docs/contract/openapi.yaml").read_text("utf-8"))


def asyncapi_schema(name: str) -> Draft202012Validator:
    """One of the AsyncAPI document's schemas."""
    return Draft202012Validator(
        ASYNCAPI["components"]["schemas"][name] | {"components": ASYNCAPI["components"]}
    )


def test_the_messages_schema_is_a_json_schema_and_what_the_code_makes() -> None:
    Draft202012Validator.check_schema(MESSAGE)
    assert published.message_schema() == MESSAGE, (
        "run .venv/bin/python -m zendesk_push.contract_check.published"
    )


def test_the_queues_are_an_asyncapi_document() -> None:
    schema = json.loads(
        gzip.decompress(Path(__file__).with_name("asyncapi-3.0.0.schema.json.gz").read_bytes())
    )
    errors = [
        f"{'.'.join(map(str, error.absolute_path))}: {error.message[:200]}"
        for error in Draft7Validator(schema).iter_errors(ASYNCAPI)
    ]
    assert errors == []
    for name in ASYNCAPI["components"]["schemas"]:
        asyncapi_schema(name).check_schema(ASYNCAPI["components"]["schemas"][name])


def test_the_routes_are_an_openapi_document() -> None:
    assert list(OpenAPIV31SpecValidator(OPENAPI).iter_errors()) == []


def test_every_reference_leads_somewhere() -> None:
    for document in (ASYNCAPI, OPENAPI):
        for reference in re.findall(r"'\$ref': '([^']+)'", str(document)):
            if reference.startswith("./"):
                assert (published.PATH.parent / reference).is_file()
                continue
            found: Any = document
            for step in reference.removeprefix("#/").split("/"):
                found = found[step]


def test_all_have_the_projects_version() -> None:
    assert {ASYNCAPI["info"]["version"], OPENAPI["info"]["version"]} == {VERSION}


def test_the_documented_routes_are_the_templates() -> None:
    routes = load_source()["Resources"]["HttpApi"]["Properties"]["RouteSettings"]
    documented = {f"{method.upper()} {path}" for path, item in OPENAPI["paths"].items() for method in item}
    assert documented == set(routes)


def test_the_examples_are_of_their_own_schema() -> None:
    message = Draft202012Validator(MESSAGE)
    for name, validator in (
        ("content", message),
        ("receipt", asyncapi_schema("Receipt")),
        ("reply", asyncapi_schema("Reply")),
    ):
        for example in ASYNCAPI["components"]["messages"][name]["examples"]:
            validator.validate(example["payload"])
    for path in (ROOT / "examples").iterdir():
        for line in path.read_text("utf-8").splitlines():
            message.validate(json.loads(line))


def test_a_receipt_is_as_documented() -> None:
    entry = {"type_id": "comment_on_new_ticket", "external_id": "e", "ticket_id": 7, "comment_id": 8, "x": 1}
    data = {"request_id": "r" * 65, "resource_events": [entry, {}, 7]}
    for subdomain in ("acme", "not.one"):
        event = Event("resources_created_from_external_ids", 1_769_850_024.5, subdomain, "", data)
        (receipt,) = receipts_of(event)
        asyncapi_schema("Receipt").validate(json.loads(json.dumps(receipt)))
        assert receipt["resources"][0]["ticket_id"] == 7


def test_what_the_guides_show_is_of_the_contract() -> None:
    message, resource = Draft202012Validator(MESSAGE), Draft202012Validator(RESOURCE)
    seen = set()
    for page in (ROOT / "docs/message.md", ROOT / "README.md"):
        for block in re.findall(r"```json\n(.*?)```", page.read_text("utf-8"), re.DOTALL):
            shown = json.loads(block)
            kind = next(
                (
                    key
                    for key in ("external_resources", "message", "authenticated", "failed_at")
                    if key in shown
                ),
                "",
            )
            validators = {
                "external_resources": message,
                "message": resource,
                "authenticated": asyncapi_schema("Receipt"),
                "failed_at": asyncapi_schema("DeadLetterContext"),
            }
            if kind:
                validators[kind].validate(shown)
            seen.add(kind)
    assert len(seen - {""}) == 4


def test_the_reasons_of_dead_letters_are_the_codes() -> None:
    documented = ASYNCAPI["components"]["schemas"]["ErrorCode"]["enum"]
    assert sorted(documented) == sorted(ErrorCode)
