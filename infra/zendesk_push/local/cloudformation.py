"""The stack's resources on moto, created from the translated template by moto's CloudFormation.

moto's CloudFormation does what it can (``CREATED_BY_MOTO``); what it skips and the functions need is done through
the services' own APIs from the same properties. Everything else (roles, alarms, dashboards, permissions) has no
counterpart here: it keeps a name, so that references to it resolve as they do on AWS.
"""

import json
from collections.abc import Iterator, Mapping
from typing import Any, Final

from botocore.exceptions import ClientError
from botocore.parsers import ResponseParserError

from zendesk_push.local.aws import LocalAws
from zendesk_push.local.errors import LocalStackError, TemplateError
from zendesk_push.local.intrinsics import Resolver
from zendesk_push.local.moto_process import ACCOUNT_ID, REGION
from zendesk_push.local.template import StackTemplate

CREATED_BY_MOTO: Final = ("AWS::KMS::Key", "AWS::SQS::Queue", "AWS::DynamoDB::Table")

_URL_SUFFIX: Final = "amazonaws.com"
# Attributes of what is not created, by type: enough for the names in ARNs, URLs and log settings to be right.
# Of a type that is listed, only these attributes exist; of others, any has a made-up value.
_ATTRIBUTES_WITHOUT_COUNTERPART: Final[Mapping[str, Mapping[str, str]]] = {
    "AWS::IAM::Role": {"Arn": "arn:aws:iam::{account}:role/{name}"},
    "AWS::Lambda::Function": {"Arn": "arn:aws:lambda:{region}:{account}:function:{name}"},
    "AWS::Lambda::Version": {"Version": "1"},
    "AWS::Logs::LogGroup": {"Arn": "arn:aws:logs:{region}:{account}:log-group:{name}:*"},
    "AWS::SNS::Topic": {
        "TopicArn": "arn:aws:sns:{region}:{account}:{name}",
        "TopicName": "{name}",
    },
    "AWS::CloudWatch::Alarm": {"Arn": "arn:aws:cloudwatch:{region}:{account}:alarm:{name}"},
    "AWS::Events::Rule": {"Arn": "arn:aws:events:{region}:{account}:rule/{name}"},
    "AWS::Scheduler::Schedule": {"Arn": "arn:aws:scheduler:{region}:{account}:schedule/default/{name}"},
    "AWS::ApiGatewayV2::Api": {"ApiEndpoint": "https://{name}.execute-api.{region}.amazonaws.com"},
    "AWS::ApiGatewayV2::DomainName": {
        "RegionalDomainName": "{name}.example",
        "RegionalHostedZoneId": "Z0000000000000",
    },
    "AWS::SecretsManager::Secret": {"Id": "arn:aws:secretsmanager:{region}:{account}:secret:{name}"},
}
# Properties that give a resource the name which Ref returns.
_NAME_PROPERTIES: Final = (
    "FunctionName",
    "RoleName",
    "LogGroupName",
    "TopicName",
    "AlarmName",
    "Name",
    "DomainName",
)
_NAMED_BY_ANOTHER: Final = ("AWS::Lambda::Version", "AWS::Lambda::Alias")
_NOT_MOTOS: Final = {("AWS::SQS::Queue", "QueueUrl"), ("AWS::KMS::Key", "KeyId")}  # the same as Ref


class Stack:
    """A created stack: what its resources are called, and any value of the template resolved with them."""

    def __init__(self, template: StackTemplate, name: str, aws: LocalAws) -> None:
        self.name: Final = name
        self._template = template
        self._aws = aws
        self._created = False
        self._physical: dict[str, str] = {}
        self._attributes: dict[tuple[str, str], str] = {}
        self._asked: set[tuple[str, str]] = set()
        pseudo = {
            "AWS::AccountId": ACCOUNT_ID,
            "AWS::Region": REGION,
            "AWS::Partition": "aws",
            "AWS::URLSuffix": _URL_SUFFIX,
            "AWS::StackName": name,
            "AWS::StackId": f"arn:aws:cloudformation:{REGION}:{ACCOUNT_ID}:stack/{name}/local",
            "AWS::NotificationARNs": [],
        }
        self._resolver = Resolver(
            {**pseudo, **template.parameters},
            conditions=template.conditions,
            mappings=template.mappings,
            ref=self._ref,
            attribute=self._attribute,
        )
        self._resources = {
            logical_id: resource
            for logical_id, resource in template.resources.items()
            if "Condition" not in resource or self._resolver.condition(resource["Condition"])
        }

    @classmethod
    def create(cls, template: StackTemplate, name: str, aws: LocalAws) -> "Stack":
        """Create the template's resources on the local AWS.

        Raises:
            TemplateError: a reference to nothing, a value that AWS would refuse, or a broken rule.
        """
        stack = cls(template, name, aws)
        stack._check_rules()
        stack._check_references()
        stack._create()
        return stack

    def of_type(self, *types: str) -> Iterator[tuple[str, dict[str, Any]]]:
        """Logical ids and resolved properties of the resources of these types, in the template's order."""
        for logical_id, resource in self._resources.items():
            if resource["Type"] in types:
                yield logical_id, self.properties(logical_id)

    def properties(self, logical_id: str) -> dict[str, Any]:
        """A resource's properties, resolved.

        Raises:
            TemplateError: there is no such resource (or its condition does not hold), or a reference in it
                leads nowhere.
        """
        resource = self._resources.get(logical_id)
        if resource is None:
            raise TemplateError(f"there is no resource {logical_id!r} in the stack")
        resolved: dict[str, Any] = self._resolver.resolve(resource.get("Properties") or {}, logical_id)
        return resolved

    def physical_id(self, logical_id: str) -> str:
        """What ``Ref`` is: a queue's URL, a table's name, a key's id."""
        return str(self._ref(logical_id))

    def _check_rules(self) -> None:
        for name, rule in self._template.rules.items():
            where = f"Rules.{name}"
            if "RuleCondition" in rule and not self._resolver.boolean(rule["RuleCondition"], where):
                continue
            for assertion in rule["Assertions"]:
                if not self._resolver.boolean(assertion["Assert"], where):
                    raise TemplateError(assertion.get("AssertDescription") or f"{where} does not hold")

    def _check_references(self) -> None:
        """Resolve the whole template once, as CloudFormation does before it creates anything."""
        for logical_id, resource in self._resources.items():
            self.properties(logical_id)
            depends_on = resource.get("DependsOn", [])
            for other in [depends_on] if isinstance(depends_on, str) else depends_on:
                if other not in self._template.resources:
                    raise TemplateError(f"{logical_id}.DependsOn: there is no resource {other!r}")
        for name, output in self._template.outputs.items():
            if "Condition" not in output or self._resolver.condition(output["Condition"]):
                self._resolver.resolve(output.get("Value"), f"Outputs.{name}")

    def _create(self) -> None:
        resources = {
            logical_id: {"Type": resource["Type"], "Properties": _without_tags(self.properties(logical_id))}
            for logical_id, resource in self._resources.items()
            if resource["Type"] in CREATED_BY_MOTO
        }
        # Every attribute that anything in the template asks for, answered by moto.
        outputs = {
            f"Attribute{index}": {"Value": {"Fn::GetAtt": list(attribute)}}
            for index, attribute in enumerate(sorted(self._asked))
        }
        cloudformation = self._aws.client("cloudformation")
        try:
            cloudformation.create_stack(
                StackName=self.name, TemplateBody=json.dumps({"Resources": resources, "Outputs": outputs})
            )
        except (ClientError, ResponseParserError) as error:
            # The latter where moto itself fails, which it explains on stderr.
            raise TemplateError(f"the stack can't be created: {_message(error)}") from None
        described = cloudformation.describe_stacks(StackName=self.name)["Stacks"][0]
        if described["StackStatus"] != "CREATE_COMPLETE":
            raise LocalStackError(f"the stack can't be created: {described['StackStatus']}")
        for resource in cloudformation.describe_stack_resources(StackName=self.name)["StackResources"]:
            self._physical[resource["LogicalResourceId"]] = resource["PhysicalResourceId"]
        values = {output["OutputKey"]: output["OutputValue"] for output in described.get("Outputs", [])}
        for index, attribute in enumerate(sorted(self._asked)):
            self._attributes[attribute] = values[f"Attribute{index}"]
        self._created = True
        self._complete_queues()
        self._complete_tables()
        self._complete_keys()
        self._create_secrets()

    def _complete_queues(self) -> None:
        """Queues under the address where moto is reached, with their policies."""
        sqs = self._aws.client("sqs")
        for logical_id, _ in self.of_type("AWS::SQS::Queue"):
            name = self._physical[logical_id].rsplit("/", 1)[1]
            self._physical[logical_id] = sqs.get_queue_url(QueueName=name)["QueueUrl"]
        for _, properties in self.of_type("AWS::SQS::QueuePolicy"):
            for url in properties["Queues"]:
                policy = json.dumps(properties["PolicyDocument"])
                sqs.set_queue_attributes(QueueUrl=url, Attributes={"Policy": policy})

    def _complete_tables(self) -> None:
        """moto's CloudFormation leaves the expiry of items out."""
        dynamodb = self._aws.client("dynamodb")
        for logical_id, properties in self.of_type("AWS::DynamoDB::Table"):
            expiry = properties.get("TimeToLiveSpecification")
            if expiry:
                dynamodb.update_time_to_live(
                    TableName=self._physical[logical_id], TimeToLiveSpecification=expiry
                )

    def _complete_keys(self) -> None:
        """moto's CloudFormation keeps a key's policy in a form that moto's KMS can't read."""
        kms = self._aws.client("kms")
        for logical_id, properties in self.of_type("AWS::KMS::Key"):
            kms.put_key_policy(
                KeyId=self._physical[logical_id],
                PolicyName="default",
                Policy=json.dumps(properties["KeyPolicy"]),
            )
        for _, properties in self.of_type("AWS::KMS::Alias"):
            kms.create_alias(AliasName=properties["AliasName"], TargetKeyId=properties["TargetKeyId"])

    def _create_secrets(self) -> None:
        secrets = self._aws.client("secretsmanager")
        for logical_id, properties in self.of_type("AWS::SecretsManager::Secret"):
            if "GenerateSecretString" in properties:
                raise TemplateError(f"{logical_id}: GenerateSecretString is not supported on this machine")
            kept = ("Name", "Description", "SecretString", "KmsKeyId")
            given = {key: properties[key] for key in kept if key in properties}
            self._physical[logical_id] = secrets.create_secret(
                **{"Name": self._name_of(logical_id), **given}
            )["ARN"]

    def _ref(self, logical_id: str) -> Any:
        resource = self._known(logical_id)
        if resource["Type"] in CREATED_BY_MOTO:
            return self._physical[logical_id] if self._created else {"Ref": logical_id}
        return self._physical.get(logical_id) or self._name_of(logical_id)

    def _attribute(self, logical_id: str, attribute: str) -> Any:
        kind = self._known(logical_id)["Type"]
        if (kind, attribute) in _NOT_MOTOS:
            return self._ref(logical_id)
        if kind in CREATED_BY_MOTO:
            if self._created:
                return self._attributes[logical_id, attribute]
            self._asked.add((logical_id, attribute))
            return {"Fn::GetAtt": [logical_id, attribute]}
        patterns = _ATTRIBUTES_WITHOUT_COUNTERPART.get(kind, {attribute: f"{{name}}.{attribute}"})
        if attribute not in patterns:
            raise TemplateError(f"{logical_id} ({kind}) has no attribute {attribute!r}")
        return patterns[attribute].format(account=ACCOUNT_ID, region=REGION, name=self._name_of(logical_id))

    def _name_of(self, logical_id: str) -> str:
        """The name of what has no counterpart here; an alias or a version is an ARN, as on AWS."""
        resource = self._resources[logical_id]
        kind, properties = resource["Type"], resource.get("Properties") or {}
        if kind in _NAMED_BY_ANOTHER:
            function = self._resolver.resolve(properties["FunctionName"], f"{logical_id}.FunctionName")
            qualifier = properties.get("Name", "1")
            return f"arn:aws:lambda:{REGION}:{ACCOUNT_ID}:function:{function}:{qualifier}"
        for name_property in _NAME_PROPERTIES:
            if name_property in properties:
                given = self._resolver.resolve(properties[name_property], f"{logical_id}.{name_property}")
                return str(given)
        return f"{self.name}-{logical_id}"

    def _known(self, logical_id: str) -> Mapping[str, Any]:
        resource = self._resources.get(logical_id)
        if resource is not None:
            return resource
        if logical_id in self._template.resources:
            raise TemplateError(f"{logical_id!r} is not created, as its condition does not hold")
        raise TemplateError(f"{logical_id!r} names nothing in the template")


def _message(error: Exception) -> str:
    return str(error.response["Error"]["Message"]) if isinstance(error, ClientError) else str(error)


def _without_tags(properties: dict[str, Any]) -> dict[str, Any]:
    """moto's CloudFormation fails on a key's tags, and nothing here reads any."""
    return {name: value for name, value in properties.items() if name != "Tags"}
