"""`make deploy` again and again, with a stand-in for `sam`: what each deployment would change in CloudFormation.

moto's CloudFormation does not take the template; SAM's translator does, and says what CloudFormation would be given.
"""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from integration.deploy.stack import ChangeSet, changes, resources_of
from zendesk_push.packaging.publish import PARAMETER

ROOT = Path(__file__).resolve().parents[3]
VERSIONS = {"PushContentFunctionVersion", "AdminCallbackFunctionVersion"}
CODEDEPLOY = {
    *("ServerlessDeploymentApplication", "PushContentFunctionDeploymentGroup"),
    "AdminCallbackFunctionDeploymentGroup",
}


class DeploymentStage:
    """A checkout with built functions, and the stack that its deployments have made."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        shutil.copy(ROOT / "samconfig.toml", directory)
        self.handler = directory / ".aws-sam/build/PushContentFunction/push_content/handler.py"
        self.handler.parent.mkdir(parents=True)
        self.handler.write_text("def lambda_handler(): ...\n")
        shutil.copy(ROOT / "template.yaml", directory / ".aws-sam/build/template.yaml")
        self.sam = directory / "sam"
        self.sam.write_text(
            f'#!/bin/sh\nexec {sys.executable} {Path(__file__).with_name("stand_in_sam.py")} "$@"\n'
        )
        self.sam.chmod(0o755)
        self.resources: dict[str, Any] = {}
        self.given: dict[str, Any] = {}

    def deploy(self, *parameters: str, stage: str = "default") -> ChangeSet:
        """As the Makefile calls it."""
        result = self.directory / "result.json"
        command = [
            sys.executable,
            "-m",
            "zendesk_push.packaging.publish",
            "--sam",
            str(self.sam),
            "--stage",
            stage,
        ]
        command += [part for given in parameters for part in ("--parameter", given)]
        subprocess.run(
            command,
            cwd=self.directory,
            env={
                **os.environ,
                "SAM_RESULT": str(result),
                "SAM_PREVIOUS": json.dumps(self.given.get("parameters", {})),
                "AWS_DEFAULT_REGION": "us-east-1",
            },
            check=True,
        )
        self.given = json.loads(result.read_text("utf-8"))
        before = self.resources
        self.resources = resources_of(self.given["template"], self.given["parameters"])
        return changes(before, self.resources)


@pytest.fixture
def stage(tmp_path: Path) -> DeploymentStage:
    return DeploymentStage(tmp_path)


def without_hash(names: set[str]) -> set[str]:
    """A version's logical id ends in ten characters of a hash."""
    return {name[:-10] if name[:-10] in VERSIONS else name for name in names}


def test_the_first_deployment_makes_everything_and_what_fails_leaves_nothing(stage: DeploymentStage) -> None:
    made = stage.deploy()
    assert {"ContentQueue", "AccountsTable", "PushContentFunction"} <= made.added
    kept = {name for name, part in stage.resources.items() if "Retain" in part["DeletionPolicy"]}
    holding = {name for name in kept if without_hash({name}) != {name}}
    # Versions of functions go with the function; everything else that is kept holds a name.
    assert {stage.resources[name]["DeletionPolicy"] for name in kept - holding} == {"RetainExceptOnCreate"}


def test_the_same_again_changes_nothing(stage: DeploymentStage) -> None:
    stage.deploy()
    again = stage.deploy()
    assert (again.added, again.changed, again.removed) == (set(), set(), set())


def test_a_parameter_alone_publishes_versions_and_moves_the_aliases(stage: DeploymentStage) -> None:
    stage.deploy()
    made = stage.deploy("LogLevel=DEBUG")
    assert without_hash(made.added) == VERSIONS
    assert without_hash(made.removed) == VERSIONS
    assert made.changed >= {
        *("PushContentFunction", "AdminCallbackFunction"),
        *("PushContentFunctionAliaslive", "AdminCallbackFunctionAliaslive"),
    }
    # Versions stay, for going back by hand.
    assert {stage.resources[name]["DeletionPolicy"] for name in made.added} == {"Retain"}


def test_back_to_an_older_commit_is_a_deployment_too(stage: DeploymentStage) -> None:
    stage.deploy()
    first = stage.given["parameters"][PARAMETER]
    stage.handler.write_text("def lambda_handler(): return 'newer'\n")
    assert without_hash(stage.deploy().added) == VERSIONS
    stage.handler.write_text("def lambda_handler(): ...\n")
    assert without_hash(stage.deploy().added) == VERSIONS
    assert stage.given["parameters"][PARAMETER] == first


def test_gradual_and_back_makes_and_removes_codedeploy_and_no_function(stage: DeploymentStage) -> None:
    stage.deploy()
    gradual = stage.deploy("DeploymentType=Canary10Percent5Minutes")
    assert gradual.added - CODEDEPLOY == {name for name in gradual.added if without_hash({name}) != {name}}
    assert gradual.added >= CODEDEPLOY
    cure = stage.deploy("DeploymentType=AllAtOnce")
    assert cure.removed >= CODEDEPLOY
    assert not cure.replaced
    assert stage.resources["PushContentFunctionAliaslive"]["UpdatePolicy"] is None


@pytest.mark.parametrize(
    "parameters",
    [
        ["Replies=enabled"],
        ["AlarmEmail=operators@example.com", "MonthlyBudget=500"],
        ["SenderPrincipals=arn:aws:iam::123456789012:role/not-there-yet"],
        ["AdminReservedConcurrency=5", "MaximumConcurrency=50", "RetryWindowSeconds=691200"],
        [
            "DomainName=push.example.com",
            "CertificateArn=arn:aws:acm:us-east-1:123456789012:certificate/a",
            "DefaultEndpoint=disabled",
            "OriginSecret=0123456789abcdef0123456789abcdef",
        ],
    ],
)
def test_no_parameter_replaces_what_holds_something(stage: DeploymentStage, parameters: list[str]) -> None:
    stage.deploy()
    there = stage.deploy(*parameters)
    defaults = stage.given["template"]["Parameters"]
    names = [given.partition("=")[0] for given in parameters]
    back = stage.deploy(*(f"{name}={defaults[name]['Default']}" for name in names))
    assert there.replaced == back.replaced == set()
    # What goes with the parameter is kept if it holds something, and made by it alone.
    assert without_hash(there.added) - VERSIONS == without_hash(back.removed) - VERSIONS
    before_versions = {name for name in there.removed if without_hash({name}) == {name}}
    assert before_versions == set()


def test_a_parameter_that_is_no_longer_given_keeps_its_value(stage: DeploymentStage) -> None:
    """SAM's way. The function is published anew, as the hash covers what is given, and behaves as before."""
    stage.deploy("LogLevel=DEBUG")
    made = stage.deploy()
    function = stage.resources["PushContentFunction"]["Properties"]
    assert function["Environment"]["Variables"]["LOG_LEVEL"] == "DEBUG"
    assert without_hash(made.added) == VERSIONS


def test_each_stage_is_deployed_with_its_own_parameters(stage: DeploymentStage) -> None:
    stage.deploy(stage="staging")
    assert stage.given["stage"] == "staging"
    assert stage.given["parameters"]["LogRetentionDays"] == "7"
    assert stage.resources["PushContentLogs"]["Properties"]["RetentionInDays"] in (7, "7")


def test_the_secret_of_the_edge_is_for_the_owner_of_the_checkout_only(stage: DeploymentStage) -> None:
    stage.deploy("OriginSecret=0123456789abcdef0123456789abcdef")
    written = stage.directory / ".aws-sam/parameters.yaml"
    assert written.stat().st_mode & 0o077 == 0
