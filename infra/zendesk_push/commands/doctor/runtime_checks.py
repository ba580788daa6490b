"""What AWS runs: the functions, the mapping that feeds one of them, the schedule, and the alarms."""

from collections.abc import Iterator
from typing import Any, Final

from zendesk_push.commands.doctor.findings import Finding, fail, ok, skip, warn
from zendesk_push.deployment import Deployment

_FUNCTIONS: Final = ("PushContentFunction", "AdminCallbackFunction")
_LOCAL: Final = "the local stack runs the handlers itself"
_NO_STACK: Final = "needs the stack's resources: give --stack-name"
_DEPLOY: Final = "deploy template.yaml again: somebody has changed it by hand"
_ALARM_PAGE: Final = 100  # names of one DescribeAlarms
_VISIBILITY_FACTOR: Final = 6  # of the function's time-out, as Lambda advises


def check_functions(deployment: Deployment) -> Iterator[Finding]:
    """Both functions can be invoked."""
    subject = "functions"
    if deployment.local or not deployment.resources:
        yield skip(subject, _LOCAL if deployment.local else _NO_STACK)
        return
    client = deployment.client("lambda")
    for logical_id in _FUNCTIONS:
        resource = deployment.resources.get(logical_id)
        if resource is None:
            yield fail(subject, f"{logical_id} is not in the stack", "is this the right stack?")
            continue
        configuration = client.get_function_configuration(FunctionName=resource.physical_id)
        reserved = client.get_function_concurrency(FunctionName=resource.physical_id).get(
            "ReservedConcurrentExecutions"
        )
        state = configuration.get("State", "Active")
        if reserved == 0:
            yield fail(subject, f"{logical_id} is throttled to 0", "undo 'Throttle' in the Lambda console")
        elif state not in ("Active", "Inactive") or configuration.get("LastUpdateStatus") == "Failed":
            reason = (
                configuration.get("StateReason")
                or configuration.get("LastUpdateStatusReason")
                or "no reason given"
            )
            yield fail(subject, f"{logical_id} is {state}: {reason}", "correct that and deploy again")
        else:
            yield ok(subject, f"{logical_id}: {configuration.get('Runtime', '?')}, {state.lower()}")


def check_event_source(deployment: Deployment) -> Iterator[Finding]:
    """The queue feeds the push function, and a part of a batch can fail alone."""
    subject = "event source"
    if deployment.local or deployment.queue_url is None:
        yield skip(subject, _LOCAL if deployment.local else _NO_STACK)
        return
    queue = deployment.client("sqs").get_queue_attributes(
        QueueUrl=deployment.queue_url, AttributeNames=["QueueArn", "VisibilityTimeout"]
    )["Attributes"]
    client = deployment.client("lambda")
    mappings = client.list_event_source_mappings(EventSourceArn=queue["QueueArn"])["EventSourceMappings"]
    if len(mappings) != 1:
        yield fail(subject, f"{len(mappings)} mappings read the content queue, not one", _DEPLOY)
        return
    mapping = mappings[0]
    if mapping.get("State") != "Enabled":
        yield fail(
            subject, f"is {mapping.get('State')}: nothing is delivered", "enable the function's SQS trigger"
        )
    elif "ReportBatchItemFailures" not in mapping.get("FunctionResponseTypes", []):
        yield fail(subject, "ReportBatchItemFailures is off: one message's retry repeats its batch", _DEPLOY)
    else:
        window = mapping.get("MaximumBatchingWindowInSeconds", 0)
        concurrency = mapping.get("ScalingConfig", {}).get("MaximumConcurrency", "not limited")
        yield ok(
            subject,
            f"enabled, batches of {mapping.get('BatchSize')}, window {window} s, concurrency {concurrency}",
        )
    yield _check_visibility(client, mapping, int(queue["VisibilityTimeout"]))


def _check_visibility(client: Any, mapping: dict[str, Any], visibility: int) -> Finding:
    subject = "visibility time-out"
    timeout = client.get_function_configuration(FunctionName=mapping["FunctionArn"])["Timeout"]
    needed = _VISIBILITY_FACTOR * timeout + mapping.get("MaximumBatchingWindowInSeconds", 0)
    if visibility < needed:
        return fail(
            subject, f"{visibility} s, less than the {needed} s that a time-out of {timeout} s needs", _DEPLOY
        )
    return ok(subject, f"{visibility} s for a function's time-out of {timeout} s")


def check_schedule(deployment: Deployment) -> Iterator[Finding]:
    """The schedule that asks Zendesk about every account's token is on."""
    subject = "schedule"
    rules = [entry for entry in deployment.resources.values() if entry.resource_type == "AWS::Events::Rule"]
    if deployment.local or not deployment.resources:
        yield skip(subject, "the local stack has none" if deployment.local else _NO_STACK)
        return
    if not rules:
        yield fail(subject, "the stack has none: credentials are not re-validated", _DEPLOY)
        return
    client = deployment.client("events")
    for rule in rules:
        # A rule of the default bus; its physical id is its name.
        found = client.describe_rule(Name=rule.physical_id)
        if found.get("State") == "DISABLED":
            yield fail(subject, f"{rule.logical_id} is disabled", "enable the rule in EventBridge")
        else:
            yield ok(subject, f"{rule.logical_id}: {found.get('ScheduleExpression')}")


def check_alarms(deployment: Deployment) -> Iterator[Finding]:
    """The alarms are there, quiet, and somebody hears them."""
    subject = "alarms"
    names = [
        entry.physical_id
        for entry in deployment.resources.values()
        if entry.resource_type == "AWS::CloudWatch::Alarm"
    ]
    if deployment.local or not deployment.resources:
        yield skip(subject, "the local stack has none" if deployment.local else _NO_STACK)
        return
    if not names:
        yield fail(subject, "the stack has none", _DEPLOY)
        return
    client = deployment.client("cloudwatch")
    alarms: list[dict[str, Any]] = []
    for start in range(0, len(names), _ALARM_PAGE):
        alarms += client.describe_alarms(AlarmNames=names[start : start + _ALARM_PAGE])["MetricAlarms"]
    missing = set(names) - {alarm["AlarmName"] for alarm in alarms}
    if missing:
        yield fail(subject, f"{', '.join(sorted(missing))} no longer exists", _DEPLOY)
    ringing = [alarm for alarm in alarms if alarm["StateValue"] == "ALARM"]
    for alarm in ringing:
        yield fail(
            subject,
            f"{alarm['AlarmName']} since {alarm['StateUpdatedTimestamp']:%Y-%m-%d %H:%M}Z:"
            f" {alarm.get('AlarmDescription', '')}",
            "docs/operations.md has a section for each alarm",
        )
    silenced = sorted(alarm["AlarmName"] for alarm in alarms if not alarm.get("ActionsEnabled", True))
    if silenced:
        yield warn(subject, f"silenced: {', '.join(silenced)}", "enable their actions again")
    if not ringing and not missing:
        yield ok(subject, f"{len(alarms)}, none in alarm")
    yield from _check_listeners(deployment, alarms)


def _check_listeners(deployment: Deployment, alarms: list[dict[str, Any]]) -> Iterator[Finding]:
    subject = "alarm e-mail"
    topics = sorted(
        {action for alarm in alarms for action in alarm.get("AlarmActions", []) if ":sns:" in action}
    )
    if not topics:
        yield warn(subject, "no alarm tells anybody", "set the parameter AlarmEmail")
        return
    client = deployment.client("sns")
    for topic in topics:
        subscriptions = client.list_subscriptions_by_topic(TopicArn=topic)["Subscriptions"]
        waiting = [
            entry["Endpoint"] for entry in subscriptions if entry["SubscriptionArn"] == "PendingConfirmation"
        ]
        if waiting:
            yield warn(
                subject,
                f"{', '.join(waiting)} has not confirmed",
                "follow the link in AWS's e-mail, or deploy again",
            )
        elif not subscriptions:
            yield warn(subject, "nobody is subscribed", "set the parameter AlarmEmail")
        else:
            yield ok(subject, f"{len(subscriptions)} subscribed")
