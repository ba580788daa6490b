"""The template by which kept resources are imported into a stack."""

import json
from pathlib import Path
from typing import Any

from cfnlint.api import lint

from integration.deploy.stack import resources_of
from zendesk_push.packaging.kept import kept_resources
from zendesk_push.template.translation import translate

ROOT = Path(__file__).resolve().parents[2]


def test_it_is_plain_cloudformation_on_its_own() -> None:
    """Nothing refers to what is not there. Parameters may be unused, and queues have their policies already."""
    unused = ["W2001", "W7001", "W8001", "E9123"]
    found = lint(json.dumps(kept_resources()), config={"ignore_checks": unused})
    assert [str(match) for match in found] == []


def test_what_is_imported_is_what_the_next_deployment_finds(source: dict[str, Any]) -> None:
    """Or it would change, at once, what has just been imported."""
    for parameters in ({}, {"Replies": "enabled"}):
        imported = resources_of(kept_resources(), parameters)
        deployed = resources_of(translate(json.loads(json.dumps(source)), parameters), parameters)
        assert imported == {name: deployed[name] for name in imported}
        assert imported.keys() >= {"DataKey", "AccountsTable", "ContentQueue", "MetadataKey"}
        assert ("RepliesQueue" in imported) is bool(parameters)
