"""Saying which deployment is meant, without asking AWS."""

import fcntl
import json
from argparse import ArgumentParser
from pathlib import Path

import pytest

from zendesk_push.deployment import Deployment, add_deployment_arguments, find_deployment
from zendesk_push.errors import CommandError, UsageError
from zendesk_push.local_registry import RegistryEntry, registry_folder

READY = {
    "api_url": "http://127.0.0.1:1/",
    "zendesk_url": "http://127.0.0.1:2",
    "aws_endpoint_url": "http://127.0.0.1:3",
    "region": "us-east-1",
    "queue_url": "http://127.0.0.1:3/123456789012/content",
    "dead_letter_queue_url": "http://127.0.0.1:3/123456789012/dead",
    "accounts_table": "accounts",
}


@pytest.fixture(autouse=True)
def _no_region(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in ("AWS_REGION", "AWS_DEFAULT_REGION", "AWS_PROFILE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "none"))
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))  # no local stack but the test's own
    monkeypatch.delenv("ZENDESK_PUSH_STACK", raising=False)


def find(*arguments: str) -> Deployment:
    parser = ArgumentParser()
    add_deployment_arguments(parser)
    return find_deployment(parser.parse_args(arguments))


def test_a_ready_file_tells_everything(tmp_path: Path) -> None:
    path = tmp_path / "ready.json"
    path.write_text(json.dumps(READY))
    found = find("--ready-file", str(path))
    assert found.local
    assert found.content_queue() == READY["queue_url"]
    assert found.dead_letter_queue() == READY["dead_letter_queue_url"]
    assert found.table() == "accounts"
    assert found.api_url == "http://127.0.0.1:1"
    assert found.client("sqs").meta.endpoint_url == READY["aws_endpoint_url"]


def test_what_is_given_wins_over_what_is_found(tmp_path: Path) -> None:
    path = tmp_path / "ready.json"
    path.write_text(json.dumps(READY))
    assert (
        find("--ready-file", str(path), "--queue-url", "http://127.0.0.1:3/1/other")
        .content_queue()
        .endswith("other")
    )


@pytest.mark.parametrize("content", ["", "[]", "{}", "nonsense", "\x00"])
def test_another_file_is_no_ready_file(tmp_path: Path, content: str) -> None:
    path = tmp_path / "ready.json"
    path.write_text(content)
    with pytest.raises(CommandError, match="is not a ready file"):
        find("--ready-file", str(path))


def test_a_ready_file_that_is_not_there_yet(tmp_path: Path) -> None:
    with pytest.raises(CommandError, match="is not there"):
        find("--ready-file", str(tmp_path / "ready.json"))


def test_a_folder_is_no_ready_file(tmp_path: Path) -> None:
    with pytest.raises(CommandError, match="can't be read: Is a directory"):
        find("--ready-file", str(tmp_path))


def test_a_queue_url_tells_its_region() -> None:
    found = find("--queue-url", "https://sqs.eu-west-3.amazonaws.com/123456789012/content")
    assert found.session.region_name == "eu-west-3"
    assert not found.local


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ([], "which deployment"),
        (["--stack-name", "s"], "no AWS region"),
        (["--region", "eu-west-3"], "which deployment"),
        (["--region", "eu-west-3", "--endpoint-url", "http://127.0.0.1:1"], "which deployment"),
        (["--stack-name", "s", "--ready-file", "r"], "not both"),
        (
            ["--accounts-table", "t", "--region", "eu-west-3", "--endpoint-url", "moto"],
            "is not a URL such as",
        ),
        (
            ["--accounts-table", "t", "--region", "eu-west-3", "--endpoint-url", "http://["],
            "is not a URL such as",
        ),
    ],
)
def test_what_names_no_deployment_says_what_to_give(arguments: list[str], says: str) -> None:
    with pytest.raises(UsageError, match=says):
        find(*arguments)


def test_a_part_that_nobody_named_says_how_to_name_it() -> None:
    found = find("--region", "eu-west-3", "--api-url", "https://push.example.com")
    for ask, option in (
        (found.content_queue, "--queue-url"),
        (found.dead_letter_queue, "--dead-letter"),
        (found.table, "--acc"),
    ):
        with pytest.raises(UsageError, match=option):
            ask()


def test_the_local_stack_that_runs_here_is_found_and_named(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with RegistryEntry() as registration:
        registration.write(READY, tmp_path / "functions.log")
        found = find()
        assert (found.queue_url, found.log_file) == (READY["queue_url"], tmp_path / "functions.log")
        assert "local stack at http://127.0.0.1:1" in capsys.readouterr().err
        path = tmp_path / "ready.json"
        path.write_text(json.dumps(READY))
        assert find("--ready-file", str(path)).log_file == tmp_path / "functions.log"
    with pytest.raises(UsageError, match="no `zendesk-push local` runs here"):
        find()


def test_which_of_several_local_stacks_is_not_guessed(tmp_path: Path) -> None:
    with RegistryEntry() as registration:
        registration.write(READY, tmp_path / "one.log")
        other = registry_folder() / "local-7.json"
        with other.open("w") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            file.write(json.dumps({**READY, "pid": 7, "api_url": "http://127.0.0.1:9"}))
            file.flush()
            with pytest.raises(UsageError, match=r"several local stacks run here: .*http://127.0.0.1:9"):
                find()


def test_a_folder_that_others_can_write_to_names_no_stack(tmp_path: Path) -> None:
    """Messages would go where whoever wrote there says."""
    with RegistryEntry() as registration:
        registration.write(READY, tmp_path / "one.log")
        registry_folder().chmod(0o777)
        with pytest.raises(UsageError, match="which deployment"):
            find()


def test_the_environments_stack_comes_before_the_local_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ZENDESK_PUSH_STACK", "push")
    with RegistryEntry() as registration:
        registration.write(READY, tmp_path / "one.log")
        with pytest.raises(UsageError, match="no AWS region"):
            find()
