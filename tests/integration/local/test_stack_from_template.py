"""What of the template is there, on moto, and in the functions' environments."""

import shutil
from pathlib import Path

import pytest

from integration.local.conftest import EXAMPLE, ExampleStack
from zendesk_push.local.errors import LocalStackError, TemplateError
from zendesk_push.local.stack import LocalStack


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

    assert len(queues) == 2


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
        ("SECRET: !Ref Password", "SECRET: !Ref ColouredQueue", "its condition does not hold"),
        ("KEY_ARN: !GetAtt Key.Arn", "KEY_ARN: [a]", "KEY_ARN is not text"),
        ("Handler: example_handlers.web", "Handler: example_handlers.wob", "Runtime.HandlerNotFound"),
        ("Handler: example_handlers.web", "Handler: example_handles.web", "Runtime.ImportModuleError"),
        ("CodeUri: code/", "CodeUri: cod/", "is not a folder"),
        ("CodeUri: code/", "CodeUri: s3://bucket/key", "must be a folder on this machine"),
        ("BatchSize: !Ref BatchSize", "BatchSize: 10001", "BatchSize must be 1 to 10000"),
        (
            "Window: { Type: Number, Default: 1 }",
            "Window: { Type: Number, Default: 0 }",
            "above 10 needs a batching",
        ),
        ("Timeout: 1\n", "Timeout: 901\n", "Timeout must be 1 to 900"),
        (
            "Path: /echo, Method: ANY",
            "Path: /echo, Method: ANY, PayloadFormatVersion: '1.0'",
            "only payload format 2.0",
        ),
        ("Type: AWS::Serverless::HttpApi\n", "Type: AWS::Serverless::HttpAp\n", "SAM refuses the template"),
        ("Resources:", "Resourced:", "has no Resources"),
        ("Resources:", "Resources: [", "can't be read"),
    ],
)
def test_a_mistake_in_the_template_is_an_error_that_says_where(
    tmp_path: Path, old: str, new: str, complaint: str
) -> None:
    with pytest.raises(LocalStackError, match=complaint), LocalStack(template=edited(tmp_path, old, new)):
        pass


@pytest.mark.parametrize(
    ("parameters", "complaint"),
    [
        ({"Greeting": "hi"}, "Greeting='hi' is none of 'hello', 'goodbye'"),
        ({"Colour": "red"}, "Colour needs Greeting=goodbye"),
    ],
)
def test_a_wrong_parameter_is_refused(parameters: dict[str, str], complaint: str) -> None:
    with pytest.raises(TemplateError, match=complaint), LocalStack(template=EXAMPLE, parameters=parameters):
        pass


def test_a_template_that_is_not_there_is_an_error(tmp_path: Path) -> None:
    with (
        pytest.raises(TemplateError, match="there is no template"),
        LocalStack(template=tmp_path / "none.yaml"),
    ):
        pass


def test_a_port_that_is_taken_is_an_error(example: ExampleStack) -> None:
    port = int(example.stack.api_url.rsplit(":", 1)[1])

    with (
        pytest.raises(LocalStackError, match=f"can't listen on 127.0.0.1:{port}"),
        LocalStack(template=EXAMPLE, port=port),
    ):
        pass
