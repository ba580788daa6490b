"""Functions write to log groups of the template's own, in a format that does not raise libraries' log levels."""

from typing import Any

from cfnlint.rules._rule import CloudFormationLintRule, RuleMatch
from cfnlint.template.template import Template

Path = list[str | int]
FUNCTIONS = ["AWS::Serverless::Function", "AWS::Lambda::Function"]


class FunctionHasLogGroup(CloudFormationLintRule):
    """Without one, Lambda makes a group that keeps logs forever, unencrypted, and after the stack is gone."""

    id = "E9101"
    shortdesc = "Each function has a log group of its own"
    description = (
        "LoggingConfig.LogGroup refers to a log group of this template that has a retention and a key"
    )

    def match(self, cfn: Template) -> list[RuleMatch]:
        """Check every function."""
        groups = cfn.get_resources(["AWS::Logs::LogGroup"])
        matches = []
        for name, function in cfn.get_resources(FUNCTIONS).items():
            path: Path = ["Resources", name, "Properties"]
            group = _reference(function.get("Properties", {}).get("LoggingConfig", {}).get("LogGroup"))
            if group not in groups:
                matches.append(RuleMatch(path, f"{name} has no LoggingConfig.LogGroup of this template"))
                continue
            properties = groups[group].get("Properties", {})
            matches += [
                RuleMatch(
                    ["Resources", group, "Properties"], f"{group}, which {name} logs to, has no {wanted}"
                )
                for wanted in ("RetentionInDays", "KmsKeyId")
                if wanted not in properties
            ]
        return matches


class FunctionLogsText(CloudFormationLintRule):
    """Lambda's JSON format sets the level of the root logger, and botocore at DEBUG logs secrets."""

    id = "E9102"
    shortdesc = "Functions log in Lambda's text format"
    description = (
        "LogFormat JSON and its log levels apply to every library: botocore's DEBUG lines hold secrets"
    )

    def match(self, cfn: Template) -> list[RuleMatch]:
        """Check every function, and what Globals give to all."""
        sections: dict[tuple[str, ...], Any] = {
            ("Resources", name, "Properties"): function.get("Properties", {})
            for name, function in cfn.get_resources(FUNCTIONS).items()
        }
        sections["Globals", "Function"] = cfn.template.get("Globals", {}).get("Function", {})
        return [
            RuleMatch([*path, "LoggingConfig"], f"{path[1]} has LoggingConfig.{setting}")
            for path, properties in sections.items()
            for setting, allowed in (("LogFormat", "Text"), ("ApplicationLogLevel", None))
            if properties.get("LoggingConfig", {}).get(setting) not in (None, allowed)
        ]


def _reference(value: Any) -> str | None:
    return value.get("Ref") if isinstance(value, dict) else None
