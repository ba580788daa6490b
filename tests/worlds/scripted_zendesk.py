"""A Zendesk that knows validate_token only, and answers it as a test says: whatever status and body, or nothing."""

import json
from dataclasses import dataclass, field
from typing import Any

from zendesk_channel.addresses import ZendeskAddresses
from zendesk_channel.client import Response, ZendeskClient
from zendesk_channel.contract import PushToken, Subdomain


@dataclass(frozen=True)
class Asked:
    """One request as it arrived."""

    subdomain: str
    path: str
    token: str
    body: dict[str, Any]


@dataclass
class ScriptedZendesk:
    """``accepted`` holds (subdomain, instance_push_id, token); ``scripted`` answers go first, one after the other."""

    accepted: set[tuple[str, str, str]] = field(default_factory=set)
    scripted: list[tuple[int, bytes, dict[str, str]]] = field(default_factory=list)
    down: set[str] = field(default_factory=set)  # subdomains that answer 500
    says_yes_to_everything: set[str] = field(default_factory=set)  # subdomains
    asked: list[Asked] = field(default_factory=list)
    before_answer: Any = None  # called with the Asked, to make something happen meanwhile
    base_url: str = "https://{subdomain}.zendesk.com"

    def origin(self, subdomain: str) -> str:
        return self.base_url.replace("{subdomain}", subdomain)

    def accept(self, subdomain: str, instance_push_id: str, token: str) -> None:
        self.accepted.add((subdomain, instance_push_id, token))

    def answer(self, asked: Asked) -> tuple[int, bytes, dict[str, str]]:
        self.asked.append(asked)
        if self.before_answer:
            self.before_answer(asked)
        if self.scripted:
            return self.scripted.pop(0)
        if asked.subdomain in self.down:
            return 500, b"<h1>Something went wrong</h1>", {}
        if asked.subdomain in self.says_yes_to_everything:
            return 200, b"null", {}
        if (asked.subdomain, asked.body.get("instance_push_id"), asked.token) in self.accepted:
            return 200, b"null", {}
        return 401, b'{"error": "invalid_token"}', {}


class ScriptedClient(ZendeskClient):
    """``ZendeskClient`` without a network."""

    def __init__(self, zendesk: ScriptedZendesk) -> None:
        super().__init__(ZendeskAddresses(zendesk.base_url))
        self._zendesk = zendesk

    def _post(
        self, subdomain: Subdomain, path: str, token: PushToken, body: bytes, _timeout: float
    ) -> Response:
        status, answer, headers = self._zendesk.answer(
            Asked(str(subdomain), path, token.reveal(), json.loads(body))
        )
        return Response(status, headers, answer)
