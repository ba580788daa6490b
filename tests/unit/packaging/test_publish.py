"""What decides whether a deployment publishes a new version."""

import json
from pathlib import Path

import pytest

from zendesk_push.errors import CommandError, UsageError
from zendesk_push.packaging import publish
from zendesk_push.packaging.publish import parse_overrides, publish_hash, stage_parameters


@pytest.fixture
def build(tmp_path: Path) -> Path:
    """A build directory as `sam build` leaves it, in small."""
    directory = tmp_path / ".aws-sam/build"
    (directory / "PushContentFunction/push_content").mkdir(parents=True)
    (directory / "PushContentFunction/push_content/handler.py").write_text("def lambda_handler(): ...\n")
    (directory / "template.yaml").write_text("Resources: {}\n")
    return directory


@pytest.mark.parametrize(
    "overrides",
    [
        {"IntegrationName": "Zendesk Push (staging)", "LogRetentionDays": 7},
        ['IntegrationName="Zendesk Push (staging)"', "LogRetentionDays=7"],
        'IntegrationName="Zendesk Push (staging)" LogRetentionDays="7"',
        [{"IntegrationName": "Zendesk Push (staging)"}, "LogRetentionDays=7"],
    ],
)
def test_every_form_that_sam_takes_is_read(overrides: str | list[str] | dict[str, str]) -> None:
    assert parse_overrides(overrides) == {
        "IntegrationName": "Zendesk Push (staging)",
        "LogRetentionDays": "7",
    }


def test_a_list_is_one_value() -> None:
    arns = ["arn:aws:iam::123456789012:role/a", "arn:aws:iam::123456789012:role/b"]
    assert parse_overrides({"SenderPrincipals": arns}) == {"SenderPrincipals": ",".join(arns)}


@pytest.mark.parametrize("overrides", ["LogLevel", "=DEBUG", ["LogLevel=DEBUG", "nonsense"]])
def test_what_is_no_parameter_is_refused(overrides: str | list[str]) -> None:
    with pytest.raises(UsageError, match="Key=Value"):
        parse_overrides(overrides)


def test_deploy_settings_win_over_those_of_all_commands() -> None:
    stage = {
        "global": {"parameters": {"parameter_overrides": {"LogLevel": "INFO"}}},
        "deploy": {"parameters": {"parameter_overrides": {"LogLevel": "DEBUG"}}},
    }
    assert stage_parameters({"version": 0.1, "staging": stage}, "staging") == {"LogLevel": "DEBUG"}


def test_an_unknown_stage_is_named_with_those_that_there_are() -> None:
    with pytest.raises(UsageError, match=r"'production'.*default, staging"):
        stage_parameters({"version": 0.1, "default": {}, "staging": {}}, "production")


def test_the_hash_is_over_code_template_and_parameters(build: Path) -> None:
    hashes = {publish_hash(build, {"LogLevel": "INFO"}), publish_hash(build, {"LogLevel": "DEBUG"})}
    (build / "template.yaml").write_text("Resources: {Another: {}}\n")
    hashes.add(publish_hash(build, {"LogLevel": "INFO"}))
    source = build / "PushContentFunction/push_content/handler.py"
    source.write_text("def lambda_handler(): pass\n")
    hashes.add(publish_hash(build, {"LogLevel": "INFO"}))
    source.rename(source.with_name("other.py"))
    hashes.add(publish_hash(build, {"LogLevel": "INFO"}))
    assert len(hashes) == 5


def test_the_hash_is_the_same_for_the_same(build: Path) -> None:
    before = publish_hash(build, {"A": "1", "B": "2"})
    (build / "template.yaml").touch()
    assert publish_hash(build, {"B": "2", "A": "1"}) == before


def test_nothing_built_is_nothing_to_publish(tmp_path: Path) -> None:
    with pytest.raises(CommandError, match="sam build"):
        publish_hash(tmp_path / "nowhere", {})


@pytest.fixture
def sam(tmp_path: Path) -> Path:
    """A stand-in that writes down how it was called."""
    script = tmp_path / "sam"
    script.write_text(f'#!/bin/sh\nprintf "%s\\n" "$@" > {tmp_path}/called\nexit 3\n')
    script.chmod(0o755)
    return script


def test_a_stage_is_deployed_with_all_its_parameters(
    build: Path, sam: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("samconfig.toml").write_text(
        '[staging.deploy.parameters]\nstack_name = "s"\n'
        '[staging.deploy.parameters.parameter_overrides]\nLogLevel = "INFO"\nPublishHash = "0123456789"\n'
    )
    given = [
        "--sam",
        str(sam),
        "--stage",
        "staging",
        "--parameter",
        "LogLevel=DEBUG",
        "--",
        "--no-confirm-changeset",
    ]
    assert publish.main(given) == 3  # SAM's own
    called = (tmp_path / "called").read_text().splitlines()
    assert called[:4] == ["deploy", "--config-env", "staging", "--no-confirm-changeset"]
    assert called[4] == "--parameter-overrides"
    parameters = json.loads(Path(called[5].removeprefix("file://")).read_text())
    assert parameters == {
        "LogLevel": "DEBUG",
        "PublishHash": publish_hash(build.relative_to(tmp_path), {"LogLevel": "DEBUG"}),
    }


def test_what_is_wrong_is_said_before_anything_is_deployed(
    build: Path,
    sam: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    assert publish.main(["--sam", str(sam)]) == 2
    Path("samconfig.toml").write_text("[staging.deploy.parameters]\n")
    assert publish.main(["--sam", str(sam), "--stage", "production"]) == 2
    assert "production" in capsys.readouterr().err
    assert not (tmp_path / "called").exists()
