"""SAM's own validation and the policy scanner, each from its own environment."""

import json
import os
import subprocess
from pathlib import Path
from typing import Any

import yaml

from machine_parts import missing
from zendesk_push.template.reader import load_source

Document = dict[str, Any]
ROOT = Path(__file__).resolve().parents[2]


def _tool(name: str) -> Path:
    path = ROOT / ".tools" / name
    if not path.is_file():
        reason = f"{path.relative_to(ROOT)} is not here (`make {path.relative_to(ROOT)}`)"
        missing("tools", reason)
    return path


def test_sam_takes_the_template() -> None:
    done = subprocess.run(
        [_tool("sam/bin/sam"), "validate", "--lint", "--region", "us-east-1"],
        cwd=ROOT,
        env={**os.environ, "SAM_CLI_TELEMETRY": "0"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "is a valid SAM Template" in done.stdout


def test_the_policy_scanner_finds_what_is_skipped_for_a_reason_and_nothing_else(
    translated: Document, tmp_path: Path
) -> None:
    passed, failed = _scan(translated, tmp_path)
    assert failed == _skipped("checkov.yaml")
    assert passed >= 40
    passed, failed = _scan(load_source(ROOT / "infra/edge.yaml"), tmp_path)
    assert failed == _skipped("checkov-edge.yaml")
    assert passed >= 4


def _skipped(configuration: str) -> set[str]:
    return set(yaml.safe_load((ROOT / "infra" / configuration).read_text("utf-8"))["skip-check"])


def _scan(document: Document, tmp_path: Path) -> tuple[int, set[str]]:
    """How many checks passed, and the ids of those that failed."""
    template = tmp_path / "translated.json"
    template.write_text(json.dumps(document))
    scan = subprocess.run(
        [
            *(
                _tool("policy/bin/checkov"),
                "--skip-download",
                "--framework",
                "cloudformation",
                "--output",
                "json",
            ),
            *("--file", template),
        ],
        capture_output=True,
        text=True,
        check=False,
        cwd=tmp_path,
    )
    results = json.loads(scan.stdout)["results"]
    assert not results["parsing_errors"]
    return len(results["passed_checks"]), {check["check_id"] for check in results["failed_checks"]}
