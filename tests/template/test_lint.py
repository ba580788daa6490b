"""cfn-lint with its own rules and the project's, on the template as written and as AWS would make it."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from cfnlint.api import lint

from zendesk_push.template.translation import translate

if TYPE_CHECKING:
    from cfnlint.config import ManualArgs

Document = dict[str, Any]
# A parameter and a mapping that nothing uses: SAM uses up what decides on versions. The source is checked for both.
USED_UP = ["W2001", "W7001"]
ROOT = Path(__file__).resolve().parents[2]


def findings(text: str, **options: Any) -> set[str]:
    """Rule ids and messages of all findings."""
    config: ManualArgs = {"append_rules": [str(ROOT / "infra/cfn_lint_rules")], **options}  # type: ignore[typeddict-item]
    return {f"{match.rule.id} {match.message}" for match in lint(text, config=config)}


@pytest.mark.parametrize("template", ["template.yaml", "infra/edge.yaml"])
def test_a_template_as_written(template: str) -> None:
    assert findings((ROOT / template).read_text("utf-8")) == set()


@pytest.mark.parametrize(
    "parameters", [{}, {"DeploymentType": "Canary10Percent5Minutes", "SnapStart": "PublishedVersions"}]
)
def test_the_template_as_aws_makes_it(
    translate_with: Callable[..., Document], parameters: dict[str, str]
) -> None:
    assert findings(json.dumps(translate_with(**parameters)), ignore_checks=USED_UP) == set()


def bad_reference_in_globals(document: Document) -> None:
    document["Globals"]["Function"]["Environment"]["Variables"]["ACCOUNTS_TABLE"] = {"Ref": "AccountTable"}


def misspelt_action(document: Document) -> None:
    policy = document["Resources"]["PushContentRole"]["Properties"]["Policies"][0]["PolicyDocument"]
    policy["Statement"][1]["Action"].append("sqs:ReceiveMessages")


@pytest.mark.parametrize(
    ("mistake", "rule"),
    [
        (bad_reference_in_globals, "E1020"),
        (misspelt_action, "W3037"),
    ],
)
def test_a_mistake_that_only_the_translation_shows(
    source: Document, mistake: Callable[[Document], None], rule: str
) -> None:
    mistake(source)
    found = findings(json.dumps(translate(source)), ignore_checks=USED_UP)
    assert {finding.split()[0] for finding in found} == {rule}
