"""The stack on this machine: resources by name, and any value of the template resolved with them.

What functions use is created on moto (``resources.py``). Everything else (roles, alarms, dashboards, permissions)
has no counterpart here: it keeps a name, so that references to it resolve as they do on AWS.
"""

from collections.abc import Iterator, Mapping
from typing import Any, Final

from zendesk_push.local.aws import LocalAws
from zendesk_push.local.moto_process import ACCOUNT_ID, REGION
from zendesk_push.local.resources import CREATED, Created, create_resource
from zendesk_push.template.errors import TemplateError
from zendesk_push.template.intrinsics import Resolver
from zendesk_push.template.translation import StackTemplate

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


class CreatedStack:
    """A created stack: what its resources are called, and any value of the template resolved with them."""

    def __init__(self, template: StackTemplate, name: str, aws: LocalAws) -> None:
        self.name: Final = name
        self._template = template
        self._aws = aws
        self._created: dict[str, Created] = {}
        self._underway: list[str] = []
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
    def create(cls, template: StackTemplate, name: str, aws: LocalAws) -> "CreatedStack":
        """Create the template's resources on the local AWS.

        Raises:
            TemplateError: a reference to nothing, or a value that AWS would refuse.
        """
        stack = cls(template, name, aws)
        stack._resolve_everything()
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

    def has(self, logical_id: str) -> bool:
        """Whether the template has the resource, and its condition holds."""
        return logical_id in self._resources

    def physical_id(self, logical_id: str) -> str:
        """What ``Ref`` is: a queue's URL, a table's name, a key's id."""
        return self._ref(logical_id)

    def _resolve_everything(self) -> None:
        """Every resource and output, as CloudFormation does; what functions use comes into being by this."""
        for logical_id, resource in self._resources.items():
            self._ref(logical_id)
            self.properties(logical_id)
            depends_on = resource.get("DependsOn", [])
            for other in [depends_on] if isinstance(depends_on, str) else depends_on:
                if other not in self._template.resources:
                    raise TemplateError(f"{logical_id}.DependsOn: there is no resource {other!r}")
        for name, output in self._template.outputs.items():
            if "Condition" not in output or self._resolver.condition(output["Condition"]):
                self._resolver.resolve(output.get("Value"), f"Outputs.{name}")

    def _ref(self, logical_id: str) -> str:
        resource = self._known(logical_id)
        if resource["Type"] in CREATED:
            return self._create(logical_id, resource["Type"]).ref
        return self._name_of(logical_id)

    def _attribute(self, logical_id: str, attribute: str) -> str:
        kind = self._known(logical_id)["Type"]
        if kind in CREATED:
            attributes = self._create(logical_id, kind).attributes
        else:
            patterns = _ATTRIBUTES_WITHOUT_COUNTERPART.get(kind, {attribute: f"{{name}}.{attribute}"})
            name = self._name_of(logical_id)
            attributes = {
                key: pattern.format(account=ACCOUNT_ID, region=REGION, name=name)
                for key, pattern in patterns.items()
            }
        if attribute not in attributes:
            raise TemplateError(f"{logical_id} ({kind}) has no attribute {attribute!r}")
        return attributes[attribute]

    def _create(self, logical_id: str, kind: str) -> Created:
        """Create a resource when it is first referred to: those that it refers to come before it by that."""
        if logical_id not in self._created:
            if logical_id in self._underway:
                raise TemplateError(f"circular reference: {' -> '.join([*self._underway, logical_id])}")
            self._underway.append(logical_id)
            properties = self.properties(logical_id)
            name = f"{self.name}-{logical_id}"
            self._created[logical_id] = create_resource(kind, logical_id, name, properties, self._aws)
            self._underway.pop()
        return self._created[logical_id]

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
