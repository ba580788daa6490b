"""One stack through its deployments: what CloudFormation would add, change, replace and take away."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from zendesk_push.template.intrinsics import NO_VALUE, Resolver
from zendesk_push.template.parameters import resolve_parameters

Document = Mapping[str, Any]


@dataclass(frozen=True)
class ChangeSet:
    """Logical ids. ``replaced`` are among the changed: a property that can't change in place."""

    added: set[str]
    changed: set[str]
    removed: set[str]
    replaced: set[str]


# Of what holds something: the properties whose change makes CloudFormation create another one.
REPLACING = {
    "AWS::SQS::Queue": {"QueueName", "FifoQueue"},
    "AWS::DynamoDB::Table": {"TableName", "KeySchema", "LocalSecondaryIndexes", "ImportSourceSpecification"},
    "AWS::KMS::Key": {"KeySpec", "KeyUsage", "MultiRegion", "Origin"},
    "AWS::SecretsManager::Secret": {"Name"},
    "AWS::ApiGatewayV2::Api": {"ProtocolType"},
}


def resources_of(template: Document, parameters: Mapping[str, str]) -> dict[str, Any]:
    """The resources whose condition holds, conditions and parameters filled in, references left as they are."""
    resolver = Resolver(
        {
            "AWS::StackName": "push",
            "AWS::Region": "us-east-1",
            "AWS::AccountId": "123456789012",
            "AWS::Partition": "aws",
            "AWS::URLSuffix": "amazonaws.com",
            **resolve_parameters(template["Parameters"], parameters),
        },
        conditions=template["Conditions"],
        mappings=template["Mappings"],
        ref=lambda name: f"<{name}>",
        attribute=lambda name, attribute: f"<{name}.{attribute}>",
    )
    made = {}
    for name, resource in template["Resources"].items():
        condition = resource.get("Condition")
        if condition and resolver.resolve({"Fn::If": [condition, "", NO_VALUE]}, name) is NO_VALUE:
            continue
        made[name] = {
            "Type": resource["Type"],
            "Properties": resolver.resolve(resource.get("Properties", {}), name),
            "UpdatePolicy": resource.get("UpdatePolicy"),
            "DeletionPolicy": resource.get("DeletionPolicy", "Delete"),
            "UpdateReplacePolicy": resource.get("UpdateReplacePolicy", "Delete"),
        }
    return made


def changes(before: Document, after: Document) -> ChangeSet:
    """From one deployment's resources to the next one's."""
    both = before.keys() & after.keys()
    changed = {name for name in both if _text(before[name]) != _text(after[name])}
    replaced = {
        name
        for name in changed
        for wanted in REPLACING.get(after[name]["Type"], ())
        if before[name]["Properties"].get(wanted) != after[name]["Properties"].get(wanted)
    }
    return ChangeSet(
        added=after.keys() - before.keys(),
        changed=changed,
        removed=before.keys() - after.keys(),
        replaced=replaced,
    )


def _text(value: Any) -> str:
    return json.dumps(value, sort_keys=True, default=str)
