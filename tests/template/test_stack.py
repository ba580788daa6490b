"""What no linter sees: how the template's numbers and names fit together."""

import ast
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

Document = dict[str, Any]
ROOT = Path(__file__).resolve().parents[2]
FUNCTIONS = ("PushContentFunction", "AdminCallbackFunction")
HOUR = 3600
DAY = 24 * HOUR


def _properties(document: Document, name: str) -> Any:
    return document["Resources"][name]["Properties"]


def _bound(document: Document, parameter: str, bound: str) -> int:
    return int(document["Parameters"][parameter][bound])


@pytest.mark.parametrize("function", FUNCTIONS)
def test_a_handler_is_where_the_template_says(source: Document, function: str) -> None:
    assert source["Globals"]["Function"]["CodeUri"] == "functions/"
    module, _, name = _properties(source, function)["Handler"].rpartition(".")
    path = ROOT / "functions" / Path(*module.split(".")).with_suffix(".py")
    tree = ast.parse(path.read_text("utf-8"))
    assert name in [node.name for node in tree.body if isinstance(node, ast.FunctionDef)]


def test_the_runtime_is_the_one_that_is_tested(source: Document) -> None:
    assert source["Globals"]["Function"]["Runtime"] == "python3.13"


def test_the_queue_hides_a_message_for_six_time_outs_and_the_window(source: Document) -> None:
    """Lambda's advice: its pollers retry a throttled invocation while the message stays hidden."""
    visibility = _properties(source, "ContentQueue")["VisibilityTimeout"]
    window = _bound(source, "BatchingWindowSeconds", "MaxValue")
    assert visibility >= 6 * _properties(source, "PushContentFunction")["Timeout"] + window


def test_sqs_itself_dead_letters_as_late_as_it_can(source: Document) -> None:
    redrive = _properties(source, "ContentQueue")["RedrivePolicy"]
    assert redrive == {
        "deadLetterTargetArn": {"Fn::GetAtt": ["DeadLetterQueue", "Arn"]},
        "maxReceiveCount": 1000,
    }


def test_a_message_waits_no_longer_than_the_queue_keeps_it(source: Document) -> None:
    """The longest window, and one more turn of the longest delay, end before retention does."""
    queue = _properties(source, "ContentQueue")
    last_turn = _bound(source, "RetryMaxDelaySeconds", "MaxValue") + queue["VisibilityTimeout"] + HOUR
    assert _bound(source, "RetryWindowSeconds", "MaxValue") + last_turn < queue["MessageRetentionPeriod"]
    # An invisibility ends 12 hours after the receipt, the time that the function has had included.
    assert last_turn < 12 * HOUR
    assert source["Parameters"]["RetryWindowSeconds"]["Default"] == 4 * DAY


def test_dead_letters_outlive_what_they_came_from(source: Document) -> None:
    """One that SQS moved keeps its first send time."""
    content, dead = _properties(source, "ContentQueue"), _properties(source, "DeadLetterQueue")
    assert content["MessageRetentionPeriod"] == 10 * DAY
    assert dead["MessageRetentionPeriod"] == 14 * DAY
    # What SQS itself moves has lived out most of its time on the content queue, and its age begins anew with the move.
    left = dead["MessageRetentionPeriod"] - content["MessageRetentionPeriod"]
    assert _properties(source, "DeadLettersExpiringAlarm")["Threshold"] == left


def test_the_reason_fits_beside_the_largest_message(source: Document) -> None:
    """Four attributes of which ErrorMessage and Context are the large ones, normally up to 4 KiB each."""
    content, dead = _properties(source, "ContentQueue"), _properties(source, "DeadLetterQueue")
    assert content["MaximumMessageSize"] == 1_000_000
    assert dead["MaximumMessageSize"] == 1_048_576
    assert dead["MaximumMessageSize"] - content["MaximumMessageSize"] > 4 * 8192


def test_the_event_source_keeps_to_lambdas_limits(source: Document) -> None:
    event = _properties(source, "PushContentFunction")["Events"]["Content"]["Properties"]
    assert event["FunctionResponseTypes"] == ["ReportBatchItemFailures"]
    assert event["BatchSize"] == {"Ref": "BatchSize"}
    assert event["ScalingConfig"] == {"MaximumConcurrency": {"Ref": "MaximumConcurrency"}}
    assert _bound(source, "BatchSize", "MaxValue") <= 10_000
    # Above ten messages a batch needs a window.
    assert _bound(source, "BatchingWindowSeconds", "MinValue") >= 1
    assert _bound(source, "BatchingWindowSeconds", "MaxValue") <= 300
    assert _bound(source, "MaximumConcurrency", "MinValue") >= 2
    assert _bound(source, "MaximumConcurrency", "MaxValue") <= 1000


def test_a_request_may_time_out_and_leave_time_to_account_for_it(source: Document) -> None:
    longest = _bound(source, "PushTimeoutSeconds", "MaxValue")
    assert 2 * longest <= _properties(source, "PushContentFunction")["Timeout"]


def test_the_admin_function_ends_before_the_api_gives_up(source: Document) -> None:
    assert _properties(source, "AdminCallbackFunction")["Timeout"] < 30


def test_the_routes_are_the_promised_ones_and_a_fallback(source: Document) -> None:
    events = _properties(source, "AdminCallbackFunction")["Events"].values()
    routes = [event["Properties"] for event in events if event["Type"] == "HttpApi"]
    assert all(route["ApiId"] == {"Ref": "HttpApi"} for route in routes)
    promised = {"GET /manifest.json", "POST /admin_ui", "POST /event_callback", "GET /healthcheck"}
    named = {f"{route['Method']} {route['Path']}" for route in routes if "Path" in route}
    assert named == promised
    assert len(routes) == len(promised) + 1  # the fallback, which answers 404 and 405 as JSON


def test_every_route_is_throttled_and_the_fallback_hardest(source: Document, translated: Document) -> None:
    api = _properties(source, "HttpApi")
    assert _properties(translated, "HttpApiApiGatewayDefaultStage")["RouteSettings"] == api["RouteSettings"]
    limits = {route: limit.get("Fn::If", [None, limit])[1] for route, limit in api["RouteSettings"].items()}
    assert set(limits) == {
        "GET /manifest.json",
        "POST /admin_ui",
        "POST /event_callback",
        "GET /healthcheck",
        "POST /channelback",
    }
    fallback = api["DefaultRouteSettings"]["ThrottlingRateLimit"]
    assert all(limit["ThrottlingRateLimit"] > fallback > 0 for limit in limits.values())
    assert all(limit["ThrottlingBurstLimit"] > 0 for limit in limits.values())


def test_the_schedule_sends_what_the_function_expects(source: Document) -> None:
    schedule = _properties(source, "PushContentFunction")["Events"]["Revalidate"]["Properties"]
    assert schedule["Input"] == '{"source": "zendesk-push.schedule", "action": "revalidate"}'
    # The credentials alarm sums over half an hour, so that it stays on from one run to the next.
    assert schedule["Schedule"] == "rate(15 minutes)"
    assert not schedule.keys() & {"Enabled", "State"}  # it is on


def test_alarms_reach_the_topic_and_plain_http_does_not(source: Document) -> None:
    policy = _properties(source, "AlarmTopicPolicy")
    assert policy["Topics"] == [{"Ref": "AlarmTopic"}]
    alarms, plain = policy["PolicyDocument"]["Statement"]
    assert (alarms["Effect"], alarms["Principal"], alarms["Action"]) == (
        "Allow",
        {"Service": "cloudwatch.amazonaws.com"},
        "sns:Publish",
    )
    assert (plain["Effect"], plain["Principal"], plain["Action"], plain["Condition"]) == (
        "Deny",
        "*",
        "sns:Publish",
        {"Bool": {"aws:SecureTransport": "false"}},
    )


def test_the_table_expires_items_and_survives_mistakes(source: Document) -> None:
    table = _properties(source, "AccountsTable")
    assert table["KeySchema"] == [{"AttributeName": "pk", "KeyType": "HASH"}]
    assert table["AttributeDefinitions"] == [{"AttributeName": "pk", "AttributeType": "S"}]
    assert table["TimeToLiveSpecification"] == {"AttributeName": "expires_at", "Enabled": True}
    assert table["PointInTimeRecoverySpecification"] == {"PointInTimeRecoveryEnabled": True}
    assert table["DeletionProtectionEnabled"] is True
    assert table["BillingMode"] == "PAY_PER_REQUEST"


def test_every_log_group_is_covered_by_the_keys_policy(source: Document) -> None:
    statements = _properties(source, "DataKey")["KeyPolicy"]["Statement"]
    logs = next(part for part in statements if part.get("Sid") == "LogGroupsOfThisStack")
    pattern = logs["Condition"]["ArnLike"]["kms:EncryptionContext:aws:logs:arn"]["Fn::Sub"]
    prefix = pattern.partition(":log-group:")[2].removesuffix("*")
    groups = [
        resource["Properties"]["LogGroupName"]["Fn::Sub"]
        for resource in source["Resources"].values()
        if resource["Type"] == "AWS::Logs::LogGroup"
    ]
    assert len(groups) == 3
    assert all(group.startswith(prefix) for group in groups)


def test_whoever_writes_to_what_is_encrypted_may_use_the_key(source: Document) -> None:
    """Of what the key's policy leaves out, no test without AWS would notice: messages and alarms just do not arrive."""
    statements = _properties(source, "DataKey")["KeyPolicy"]["Statement"]
    always = {part["Sid"]: part for part in statements if "Sid" in part}
    alarms = always["AlarmsToEncryptedTopic"]
    assert alarms["Principal"] == {"Service": "cloudwatch.amazonaws.com"}
    on_condition = {part["Fn::If"][0]: part["Fn::If"][1] for part in statements if "Fn::If" in part}
    assert on_condition.keys() == {"HasSenders", "HasSources", "HasReplyReaders"}
    senders, sources = on_condition["HasSenders"], on_condition["HasSources"]
    assert senders["Condition"]["StringEquals"].keys() == {"kms:ViaService"}
    assert senders["Condition"]["ArnEquals"] == {"aws:PrincipalArn": {"Ref": "SenderPrincipals"}}
    assert sources["Principal"] == {"Service": ["sns.amazonaws.com", "events.amazonaws.com"]}
    assert "Condition" not in sources  # EventBridge's calls carry neither source ARN nor source account
    for statement in (alarms, senders, sources):
        assert statement["Effect"] == "Allow"
        assert sorted(statement["Action"]) == ["kms:Decrypt", "kms:GenerateDataKey"]


def test_only_senders_send(source: Document) -> None:
    """With SenderPrincipals, IAM policies of the account are not enough any more; AWS services are not concerned."""
    statements = _properties(source, "ContentQueuePolicy")["PolicyDocument"]["Statement"]
    on_condition = {part["Fn::If"][1]["Sid"]: part["Fn::If"] for part in statements if "Fn::If" in part}
    condition, denial, otherwise = on_condition["OthersDoNot"]
    assert condition == "HasSenders"
    assert otherwise == {"Ref": "AWS::NoValue"}
    assert denial["Effect"] == "Deny"
    assert denial["Condition"] == {
        "ArnNotEquals": {"aws:PrincipalArn": {"Ref": "SenderPrincipals"}},
        "Bool": {"aws:PrincipalIsAWSService": "false"},
    }
    senders = on_condition["SendersSend"][1]
    assert senders["Condition"] == {"ArnEquals": {"aws:PrincipalArn": {"Ref": "SenderPrincipals"}}}
    sources = on_condition["TopicsAndRulesSend"][1]
    assert sources["Condition"] == {"ArnEquals": {"aws:SourceArn": {"Ref": "SenderSourceArns"}}}


def test_a_new_version_is_published_when_the_hash_changes(translate_with: Callable[..., Document]) -> None:
    def versions(document: Document) -> set[str]:
        return {
            name for name, part in document["Resources"].items() if part["Type"] == "AWS::Lambda::Version"
        }

    before = versions(translate_with(PublishHash="a" * 64))
    after = versions(translate_with(PublishHash="b" * 64))
    assert len(before) == len(after) == len(FUNCTIONS)
    assert not before & after


def test_without_a_hash_the_code_decides(translate_with: Callable[..., Document], source: Document) -> None:
    """Plain `sam deploy` must publish: an empty hash may not be the same version forever."""
    versions = [
        name for name, part in translate_with()["Resources"].items() if part["Type"] == "AWS::Lambda::Version"
    ]
    assert len(versions) == len(FUNCTIONS)
    assert all(not name.endswith("Version") for name in versions)
    assert source["Parameters"]["PublishHash"]["Default"] == ""


def test_a_gradual_deployment_is_rolled_back_by_alarms(translate_with: Callable[..., Document]) -> None:
    translated = translate_with(DeploymentType="Canary10Percent5Minutes")
    group = _properties(translated, "PushContentFunctionDeploymentGroup")
    assert group["DeploymentConfigName"]["Fn::Sub"][1] == {"ConfigName": "Canary10Percent5Minutes"}
    watched = ("PushVersionFailsAlarm", "PushVersionBadAlarm", "PushNothingDeliveredAlarm")
    assert group["AlarmConfiguration"] == {
        "Enabled": True,
        "Alarms": [{"Name": {"Ref": alarm}} for alarm in watched],
    }


def test_all_at_once_nothing_can_block_the_cure(translate_with: Callable[..., Document]) -> None:
    """No deployment group whose alarms CodeDeploy would look at: the alias is moved by CloudFormation itself."""
    translated = translate_with(DeploymentType="AllAtOnce")
    assert not [name for name, part in translated["Resources"].items() if "CodeDeploy" in part["Type"]]
    assert "UpdatePolicy" not in translated["Resources"]["PushContentFunctionAliaslive"]


def test_every_kind_of_deployment_says_whether_it_is_gradual(source: Document) -> None:
    kinds = source["Parameters"]["DeploymentType"]["AllowedValues"]
    assert source["Mappings"]["GradualDeployment"] == {
        kind: {"Enabled": kind != "AllAtOnce"} for kind in kinds
    }


@pytest.mark.parametrize(
    "parameters",
    [
        {"SnapStart": "PublishedVersions", "Architecture": "arm64"},
        {
            "DomainName": "push.example.com",
            "CertificateArn": "arn:aws:acm:us-east-1:123456789012:certificate/a",
        },
        {"AlarmEmail": "operators@example.com", "DeploymentType": "Linear10PercentEvery1Minute"},
        {"SenderPrincipals": "arn:aws:iam::123456789012:role/upstream"},
    ],
)
def test_options_are_conditions_of_one_template(
    translate_with: Callable[..., Document], parameters: dict[str, str]
) -> None:
    """No option makes SAM leave out, add or rename a resource, published versions and what moves them excepted."""

    def resources(document: Document) -> set[str]:
        return {
            name
            for name, part in document["Resources"].items()
            if part["Type"] != "AWS::Lambda::Version" and "CodeDeploy" not in part["Type"]
        }

    assert resources(translate_with(**parameters)) == resources(translate_with())


def test_what_a_person_needs_is_in_the_outputs(source: Document) -> None:
    needed = {"ManifestUrl", "ContentQueueUrl", "DeadLetterQueueUrl", "AccountsTableName", "DashboardUrl"}
    assert source["Outputs"].keys() >= needed
    assert all(output["Description"] for output in source["Outputs"].values())
    queues_and_table = ("ContentQueue", "DeadLetterQueue", "AccountsTable")
    values = [
        source["Outputs"][f"{name}{what}"]["Value"]
        for name, what in zip(queues_and_table, ("Url", "Url", "Name"), strict=True)
    ]
    assert values == [{"Ref": name} for name in queues_and_table]


def test_the_api_logs_which_route_and_nothing_that_a_stranger_typed(source: Document) -> None:
    """Of the request, that is: a path or a header may hold anything, and somebody's token."""
    logged = _properties(source, "HttpApi")["AccessLogSettings"]["Format"]
    assert set(re.findall(r"\$context\.([\w.]+)", logged)) == {
        "requestId",
        "requestTimeEpoch",
        "routeKey",
        "status",
        "identity.sourceIp",
        "responseLatency",
        "integrationErrorMessage",
    }


def test_codedeploy_may_move_both_aliases_and_nothing_else(source: Document) -> None:
    move, watch = _properties(source, "DeploymentRole")["Policies"][0]["PolicyDocument"]["Statement"]
    assert {"lambda:GetAlias", "lambda:UpdateAlias"} <= set(move["Action"])
    moved = {part["Fn::Sub"] for part in move["Resource"] if "Fn::Sub" in part}
    assert moved == {f"${{{name}.Arn}}:live" for name in FUNCTIONS}
    assert (watch["Action"], watch["Resource"]) == ("cloudwatch:DescribeAlarms", "*")


def test_no_policy_names_a_principal_that_may_not_exist(source: Document) -> None:
    """A role's ARN as a principal fails the stack while it is missing, and is void once the role is made again."""

    def principals(value: Any) -> list[Any]:
        if isinstance(value, list):
            return [found for part in value for found in principals(part)]
        if not isinstance(value, dict):
            return []
        own = [value["Principal"]] if "Principal" in value else []
        return own + [found for part in value.values() for found in principals(part)]

    permissions = {"apigateway.amazonaws.com"}  # Lambda's own, which name a service without saying so
    named = [
        given
        for given in principals(source["Resources"])
        if given != "*" and "Service" not in given and str(given) not in permissions
    ]
    root = {"AWS": {"Fn::Sub": "arn:${AWS::Partition}:iam::${AWS::AccountId}:root"}}
    assert [given for given in named if given not in ({"AWS": "*"}, root)] == []


def test_every_service_and_link_is_the_partitions_own(source: Document) -> None:
    """China's services end in amazonaws.com.cn, and each partition has its own console."""
    text = (ROOT / "template.yaml").read_text("utf-8")
    assert re.findall(r"\$\{AWS::Region\}\.amazonaws\.com", text) == []
    assert "arn:aws:" not in text
    assert source["Mappings"]["Partitions"].keys() == {"aws", "aws-cn", "aws-us-gov"}
