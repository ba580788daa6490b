"""Queues, table and secrets on moto's server, and the function composed as in Lambda."""

import itertools
import json
import time
from collections import Counter
from dataclasses import dataclass
from typing import Any

import botocore.loaders
import botocore.session

from push_content.composition import compose
from worlds.messages import body
from worlds.push_memory import ENVIRONMENT
from zendesk_channel.accounts import Account, AccountsTable, AccountState
from zendesk_channel.aws import AwsClients
from zendesk_channel.contract import InstancePushId, PushToken, Subdomain
from zendesk_channel.credentials import CredentialStore
from zendesk_push.local.aws import LocalAws
from zendesk_push.simulator import Simulator
from zendesk_push.sqs_event import record

_numbers = itertools.count(1)
_MODELS = botocore.loaders.create_loader()  # parsing AWS's models anew takes longer than a test


@dataclass(frozen=True)
class Context:
    """What the handler uses of Lambda's context."""

    seconds: float
    begun: float
    aws_request_id: str = "lambda-1"

    def get_remaining_time_in_millis(self) -> int:
        """As Lambda's."""
        return int(1000 * (self.begun + self.seconds - time.monotonic()))


class PushStack:
    """A stack of its own on a server that several share. ``calls`` counts the function's calls to AWS."""

    def __init__(self, aws: LocalAws, zendesk: Simulator) -> None:
        self.zendesk = zendesk
        self.name = f"stack-{next(_numbers)}"
        self.sqs = aws.client("sqs")
        self.dynamodb = aws.client("dynamodb")
        self.secrets = aws.client("secretsmanager")
        self.dead_letter_queue_url = self.sqs.create_queue(QueueName=f"{self.name}-dead")["QueueUrl"]
        dead_arn = self._arn(self.dead_letter_queue_url)
        self.queue_url = self.sqs.create_queue(
            QueueName=f"{self.name}-content",
            Attributes={
                "VisibilityTimeout": "360",
                "RedrivePolicy": json.dumps({"deadLetterTargetArn": dead_arn, "maxReceiveCount": 1000}),
            },
        )["QueueUrl"]
        self.queue_arn = self._arn(self.queue_url)
        self.dynamodb.create_table(
            TableName=self.name,
            KeySchema=[{"AttributeName": "pk", "KeyType": "HASH"}],
            AttributeDefinitions=[{"AttributeName": "pk", "AttributeType": "S"}],
            BillingMode="PAY_PER_REQUEST",
        )
        self.accounts = AccountsTable(self.dynamodb, self.name)
        self.credentials = CredentialStore(self.secrets, self.name, "alias/aws/secretsmanager")
        self.calls: Counter[str] = Counter()
        self.start()

    def start(self, **settings: str) -> None:
        """A new container, with settings that differ from the usual."""
        session = botocore.session.get_session()
        session.register_component("data_loader", _MODELS)
        session.register("before-call", self._count)
        self.environment = ENVIRONMENT | {
            "ACCOUNTS_TABLE": self.name,
            "SECRET_PREFIX": self.name,
            "ZENDESK_BASE_URL": self.zendesk.url,
            "CONTENT_QUEUE_URL": self.queue_url,
            "DEAD_LETTER_QUEUE_URL": self.dead_letter_queue_url,
            "POWERTOOLS_SERVICE_NAME": self.name,
            **settings,
        }
        self.function = compose(self.environment, AwsClients(session))

    def connect(self, subdomain: str) -> str:
        """A new account at Zendesk, registered here; returns its instance_push_id."""
        created = self.zendesk.core.create_account(subdomain, name=f"{subdomain}'s")
        key = InstancePushId(created.instance_push_id)
        version = self.credentials.store(key, PushToken(created.token or ""))
        self.accounts.save(Account(key, Subdomain(subdomain), AccountState.ACTIVE, 0, token_version=version))
        return str(key)

    def account(self, key: str) -> Account:
        """Its record."""
        found = self.accounts.get(InstancePushId(key))
        assert found is not None
        return found

    def send(self, text: str, **more: Any) -> str:
        """Drop a message; returns its id."""
        return str(self.sqs.send_message(QueueUrl=self.queue_url, MessageBody=text, **more)["MessageId"])

    def drop(self, key: str, *resources: Any, **more: Any) -> str:
        """Drop a message for an account; returns its id."""
        return self.send(body(key, resources, **more))

    def receive(self) -> dict[str, Any]:
        """Lambda's event of all that is visible."""
        records: list[dict[str, Any]] = []
        while True:
            answer = self.sqs.receive_message(
                QueueUrl=self.queue_url,
                MaxNumberOfMessages=10,
                MessageAttributeNames=["All"],
                MessageSystemAttributeNames=["All"],
            )
            if not answer.get("Messages"):
                return {"Records": records}
            records += [record(message, self.queue_arn) for message in answer["Messages"]]

    def invoke(self, event: dict[str, Any] | None = None, seconds: float = 60) -> list[str]:
        """One invocation; deletes what it does not report, as Lambda does, and returns what stays."""
        event = event or self.receive()
        staying = self.run(event["Records"], seconds)
        for each in event["Records"]:
            if each["messageId"] not in staying:
                self.sqs.delete_message(QueueUrl=self.queue_url, ReceiptHandle=each["receiptHandle"])
        return staying

    def run(self, records: list[dict[str, Any]], seconds: float = 60) -> list[str]:
        """One invocation; deletes nothing."""
        context = Context(seconds, time.monotonic())
        return self.function.run(
            records,
            time_left=lambda: context.get_remaining_time_in_millis() / 1000,
            request_id=context.aws_request_id,
        )

    def dead(self) -> list[dict[str, Any]]:
        """Takes the dead letters from their queue."""
        found: list[dict[str, Any]] = []
        while True:
            answer = self.sqs.receive_message(
                QueueUrl=self.dead_letter_queue_url,
                MaxNumberOfMessages=10,
                MessageAttributeNames=["All"],
                MessageSystemAttributeNames=["All"],
            )
            if not answer.get("Messages"):
                return found
            found += answer["Messages"]

    def in_flight(self) -> int:
        """How many messages of the content queue are invisible."""
        name = "ApproximateNumberOfMessagesNotVisible"
        answer = self.sqs.get_queue_attributes(QueueUrl=self.queue_url, AttributeNames=[name])
        return int(answer["Attributes"][name])

    @property
    def pushed_bodies(self) -> list[bytes]:
        """What Zendesk was sent, byte for byte."""
        return [each.body for each in self.zendesk.core.requests if each.endpoint == "push"]

    def _arn(self, url: str) -> str:
        answer = self.sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])
        return str(answer["Attributes"]["QueueArn"])

    def _count(self, **event: Any) -> None:
        self.calls[event["model"].name] += 1
