"""The doctor on a deployment that is well, and on each thing that can be wrong with it.

moto is AWS here. What makes a deployment a real one (functions, mapping, rule, alarms) is made through its API,
with the properties that template.yaml has.
"""

import io
import json
import re
import threading
import time
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError

from integration.commands.conftest import REGION, Deployed, Ran
from zendesk_channel.accounts import Account, AccountsTable, AccountState
from zendesk_channel.contract import InstancePushId, Subdomain
from zendesk_channel.push_state import SharedPauses
from zendesk_push.commands.doctor.command import diagnose
from zendesk_push.commands.doctor.findings import Finding, Level
from zendesk_push.deployment import Deployment, StackResource

ACCOUNT_LIMIT = {"ConcurrentExecutions": 1000, "UnreservedConcurrentExecutions": 1000}
TLS_ONLY = {
    "Effect": "Deny",
    "Principal": "*",
    "Action": "sqs:*",
    "Condition": {"Bool": {"aws:SecureTransport": "false"}},
}


class Api:
    """A loopback HTTP API whose answers a test sets, by path: status, content type, body."""

    def __init__(self, server: ThreadingHTTPServer) -> None:
        self.url = f"http://127.0.0.1:{server.server_port}"
        urls = {"admin_ui": f"{self.url}/admin_ui", "event_callback_url": f"{self.url}/event_callback"}
        manifest = {"name": "Push", "id": "urn:push", "push_client_id": "zdg-push", "urls": urls}
        self.answers = {
            "/manifest.json": (200, "application/json", json.dumps(manifest)),
            "/healthcheck": (200, "application/json", '{"status": "ok"}'),
        }


@pytest.fixture
def api() -> Iterator[Api]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            status, content_type, body = served.answers[self.path]
            self.send_response(status)
            self.send_header("Content-Type", content_type)
            self.send_header("Content-Length", str(len(body)))
            self.send_header("Location", "/elsewhere")
            self.end_headers()
            self.wfile.write(body.encode())

        def log_message(self, *_: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    served = Api(server)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield served
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def deployment(stack: Deployed, api: Api) -> Deployment:
    """One that is well in every respect."""
    sqs = stack.client("sqs")
    for url in (stack.queue_url, stack.dead_letter_queue_url):
        policy(stack, url, TLS_ONLY)
    queue = sqs.get_queue_attributes(QueueUrl=stack.queue_url, AttributeNames=["QueueArn"])["Attributes"]
    functions = {
        name: make_function(stack, name) for name in ("PushContentFunction", "AdminCallbackFunction")
    }
    stack.client("lambda").create_event_source_mapping(
        EventSourceArn=queue["QueueArn"],
        FunctionName="PushContentFunction",
        BatchSize=1000,
        MaximumBatchingWindowInSeconds=1,
        FunctionResponseTypes=["ReportBatchItemFailures"],
        ScalingConfig={"MaximumConcurrency": 10},
    )
    stack.client("events").put_rule(Name="revalidate", ScheduleExpression="rate(15 minutes)")
    topic = stack.client("sns").create_topic(Name="alarms")["TopicArn"]
    stack.client("sns").subscribe(TopicArn=topic, Protocol="email", Endpoint="ops@example.com")
    stack.client("cloudwatch").put_metric_alarm(
        AlarmName="dead-letters",
        AlarmDescription="Something is dead.",
        AlarmActions=[topic],
        Namespace="AWS/SQS",
        MetricName="ApproximateNumberOfMessagesVisible",
        ComparisonOperator="GreaterThanThreshold",
        Threshold=0,
        EvaluationPeriods=1,
        Period=60,
        Statistic="Maximum",
    )
    set_alarm(stack, "OK")
    register(stack, "acc-1")
    resources = [StackResource(name, "AWS::Lambda::Function", name) for name in functions]
    resources.append(StackResource("Rule", "AWS::Events::Rule", "revalidate"))
    resources.append(StackResource("DeadLettersAlarm", "AWS::CloudWatch::Alarm", "dead-letters"))
    session = boto3.Session(region_name=REGION)
    # moto has none. What a handler returns is the answer, which the types do not know.
    answer: Any = lambda **_: (SimpleNamespace(status_code=200), {"AccountLimit": ACCOUNT_LIMIT})  # noqa: E731
    session.events.register("before-call.lambda.GetAccountSettings", answer)
    return Deployment(
        session=session,
        endpoint_url=stack.endpoint_url,
        stack_name="push",
        queue_url=stack.queue_url,
        dead_letter_queue_url=stack.dead_letter_queue_url,
        accounts_table=stack.table,
        api_url=api.url,
        resources={resource.logical_id: resource for resource in resources},
    )


def make_function(stack: Deployed, name: str, timeout: int = 120) -> str:
    iam = stack.client("iam")
    iam.create_role(RoleName=name, AssumeRolePolicyDocument="{}")
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as file:
        file.writestr("handler.py", "")
    arn: str = stack.client("lambda").create_function(
        FunctionName=name,
        Runtime="python3.13",
        Role=f"arn:aws:iam::123456789012:role/{name}",
        Handler="handler.lambda_handler",
        Code={"ZipFile": archive.getvalue()},
        Timeout=timeout,
    )["FunctionArn"]
    return arn


def policy(stack: Deployed, queue_url: str, *statements: Any) -> None:
    document = json.dumps({"Version": "2012-10-17", "Statement": statements})
    stack.client("sqs").set_queue_attributes(QueueUrl=queue_url, Attributes={"Policy": document})


def set_attributes(stack: Deployed, queue_url: str, **attributes: str) -> None:
    stack.client("sqs").set_queue_attributes(QueueUrl=queue_url, Attributes=attributes)


def set_alarm(stack: Deployed, value: str) -> None:
    stack.client("cloudwatch").set_alarm_state(AlarmName="dead-letters", StateValue=value, StateReason="test")


def register(stack: Deployed, key: str, subdomain: str = "acme", *, refused: bool = False) -> Account:
    accounts = AccountsTable(stack.client("dynamodb"), stack.table)
    saved = accounts.save(
        Account(
            InstancePushId(key), Subdomain(subdomain), AccountState.ACTIVE, 0, token_version="v1", name="Name"
        )
    )
    if refused:
        accounts.mark_refused(saved)
    return saved


def worst(deployment: Deployment, subject: str) -> Finding:
    """The worst finding of a subject; there has to be one."""
    order = list(Level)
    found = [finding for finding in diagnose(deployment) if finding.subject == subject]
    return max(found, key=lambda finding: order.index(finding.level))


def test_a_deployment_that_is_well(deployment: Deployment, stack: Deployed) -> None:
    findings = list(diagnose(deployment))
    assert [finding.subject for finding in findings if finding.level is not Level.OK] == ["waiting"]  # no log
    assert {finding.subject for finding in findings} == {
        "manifest",
        "healthcheck",
        "content queue policy",
        "senders",
        "dead-letter queue policy",
        "encryption",
        "redrive policy",
        "retention",
        "message size",
        "backlog",
        "dead letters",
        "key",
        "metadata key",
        "functions",
        "event source",
        "concurrency",
        "visibility time-out",
        "schedule",
        "alarms",
        "alarm e-mail",
        "accounts",
        "credentials",
        "waiting",
        "replies",
    }


@pytest.mark.parametrize(
    ("path", "answer", "subject", "says"),
    [
        ("/manifest.json", (500, "text/plain", "no"), "manifest", "HTTP 500"),
        ("/manifest.json", (301, "text/plain", ""), "manifest", "HTTP 301"),
        ("/manifest.json", (200, "application/json", "<html>"), "manifest", "not JSON"),
        (
            "/manifest.json",
            (200, "application/json", '{"name": 1}'),
            "manifest",
            "id is missing; push_client_id is",
        ),
        ("/healthcheck", (200, "application/json", '{"status": "no"}'), "healthcheck", "HTTP 200, not"),
        ("/healthcheck", (502, "text/html", "bad"), "healthcheck", "HTTP 502"),
    ],
)
def test_what_zendesk_would_not_take(
    deployment: Deployment, api: Api, path: str, answer: tuple[int, str, str], subject: str, says: str
) -> None:
    api.answers[path] = answer
    found = worst(deployment, subject)
    assert found.level is Level.FAIL
    assert says in found.seen
    assert found.advice


@pytest.mark.parametrize("subject", ["manifest", "healthcheck"])
def test_an_address_where_nobody_is(deployment: Deployment, subject: str) -> None:
    found = worst(replace(deployment, api_url="http://127.0.0.1:1"), subject)
    assert found.level is Level.FAIL
    assert re.search(r"http://127\.0\.0\.1:1/[a-z.]+: Failed to establish a new connection", found.seen)
    assert "check its name and certificate" in found.advice


def test_queue_policies(deployment: Deployment, stack: Deployed) -> None:
    everybody = {"Effect": "Allow", "Principal": "*", "Action": "sqs:SendMessage"}
    policy(stack, stack.queue_url, everybody)
    assert worst(deployment, "content queue policy").seen == "plain HTTP is allowed"
    assert worst(deployment, "senders").level is Level.FAIL
    policy(stack, stack.queue_url, TLS_ONLY, everybody | {"Principal": {"AWS": "AROAEXAMPLEEXAMPLEXYZ"}})
    assert worst(deployment, "content queue policy").level is Level.OK
    assert worst(deployment, "senders").level is Level.WARN


@pytest.mark.parametrize(
    ("attribute", "value", "subject", "level"),
    [
        ("RedrivePolicy", "", "redrive policy", Level.FAIL),
        ("MessageRetentionPeriod", "1209600", "retention", Level.FAIL),
        ("MaximumMessageSize", "1048576", "message size", Level.WARN),
        ("KmsMasterKeyId", "", "encryption", Level.FAIL),
        ("VisibilityTimeout", "720", "visibility time-out", Level.FAIL),
    ],
)
def test_a_queue_that_was_changed_by_hand(
    deployment: Deployment, stack: Deployed, attribute: str, value: str, subject: str, level: Level
) -> None:
    set_attributes(stack, stack.queue_url, **{attribute: value})
    assert worst(deployment, subject).level is level


def test_a_redrive_policy_that_moves_too_early(deployment: Deployment, stack: Deployed) -> None:
    sqs = stack.client("sqs")
    dead = sqs.get_queue_attributes(QueueUrl=stack.dead_letter_queue_url, AttributeNames=["QueueArn"])[
        "Attributes"
    ]
    early = json.dumps({"deadLetterTargetArn": dead["QueueArn"], "maxReceiveCount": 5})
    set_attributes(stack, stack.queue_url, RedrivePolicy=early)
    assert "maxReceiveCount 5" in worst(deployment, "redrive policy").seen


def test_dead_letters_are_counted_wherever_they_are(deployment: Deployment, stack: Deployed) -> None:
    sqs = stack.client("sqs")
    for _ in range(3):
        sqs.send_message(QueueUrl=stack.dead_letter_queue_url, MessageBody="x")
    sqs.receive_message(QueueUrl=stack.dead_letter_queue_url)
    found = worst(deployment, "dead letters")
    assert found.level is Level.WARN
    assert found.seen.startswith("about 3, the oldest for ")
    assert found.seen.endswith("s: it is lost in 13d 23h")


def test_a_dead_letter_that_is_lost_soon_is_a_failure(deployment: Deployment, stack: Deployed) -> None:
    sqs = stack.client("sqs")
    sqs.set_queue_attributes(
        QueueUrl=stack.dead_letter_queue_url, Attributes={"MessageRetentionPeriod": "170000"}
    )
    sqs.send_message(QueueUrl=stack.dead_letter_queue_url, MessageBody="x")
    assert worst(deployment, "dead letters").level is Level.FAIL


def test_what_waits_for_what_is_missing_is_named(
    deployment: Deployment, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    line = {
        "message": "not sent",
        "timestamp": f"{datetime.now(UTC):%Y-%m-%d %H:%M:%S},000+0000",
        "reason": "unknown_account",
        "account": "gone",
        "message_ids": ["a", "b"],
        "oldest_s": 7200,
    }
    path = tmp_path / "log"
    path.write_text(f"[PushContentFunction] {json.dumps(line, separators=(',', ':'))}\n")
    found = worst(replace(deployment, log_file=path), "waiting")
    assert found.level is Level.WARN
    assert found.seen.startswith("2 messages of gone: unknown_account, the oldest for 2h")


def test_a_queue_that_sqs_will_soon_stop_delivering_from(deployment: Deployment) -> None:
    def full(parsed: dict[str, Any], **_: Any) -> None:
        if "ApproximateNumberOfMessagesNotVisible" in parsed.get("Attributes", {}):
            parsed["Attributes"]["ApproximateNumberOfMessagesNotVisible"] = "60001"

    session = boto3.Session(region_name=REGION)
    session.events.register("after-call.sqs.GetQueueAttributes", full)
    found = worst(replace(deployment, session=session), "backlog")
    assert (found.level, "60,001 in flight" in found.seen) == (Level.WARN, True)


def test_a_key_that_goes_away(deployment: Deployment, stack: Deployed) -> None:
    kms = stack.client("kms")
    [key] = kms.list_keys()["Keys"]
    kms.disable_key(KeyId=key["KeyId"])
    assert worst(deployment, "key").seen == f"{key['KeyId']} is Disabled"
    kms.schedule_key_deletion(KeyId=key["KeyId"], PendingWindowInDays=7)
    assert "will be deleted on" in worst(deployment, "key").seen


def test_the_metadata_key_and_its_age(deployment: Deployment, stack: Deployed) -> None:
    secrets = stack.client("secretsmanager")
    found = worst(deployment, "metadata key")
    assert (found.level, found.seen.endswith(" old")) == (Level.OK, True)
    secrets.put_secret_value(SecretId="push-metadata-key", SecretString="n" * 64)
    assert worst(deployment, "metadata key").seen.endswith("and the one before it counts as well")
    secrets.delete_secret(SecretId="push-metadata-key", RecoveryWindowInDays=7)
    assert worst(deployment, "metadata key").seen == "push-metadata-key is marked for deletion"
    secrets.delete_secret(SecretId="push-metadata-key", ForceDeleteWithoutRecovery=True)
    found = worst(deployment, "metadata key")
    assert (found.level, found.seen) == (Level.FAIL, "push-metadata-key is not there")
    assert worst(replace(deployment, stack_name=None), "metadata key").level is Level.SKIP


def test_an_event_source_that_is_off(deployment: Deployment, stack: Deployed) -> None:
    client = stack.client("lambda")
    [mapping] = client.list_event_source_mappings()["EventSourceMappings"]
    client.update_event_source_mapping(UUID=mapping["UUID"], Enabled=False)
    assert "nothing is delivered" in worst(deployment, "event source").seen
    client.delete_event_source_mapping(UUID=mapping["UUID"])
    assert worst(deployment, "event source").seen == "0 mappings read the content queue, not one"


def test_an_event_source_that_repeats_whole_batches(deployment: Deployment, stack: Deployed) -> None:
    client = stack.client("lambda")
    [mapping] = client.list_event_source_mappings()["EventSourceMappings"]
    client.update_event_source_mapping(UUID=mapping["UUID"], FunctionResponseTypes=[])
    found = worst(deployment, "event source")
    assert found.level is Level.FAIL
    assert "ReportBatchItemFailures is off" in found.seen


def test_an_alarm_that_nobody_hears(deployment: Deployment, stack: Deployed) -> None:
    def unconfirmed(parsed: dict[str, Any], **_: Any) -> None:
        """As AWS has it until the link in its mail was followed; moto confirms by itself."""
        for entry in parsed["Subscriptions"]:
            entry["SubscriptionArn"] = "PendingConfirmation"

    session = boto3.Session(region_name=REGION)
    session.events.register("after-call.sns.ListSubscriptionsByTopic", unconfirmed)
    found = worst(replace(deployment, session=session), "alarm e-mail")
    assert (found.level, found.seen) == (Level.WARN, "ops@example.com has not confirmed")
    sns = stack.client("sns")
    for entry in sns.list_subscriptions()["Subscriptions"]:
        sns.unsubscribe(SubscriptionArn=entry["SubscriptionArn"])
    found = worst(deployment, "alarm e-mail")
    assert (found.level, found.seen) == (Level.WARN, "nobody is subscribed")


def test_a_function_that_somebody_throttled(deployment: Deployment, stack: Deployed) -> None:
    stack.client("lambda").put_function_concurrency(
        FunctionName="PushContentFunction", ReservedConcurrentExecutions=0
    )
    assert worst(deployment, "functions").seen == "PushContentFunction is throttled to 0"


def test_a_schedule_that_is_off(deployment: Deployment, stack: Deployed) -> None:
    stack.client("events").disable_rule(Name="revalidate")
    assert worst(deployment, "schedule").level is Level.FAIL


def test_alarms(deployment: Deployment, stack: Deployed) -> None:
    set_alarm(stack, "ALARM")
    found = worst(deployment, "alarms")
    assert found.level is Level.FAIL
    assert "Something is dead." in found.seen
    set_alarm(stack, "OK")
    stack.client("cloudwatch").disable_alarm_actions(AlarmNames=["dead-letters"])
    assert worst(deployment, "alarms").seen == "silenced: dead-letters"
    stack.client("cloudwatch").delete_alarms(AlarmNames=["dead-letters"])
    assert worst(deployment, "alarms").level is Level.FAIL
    assert worst(deployment, "alarm e-mail").seen == "no alarm tells anybody"


def test_accounts(deployment: Deployment, stack: Deployed) -> None:
    for number in range(6):
        register(stack, f"bad-{number}", f"lost-{number}", refused=True)
    lost = register(stack, "moved", "renamed")
    SharedPauses(stack.client("dynamodb"), stack.table).pause_account(
        lost, time.time() + 600, pause_seconds=4, reason="wrong_address"
    )
    assert worst(deployment, "accounts").seen == "2 active, 6 refused"
    found = worst(deployment, "credentials")
    assert found.level is Level.FAIL
    assert "lost-0 (Name)" in found.seen
    assert found.seen.endswith("and 1 more")
    assert worst(deployment, "addresses").seen == "no Zendesk answers at renamed"


def test_accounts_in_trouble_are_named(deployment: Deployment, stack: Deployed) -> None:
    pauses = SharedPauses(stack.client("dynamodb"), stack.table)
    now = time.time()
    pauses.pause_subdomain(register(stack, "busy", "busy").subdomain, now + 600)
    slow = register(stack, "slow", "slow")
    pauses.pause_account(slow, now + 600, pause_seconds=4, reason="unavailable", request_limit=8)
    table = AccountsTable(stack.client("dynamodb"), stack.table)
    stopped = register(stack, "stopped", "stopped").instance_push_id
    table.pause_by_operator(stopped, now)
    assert "busy (Name) for 9m" in worst(deployment, "rate limits").seen
    assert worst(deployment, "time-outs").seen.endswith("slow (Name)")
    assert worst(deployment, "operator pauses").seen == "paused: stopped (Name)"
    assert worst(deployment, "failing").seen == "nothing gets through to slow (Name)"


def test_nobody_is_connected_yet(deployment: Deployment, stack: Deployed) -> None:
    stack.client("dynamodb").delete_item(TableName=stack.table, Key={"pk": {"S": "account#acc-1"}})
    assert worst(deployment, "accounts").level is Level.WARN


@pytest.mark.parametrize(
    ("code", "level", "says"),
    [
        ("AccessDeniedException", Level.WARN, "could not be checked"),
        ("NotFoundException", Level.FAIL, "NotFoundException"),
    ],
)
def test_a_check_that_aws_refuses_is_a_finding_and_stops_no_other(
    deployment: Deployment, code: str, level: Level, says: str
) -> None:
    def refuse(**_: Any) -> None:
        raise ClientError({"Error": {"Code": code, "Message": "no"}}, "DescribeKey")

    session = boto3.Session(region_name=REGION)
    session.events.register("before-call.kms.DescribeKey", refuse)
    refused = replace(deployment, session=session)

    found = worst(refused, "key")
    assert (found.level, says in found.seen, bool(found.advice)) == (level, True, True)
    assert worst(refused, "accounts").level is Level.OK


def test_what_is_not_known_is_skipped_with_a_reason() -> None:
    bare = Deployment(session=boto3.Session(region_name=REGION))
    findings = list(diagnose(bare))
    assert findings
    assert all(finding.level is Level.SKIP and "give --" in finding.seen for finding in findings)


def test_a_local_stack_is_judged_by_what_it_has(
    command: Callable[..., Ran], api: Api, stack: Deployed
) -> None:
    register(stack, "acc-1")
    ran = command("doctor", "--json", "--api-url", api.url)
    levels = {finding["subject"]: finding["level"] for finding in ran.json}
    assert ran.code == 0
    assert levels["manifest"] == "ok"
    assert {levels[subject] for subject in ("functions", "concurrency", "schedule", "alarms")} == {"skip"}
    assert command("doctor", "--api-url", api.url).out.splitlines()[-1] == "13 ok, 0 warn, 0 fail, 8 skip"


def test_a_failure_is_exit_code_1_and_a_warning_only_if_asked(
    command: Callable[..., Ran], api: Api, stack: Deployed
) -> None:
    assert command("doctor", "--api-url", api.url).code == 0
    assert command("doctor", "--strict", "--api-url", api.url).code == 1  # no account is connected
    register(stack, "acc-1", refused=True)
    ran = command("doctor", "--api-url", api.url)
    assert ran.code == 1
    assert "fail credentials" in ran.out


def test_a_queue_that_is_not_there_does_not_stop_the_others(deployment: Deployment) -> None:
    broken = replace(deployment, queue_url=f"{deployment.queue_url}-none")
    assert worst(broken, "queues").level is Level.FAIL
    assert worst(broken, "accounts").level is Level.OK
