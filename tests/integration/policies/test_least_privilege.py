"""Each function may do what it was seen to do, to what it was seen to do it to, and nothing more.

The real handlers run in this process through registrations, events, pushes, refusals, pauses and restorations,
and every call to AWS is written down on its way out.
"""

import base64
import copy
import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import botocore.session
import pytest

import admin_callback.composition
import push_content.composition
from admin_callback.settings import Settings as AdminSettings
from zendesk_channel.aws import AwsClients
from zendesk_push.local.moto_process import CREDENTIALS, REGION
from zendesk_push.local.registry import STACK_NAME
from zendesk_push.local.stack import LocalStack
from zendesk_push.sam_local.environment import RunningStack, environment
from zendesk_push.sam_local.events import Circumstances, Event, fit, form_of, load
from zendesk_push.sam_local.scenario import ADMIN, PUSH, Page, Scenario
from zendesk_push.simulator.endpoints import ValidateTokenPolicy
from zendesk_push.template.reader import TEMPLATE, load_source

Permission = tuple[str, str]
ROLES = {PUSH: "PushContentRole", ADMIN: "AdminCallbackRole"}
SECRETS = "secrets of the stack"
# What Lambda does in the function's name: it polls the queue, deletes what is done with, and writes logs.
BY_LAMBDA: dict[str, set[Permission]] = {
    PUSH: {
        ("sqs:ReceiveMessage", "ContentQueue"),
        ("sqs:DeleteMessage", "ContentQueue"),
        ("sqs:GetQueueAttributes", "ContentQueue"),
        ("logs:CreateLogStream", "PushContentLogs"),
        ("logs:PutLogEvents", "PushContentLogs"),
    },
    ADMIN: {("logs:CreateLogStream", "AdminCallbackLogs"), ("logs:PutLogEvents", "AdminCallbackLogs")},
}
ACCOUNT = form_of(load("admin-ui-new"))["instance_push_id"]


class Watch:
    """The calls of one function: IAM's name for each, and what it was about."""

    def __init__(self, resources: dict[str, str]) -> None:
        self._resources = resources
        self.seen: set[Permission] = set()
        self.contexts: list[set[str]] = []

    def session(self) -> botocore.session.Session:
        """A session whose every call is written down."""
        session = botocore.session.Session()
        session.set_credentials(*CREDENTIALS.values())
        session.set_config_variable("region", REGION)
        session.register("provide-client-params.*.*", self._note)
        return session

    def _note(self, **call: Any) -> None:
        params, model = call["params"], call["model"]
        service = model.service_model.signing_name
        if model.name == "TransactWriteItems":
            # There is no such permission: each part needs that of the single call.
            for part in params["TransactItems"]:
                for operation, given in part.items():
                    self._note_one(service, f"{operation}Item", given)
        else:
            # IAM knows the batch forms of SQS's calls by the names of the single ones.
            self._note_one(
                service, model.name.removesuffix("Batch") if service == "sqs" else model.name, params
            )

    def _note_one(self, service: str, operation: str, params: dict[str, Any]) -> None:
        self.seen |= {(f"{service}:{operation}", name) for name in self._about(service, params)}
        if service == "kms":
            self.contexts.append(set(params["EncryptionContext"]))

    def _about(self, service: str, params: dict[str, Any]) -> Iterator[str]:
        if service == "secretsmanager":
            name = params.get("SecretId") or params["Name"]
            yield SECRETS if name.startswith(f"{STACK_NAME}/") else self._resources[name]
        elif service == "kms":
            yield self._resources[params["KeyId"]]
        else:
            names = params.get("RequestItems") or [params.get("QueueUrl") or params["TableName"]]
            yield from (self._resources[name] for name in names)


class Context:
    """Lambda's context, with time enough."""

    aws_request_id = "00000000-0000-4000-8000-0000000000aa"

    @staticmethod
    def get_remaining_time_in_millis() -> int:
        return 25_000


class Functions:
    """Both functions in this process, on a local stack's resources."""

    def __init__(self, stack: LocalStack, monkeypatch: pytest.MonkeyPatch) -> None:
        self._stack = stack
        sqs = stack.client("sqs")
        receipts = sqs.create_queue(QueueName="receipts")["QueueUrl"]
        running = RunningStack(**{name: getattr(stack, name) for name in RunningStack.__dataclass_fields__})
        environments = environment(TEMPLATE, running, address=lambda url: url)
        environments[ADMIN]["RECEIPT_QUEUE_URL"] = receipts
        names = {
            stack.queue_url: "ContentQueue",
            stack.dead_letter_queue_url: "DeadLetterQueue",
            stack.accounts_table: "AccountsTable",
            environments[ADMIN]["DATA_KEY_ARN"]: "DataKey",
            environments[ADMIN]["METADATA_KEY_SECRET"]: "MetadataKey",
            receipts: "ReceiptQueueArn",
            environments[ADMIN]["REPLIES_QUEUE_URL"]: "RepliesQueue",
        }
        self.watches = {name: Watch(names) for name in ROLES}
        for key, value in {**environments[PUSH], **environments[ADMIN]}.items():
            monkeypatch.setenv(key, value)
        self._push = push_content.composition.compose(environments[PUSH], self.watches[PUSH].session())
        self._admin = admin_callback.composition.build(
            AdminSettings.from_env(environments[ADMIN]), AwsClients(self.watches[ADMIN].session())
        )

    def invoke(self, function: str, event: Event) -> Any:
        """As Lambda would."""
        if function == ADMIN:
            return self._admin.handle(event, Context())
        records = copy.deepcopy(event["Records"])
        staying = self._push.run(records, time_left=lambda: 25.0, request_id=Context.aws_request_id)
        return {"batchItemFailures": [{"itemIdentifier": message_id} for message_id in staying]}


@pytest.fixture(scope="module")
def functions() -> Iterator[Functions]:
    """Both functions, after a life with everything in it."""
    with pytest.MonkeyPatch.context() as monkeypatch, LocalStack(parameters={"Replies": "enabled"}) as stack:
        functions = Functions(stack, monkeypatch)
        _live(functions, stack)
        yield functions


def _live(functions: Functions, stack: LocalStack) -> None:
    simulator = stack.simulator
    assert simulator is not None
    scenario = Scenario(stack.zendesk_url, stack.zendesk_url, replies=True)
    scenario.prepare()
    outcomes = list(scenario.play(functions.invoke))
    assert [outcome.problem for outcome in outcomes if outcome.problem] == []

    # Added again after its removal: the secret comes back.
    def admin(event: Event, metadata: str = "", token: str = "") -> Page:
        fitted = fit(event, Circumstances(stack.zendesk_url, time.time(), metadata))
        if token:
            fitted = fit(
                _with_field(fitted, "zendesk_access_token", token), Circumstances(stack.zendesk_url, 0)
            )
        return Page.parse(functions.invoke(ADMIN, fitted)["body"])

    page = admin(load("admin-ui-new"))
    assert page.state == "connected"
    # Edits that Zendesk has no verdict about: their tokens wait until a push, or the schedule, promotes them.
    for promote in (
        lambda: _push(functions, 1),
        lambda: functions.invoke(ADMIN, load("schedule-revalidate")),
    ):
        token = simulator.core.rotate_token(ACCOUNT)
        simulator.core.validate_token_policy = ValidateTokenPolicy.ERROR
        page = admin(load("admin-ui-edit"), page.fields["metadata"], token)
        assert page.state == "unconfirmed"
        simulator.core.validate_token_policy = ValidateTokenPolicy.BEFORE_SAVE
        promote()
        assert _push(functions, 1) == []
    # Zendesk refuses the token, and there is no other.
    simulator.core.rotate_token(ACCOUNT)
    assert len(_push(functions, 1)) == 1
    functions.invoke(ADMIN, load("schedule-revalidate"))
    # More wait than an invocation lets wait without a look at the queue.
    assert len(_push(functions, 101)) == 101


def _with_field(event: Event, name: str, value: str) -> Event:
    fields = {**form_of(event), name: value}
    return {**event, "body": base64.b64encode(urlencode(fields).encode()).decode()}


def _push(functions: Functions, number: int) -> list[Any]:
    [record] = fit(load("sqs-one-message"), Circumstances("", time.time()))["Records"]
    records = []
    for index in range(number):
        body = json.loads(record["body"])
        body["external_resources"][0]["external_id"] = f"policy-{time.monotonic_ns()}-{index}"
        records.append(
            {**record, "messageId": f"00000000-0000-4000-8001-{index:012d}", "body": json.dumps(body)}
        )
    failures: list[Any] = functions.invoke(PUSH, {"Records": records})["batchItemFailures"]
    return failures


def _statements(role: str) -> Iterator[dict[str, Any]]:
    document = load_source(Path(TEMPLATE))["Resources"][role]["Properties"]["Policies"][0]["PolicyDocument"]
    for statement in document["Statement"]:
        yield statement["Fn::If"][1] if "Fn::If" in statement else statement


def _resource(given: dict[str, Any]) -> str:
    if "Fn::GetAtt" in given:
        return str(given["Fn::GetAtt"][0])
    return SECRETS if ":secret:" in str(given) else str(given["Ref"])


def granted(function: str, *, through_services: bool) -> set[Permission]:
    """A role's permissions: those that other services use in the function's name, or those that it uses itself."""
    return {
        (action, _resource(statement["Resource"]))
        for statement in _statements(ROLES[function])
        if statement["Sid"] != "EncryptReceipts"
        if ("kms:ViaService" in str(statement.get("Condition", {}))) == through_services
        for action in ([statement["Action"]] if isinstance(statement["Action"], str) else statement["Action"])
    }


@pytest.mark.parametrize("function", ROLES)
def test_the_policy_is_what_the_function_does(functions: Functions, function: str) -> None:
    seen = functions.watches[function].seen
    assert seen - granted(function, through_services=False) == set(), "denied on AWS"
    assert granted(function, through_services=False) - seen - BY_LAMBDA[function] == set(), (
        "more than is needed"
    )


@pytest.mark.parametrize("function", ROLES)
def test_the_key_is_used_through_the_services_that_are_called(functions: Functions, function: str) -> None:
    assert granted(function, through_services=True) == {
        ("kms:Decrypt", "DataKey"),
        ("kms:GenerateDataKey", "DataKey"),
    }
    [allowed] = [
        {
            service.get("Fn::If", [None, service])[1]["Fn::Sub"].partition(".")[0]
            for service in statement["Condition"]["StringEquals"]["kms:ViaService"]
        }
        for statement in _statements(ROLES[function])
        if statement["Sid"] == "UseKeyThroughServices"
    ]
    # The receipt queue has a key of its own, if any.
    encrypted = {
        action.partition(":")[0]
        for action, resource in functions.watches[function].seen
        if resource in ("ContentQueue", "DeadLetterQueue", "RepliesQueue", "AccountsTable", SECRETS)
    }
    assert encrypted == allowed


def test_metadata_is_sealed_for_one_account_of_one_subdomain(functions: Functions) -> None:
    """The role's condition demands these keys of the encryption context."""
    contexts = functions.watches[ADMIN].contexts
    assert contexts
    assert all(context == {"instance_push_id", "subdomain"} for context in contexts)
    [sealing] = [part for part in _statements(ROLES[ADMIN]) if part["Sid"] == "SealMetadata"]
    assert sealing["Condition"]["Null"] == {
        "kms:EncryptionContext:instance_push_id": "false",
        "kms:EncryptionContext:subdomain": "false",
    }
    assert not functions.watches[PUSH].contexts
