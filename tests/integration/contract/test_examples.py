"""examples/*.jsonl, sent as they stand there (but for the account), and what they become in Zendesk."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import urllib3

from zendesk_push.local.moto_process import CREDENTIALS

if TYPE_CHECKING:
    from integration.contract.conftest import ContractStack

EXAMPLES = Path(__file__).parents[3] / "examples"
ACCOUNT_OF_THE_EXAMPLES = "3cd1d2a5-aaf2-41fe-a9f1-519499605854"

# Nothing says when the guide's message is through, but a reply to it can't be through before.
AFTER_IT = {
    "external_id": "guide-2",
    "parent_id": "guide-1",
    "message": "A reply",
    "created_at": "2026-01-31T12:00:00Z",
    "author": {"external_id": "a"},
}

# By file: which external ids are on one ticket, and words that an agent reads there.
EXPECTED: dict[str, tuple[list[str], list[str]]] = {
    "ticket.jsonl": (["review-4711"], ["The lid does not close.", "Ada"]),
    "reply.jsonl": (["chat-17-1", "chat-17-2"], ["Where is my parcel?", "In reply to"]),
    "html.jsonl": (["post-2024-08"], ["<li>the <b>lid</b></li>"]),
    "file.jsonl": (["return-981"], ["Attachments:", "/981/invoice.pdf"]),
    "fields.jsonl": (["order-4711-note-1"], ["subject = Order 4711: delivery", "360012345678 = 4711"]),
    "internal-note.jsonl": (["chat-18-1", "chat-18-risk"], ["internal note", "Fraud check"]),
    "several-in-one.jsonl": (
        ["thread-9-1", "thread-9-2", "thread-9-3"],
        ["thread-9", "0f5ad1c6c0a94b0f9c1d6f4f8f3ad0b7"],
    ),
}


def test_every_example_is_expected_to_become_something() -> None:
    assert {path.name for path in EXAMPLES.glob("*")} == set(EXPECTED)


@pytest.mark.parametrize("name", EXPECTED)
def test_an_example_becomes_a_ticket(name: str, contract_stack: "ContractStack") -> None:
    external_ids, passages = EXPECTED[name]
    account = contract_stack.account.instance_push_id
    lines = (EXAMPLES / name).read_text("utf-8").splitlines()
    contract_stack.deliver(*(line.replace(ACCOUNT_OF_THE_EXAMPLES, account) for line in lines))
    simulator = contract_stack.stack.simulator
    assert simulator is not None
    found = [simulator.core.ticket_of(account, external_id) for external_id in external_ids]
    tickets = {ticket.id for ticket in found if ticket is not None}
    assert None not in found
    assert len(tickets) == 1
    page = urllib3.request("GET", f"{simulator.url}/tickets/{tickets.pop()}", retries=False).data.decode()
    for passage in passages:
        assert passage in page


def test_the_python_of_the_guide_sends_a_message(contract_stack: "ContractStack") -> None:
    guide = (EXAMPLES.parent / "docs/message.md").read_text("utf-8")
    (code,) = re.findall(r"```python\n(.*?)```", guide, re.DOTALL)
    stack, account = contract_stack.stack, contract_stack.account.instance_push_id
    names = f"account, queue_url = {account!r}, {stack.queue_url!r}\n"
    aws = {"AWS_ENDPOINT_URL": stack.aws_endpoint_url, "AWS_DEFAULT_REGION": stack.region}
    subprocess.run(
        [sys.executable, "-c", names + code.replace("review-4711", "guide-1")],
        env=os.environ | CREDENTIALS | aws,
        check=True,
    )
    contract_stack.deliver(json.dumps({"instance_push_id": account, "external_resources": [AFTER_IT]}))
    assert stack.simulator is not None
    assert stack.simulator.core.ticket_of(account, "guide-1") is not None
