"""The running local stack, as an attacker meets it: over HTTP, with nothing but what anybody can know."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode

import urllib3

from zendesk_push.local.stack import LocalStack
from zendesk_push.simulator import Simulator

FINALIZER = "/zendesk/channels/integration_service_instances/editor_finalizer"


@dataclass
class TargetReply:
    """What came back from the HTTP API."""

    status: int
    headers: Mapping[str, str]  # names in any case
    text: str = field(repr=False)


class AttackTarget:
    """The stack and its Zendesk, each customer at an origin of its own."""

    def __init__(self, stack: LocalStack, zendesk: Simulator) -> None:
        self.stack = stack
        self.zendesk = zendesk
        self.replies: list[TargetReply] = []
        self.http = urllib3.PoolManager(maxsize=16, retries=False, timeout=urllib3.Timeout(total=60))

    def post(self, path: str, body: bytes | str, content_type: str) -> TargetReply:
        answer = self.http.request(
            "POST", self.stack.api_url + path, body=body, headers={"Content-Type": content_type}
        )
        reply = TargetReply(answer.status, answer.headers, answer.data.decode())
        self.replies.append(reply)
        return reply

    def callback(self, subdomain: str, instance_push_id: str, token: str, **fields: str) -> TargetReply:
        """A callback as anybody can send it."""
        form = {
            "name": "",
            "metadata": "",
            "state": "",
            "return_url": self.zendesk.url_of(subdomain) + FINALIZER,
            "subdomain": subdomain,
            "locale": "en-US",
            "instance_push_id": instance_push_id,
            "zendesk_access_token": token,
            **fields,
        }
        return self.post("/admin_ui", urlencode(form), "application/x-www-form-urlencoded")

    def channelback(self, metadata: str, **fields: str) -> TargetReply:
        """An agent's answer, as anybody can send it."""
        form = {"message": "Hello", "parent_id": "p", "metadata": metadata, **fields}
        return self.post("/channelback", urlencode(form), "application/x-www-form-urlencoded")

    def answers(self) -> list[dict[str, Any]]:
        """What is on the replies queue, taken off it."""
        sqs, url = self.stack.client("sqs"), self.stack.replies_queue_url
        found: list[dict[str, Any]] = []
        request = {"QueueUrl": url, "MaxNumberOfMessages": 10, "WaitTimeSeconds": 0}
        while messages := sqs.receive_message(**request).get("Messages"):
            for message in messages:
                sqs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
                found.append(json.loads(message["Body"]))
        return found

    def items(self) -> list[dict[str, Any]]:
        """Everything in the table."""
        return sorted(
            self.stack.client("dynamodb").scan(TableName=self.stack.accounts_table)["Items"],
            key=lambda item: str(item["pk"]["S"]),
        )

    def record(self, instance_push_id: str) -> dict[str, Any] | None:
        found = [item for item in self.items() if item["pk"]["S"] == f"account#{instance_push_id}"]
        return {name: next(iter(value.values())) for name, value in found[0].items()} if found else None

    def secrets(self) -> dict[str, str]:
        """Every secret and the token that it holds now."""
        client = self.stack.client("secretsmanager")
        names = [secret["Name"] for secret in client.list_secrets()["SecretList"]]
        return {name: client.get_secret_value(SecretId=name)["SecretString"] for name in names}

    def messages(self) -> list[dict[str, Any]]:
        """What is on the queues."""
        sqs = self.stack.client("sqs")
        urls = (self.stack.queue_url, self.stack.dead_letter_queue_url, self.stack.replies_queue_url)
        answers = [
            sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10, VisibilityTimeout=0, WaitTimeSeconds=0)
            for url in urls
        ]
        return [message for answer in answers for message in answer.get("Messages", [])]
