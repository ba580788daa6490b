"""docs/contract/asyncapi.yaml against what the functions put on the queues."""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import urllib3
import yaml
from jsonschema import Draft202012Validator

if TYPE_CHECKING:
    from integration.contract.conftest import ContractStack

ASYNCAPI: dict[str, Any] = yaml.safe_load(
    (Path(__file__).parents[3] / "docs/contract/asyncapi.yaml").read_text("utf-8")
)
RESOURCE = {
    "external_id": "asked-1",
    "message": "Do you answer?",
    "created_at": "2026-01-31T12:00:00Z",
    "author": {"external_id": "a-1"},
    "allow_channelback": True,
}


def validate(value: Any, name: str) -> None:
    """Hold a value against one of the document's schemas."""
    Draft202012Validator(
        ASYNCAPI["components"]["schemas"][name] | {"components": ASYNCAPI["components"]}
    ).validate(value)


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ("not JSON", "invalid_message"),
        ('{"instance_push_id": "%s", "external_resources": [{}]}', "zendesk_400"),
    ],
)
def test_a_dead_letter_is_as_documented(body: str, code: str, contract_stack: "ContractStack") -> None:
    body = body.replace("%s", contract_stack.account.instance_push_id)
    contract_stack.deliver(body)
    letter = contract_stack.received(contract_stack.stack.dead_letter_queue_url)
    attributes = {name: value["StringValue"] for name, value in letter["MessageAttributes"].items()}
    assert letter["Body"] == body
    assert attributes["ErrorCode"] == code
    validate(attributes, "DeadLetterAttributes")
    validate(json.loads(attributes["Context"]), "DeadLetterContext")


def test_a_reply_is_as_documented(contract_stack: "ContractStack") -> None:
    stack, account = contract_stack.stack, contract_stack.account.instance_push_id
    contract_stack.deliver(json.dumps({"instance_push_id": account, "external_resources": [RESOURCE]}))
    assert stack.simulator is not None
    ticket = stack.simulator.core.ticket_of(account, "asked-1")
    assert ticket is not None
    answers = f"{stack.zendesk_url}/simulator/tickets/{ticket.id}/answers"
    assert urllib3.request("POST", answers, json={"message": "We do \u2713"}, retries=False).status == 201
    reply = json.loads(contract_stack.received(str(stack.replies_queue_url))["Body"])
    validate(reply, "Reply")
    assert (reply["message"], reply["parent_id"]) == ("We do \u2713", "asked-1")
