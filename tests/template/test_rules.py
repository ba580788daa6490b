"""The project's own cfn-lint rules: the template keeps them, and each catches the mistake it is for."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from cfnlint.rules._rules import Rules
from cfnlint.template.template import Template

Document = dict[str, Any]
ROOT = Path(__file__).resolve().parents[2]
RULES = Rules.create_from_directory(str(ROOT / "infra/cfn_lint_rules")).data


def complaints(template: Template) -> list[tuple[str, str]]:
    """Rule and message of everything that the project's rules find."""
    return [(rule.id, match.message) for rule in RULES.values() for match in rule.match(template)]


def test_the_template_keeps_them(
    source: Document, translated: Document, as_cfn: Callable[[Document], Template]
) -> None:
    assert complaints(as_cfn(source)) == []
    # Of the translation the rules for SAM's own types see nothing, those for plain types see what SAM has added.
    assert complaints(as_cfn(translated)) == []


def _properties(document: Document, name: str) -> Any:
    return document["Resources"][name]["Properties"]


def _policy(document: Document, role: str = "PushContentRole") -> Any:
    return _properties(document, role)["Policies"][0]["PolicyDocument"]["Statement"]


def no_log_group(document: Document) -> None:
    del _properties(document, "PushContentFunction")["LoggingConfig"]


def a_log_group_by_name(document: Document) -> None:
    _properties(document, "PushContentFunction")["LoggingConfig"]["LogGroup"] = "/aws/lambda/elsewhere"


def logs_for_ever(document: Document) -> None:
    del _properties(document, "AdminCallbackLogs")["RetentionInDays"]


def json_logs(document: Document) -> None:
    document["Globals"]["Function"]["LoggingConfig"] = {"LogFormat": "JSON"}


def application_log_level(document: Document) -> None:
    _properties(document, "PushContentFunction")["LoggingConfig"]["ApplicationLogLevel"] = "DEBUG"


def any_action(document: Document) -> None:
    _policy(document)[1]["Action"] = "sqs:*"


def any_resource(document: Document) -> None:
    _policy(document)[2]["Resource"] = "*"


def a_wider_pattern_of_secrets(document: Document) -> None:
    statement = next(part for part in _policy(document) if "secretsmanager" in str(part["Resource"]))
    statement["Resource"]["Fn::Sub"] = statement["Resource"]["Fn::Sub"].replace("${AWS::StackName}/", "")


def a_wildcard_on_a_condition(document: Document) -> None:
    receipts = next(part for part in _policy(document, "AdminCallbackRole") if "Fn::If" in part)
    receipts["Fn::If"][1]["Resource"] = {"Fn::Sub": "arn:aws:sqs:${AWS::Region}:${AWS::AccountId}:*"}


def everything_but(document: Document) -> None:
    _policy(document)[1]["NotAction"] = _policy(document)[1].pop("Action")


def a_managed_policy(document: Document) -> None:
    _properties(document, "PushContentRole")["ManagedPolicyArns"] = [
        "arn:aws:iam::aws:policy/AmazonSQSFullAccess"
    ]


def sam_makes_the_role(document: Document) -> None:
    del _properties(document, "AdminCallbackFunction")["Role"]


def sam_makes_the_deployment_role(document: Document) -> None:
    del _properties(document, "AdminCallbackFunction")["DeploymentPreference"]["Role"]


def aws_owned_key(document: Document) -> None:
    del _properties(document, "ContentQueue")["KmsMasterKeyId"]


def aws_managed_key(document: Document) -> None:
    _properties(document, "AlarmTopic")["KmsMasterKeyId"] = "alias/aws/sns"


def plain_table(document: Document) -> None:
    del _properties(document, "AccountsTable")["SSESpecification"]


def key_deleted_with_the_stack(document: Document) -> None:
    del document["Resources"]["DataKey"]["DeletionPolicy"]


def orphans_of_a_failed_creation(document: Document) -> None:
    document["Resources"]["ContentQueue"]["DeletionPolicy"] = "Retain"


def table_lost_on_replacement(document: Document) -> None:
    document["Resources"]["AccountsTable"]["UpdateReplacePolicy"] = "Delete"


def plain_http_to_a_queue(document: Document) -> None:
    _properties(document, "DeadLetterQueuePolicy")["PolicyDocument"]["Statement"][0]["Effect"] = "Allow"


def a_queue_without_a_policy(document: Document) -> None:
    del document["Resources"]["ContentQueuePolicy"]


@pytest.mark.parametrize(
    ("rule", "mistake"),
    [
        ("E9101", no_log_group),
        ("E9101", a_log_group_by_name),
        ("E9101", logs_for_ever),
        ("E9102", json_logs),
        ("E9102", application_log_level),
        ("E9111", any_action),
        ("E9111", any_resource),
        ("E9111", a_wider_pattern_of_secrets),
        ("E9111", a_wildcard_on_a_condition),
        ("E9111", everything_but),
        ("E9112", a_managed_policy),
        ("E9112", sam_makes_the_role),
        ("E9112", sam_makes_the_deployment_role),
        ("E9121", aws_owned_key),
        ("E9121", aws_managed_key),
        ("E9121", plain_table),
        ("E9122", key_deleted_with_the_stack),
        ("E9122", table_lost_on_replacement),
        ("E9122", orphans_of_a_failed_creation),
        ("E9123", plain_http_to_a_queue),
        ("E9123", a_queue_without_a_policy),
    ],
)
def test_a_mistake_is_caught(
    source: Document,
    as_cfn: Callable[[Document], Template],
    rule: str,
    mistake: Callable[[Document], None],
) -> None:
    mistake(source)
    assert {found for found, _ in complaints(as_cfn(source))} == {rule}
