"""A stack's name is enough: CloudFormation knows its parts."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from integration.commands.conftest import REGION, Deployed
from zendesk_push.cli import main

TEMPLATE = {
    "Resources": {
        "DeadLetterQueue": {"Type": "AWS::SQS::Queue"},
        "ContentQueue": {"Type": "AWS::SQS::Queue"},
        "AccountsTable": {
            "Type": "AWS::DynamoDB::Table",
            "Properties": {
                "AttributeDefinitions": [{"AttributeName": "pk", "AttributeType": "S"}],
                "KeySchema": [{"AttributeName": "pk", "KeyType": "HASH"}],
                "BillingMode": "PAY_PER_REQUEST",
            },
        },
    },
    "Outputs": {"ManifestUrl": {"Value": "https://push.example.com/manifest.json"}},
}


@pytest.fixture
def run(stack: Deployed) -> Callable[..., int]:
    stack.client("cloudformation").create_stack(StackName="push", TemplateBody=json.dumps(TEMPLATE))
    return lambda *arguments: main([*arguments, "--endpoint-url", stack.endpoint_url, "--region", REGION])


def test_queues_and_table_are_found(
    run: Callable[..., int], stack: Deployed, capsys: pytest.CaptureFixture[str]
) -> None:
    sqs = stack.client("sqs")
    dead = next(url for url in sqs.list_queues()["QueueUrls"] if "DeadLetterQueue" in url)
    sqs.send_message(QueueUrl=dead, MessageBody='{"instance_push_id": "acc-1"}')
    assert run("dlq", "redrive", "--all", "--yes", "--stack-name", "push") == 0
    content = next(url for url in sqs.list_queues()["QueueUrls"] if "ContentQueue" in url)
    assert len(stack.messages(content)) == 1
    capsys.readouterr()
    assert run("accounts", "--json", "--stack-name", "push") == 0
    assert capsys.readouterr().out == "[]\n"


def test_the_installer_apps_manifest_is_the_stacks(
    run: Callable[..., int], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    options = ("--author-email", "help@example.com", "--output", str(tmp_path / "app.zip"))
    assert run("installer-app", "--stack-name", "push", *options) == 0
    assert "manifest: https://push.example.com/manifest.json" in capsys.readouterr().err


def test_a_stack_that_is_not_there_is_one_line(
    run: Callable[..., int], capsys: pytest.CaptureFixture[str]
) -> None:
    assert run("accounts", "--stack-name", "none") == 1
    assert capsys.readouterr().err == (
        f"zendesk-push: there is no stack 'none' in {REGION}, for these credentials\n"
    )
