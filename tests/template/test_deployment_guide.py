"""docs/deployment.md speaks of the template that there is."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from zendesk_push.template.reader import load_source

ROOT = Path(__file__).resolve().parents[2]
GUIDE = (ROOT / "docs/deployment.md").read_text("utf-8")
NAME = re.compile(r"`([A-Z]\w+)`")


def _rows(heading: str) -> Iterator[list[str]]:
    """The cells of the first table below a text."""
    for line in GUIDE.partition(heading)[2].partition("\n|")[2].splitlines():
        if line and not line.startswith("|"):
            continue
        if not line:
            return
        yield [cell.strip() for cell in line.strip("|").split("|")]


def test_every_parameter_is_explained(source: dict[str, Any]) -> None:
    explained = [name for row in _rows("## Parameters") for name in NAME.findall(row[0])]
    assert sorted(explained) == sorted(source["Parameters"])


def test_every_default_is_right(source: dict[str, Any]) -> None:
    checked = 0
    for names, said, *_ in _rows("## Parameters"):
        for name, value in zip(NAME.findall(names), said.split(","), strict=False):
            default = str(source["Parameters"][name]["Default"])
            if given := re.fullmatch(r"\s*(?:`([^`<]+)`|(\d+)( s)?)\s*", value):
                assert (given[1] or given[2]) == default, name
                checked += 1
    assert checked > 15


def test_every_name_is_in_the_template(source: dict[str, Any]) -> None:
    edge = load_source(ROOT / "infra/edge.yaml")
    known = {
        name for part in (source, edge) for name in part["Parameters"] | part["Outputs"] | part["Resources"]
    }
    elsewhere = {
        *(
            "AllAtOnce",
            "INFO",
            "None",
            "Retain",
            "RetainExceptOnCreate",
            "RawMessageDelivery",
            "MessageGroupId",
        ),
        *(
            "AccessDenied",
            "KMSAccessDenied",
            "ExecutedVersion",
            "DisableExecuteApiEndpoint",
            "FILL",
            "SUM",
            "Host",
        ),
        *("ARGS", "ROLLBACK_COMPLETE", "UPDATE_ROLLBACK_COMPLETE"),
    }
    assert set(NAME.findall(GUIDE)) - elsewhere <= known


def test_every_output_a_person_needs_is_mentioned(source: dict[str, Any]) -> None:
    unmentioned = source["Outputs"].keys() - set(re.findall(r"[A-Z]\w+", GUIDE))
    assert unmentioned <= {"ApiUrl", "AdminCallbackFunctionName"}


def test_what_is_said_to_be_kept_is_kept(source: dict[str, Any]) -> None:
    said = [name for row in _rows("**Kept**") for name in NAME.findall(row[0])]
    kept = [name for name, part in source["Resources"].items() if "Retain" in part.get("DeletionPolicy", "")]
    assert sorted(said) == sorted(kept)
