"""The baseline: what a queue and some sixty lines of code do. One message, one request; what fails comes again."""

import json
from collections.abc import Iterable, Mapping
from typing import Any

import urllib3


class NaiveHandler:
    """Pushes message by message. Tokens are given, so that it is not slowed down by reading them."""

    def __init__(self, base_url: str, tokens: Mapping[str, str], timeout: float) -> None:
        self._url = f"{base_url}/api/v2/any_channel/push.json"
        self._tokens = tokens
        self._pool = urllib3.PoolManager(timeout=timeout, retries=False)

    def run(self, records: Iterable[Mapping[str, Any]]) -> list[str]:
        """Returns the ids of the messages that stay on the queue."""
        failed: list[str] = []
        for record in records:
            try:
                self._push(json.loads(record["body"]))
            except (OSError, ValueError, KeyError, urllib3.exceptions.HTTPError):
                failed.append(record["messageId"])
        return failed

    def _push(self, message: Mapping[str, Any]) -> None:
        token = self._tokens[message["instance_push_id"]]
        answer = self._pool.request(
            "POST",
            self._url,
            body=json.dumps(message),
            headers={"Authorization": f"Bearer {token}", "Content-Type": "application/json"},
        )
        if answer.status != 200:
            raise ValueError(f"status {answer.status}")
