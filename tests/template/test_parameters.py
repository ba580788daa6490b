"""Every parameter explains and guards itself, and every stage's values pass the guards."""

import re
import tomllib
from pathlib import Path
from typing import Any

import pytest

from zendesk_push.packaging.publish import stage_parameters
from zendesk_push.template.errors import TemplateError
from zendesk_push.template.parameters import resolve_parameters

ROOT = Path(__file__).resolve().parents[2]

# Names that scripts, documentation and people's own configurations rely on.
PROMISED = {
    *(
        "PushClientId",
        "IntegrationName",
        "IntegrationId",
        "IntegrationAuthor",
        "AlarmEmail",
        "SenderPrincipals",
    ),
    *(
        "AllowedSubdomains",
        "BatchSize",
        "BatchingWindowSeconds",
        "MaximumConcurrency",
        "MaxResourcesPerRequest",
    ),
    *("PushTimeoutSeconds", "RetryBaseDelaySeconds", "RetryMaxDelaySeconds", "RetryWindowSeconds"),
    *("AlarmTopicArn", "SenderSourceArns", "AdminReservedConcurrency", "Replies", "ReplyReaderPrincipals"),
    *("DomainName", "CertificateArn", "HostedZoneId", "DefaultEndpoint", "OriginSecret"),
    *("RateLimitReservePercent", "LogLevel", "LogRetentionDays", "Architecture", "ZendeskBaseUrl"),
}
STAGES = tomllib.loads((ROOT / "samconfig.toml").read_text("utf-8"))


def test_what_others_rely_on_is_there(source: dict[str, Any]) -> None:
    assert source["Parameters"].keys() >= PROMISED


def test_each_has_a_default_a_description_and_a_constraint(source: dict[str, Any]) -> None:
    for name, parameter in source["Parameters"].items():
        assert "Default" in parameter, name
        assert parameter["Description"].strip().endswith("."), name
        bounded = {"MinValue", "MaxValue"} <= parameter.keys()
        assert bounded or {"AllowedValues", "AllowedPattern"} & parameter.keys(), name
        if pattern := parameter.get("AllowedPattern"):
            # CloudFormation does not promise to match the whole value.
            assert pattern.startswith("^"), name
            assert pattern.endswith("$"), name
            assert parameter["ConstraintDescription"], name
        if parameter["Type"] == "Number" and "AllowedValues" not in parameter:
            assert bounded, name


def test_the_defaults_pass_their_own_constraints(source: dict[str, Any]) -> None:
    assert resolve_parameters(source["Parameters"], {}).keys() == source["Parameters"].keys()


def test_each_is_offered_in_one_group_of_the_console(source: dict[str, Any]) -> None:
    groups = source["Metadata"]["AWS::CloudFormation::Interface"]["ParameterGroups"]
    offered = [name for group in groups for name in group["Parameters"]]
    assert sorted(offered) == sorted(source["Parameters"])


@pytest.mark.parametrize(
    "name",
    [
        *("PushTimeoutSeconds", "RetryBaseDelaySeconds", "RetryMaxDelaySeconds", "RetryWindowSeconds"),
        "BatchingWindowSeconds",
    ],
)
def test_retries_and_time_outs_may_be_as_short_as_a_second(source: dict[str, Any], name: str) -> None:
    assert source["Parameters"][name]["MinValue"] == 1


TAKEN = [
    ("ZendeskBaseUrl", "https://{subdomain}.zendesk.com"),
    ("ZendeskBaseUrl", "http://127.0.0.1:8080"),
    ("ZendeskBaseUrl", "http://{subdomain}.localhost:8080"),
    ("ZendeskBaseUrl", "http://[::1]:8080"),
    ("ZendeskBaseUrl", "http://host.docker.internal:8080"),
    ("AllowedSubdomains", "acme,globex"),
    ("SenderPrincipals", "arn:aws:iam::123456789012:role/upstream,arn:aws:iam::210987654321:user/a"),
    ("SenderSourceArns", "arn:aws:sns:eu-west-1:123456789012:orders"),
    ("SenderSourceArns", "arn:aws:events:eu-west-1:123456789012:rule/bus/orders"),
    ("AlarmEmail", "operators@example.com"),
    ("AlarmTopicArn", "arn:aws-cn:sns:cn-north-1:123456789012:on-call"),
    ("OriginSecret", "0123456789abcdef0123456789abcdef"),
    ("ReplyReaderPrincipals", "arn:aws:iam::123456789012:role/reader"),
]
REFUSED = [
    ("ZendeskBaseUrl", "https://zendesk.com"),
    ("ZendeskBaseUrl", "https://zendesk.example.com/{subdomain}"),
    ("ZendeskBaseUrl", "https://{subdomain}.zendesk.com@evil.example"),
    ("ZendeskBaseUrl", "http://{subdomain}.zendesk.com"),
    ("ZendeskBaseUrl", "http://localhost.example.com"),
    ("AllowedSubdomains", "acme, globex"),
    ("AllowedSubdomains", "Acme"),
    ("AllowedSubdomains", "acme."),
    ("SenderPrincipals", "arn:aws:iam::123456789012:root"),
    ("SenderPrincipals", "*"),
    ("SenderSourceArns", "arn:aws:s3:::bucket"),
    ("PushClientId", "x" * 128),
    ("RetryWindowSeconds", "691201"),
    ("MaxResourcesPerRequest", "257"),
    ("AlarmEmail", "operators"),
    ("PublishHash", "abc"),
    ("OriginSecret", "too-short"),
    ("AlarmTopicArn", "arn:aws:sqs:eu-west-1:123456789012:on-call"),
    ("DefaultEndpoint", "false"),
    ("Replies", "true"),
]


@pytest.mark.parametrize(("name", "value"), TAKEN)
def test_what_is_taken(source: dict[str, Any], name: str, value: str) -> None:
    taken = resolve_parameters(source["Parameters"], {name: value})[name]
    assert (",".join(taken) if isinstance(taken, list) else taken) == value


@pytest.mark.parametrize(("name", "value"), REFUSED)
def test_what_is_refused(source: dict[str, Any], name: str, value: str) -> None:
    with pytest.raises(TemplateError, match=name):
        resolve_parameters(source["Parameters"], {name: value})


@pytest.mark.parametrize("stage", [name for name, value in STAGES.items() if isinstance(value, dict)])
def test_a_stage_sets_what_the_template_takes(source: dict[str, Any], stage: str) -> None:
    given = stage_parameters(STAGES, stage)
    assert resolve_parameters(source["Parameters"], given).items() >= given.items()


def test_stages_do_not_share_a_stack() -> None:
    stacks = [
        stage["deploy"]["parameters"]["stack_name"] for stage in STAGES.values() if isinstance(stage, dict)
    ]
    assert len(stacks) == len(set(stacks))
    assert all(re.fullmatch("[a-z][a-z0-9-]{0,60}", stack) for stack in stacks)
