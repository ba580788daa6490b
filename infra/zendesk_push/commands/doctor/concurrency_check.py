"""Whether AWS lets as many functions run at a time as the stack expects: new AWS accounts start with ten in all."""

from collections.abc import Iterator
from typing import Final

from zendesk_push.commands.doctor.findings import Finding, ok, skip, warn
from zendesk_push.deployment import Deployment

_RAISE: Final = (
    "ask for more: aws service-quotas request-service-quota-increase --service-code lambda"
    " --quota-code L-B99A9384 --desired-value 1000 (docs/deployment.md, Limits)"
)


def check_concurrency(deployment: Deployment) -> Iterator[Finding]:
    """Push at its MaximumConcurrency leaves something for callbacks."""
    subject = "concurrency"
    function = deployment.resources.get("AdminCallbackFunction")
    if deployment.local or deployment.queue_url is None or function is None:
        yield skip(subject, "needs the stack's functions: give --stack-name")
        return
    client = deployment.client("lambda")
    limits = client.get_account_settings()["AccountLimit"]
    reserved = client.get_function_concurrency(FunctionName=function.physical_id).get(
        "ReservedConcurrentExecutions"
    )
    queue = deployment.client("sqs").get_queue_attributes(
        QueueUrl=deployment.queue_url, AttributeNames=["QueueArn"]
    )["Attributes"]
    mappings = client.list_event_source_mappings(EventSourceArn=queue["QueueArn"])["EventSourceMappings"]
    maximum = max(
        (mapping.get("ScalingConfig", {}).get("MaximumConcurrency", 0) for mapping in mappings), default=0
    )
    yield judge(
        limits["ConcurrentExecutions"], limits["UnreservedConcurrentExecutions"], reserved or 0, maximum
    )


def judge(limit: int, unreserved: int, reserved: int, maximum: int) -> Finding:
    """What the numbers mean.

    Args:
        limit: concurrent executions of the AWS account in this region.
        unreserved: of these, what no function has to itself: push's and, without ``reserved``, callbacks' too.
        reserved: the admin function's own.
        maximum: the push function's MaximumConcurrency, 0 if it has none.
    """
    subject = "concurrency"
    seen = f"{limit} functions at a time in this account and region, {unreserved} of them for any; push takes up to "
    seen += f"{maximum}" if maximum else "all of them"
    if maximum == 0 or maximum > unreserved:
        return warn(subject, f"{seen}: it will be throttled, and callbacks get 503", _RAISE)
    if not reserved and maximum == unreserved:
        return warn(subject, f"{seen}: at full load nothing is left for callbacks, which get 503", _RAISE)
    return ok(subject, f"{seen}; {f'{reserved} are' if reserved else 'none is'} reserved for callbacks")
