"""One pooled connection to the simulated Zendesk, as the account that it was made for."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import urllib3

    from zendesk_push.simulator import SimulatedAccount

PUSH = "/api/v2/any_channel/push.json"
VALIDATE = "/api/v2/any_channel/validate_token"


@dataclass
class Client:
    pool: urllib3.HTTPConnectionPool
    account: SimulatedAccount

    def push(self, *external_ids: str, **options: Any) -> urllib3.BaseHTTPResponse:
        return self.post(PUSH, push_body(self.account, *external_ids), **options)

    def post(self, path: str, body: Any, **options: Any) -> urllib3.BaseHTTPResponse:
        headers = {
            "Authorization": f"Bearer {self.account.token}",
            "Content-Type": "application/json",
            **options.pop("headers", {}),
        }
        return self.pool.request("POST", path, body=json.dumps(body), headers=headers, **options)

    def get(self, path: str, **options: Any) -> urllib3.BaseHTTPResponse:
        return self.pool.request("GET", path, redirect=False, **options)

    def control(self, method: str, path: str, value: Any = None) -> Any:
        headers = {} if value is None else {"Content-Type": "application/json"}
        body = None if value is None else json.dumps(value)
        response = self.pool.request(method, f"/simulator/{path}", body=body, headers=headers)
        assert response.status < 300, response.data
        return response.json()


def push_body(account: SimulatedAccount, *external_ids: str) -> dict[str, Any]:
    return {
        "instance_push_id": account.instance_push_id,
        "external_resources": [
            {
                "external_id": external_id,
                "message": f"Text of {external_id}",
                "author": {"external_id": "author-1", "name": "Ann Lee"},
                "created_at": "2025-11-24T12:00:00Z",
            }
            for external_id in external_ids
        ],
    }


def codes(response: urllib3.BaseHTTPResponse) -> list[str]:
    assert response.status == 200, response.data
    return [result["status"]["code"] for result in response.json()["results"]]
