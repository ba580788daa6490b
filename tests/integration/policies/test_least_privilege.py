"""Each function may do what it was seen to do, to what it was seen to do it to, and nothing more.

The real handlers run in this process through registrations, events, pushes, refusals, pauses and restorations,
and every call to AWS is written down on its way out.
"""

import base64
import copy
import json
import re
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import botocore.session
import pytest

import admin_callback.composition
import push_content.composition
import push_content.schedule
from admin_callback.settings import Settings as AdminSettings
from push_content.accounts.revalidation import SCHEDULE_SOURCE
from zendesk_channel.accounts import BESIDE_THE_REVISION, UNDER_THE_REVISION
from zendesk_channel.aws import AwsClients
from zendesk_channel.clock import Clock
from zendesk_push.local.moto_process import CREDENTIALS, REGION
from zendesk_push.local.stack import LocalStack
from zendesk_push.local_registry import STACK_NAME
from zendesk_push.sam_local.environment import RunningStack, environment
from zendesk_push.sam_local.events import Circumstances, Event, fit, form_of, load
from zendesk_push.sam_local.scenario import ADMIN, PUSH, AdminPage, Scenario
from zendesk_push.simulator import Fault, FaultKind
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
# moto moves the stage itself when CreateSecret repeats a version; AWS ignores such a request, and the function moves it
# (tests/unit/zendesk_channel/test_store_errors.py).
NOT_ON_MOTO: dict[str, set[Permission]] = {
    PUSH: set(),
    ADMIN: {("secretsmanager:UpdateSecretVersionStage", SECRETS)},
}
ACCOUNT = form_of(load("admin-ui-new"))["instance_push_id"]
SUBDOMAIN = form_of(load("admin-ui-new"))["subdomain"]


class CallWatch:
    """The calls of one function: IAM's name for each, and what it was about."""

    def __init__(self, resources: dict[str, str]) -> None:
        self._resources = resources
        self.seen: set[Permission] = set()
        self.contexts: list[set[str]] = []
        self.written: dict[str, set[str]] = {}  # the attributes in writes to items, by the kind of item
        self.recovery_windows: list[int | None] = []

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
        if operation == "DeleteSecret":
            self.recovery_windows.append(params.get("RecoveryWindowInDays"))
        if operation == "UpdateItem":
            kind = params["Key"]["pk"]["S"].partition("#")[0]
            self.written.setdefault(kind, {"pk"}).update(_attributes(params))

    def _about(self, service: str, params: dict[str, Any]) -> Iterator[str]:
        if service == "secretsmanager":
            name = params.get("SecretId") or params["Name"]
            yield SECRETS if name.startswith(f"{STACK_NAME}/") else self._resources[name]
        elif service == "kms":
            yield self._resources[params["KeyId"]]
        else:
            names = params.get("RequestItems") or [params.get("QueueUrl") or params["TableName"]]
            yield from (self._resources[name] for name in names)


def _attributes(params: dict[str, Any]) -> set[str]:
    """What IAM's dynamodb:Attributes holds: the names in the update and in its condition."""
    names = params.get("ExpressionAttributeNames", {})
    text = f"{params['UpdateExpression']} {params.get('ConditionExpression', '')}"
    found = set(re.findall(r"(?<![:#\w])[a-z_]+\b|#\w+", text)) - {"attribute_exists", "attribute_not_exists"}
    return {names.get(name, name) for name in found}


class PolicyContext:
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
        self.watches = {name: CallWatch(names) for name in ROLES}
        for key, value in {**environments[PUSH], **environments[ADMIN]}.items():
            monkeypatch.setenv(key, value)
        self._push = push_content.composition.compose(
            environments[PUSH], AwsClients(self.watches[PUSH].session())
        )
        self._push_environment = environments[PUSH]
        self._admin = admin_callback.composition.build(
            AdminSettings.from_env(environments[ADMIN]), AwsClients(self.watches[ADMIN].session())
        )

    def invoke(self, function: str, event: Event) -> Any:
        """As Lambda would."""
        if function == ADMIN:
            return self._admin.handle(event, PolicyContext())
        if event.get("source") == SCHEDULE_SOURCE:
            return self.revalidate()
        records = copy.deepcopy(event["Records"])
        staying = self._push.run(records, time_left=lambda: 25.0, request_id=PolicyContext.aws_request_id)
        return {"batchItemFailures": [{"itemIdentifier": message_id} for message_id in staying]}

    def revalidate(self, *, later: float = 0) -> Any:
        """The schedule's tick, so many seconds from now."""
        clock = Clock(now=lambda: time.time() + later)
        revalidation = push_content.schedule.compose_revalidation(
            self._push_environment, AwsClients(self.watches[PUSH].session()), clock
        )
        return revalidation.run({}, seconds_left=lambda: 25.0, request_id=PolicyContext.aws_request_id)


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
    def admin(event: Event, metadata: str = "", token: str = "") -> AdminPage:
        fitted = fit(event, Circumstances(stack.zendesk_url, time.time(), metadata))
        if token:
            fitted = fit(
                _with_field(fitted, "zendesk_access_token", token), Circumstances(stack.zendesk_url, 0)
            )
        return AdminPage.parse(functions.invoke(ADMIN, fitted)["body"])

    page = admin(load("admin-ui-new"))
    assert page.state == "connected"
    # Edits that Zendesk has no verdict about: their tokens wait until a push, or the schedule, promotes them.
    for promote in (
        lambda: _push(functions, 1),
        lambda: functions.invoke(PUSH, load("schedule-revalidate")),
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
    functions.invoke(PUSH, load("schedule-revalidate"))
    # A crash left the secret of a living account marked for deletion.
    secrets = stack.client("secretsmanager")
    secrets.delete_secret(SecretId=f"{STACK_NAME}/{ACCOUNT}", RecoveryWindowInDays=7)
    functions.revalidate()
    # Confirmed when it is saved, as the token that came along sealed.
    token = simulator.core.rotate_token(ACCOUNT)
    simulator.core.validate_token_policy = ValidateTokenPolicy.ERROR
    sealed = admin(load("admin-ui-new"), token=token).fields["metadata"]
    simulator.core.validate_token_policy = ValidateTokenPolicy.BEFORE_SAVE
    created = fit(
        load("event-create-integration-instance"), Circumstances(stack.zendesk_url, time.time(), sealed)
    )
    assert functions.invoke(ADMIN, created)["statusCode"] == 200
    # A token that was kept as pending is confirmed by the next callback.
    token = simulator.core.rotate_token(ACCOUNT)
    for policy in (ValidateTokenPolicy.ERROR, ValidateTokenPolicy.BEFORE_SAVE):
        simulator.core.validate_token_policy = policy
        page = admin(load("admin-ui-edit"), sealed, token)
    assert page.state == "connected"
    # Zendesk's rate limit is used up.
    throttled = simulator.core.switch_on(Fault(FaultKind.THROTTLED, subdomain=SUBDOMAIN))
    assert len(_push(functions, 1)) == 1
    simulator.core.switch_off(throttled.id)
    # Its Zendesk is renamed: the old address is asked about the stored token.
    simulator.core.accounts.rename_subdomain(SUBDOMAIN, "renamed")
    form = fit(load("admin-ui-edit"), Circumstances(stack.zendesk_url, time.time(), page.fields["metadata"]))
    for name, value in {
        "subdomain": "renamed",
        "zendesk_access_token": simulator.core.rotate_token(ACCOUNT),
    }.items():
        form = _with_field(form, name, value)
    assert AdminPage.parse(functions.invoke(ADMIN, form)["body"]).state == "connected"
    # Never saved, and refused by the next day.
    other = simulator.core.create_account(SUBDOMAIN, name="Never saved")
    form = _with_field(load("admin-ui-new"), "instance_push_id", other.instance_push_id)
    form = _with_field(form, "zendesk_access_token", other.token or "")
    assert (
        AdminPage.parse(functions.invoke(ADMIN, fit(form, Circumstances(stack.zendesk_url, 0)))["body"]).state
        == "connected"
    )
    simulator.core.rotate_token(other.instance_push_id)
    assert functions.revalidate(later=2 * 24 * 3600).get("abandoned") == 1
    # Zendesk refuses the token again.
    simulator.core.rotate_token(ACCOUNT)
    assert len(_push(functions, 1)) == 1
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
        if "Fn::If" not in statement:
            yield statement
        else:
            yield statement["Fn::If"][1]


def _statement(role: str, sid: str) -> dict[str, Any]:
    [found] = [statement for statement in _statements(role) if statement["Sid"] == sid]
    return found


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
    assert (
        granted(function, through_services=False) - seen - BY_LAMBDA[function] - NOT_ON_MOTO[function]
        == set()
    ), "more than is needed"


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
        if resource
        in ("ContentQueue", "DeadLetterQueue", "RepliesQueue", "AccountsTable", "MetadataKey", SECRETS)
    }
    assert encrypted == allowed


def test_metadata_is_sealed_for_one_account_of_one_subdomain(functions: Functions) -> None:
    """The role's condition demands these keys of the encryption context."""
    contexts = functions.watches[ADMIN].contexts
    assert contexts
    assert all(context == {"instance_push_id", "subdomain"} for context in contexts)
    sealing = _statement(ROLES[ADMIN], "SealMetadata")
    assert sealing["Condition"]["Null"] == {
        "kms:EncryptionContext:instance_push_id": "false",
        "kms:EncryptionContext:subdomain": "false",
    }
    assert not functions.watches[PUSH].contexts


# What each role may not do


WRITES = {
    PUSH: ("PushContentRole", "WriteWhatPushAndScheduleOwnOfAccounts"),
    ADMIN: ("AdminCallbackRole", "WriteWhatRegistrationOwnsOfAccounts"),
}


def _allowed_attributes(function: str) -> set[str]:
    condition = _statement(*WRITES[function])["Condition"]
    assert condition["ForAllValues:StringLike"] == {"dynamodb:LeadingKeys": "account#*"}
    return set(condition["ForAllValues:StringEquals"]["dynamodb:Attributes"])


@pytest.mark.parametrize("function", ROLES)
def test_of_an_account_each_function_writes_what_it_owns(functions: Functions, function: str) -> None:
    written = functions.watches[function].written["account"]
    assert written - _allowed_attributes(function) == set(), "denied on AWS"


def test_push_decides_neither_whose_an_account_is_nor_what_speaks_for_it_nor_whether_it_is_on() -> None:
    assert not _allowed_attributes(PUSH) & {"subdomain", "nonce", "state", "name", "saved_at", "connected_at"}
    assert not _allowed_attributes(PUSH) & {"paused_by_operator_at"}  # an operator's alone
    assert _allowed_attributes(PUSH) <= {"pk", "revision", *UNDER_THE_REVISION, *BESIDE_THE_REVISION}


def test_registration_writes_what_is_under_the_revision_and_the_mark() -> None:
    assert _allowed_attributes(ADMIN) == {
        "pk",
        "instance_push_id",
        "revision",
        "refused_version",
        *UNDER_THE_REVISION,
    }


def test_beside_accounts_push_writes_pauses_and_the_cursor_and_the_admin_function_replies(
    functions: Functions,
) -> None:
    assert set(functions.watches[PUSH].written) == {"account", "subdomain", "cursor"}
    assert set(functions.watches[ADMIN].written) <= {"account", "reply"}
    beside = _statement("PushContentRole", "WriteSubdomainsPausesAndTheSchedulesCursor")["Condition"]
    assert beside == {
        "ForAllValues:StringLike": {"dynamodb:LeadingKeys": ["subdomain#*", "cursor#revalidation"]}
    }


@pytest.mark.parametrize("function", ROLES)
def test_no_role_deletes_a_secret_beyond_recovery(functions: Functions, function: str) -> None:
    [deleting] = [each for each in _statements(ROLES[function]) if "DeleteSecret" in str(each["Action"])]
    assert deleting["Action"] == "secretsmanager:DeleteSecret"
    assert deleting["Condition"] == {
        "NumericGreaterThanEquals": {"secretsmanager:RecoveryWindowInDays": 7},
        "BoolIfExists": {"secretsmanager:ForceDeleteWithoutRecovery": "false"},
    }
    assert set(functions.watches[function].recovery_windows) == {7}


def test_what_the_internet_reaches_lists_nothing_and_push_knows_no_metadata_key() -> None:
    admin = granted(ADMIN, through_services=False)
    assert not {action for action, _ in admin} & {
        "dynamodb:Scan",
        "dynamodb:Query",
        "dynamodb:BatchGetItem",
        "dynamodb:DeleteItem",
        "secretsmanager:ListSecrets",
        "secretsmanager:BatchGetSecretValue",
    }
    assert ("secretsmanager:GetSecretValue", "MetadataKey") in admin
    assert not [
        resource for _, resource in granted(PUSH, through_services=False) if resource == "MetadataKey"
    ]


def test_the_metadata_key_is_out_of_reach_of_any_accounts_id() -> None:
    """An account chooses its id; its secret must not be the key's, nor the pattern of the policies hold it."""
    name = load_source(Path(TEMPLATE))["Resources"]["MetadataKey"]["Properties"]["Name"]["Fn::Sub"]
    assert not name.startswith("${AWS::StackName}/")
