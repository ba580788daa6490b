"""Creates the resources that functions use, on moto, from the properties that the template gives them.

Through the services' own APIs and not by moto's CloudFormation: that leaves properties out (expiry of items),
stumbles over others (a key's tags, its policy) and takes two seconds to import. A property that is not known
here is an error, so that none is lost silently.
"""

import json
import secrets
import string
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from botocore.exceptions import ClientError, ParamValidationError

from zendesk_push.local.aws import LocalAws
from zendesk_push.template.errors import TemplateError
from zendesk_push.template.intrinsics import text_of

Properties = Mapping[str, Any]


@dataclass(frozen=True)
class Created:
    """A resource: what ``Ref`` and ``Fn::GetAtt`` of it are."""

    ref: str
    attributes: Mapping[str, str] = field(default_factory=dict)


def create_resource(kind: str, logical_id: str, name: str, properties: Properties, aws: LocalAws) -> Created:
    """Create one resource of a type in ``CREATED``; ``name`` is its name where the template gives none.

    Raises:
        TemplateError: AWS (as moto knows it) refuses the properties, or they are not supported here.
    """
    try:
        return CREATED[kind](name, properties, aws)
    except (ClientError, ParamValidationError) as error:
        raise TemplateError(f"{logical_id} can't be created: {error}") from None
    except TemplateError as error:
        raise TemplateError(f"{logical_id}: {error}") from None


def _queue(name: str, properties: Properties, aws: LocalAws) -> Created:
    _only(
        properties,
        "KmsDataKeyReusePeriodSeconds",
        "KmsMasterKeyId",
        "MaximumMessageSize",
        "MessageRetentionPeriod",
        "QueueName",
        "ReceiveMessageWaitTimeSeconds",
        "RedrivePolicy",
        "Tags",
        "VisibilityTimeout",
    )
    attributes = {
        key: json.dumps(value) if isinstance(value, Mapping) else text_of(value)
        for key, value in properties.items()
        if key not in ("QueueName", "Tags")
    }
    sqs = aws.client("sqs")
    queue_name = properties.get("QueueName", name)
    url = sqs.create_queue(QueueName=queue_name, Attributes=attributes, tags=_tags(properties))["QueueUrl"]
    arn = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    return Created(url, {"Arn": arn, "QueueName": queue_name, "QueueUrl": url})


def _queue_policy(name: str, properties: Properties, aws: LocalAws) -> Created:
    _only(properties, "Queues", "PolicyDocument")
    sqs = aws.client("sqs")
    for url in properties["Queues"]:
        policy = json.dumps(properties["PolicyDocument"])
        sqs.set_queue_attributes(QueueUrl=url, Attributes={"Policy": policy})
    return Created(name)


def _table(name: str, properties: Properties, aws: LocalAws) -> Created:
    same = (
        "AttributeDefinitions",
        "BillingMode",
        "DeletionProtectionEnabled",
        "KeySchema",
    )
    _only(
        properties,
        *same,
        "PointInTimeRecoverySpecification",
        "SSESpecification",
        "TableName",
        "Tags",
        "TimeToLiveSpecification",
    )
    dynamodb = aws.client("dynamodb")
    given = {key: properties[key] for key in same if key in properties}
    if "SSESpecification" in properties:
        encryption = dict(properties["SSESpecification"])
        given["SSESpecification"] = {"Enabled": encryption.pop("SSEEnabled"), **encryption}
    if "Tags" in properties:
        given["Tags"] = properties["Tags"]
    table = dynamodb.create_table(TableName=properties.get("TableName", name), **given)["TableDescription"]
    if "TimeToLiveSpecification" in properties:
        dynamodb.update_time_to_live(
            TableName=table["TableName"], TimeToLiveSpecification=properties["TimeToLiveSpecification"]
        )
    if "PointInTimeRecoverySpecification" in properties:
        dynamodb.update_continuous_backups(
            TableName=table["TableName"],
            PointInTimeRecoverySpecification=properties["PointInTimeRecoverySpecification"],
        )
    return Created(table["TableName"], {"Arn": table["TableArn"]})


def _key(_: str, properties: Properties, aws: LocalAws) -> Created:
    same = ("Description",)
    _only(properties, *same, "EnableKeyRotation", "KeyPolicy", "PendingWindowInDays", "Tags")
    kms = aws.client("kms")
    given = {key: properties[key] for key in same if key in properties}
    tags = [{"TagKey": key, "TagValue": value} for key, value in _tags(properties).items()]
    key = kms.create_key(Policy=json.dumps(properties["KeyPolicy"]), Tags=tags, **given)["KeyMetadata"]
    if properties.get("EnableKeyRotation"):
        kms.enable_key_rotation(KeyId=key["KeyId"])
    return Created(key["KeyId"], {"Arn": key["Arn"], "KeyId": key["KeyId"]})


def _alias(_: str, properties: Properties, aws: LocalAws) -> Created:
    _only(properties, "AliasName", "TargetKeyId")
    aws.client("kms").create_alias(**properties)
    return Created(properties["AliasName"])


def _secret(name: str, properties: Properties, aws: LocalAws) -> Created:
    same = ("Name", "Description", "SecretString", "KmsKeyId", "Tags")
    _only(properties, *same, "GenerateSecretString")
    given = {key: properties[key] for key in same if key in properties}
    if "GenerateSecretString" in properties:
        given["SecretString"] = _generated(properties["GenerateSecretString"])
    arn = aws.client("secretsmanager").create_secret(**{"Name": name, **given})["ARN"]
    return Created(arn, {"Id": arn})


def _generated(rules: Properties) -> str:
    _only(rules, "PasswordLength", "ExcludePunctuation")
    characters = string.ascii_letters + string.digits
    if not rules.get("ExcludePunctuation"):
        characters += string.punctuation
    return "".join(secrets.choice(characters) for _ in range(int(rules.get("PasswordLength", 32))))


CREATED: Final[Mapping[str, Callable[[str, Properties, LocalAws], Created]]] = {
    "AWS::DynamoDB::Table": _table,
    "AWS::KMS::Alias": _alias,
    "AWS::KMS::Key": _key,
    "AWS::SecretsManager::Secret": _secret,
    "AWS::SQS::Queue": _queue,
    "AWS::SQS::QueuePolicy": _queue_policy,
}


def _tags(properties: Properties) -> dict[str, str]:
    return {tag["Key"]: tag["Value"] for tag in properties.get("Tags", [])}


def _only(properties: Properties, *names: str) -> None:
    unknown = properties.keys() - set(names)
    if unknown:
        raise TemplateError(f"{', '.join(sorted(unknown))} is not supported on this machine")
