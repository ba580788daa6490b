"""Roles may do single named things to single named resources."""

from collections.abc import Iterator
from typing import Any

from cfnlint.rules._rule import CloudFormationLintRule, RuleMatch
from cfnlint.template.template import Template

# Secrets are made at run time, one per account, so that their policy needs a pattern: the one that there is.
SECRETS = "arn:${AWS::Partition}:secretsmanager:${AWS::Region}:${AWS::AccountId}:secret:${AWS::StackName}/*"
# What lists, and so can't be narrowed: CodeDeploy looks through all alarms for those that it watches.
LISTED = "cloudwatch:DescribeAlarms"
POLICIES = ["AWS::IAM::Policy", "AWS::IAM::ManagedPolicy", "AWS::IAM::RolePolicy"]
Path = list[str | int]


class NoWildcards(CloudFormationLintRule):
    """A wildcard grants what nobody has thought of, today's and tomorrow's."""

    id = "E9111"
    shortdesc = "No wildcards in identity policies"
    description = "Actions and resources are named; the accounts' secrets are the one pattern"

    def match(self, cfn: Template) -> list[RuleMatch]:
        """Check the statements of every role and policy."""
        matches = []
        for path, statement in _statements(cfn):
            matches += [
                RuleMatch(path, f"{key} is not allowed: it grants everything but")
                for key in ("NotAction", "NotResource")
                if key in statement
            ]
            matches += [
                RuleMatch([*path, "Action"], f"action {action!r} has a wildcard")
                for action in _leaves(statement.get("Action"))
                if "*" in action
            ]
            matches += [
                RuleMatch([*path, "Resource"], f"resource {resource!r} has a wildcard")
                for resource in _leaves(statement.get("Resource"))
                if "*" in resource and resource != SECRETS and statement.get("Action") != LISTED
            ]
        return matches


class NoManagedPolicies(CloudFormationLintRule):
    """AWS's managed policies allow their actions on every resource; SAM attaches some where a role is missing."""

    id = "E9112"
    shortdesc = "No managed policies, and functions bring their own role"
    description = "A function without Role, and a deployment without one, get managed policies from SAM"

    def match(self, cfn: Template) -> list[RuleMatch]:
        """Check roles, and functions that would be given one."""
        matches = [
            RuleMatch(["Resources", name, "Properties", "ManagedPolicyArns"], f"{name} has managed policies")
            for name, role in cfn.get_resources(["AWS::IAM::Role"]).items()
            if role.get("Properties", {}).get("ManagedPolicyArns")
        ]
        for name, function in cfn.get_resources(["AWS::Serverless::Function"]).items():
            properties = function.get("Properties", {})
            path: Path = ["Resources", name, "Properties"]
            if "Role" not in properties:
                matches.append(RuleMatch(path, f"{name} has no Role: SAM makes one with managed policies"))
            deployment = properties.get("DeploymentPreference", {})
            if deployment and "Role" not in deployment:
                matches.append(RuleMatch([*path, "DeploymentPreference"], f"{name}'s deployment has no Role"))
        return matches


def _statements(cfn: Template) -> Iterator[tuple[Path, dict[str, Any]]]:
    for name, resource in cfn.get_resources(["AWS::IAM::Role"]).items():
        for index, policy in enumerate(resource.get("Properties", {}).get("Policies", [])):
            path: Path = ["Resources", name, "Properties", "Policies", index, "PolicyDocument"]
            yield from _of_document(path, policy.get("PolicyDocument", {}))
    for name, resource in cfn.get_resources(POLICIES).items():
        path = ["Resources", name, "Properties", "PolicyDocument"]
        yield from _of_document(path, resource.get("Properties", {}).get("PolicyDocument", {}))


def _of_document(path: Path, document: dict[str, Any]) -> Iterator[tuple[Path, dict[str, Any]]]:
    given = document.get("Statement", [])
    for index, statement in enumerate(given if isinstance(given, list) else [given]):
        # A statement may be there on a condition: Fn::If [condition, then, else].
        for variant in statement.get("Fn::If", [None, statement])[1:]:
            if "Effect" in variant:
                yield [*path, "Statement", index], variant


def _leaves(value: Any) -> Iterator[str]:
    """All strings in a value; of an intrinsic function, its arguments."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, list):
        for part in value:
            yield from _leaves(part)
    elif isinstance(value, dict):
        for part in value.values():
            yield from _leaves(part)
