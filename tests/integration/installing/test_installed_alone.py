"""The command from a wheel, in an environment that has nothing but what pyproject.toml says it needs."""

import os
import shutil
import subprocess
import sys
import venv
from collections.abc import Iterator
from pathlib import Path

import pytest

from zendesk_push.cli import COMMANDS

ROOT = Path(__file__).parents[3]
UV = Path(sys.executable).with_name("uv")


def run(*command: str | Path, cwd: Path) -> subprocess.CompletedProcess[str]:
    known = {key: value for key, value in os.environ.items() if not key.startswith(("AWS_", "ZENDESK_PUSH"))}
    environment = known | {
        "HOME": str(cwd),
        "XDG_RUNTIME_DIR": str(cwd),
    }  # so that no running `local` is found
    return subprocess.run(
        [str(part) for part in command], cwd=cwd, env=environment, text=True, capture_output=True, check=False
    )


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The installed command."""
    folder = tmp_path_factory.mktemp("alone")
    source = folder / "checkout"
    source.mkdir()
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, source)
    for name in ("functions", "infra"):
        shutil.copytree(
            ROOT / name, source / name, ignore=shutil.ignore_patterns("__pycache__", "*.egg-info")
        )
    subprocess.run(
        [
            UV,
            "build",
            "--quiet",
            "--wheel",
            "--no-build-isolation",
            "--python",
            sys.executable,
            "-o",
            folder,
            source,
        ],
        check=True,
    )
    environment = folder / "environment"
    venv.create(environment)
    (wheel,) = folder.glob("*.whl")
    command: list[str | Path] = [UV, "pip", "install", "--quiet", "--python", environment, wheel]
    # What made the development environment is in uv's cache, so that this needs no network.
    if subprocess.run([*command, "--offline"], check=False, capture_output=True).returncode != 0:
        subprocess.run(command, check=True)
    yield environment / "bin/zendesk-push"
    shutil.rmtree(environment)


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_explains_itself(command: str, installed: Path, tmp_path: Path) -> None:
    done = run(installed, command, "--help", cwd=tmp_path)
    assert (done.returncode, done.stderr) == (0, "")


def test_what_needs_no_stack_works(installed: Path, tmp_path: Path) -> None:
    manifest = (
        "--manifest-url",
        "https://push.example.com/manifest.json",
        "--author-email",
        "help@example.com",
    )
    assert run(installed, "installer-app", *manifest, cwd=tmp_path).stdout == "installer-app.zip\n"
    example = ROOT / "examples/several-in-one.jsonl"
    queue = ("--queue-url", "https://sqs.us-east-1.amazonaws.com/123456789012/q")
    done = run(installed, "send", example, "--check", "--dry-run", *queue, cwd=tmp_path)
    assert done.returncode == 0, done.stderr


def test_local_says_what_to_install(installed: Path, tmp_path: Path) -> None:
    done = run(installed, "local", cwd=tmp_path)
    assert done.returncode == 1
    assert done.stderr.startswith(
        "zendesk-push: the Python package 'aws_lambda_powertools' is not installed: "
    )
    assert "pipx install --force '.[local]'" in done.stderr
