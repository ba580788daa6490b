"""Replies: what is deployed of them, for whom it is readable, and that nothing of it is there when they are off."""

import json
from collections.abc import Callable
from typing import Any

import pytest

from zendesk_push.template.intrinsics import Resolver
from zendesk_push.template.parameters import resolve_parameters

Document = dict[str, Any]
QUEUES = ("RepliesQueue", "RepliesDeadLetterQueue")
READER = "arn:aws:iam::123456789012:role/reader"


@pytest.fixture
def deployed(translate_with: Callable[..., Document]) -> Callable[..., Document]:
    """The resources and outputs that a deployment with these parameters makes, references left in as names."""

    def resolve(**parameters: str) -> Document:
        document = translate_with(**parameters)
        pseudo = ("AWS::AccountId", "AWS::Region", "AWS::URLSuffix", "AWS::StackName")
        values = resolve_parameters(document["Parameters"], parameters)
        resolver = Resolver(
            {**dict.fromkeys(pseudo, "x"), "AWS::Partition": "aws", **values},
            conditions=document["Conditions"],
            mappings=document["Mappings"],
            ref=lambda name: name,
            attribute=lambda name, attribute: f"{name}.{attribute}",
        )
        made = {}
        for name, item in {**document["Resources"], **document["Outputs"]}.items():
            if "Condition" not in item or resolver.condition(item["Condition"]):
                made[name] = resolver.resolve({k: v for k, v in item.items() if k != "Condition"}, name)
        return made

    return resolve


def _statements(deployed: Document, name: str) -> dict[str, Any]:
    return {part["Sid"]: part for part in deployed[name]["Properties"]["PolicyDocument"]["Statement"]}


def test_with_replies_off_nothing_of_them_is_deployed(deployed: Callable[..., Document]) -> None:
    off, on = deployed(), deployed(Replies="enabled")
    about = {name for name in on if "repl" in name.lower() or "channelback" in name.lower()}
    assert {*QUEUES, "ChannelbackPermission", "RepliesUnreadAlarm", "RepliesQueueUrl"} <= about
    assert off.keys() == on.keys() - about
    variables = off["AdminCallbackFunction"]["Properties"]["Environment"]["Variables"]
    assert variables.pop("REPLIES_QUEUE_URL") == ""
    text = json.dumps(off).lower()
    assert "replies" not in text
    assert "channelback" not in text


def test_the_route_its_throttle_and_its_permission_come_with_replies(
    deployed: Callable[..., Document],
) -> None:
    on = deployed(Replies="enabled")
    paths = on["HttpApi"]["Properties"]["Body"]["paths"]
    # As SAM makes the others.
    assert paths["/channelback"] == paths["/event_callback"]
    assert "POST /channelback" in on["HttpApiApiGatewayDefaultStage"]["Properties"]["RouteSettings"]
    ours = on["ChannelbackPermission"]["Properties"]
    theirs = on["AdminCallbackFunctionEventCallbackPermission"]["Properties"]
    assert ours["SourceArn"].endswith("HttpApi/*/POST/channelback")
    assert {**theirs, "SourceArn": None} == {**ours, "SourceArn": None}
    variables = on["AdminCallbackFunction"]["Properties"]["Environment"]["Variables"]
    assert variables["REPLIES_QUEUE_URL"] == "RepliesQueue"


def test_the_queue_keeps_replies_for_14_days_and_gives_readers_ten_tries(
    deployed: Callable[..., Document],
) -> None:
    on = deployed(Replies="enabled")
    queue, dead = (on[name]["Properties"] for name in QUEUES)
    assert queue["MessageRetentionPeriod"] == dead["MessageRetentionPeriod"] == 14 * 24 * 3600
    assert queue["RedrivePolicy"] == {
        "deadLetterTargetArn": "RepliesDeadLetterQueue.Arn",
        "maxReceiveCount": 10,
    }
    assert queue["KmsMasterKeyId"] == dead["KmsMasterKeyId"] == "DataKey.Arn"
    assert queue["MaximumMessageSize"] == dead["MaximumMessageSize"] == 1024 * 1024
    assert "FifoQueue" not in queue


def test_the_admin_function_may_send_replies_and_nothing_else_with_them(
    deployed: Callable[..., Document],
) -> None:
    [policy] = deployed(Replies="enabled")["AdminCallbackRole"]["Properties"]["Policies"]
    statements = policy["PolicyDocument"]["Statement"]
    assert [part["Action"] for part in statements if "RepliesQueue" in str(part["Resource"])] == [
        "sqs:SendMessage"
    ]
    [key] = [part for part in statements if part["Sid"] == "UseKeyThroughServices"]
    assert "sqs.x.x" in key["Condition"]["StringEquals"]["kms:ViaService"]


@pytest.mark.parametrize("queue", QUEUES)
def test_readers_read_and_nobody_else_does(deployed: Callable[..., Document], queue: str) -> None:
    on = deployed(Replies="enabled", ReplyReaderPrincipals=READER)
    statements = _statements(on, f"{queue}Policy")
    allowed, denied = statements["ReadersRead"], statements["OthersDoNot"]
    # Not the ARN as the principal: a role that is made again would no longer match, one that is missing fail the stack.
    assert allowed["Principal"] == {"AWS": "*"}
    assert allowed["Condition"] == {"ArnEquals": {"aws:PrincipalArn": [READER]}}
    assert "sqs:SendMessage" not in allowed["Action"]
    assert denied["Action"] == ["sqs:ReceiveMessage", "sqs:DeleteMessage"]
    assert denied["Condition"]["ArnNotEquals"] == {"aws:PrincipalArn": [READER]}
    assert allowed["Resource"] == denied["Resource"] == f"{queue}.Arn"
    key = {part.get("Sid"): part for part in on["DataKey"]["Properties"]["KeyPolicy"]["Statement"]}[
        "ReplyReadersDecryptThroughSqs"
    ]
    assert key["Action"] == "kms:Decrypt"
    assert key["Condition"]["ArnEquals"] == {"aws:PrincipalArn": [READER]}
    assert key["Condition"]["StringEquals"] == {"kms:ViaService": "sqs.x.x"}


@pytest.mark.parametrize("queue", QUEUES)
def test_without_readers_the_accounts_own_policies_decide(
    deployed: Callable[..., Document], queue: str
) -> None:
    on = deployed(Replies="enabled")
    assert _statements(on, f"{queue}Policy").keys() == {"TlsOnly"}


def test_the_dashboard_shows_the_queue_only_with_replies(deployed: Callable[..., Document]) -> None:
    off, on = (
        json.loads(stack["Dashboard"]["Properties"]["DashboardBody"])["widgets"]
        for stack in (deployed(), deployed(Replies="enabled"))
    )
    assert on[1 : len(off)] == off[1:]
    assert len(on) == len(off) + 2
    alarms = {alarm.partition(".")[0] for alarm in on[0]["properties"]["alarms"]}
    assert alarms - {alarm.partition(".")[0] for alarm in off[0]["properties"]["alarms"]} == {
        "RepliesUnreadAlarm",
        "RepliesDeadLettersAlarm",
    }
