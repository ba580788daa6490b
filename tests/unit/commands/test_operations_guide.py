"""docs/operations.md is complete: whoever is woken by an alarm finds its section, whoever reads a reason its row."""

import re
from pathlib import Path
from typing import Final

import pytest

from push_content.outcomes.outcome import ErrorCode
from zendesk_push.cli import COMMANDS
from zendesk_push.dead_letters.dead_letter import MOVED_BY_SQS

ROOT: Final = Path(__file__).parents[3]
GUIDE: Final = (ROOT / "docs" / "operations.md").read_text(encoding="utf-8")
TEMPLATE: Final = (ROOT / "template.yaml").read_text(encoding="utf-8")
ALARMS: Final = re.findall(
    r"^  (\w+):\n(?:    #.*\n)*    Type: AWS::CloudWatch::Alarm$", TEMPLATE, re.MULTILINE
)
QUERIES: Final = re.findall(r"^      Name: !Sub \$\{AWS::StackName\}/(.+)$", TEMPLATE, re.MULTILINE)


def test_the_template_was_read() -> None:
    assert len(ALARMS) == TEMPLATE.count("Type: AWS::CloudWatch::Alarm")
    assert QUERIES


@pytest.mark.parametrize("alarm", ALARMS)
def test_every_alarm_has_a_section(alarm: str) -> None:
    assert re.search(rf"^### .*\b{alarm}\b", GUIDE, re.MULTILINE)


def test_no_section_is_about_an_alarm_that_is_gone() -> None:
    assert set(re.findall(r"\b\w+Alarm\b", GUIDE)) <= set(ALARMS)


@pytest.mark.parametrize("query", QUERIES)
def test_every_saved_query_is_named(query: str) -> None:
    assert query in GUIDE


@pytest.mark.parametrize("reason", [*ErrorCode, MOVED_BY_SQS])
def test_every_reason_has_a_row(reason: str) -> None:
    assert re.search(rf"^\|[^|]*`{reason}`[^|]*\|", GUIDE, re.MULTILINE)


def test_every_parameter_it_names_exists() -> None:
    told, _, _ = GUIDE.partition("## What the commands may do")  # from there on names are AWS's actions
    named = set(re.findall(r"`((?:[A-Z][a-z]+){2,})`", told))
    elsewhere = {"ErrorCode", "ErrorMessage", "DashboardUrl", "RouteSettings", "AccessDenied"}
    assert named - elsewhere <= set(re.findall(r"^  (\w+):$", TEMPLATE, re.MULTILINE))


def test_the_commands_it_shows_exist() -> None:
    assert set(re.findall(r"zendesk-push ([a-z-]+)", GUIDE)) <= COMMANDS.keys()
