"""What of the template is there, on moto, and in the functions' environments."""

import itertools
import shutil
from pathlib import Path

import pytest

from integration.local.conftest import EXAMPLE, ExampleStack
from zendesk_push.local.aws import LocalAws
from zendesk_push.local.cloudformation import CreatedStack
from zendesk_push.local.errors import LocalStackError
from zendesk_push.local.event_wiring import event_sources, functions, routes, schedules
from zendesk_push.local.http_api import HttpApiServer
from zendesk_push.local.logs import LogCollector
from zendesk_push.local.pool import FunctionPool
from zendesk_push.template.errors import TemplateError
from zendesk_push.template.translation import load_template


def test_queues_have_the_template_s_attributes(example: ExampleStack) -> None:
    sqs = example.stack.client("sqs")
    attributes = sqs.get_queue_attributes(QueueUrl=example.stack.queue_url, AttributeNames=["All"])[
        "Attributes"
    ]
    dead = sqs.get_queue_attributes(QueueUrl=example.stack.dead_letter_queue_url, AttributeNames=["QueueArn"])

    assert attributes["VisibilityTimeout"] == "130"
    assert attributes["KmsMasterKeyId"].startswith("arn:aws:kms:us-east-1:123456789012:key/")
    assert '"maxReceiveCount": 3' in attributes["RedrivePolicy"]
    assert dead["Attributes"]["QueueArn"] in attributes["RedrivePolicy"]
    assert attributes["QueueArn"] in attributes["Policy"]


def test_tables_keys_and_secrets_are_there(example: ExampleStack) -> None:
    stack = example.stack
    expiry = stack.client("dynamodb").describe_time_to_live(TableName=stack.accounts_table)
    secret = stack.client("secretsmanager").get_secret_value(SecretId="zendesk-push-local/password")
    key = stack.client("kms").describe_key(KeyId="alias/zendesk-push-local")["KeyMetadata"]

    assert expiry["TimeToLiveDescription"]["AttributeName"] == "expires_at"
    assert secret["SecretString"] == "xyzzy"
    assert key["Enabled"]


def test_a_resource_whose_condition_does_not_hold_is_not_there(example: ExampleStack) -> None:
    queues = example.stack.client("sqs").list_queues()["QueueUrls"]

    assert example.stack.queue_url in queues
    assert not [url for url in queues if url.endswith("-ColouredQueue")]


_names = (f"attempt-{number}" for number in itertools.count())


def attempt(example: ExampleStack, template: Path, parameters: dict[str, str] | None = None) -> None:
    """Everything that happens to a template before its functions start, on the example's moto."""
    aws = LocalAws(example.stack.aws_endpoint_url)
    loaded = load_template(template, parameters or {})
    stack = CreatedStack.create(loaded, next(_names), aws)
    specs = functions(stack, loaded)
    routes(stack, specs)
    event_sources(stack, specs)
    schedules(stack, specs)


def edited(folder: Path, old: str, new: str) -> Path:
    """A copy of the example with a mistake in it."""
    shutil.copytree(EXAMPLE.parent, folder, dirs_exist_ok=True)
    template = folder / EXAMPLE.name
    text = template.read_text("utf-8")
    assert old in text
    template.write_text(text.replace(old, new), "utf-8")
    return template


@pytest.mark.parametrize(
    ("old", "new", "complaint"),
    [
        (
            "QUEUE_URL: !Ref ContentQueue",
            "QUEUE_URL: !Ref ContentQueu",
            "QUEUE_URL: 'ContentQueu' names nothing",
        ),
        ("QUEUE_ARN: !GetAtt ContentQueue.Arn", "QUEUE_ARN: !GetAtt ContentQueue.Arm", "Arm"),
        ("QUEUE_ARN: !GetAtt ContentQueue.Arn", "QUEUE_ARN: !GetAtt HttpApi.Arm", "no attribute 'Arm'"),
        ("SECRET: !Ref Password", "SECRET: !Ref ColouredQueue", "its condition does not hold"),
        ("SECRET: !Ref Password", "SECRET: '{{resolve:ssm:x}}'", "dynamic references are not supported"),
        ("KEY_ARN: !GetAtt Key.Arn", "KEY_ARN: [a]", "KEY_ARN is not text"),
        ("CodeUri: code/", "CodeUri: cod/", "is not a folder"),
        ("CodeUri: code/", "CodeUri: s3://bucket/key", "must be a folder on this machine"),
        ("BatchSize: !Ref BatchSize", "BatchSize: 10001", "BatchSize must be 1 to 10000"),
        ("BatchSize: !Ref BatchSize", "BatchSize: !Ref Colour", "BatchSize must be a whole number, not ''"),
        ("Type: Number, Default: 1 }", "Type: Number, Default: 0 }", "above 10 needs a batching window"),
        ("MaximumConcurrency: 3", "MaximumConcurrency: 1", "MaximumConcurrency must be 2 to 1000"),
        ("MaximumConcurrency: 3", "MaximumConcurrency: !Ref Nothing", "'Nothing' names nothing"),
        ("Timeout: 1\n", "Timeout: 901\n", "Timeout must be 1 to 900"),
        ("Path: /echo, Method: ANY", "Path: /echo, Method: ANY, PayloadFormatVersion: '1.0'", "only payload"),
        ("""Input: '{"how": "scheduled"}'""", "Input: '{how}'", "its Input is not JSON"),
        ("Type: SQS\n", "Type: SQZ\n", "SAM refuses the template"),
        ("!GetAtt DeadLetterQueue.Arn", "arn:aws:sqs:us-east-1:1:none", "ContentQueue can't be created"),
        ("TimeToLiveSpecification:", "TimeToLiveSpec:", "AccountsTable: TimeToLiveSpec is not supported"),
        (
            "KeySchema: [{ AttributeName: pk, KeyType: HASH }]",
            "KeySchema: pk",
            "AccountsTable can't be created",
        ),
        (
            "Statement: [] }",
            "Statement: [!GetAtt ContentQueue.Arn] }",
            "circular reference: Key -> ContentQueue",
        ),
        ("Resources:", "Resourced:", "has no Resources"),
        ("Resources:", "Resources: [", "can't be read"),
    ],
)
def test_a_mistake_in_the_template_is_an_error_that_says_where(
    example: ExampleStack, tmp_path: Path, old: str, new: str, complaint: str
) -> None:
    with pytest.raises(TemplateError, match=complaint):
        attempt(example, edited(tmp_path, old, new))


def test_the_example_itself_is_right(example: ExampleStack) -> None:
    attempt(example, EXAMPLE)


@pytest.mark.parametrize(
    ("parameters", "complaint"),
    [
        ({"Greeting": "hi"}, "Greeting='hi' is none of 'hello', 'goodbye'"),
        ({"Colour": "red"}, "Colour needs Greeting=goodbye"),
    ],
)
def test_a_wrong_parameter_is_refused(
    example: ExampleStack, parameters: dict[str, str], complaint: str
) -> None:
    with pytest.raises(TemplateError, match=complaint):
        attempt(example, EXAMPLE, parameters)


def test_a_template_that_is_not_there_is_an_error(example: ExampleStack, tmp_path: Path) -> None:
    with pytest.raises(TemplateError, match="there is no template"):
        attempt(example, tmp_path / "none.yaml")


@pytest.mark.parametrize(
    ("handler", "complaint"),
    [
        (
            "example_handlers.wob",
            "Runtime.HandlerNotFound: Handler 'wob' missing on module 'example_handlers'",
        ),
        ("example_handles.web", "Runtime.ImportModuleError: Unable to import module 'example_handles'"),
        ("web", "Runtime.ImportModuleError"),
        ("broken_handlers.web", "ZeroDivisionError"),
    ],
)
def test_a_handler_that_can_not_be_imported_is_an_error(
    example: ExampleStack, tmp_path: Path, handler: str, complaint: str
) -> None:
    template = edited(tmp_path, "Handler: example_handlers.web", f"Handler: {handler}")
    (tmp_path / "code" / "broken_handlers.py").write_text("1 / 0\n")
    aws = LocalAws(example.stack.aws_endpoint_url)
    loaded = load_template(template, {})
    spec = functions(CreatedStack.create(loaded, next(_names), aws), loaded)["WebFunction"]
    pool = FunctionPool(spec, aws.endpoint_url, LogCollector(), limit=1)
    pool.start()
    try:
        with pytest.raises(LocalStackError, match=f"WebFunction does not start: {complaint}"):
            pool.wait_until_ready()
    finally:
        pool.close()


def test_a_port_that_is_taken_is_an_error(example: ExampleStack) -> None:
    taken = int(example.stack.api_url.rsplit(":", 1)[1])

    with pytest.raises(LocalStackError, match=f"can't listen on 127.0.0.1:{taken}"):
        HttpApiServer([], {}, bind="127.0.0.1", port=taken)
