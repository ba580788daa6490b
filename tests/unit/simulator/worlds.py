"""A simulated Zendesk with one account, a clock that stands still, and short ways to push."""

from __future__ import annotations

import itertools
import json
from typing import Any

from zendesk_push.simulator import SimulatedAccount, ZendeskAnswer, ZendeskState

NOON = 1_764_000_000.0  # a whole minute


class SimulatorWorld:
    def __init__(self, **options: Any) -> None:
        self.now = NOON
        ids, tokens = itertools.count(1), itertools.count(1)
        self.zendesk = ZendeskState(
            clock=lambda: self.now,
            new_id=lambda: f"account-{next(ids)}",
            new_token=lambda: f"{next(tokens):064x}",
            **options,
        )
        self.account = self.zendesk.create_account("acme", name="Acme support", metadata="remembered")

    def push(
        self, *resources: Any, account: SimulatedAccount | None = None, host: str | None = None, **body: Any
    ) -> ZendeskAnswer:
        sender = account or self.account
        content = {"instance_push_id": sender.instance_push_id, "external_resources": list(resources), **body}
        return self.zendesk.push(host, f"Bearer {sender.token}", json.dumps(content).encode())

    def validate(self, token: str | None, instance_push_id: str, host: str | None = None) -> ZendeskAnswer:
        body = json.dumps({"instance_push_id": instance_push_id}).encode()
        return self.zendesk.validate_token(host, None if token is None else f"Bearer {token}", body)

    def event_types(self) -> list[str]:
        return [event["type_id"] for event in self.zendesk.events.log]


def resource(external_id: str, **more: Any) -> dict[str, Any]:
    return {
        "external_id": external_id,
        "message": f"Text of {external_id}",
        "author": {"external_id": "author-1", "name": "Ann Lee"},
        "created_at": "2025-11-24T12:00:00Z",
        **more,
    }


def codes(answer: ZendeskAnswer) -> list[str]:
    assert answer.status == 200, answer
    return [result["status"]["code"] for result in json.loads(answer.body)["results"]]


def messages(answer: ZendeskAnswer) -> list[str]:
    assert answer.status == 400, answer
    found: list[str] = json.loads(answer.body)["error"]["message"]
    return found
