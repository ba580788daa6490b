"""What holds content, accounts or credentials is encrypted with the stack's own key, and outlives mistakes."""

from typing import Any

from cfnlint.rules._rule import CloudFormationLintRule, RuleMatch
from cfnlint.template.template import Template

# Where each type names its key.
KEY_PROPERTIES = {
    "AWS::SQS::Queue": ("KmsMasterKeyId",),
    "AWS::SNS::Topic": ("KmsMasterKeyId",),
    "AWS::Logs::LogGroup": ("KmsKeyId",),
    "AWS::SecretsManager::Secret": ("KmsKeyId",),
    "AWS::DynamoDB::Table": ("SSESpecification", "KMSMasterKeyId"),
}
KEPT = ["AWS::KMS::Key", "AWS::DynamoDB::Table", "AWS::SQS::Queue", "AWS::SecretsManager::Secret"]


class EncryptedWithOwnKey(CloudFormationLintRule):
    """AWS's own keys can't be taken away from anybody who may use the service in this account."""

    id = "E9121"
    shortdesc = "Encrypted with a key of this template"
    description = "Queues, topics, log groups, secrets and tables name a KMS key that this template makes"

    def match(self, cfn: Template) -> list[RuleMatch]:
        """Check every resource of a type that can have a key."""
        keys = cfn.get_resources(["AWS::KMS::Key"])
        matches = []
        for kind, property_path in KEY_PROPERTIES.items():
            for name, resource in cfn.get_resources([kind]).items():
                value: Any = resource.get("Properties", {})
                for part in property_path:
                    value = value.get(part, {}) if isinstance(value, dict) else {}
                if _target(value) not in keys:
                    wanted = ".".join(property_path)
                    matches.append(
                        RuleMatch(
                            ["Resources", name, "Properties"],
                            f"{name}: {wanted} is not a key of this template",
                        )
                    )
        return matches


class KeptOnDeletion(CloudFormationLintRule):
    """Deleting a stack, or a change that replaces a resource, must not take customers' credentials along."""

    id = "E9122"
    shortdesc = "Keys, tables, queues and secrets are retained"
    description = "What cannot be made again is kept, but for what a stack's failed creation leaves behind"

    def match(self, cfn: Template) -> list[RuleMatch]:
        """Check every resource that holds something."""
        return [
            RuleMatch(["Resources", name], f"{name} is not kept: {policy} is not {wanted}")
            for name, resource in cfn.get_resources(KEPT).items()
            # Plain Retain would keep the orphans of a first deployment that failed, under names that the next needs.
            for policy, wanted in (
                ("DeletionPolicy", "RetainExceptOnCreate"),
                ("UpdateReplacePolicy", "Retain"),
            )
            if resource.get(policy) != wanted
        ]


class QueueOverTlsOnly(CloudFormationLintRule):
    """Each queue has a policy that refuses everything that does not come over TLS."""

    id = "E9123"
    shortdesc = "Queues refuse what does not come over TLS"
    description = "A queue policy denies sqs:* where aws:SecureTransport is false"

    def match(self, cfn: Template) -> list[RuleMatch]:
        """Check that each queue is in a policy with the denial."""
        protected = {
            _target(queue)
            for policy in cfn.get_resources(["AWS::SQS::QueuePolicy"]).values()
            if any(map(_denies_plain, policy["Properties"]["PolicyDocument"].get("Statement", [])))
            for queue in policy["Properties"].get("Queues", [])
        }
        return [
            RuleMatch(["Resources", name], f"{name} takes what does not come over TLS")
            for name in cfn.get_resources(["AWS::SQS::Queue"])
            if name not in protected
        ]


def _denies_plain(statement: dict[str, Any]) -> bool:
    return (
        statement.get("Effect") == "Deny"
        and statement.get("Principal") == "*"
        and statement.get("Action") == "sqs:*"
        and statement.get("Condition") == {"Bool": {"aws:SecureTransport": "false"}}
    )


def _target(value: Any) -> str | None:
    """The logical id that a Ref or a GetAtt of an ARN points to."""
    if not isinstance(value, dict):
        return None
    attribute = value.get("Fn::GetAtt")
    if isinstance(attribute, str):
        attribute = attribute.split(".")
    return attribute[0] if attribute else value.get("Ref")
