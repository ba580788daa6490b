"""The function on moto and a loopback Zendesk, and what a test wants to know of them."""

import base64
import html
import json
import logging
import re
import sys
import time
import uuid
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode

import boto3

from admin_callback.accounts.sealed_metadata import Envelope, MetadataSealer, Seal, parse_metadata
from admin_callback.composition import Application, build
from admin_callback.settings import Settings
from integration.admin_callback import aws_faults
from integration.admin_callback.loopback_zendesk import LoopbackZendesk
from zendesk_channel.accounts import Account, AccountsTable
from zendesk_channel.addresses import ZendeskAddresses
from zendesk_channel.clock import Clock
from zendesk_channel.contract import InstancePushId, Subdomain
from zendesk_channel.credentials import CredentialStore

TABLE = "accounts"
PREFIX = "zendesk-push"
FORM_TYPE = "application/x-www-form-urlencoded"


@dataclass(frozen=True)
class LambdaContext:
    """What the function reads of Lambda's context."""

    aws_request_id: str = "req-0001"
    remaining_ms: int = 29_000

    def get_remaining_time_in_millis(self) -> int:
        return self.remaining_ms


@dataclass(frozen=True)
class Answer:
    """An HTTP answer of the function."""

    status: int
    headers: dict[str, str]
    body: str = field(repr=False)

    @property
    def state(self) -> str | None:
        found = re.search(r'<body data-state="([a-z]+)">', self.body)
        return found[1] if found else None

    @property
    def fields(self) -> dict[str, str]:
        """What the page's form posts."""
        inputs = re.findall(r"<input ([^>]*)>", self.body)
        pairs = [dict(re.findall(r'([a-z-]+)="([^"]*)"', text)) for text in inputs]
        return {pair["name"]: html.unescape(pair["value"]) for pair in pairs}

    @property
    def action(self) -> str | None:
        found = re.search(r'<form method="post" action="([^"]*)"', self.body)
        return html.unescape(found[1]) if found else None

    @property
    def metadata(self) -> str:
        return self.fields["metadata"]


class SetClock:
    """A clock that a test sets. Sleeping takes no time but what it shows."""

    def __init__(self) -> None:
        self.time = time.time()
        self.slept: list[float] = []

    def now(self) -> float:
        return self.time

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.time += seconds

    @property
    def timing(self) -> Clock:
        return Clock(self.now, self.now, self.sleep)


class World:
    """One stack. Everything in it is fresh."""

    def __init__(self, zendesk: LoopbackZendesk, **overrides: Any) -> None:
        self.zendesk = zendesk
        self.clock = SetClock()
        self.dynamodb = boto3.client("dynamodb")
        self.secrets = boto3.client("secretsmanager")
        self.kms = boto3.client("kms")
        self.sqs = boto3.client("sqs")
        self.key_arn = self.kms.create_key()["KeyMetadata"]["Arn"]
        self.dynamodb.create_table(
            TableName=TABLE,
            AttributeDefinitions=[{"AttributeName": "pk", "AttributeType": "S"}],
            KeySchema=[{"AttributeName": "pk", "KeyType": "HASH"}],
            BillingMode="PAY_PER_REQUEST",
        )
        self.receipts_url = self.sqs.create_queue(QueueName="receipts")["QueueUrl"]
        values: dict[str, Any] = {
            "accounts_table": TABLE,
            "secret_prefix": PREFIX,
            "data_key_arn": self.key_arn,
            "addresses": ZendeskAddresses(zendesk.base_url),
            "push_client_id": "zendesk_push",
            "integration_name": "Newsroom",
            "integration_id": "urn:example:newsroom",
            "integration_author": "Example",
            "allowed_subdomains": frozenset(),
            "receipt_queue_url": "",
            "replies_queue_url": "",
            "origin_secret": "",
            "service": "admin-callback",
            "metrics_namespace": "ZendeskPush",
            "log_level": "DEBUG",
        }
        self.settings = Settings(**{**values, **overrides})
        self.app: Application = build(self.settings, self.clock.timing)
        self.accounts = AccountsTable(self.dynamodb, TABLE)
        self.credentials = CredentialStore(self.secrets, PREFIX, self.key_arn)
        self.sealer = MetadataSealer(self.kms, self.key_arn)

    def restart(self, **overrides: Any) -> None:
        """Another container, perhaps with other settings."""
        self.app = self.build(**overrides)

    def build(self, *, clock: Any = None, **overrides: Any) -> Application:
        """One more container beside the one that is used normally, with a clock of its own if there is one."""
        return build(Settings(**{**vars(self.settings), **overrides}), clock or self.clock.timing)

    def heal_aws(self) -> None:
        """Another container, and AWS without the faults that a test set."""
        aws_faults.clear()
        self.restart()

    def request(
        self, method: str, path: str, body: str | None = None, *, base64_encoded: bool = False, **headers: str
    ) -> Answer:
        return self.handle(self.http_event(method, path, body, base64_encoded=base64_encoded, **headers))

    @staticmethod
    def http_event(
        method: str, path: str, body: str | None = None, *, base64_encoded: bool = False, **headers: str
    ) -> dict[str, Any]:
        """A request as API Gateway hands it over."""
        event = {
            "version": "2.0",
            "routeKey": "$default",
            "rawPath": path,
            "rawQueryString": "",
            "headers": {name.replace("_", "-"): value for name, value in headers.items()},
            "requestContext": {
                "domainName": "push.example.com",
                "http": {"method": method, "path": path},
                "requestId": "api-1",
                "stage": "$default",
            },
            "isBase64Encoded": base64_encoded,
        }
        if body is not None:
            event["body"] = body
        return event

    def handle(self, event: dict[str, Any], app: Application | None = None) -> Answer:
        answer = self._invoke(event, LambdaContext(), app)
        headers = {name: ",".join(values) for name, values in (answer.get("multiValueHeaders") or {}).items()}
        return Answer(answer["statusCode"], {**headers, **answer["headers"]}, answer["body"])

    def form(self, subdomain: str = "acme", **fields: str) -> dict[str, str]:
        """A callback's fields, as Zendesk fills them in for a new account."""
        return {
            "name": "",
            "metadata": "",
            "state": "",
            "return_url": self.zendesk.origin(subdomain)
            + "/zendesk/channels/integration_service_instances/editor_finalizer",
            "subdomain": subdomain,
            "locale": "en-US",
            "instance_push_id": "3cd1d2a5-aaf2-41fe-a9f1-519499605854",
            "zendesk_access_token": "a" * 64,
            **fields,
        }

    def post_form(self, fields: dict[str, str] | str, app: Application | None = None) -> Answer:
        text = fields if isinstance(fields, str) else urlencode(fields)
        body = base64.b64encode(text.encode()).decode()
        event = self.http_event("POST", "/admin_ui", body, base64_encoded=True, content_type=FORM_TYPE)
        return self.handle(event, app)

    def callback(self, subdomain: str = "acme", **fields: str) -> Answer:
        return self.post_form(self.form(subdomain, **fields))

    def connect(
        self, subdomain: str = "acme", *, token: str = "a" * 64, account: str | None = None
    ) -> Answer:
        """Register an account that Zendesk confirms."""
        account = account or str(uuid.uuid4())
        self.zendesk.accept(subdomain, account, token)
        answer = self.callback(subdomain, instance_push_id=account, zendesk_access_token=token)
        assert (answer.status, answer.state) == (200, "connected"), answer
        return answer

    def events(self, *events: dict[str, Any]) -> Answer:
        return self.request(
            "POST", "/event_callback", self.events_body(*events), content_type="application/json"
        )

    @staticmethod
    def events_body(*events: dict[str, Any]) -> str:
        return json.dumps({"events": list(events)})

    def event(self, type_id: str, metadata: str | None = None, at: Any = None, **data: Any) -> Answer:
        return self.events(self.event_body(type_id, metadata, at, **data))

    @staticmethod
    def event_body(type_id: str, metadata: str | None = None, at: Any = None, **data: Any) -> dict[str, Any]:
        return {
            "type_id": type_id,
            "timestamp": at or "2026-01-01T00:00:00Z",
            "subdomain": "acme",
            "integration_name": "Newsroom",
            "integration_id": "1",
            "data": {**({"metadata": metadata} if metadata is not None else {}), **data},
        }

    def revalidate(self, context: Any = None) -> None:
        self._invoke({"source": "zendesk-push.schedule", "action": "revalidate"}, context or LambdaContext())

    def _invoke(self, event: dict[str, Any], context: Any, app: Application | None = None) -> dict[str, Any]:
        # Powertools keeps the stream that was there when its logger was first made; pytest changes it for each test.
        for handler in logging.getLogger("admin-callback").handlers:
            if isinstance(handler, logging.StreamHandler):
                handler.stream = sys.stdout  # not setStream: it flushes the old one, which is closed
        return (app or self.app).handle(event, context)

    # What is there afterwards

    def account(self, instance_push_id: str = "3cd1d2a5-aaf2-41fe-a9f1-519499605854") -> Account | None:
        return self.accounts.get(InstancePushId(instance_push_id))

    def opened(self, metadata: str) -> Seal:
        envelope = parse_metadata(metadata)
        assert isinstance(envelope, Envelope)
        seal = self.sealer.open(envelope)
        assert seal is not None
        return seal

    def seal(self, instance_push_id: str, subdomain: str = "acme", **values: Any) -> str:
        """Metadata as the function would seal it: what only a holder of its KMS key can make."""
        return self.sealer.seal(Seal(InstancePushId(instance_push_id), Subdomain(subdomain), **values))

    def token(self, account: Account) -> str:
        """The token that push would use."""
        return self.credentials.read(account.instance_push_id, account.token_version).reveal()

    def secret_names(self) -> list[str]:
        return [secret["Name"] for secret in self.secrets.list_secrets()["SecretList"]]

    def secret_deleted(self, instance_push_id: str) -> bool:
        return "DeletedDate" in self.secrets.describe_secret(SecretId=f"{PREFIX}/{instance_push_id}")

    def items(self) -> list[dict[str, Any]]:
        return list(self.dynamodb.scan(TableName=TABLE)["Items"])

    def nothing_stored(self) -> bool:
        return self.items() == [] and self.secret_names() == []

    def known(self, instance_push_id: str) -> Account:
        account = self.account(instance_push_id)
        assert account is not None
        return account
