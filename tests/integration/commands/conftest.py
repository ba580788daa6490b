"""moto's server with a deployment's queues and table, empty for each test, and the command line to run on it."""

import json
import threading
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import boto3
import pytest
from moto.moto_server.werkzeug_app import DomainDispatcherApplication, create_backend_app
from werkzeug.serving import WSGIRequestHandler, make_server

from worlds.running_local import Ran as Ran
from zendesk_channel.accounts import Account, AccountsTable, AccountState
from zendesk_channel.contract import InstancePushId, Subdomain
from zendesk_push.cli import main
from zendesk_push.local_registry import STACK_NAME

REGION = "eu-central-1"


@dataclass(frozen=True)
class Deployed:
    """The parts of a deployment, and clients for them."""

    endpoint_url: str
    queue_url: str
    dead_letter_queue_url: str
    table: str

    def client(self, service: str) -> Any:
        """A client that tests share: making one costs more than most calls."""
        return _client(service, self.endpoint_url)

    def messages(self, queue_url: str) -> list[dict[str, Any]]:
        """Everything that is visible on a queue, taken and not given back."""
        sqs, found = self.client("sqs"), []
        while batch := sqs.receive_message(
            QueueUrl=queue_url,
            MaxNumberOfMessages=10,
            MessageAttributeNames=["All"],
            MessageSystemAttributeNames=["All"],
        ).get("Messages", []):
            found += batch
        return found


def visible(stack: Deployed, queue_url: str) -> int:
    """How many messages could be received now."""
    attributes = stack.client("sqs").get_queue_attributes(
        QueueUrl=queue_url, AttributeNames=["ApproximateNumberOfMessages"]
    )
    return int(attributes["Attributes"]["ApproximateNumberOfMessages"])


def new_client(service: str, endpoint_url: str) -> Any:
    """A client of one's own, to put faults into."""
    return boto3.client(
        service,  # type: ignore[call-overload]
        region_name=REGION,
        endpoint_url=endpoint_url,
        aws_access_key_id="testing",
        aws_secret_access_key="testing",
    )


_client = cache(new_client)


class _Quiet(WSGIRequestHandler):
    def log(self, type: str, message: str, *args: Any) -> None:  # noqa: A002 (werkzeug's name)
        pass


@pytest.fixture(scope="session")
def aws_endpoint() -> Iterator[str]:
    """moto's server, one request at a time: its SQS loses and revives messages under requests side by side."""
    moto = DomainDispatcherApplication(create_backend_app)
    one_at_a_time = threading.Lock()

    def app(environ: Any, start_response: Any) -> list[bytes]:
        with one_at_a_time:
            return [b"".join(moto(environ, start_response))]

    server = make_server("127.0.0.1", 0, app, threaded=True, request_handler=_Quiet)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def stack(aws_endpoint: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Deployed:
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))  # no local stack that runs here
    reset = urllib.request.Request(f"{aws_endpoint}/moto-api/reset", method="POST")  # noqa: S310 (loopback)
    urllib.request.urlopen(reset).close()  # noqa: S310
    for name, value in {"AWS_ACCESS_KEY_ID": "testing", "AWS_SECRET_ACCESS_KEY": "testing"}.items():
        monkeypatch.setenv(name, value)
    for name in ("AWS_PROFILE", "AWS_SESSION_TOKEN", "AWS_ENDPOINT_URL", "ZENDESK_PUSH_STACK"):
        monkeypatch.delenv(name, raising=False)
    sqs, dynamodb = _client("sqs", aws_endpoint), _client("dynamodb", aws_endpoint)
    key = _client("kms", aws_endpoint).create_key()["KeyMetadata"]["Arn"]
    dead = sqs.create_queue(
        QueueName="dead", Attributes={"MessageRetentionPeriod": "1209600", "KmsMasterKeyId": key}
    )["QueueUrl"]
    arn = sqs.get_queue_attributes(QueueUrl=dead, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    queue = sqs.create_queue(
        QueueName="content",
        Attributes={
            "MaximumMessageSize": "1000000",
            "MessageRetentionPeriod": "864000",
            "VisibilityTimeout": "780",
            "KmsMasterKeyId": key,
            "RedrivePolicy": json.dumps({"deadLetterTargetArn": arn, "maxReceiveCount": 1000}),
        },
    )["QueueUrl"]
    for name in ("push", STACK_NAME):
        _client("secretsmanager", aws_endpoint).create_secret(
            Name=f"{name}-metadata-key", SecretString="k" * 64
        )
    dynamodb.create_table(
        TableName="accounts",
        AttributeDefinitions=[{"AttributeName": "pk", "AttributeType": "S"}],
        KeySchema=[{"AttributeName": "pk", "KeyType": "HASH"}],
        BillingMode="PAY_PER_REQUEST",
    )
    return Deployed(aws_endpoint, queue, dead, "accounts")


@pytest.fixture
def ready_file(stack: Deployed, tmp_path: Path) -> Path:
    path = tmp_path / "ready.json"
    path.write_text(
        json.dumps(
            {
                "api_url": "http://127.0.0.1:1",
                "zendesk_url": "http://127.0.0.1:2",
                "aws_endpoint_url": stack.endpoint_url,
                "region": REGION,
                "queue_url": stack.queue_url,
                "dead_letter_queue_url": stack.dead_letter_queue_url,
                "accounts_table": stack.table,
            }
        )
    )
    return path


@pytest.fixture
def command(ready_file: Path, capsys: pytest.CaptureFixture[str]) -> Callable[..., Ran]:
    """Run a command as from a shell, on this deployment."""

    def run(*arguments: str) -> Ran:
        capsys.readouterr()
        code = main([*arguments, "--ready-file", str(ready_file)])
        captured = capsys.readouterr()
        return Ran(code, captured.out, captured.err)

    return run


def account(
    key: str, subdomain: str = "acme", state: AccountState = AccountState.ACTIVE, **values: Any
) -> Account:
    return Account(
        InstancePushId(key),
        Subdomain(subdomain),
        state,
        revision=0,
        **{"token_version": "v1", "name": key.upper(), **values},
    )


@pytest.fixture
def table(stack: Deployed) -> AccountsTable:
    return AccountsTable(stack.client("dynamodb"), stack.table)
