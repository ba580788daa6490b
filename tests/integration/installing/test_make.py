"""The Makefile's own logic: environments that were moved, and machines without a network."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
ENVIRONMENTS = (".venv", ".tools/sam", ".tools/policy")


def make(folder: Path, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """``make`` in a checkout, as a shell that knows of no other index would call it."""
    known = {key: value for key, value in os.environ.items() if not key.startswith(("PIP_", "UV_", "MAKE"))}
    return subprocess.run(
        ["make", *arguments], cwd=folder, env=known | environment, text=True, capture_output=True, check=False
    )


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """What the Makefile needs of a checkout, in a folder with a blank in its name."""
    folder = tmp_path / "a checkout"
    folder.mkdir()
    for name in (
        "Makefile",
        "pyproject.toml",
        "infra/requirements/bootstrap.txt",
        "infra/requirements/dev.txt",
    ):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / name, folder / name)
    return folder


def pretend(folder: Path, made_for: Path) -> None:
    for name in ENVIRONMENTS:
        (folder / name).mkdir(parents=True)
        (folder / name / "pyvenv.cfg").write_text(
            f"command = /usr/bin/python3 -m venv --clear {made_for / name}\n"
        )


def test_environments_stay_where_they_were_made(checkout: Path) -> None:
    pretend(checkout, checkout)
    assert make(checkout, "help").returncode == 0
    assert all((checkout / name).is_dir() for name in ENVIRONMENTS)


def test_environments_that_were_moved_are_made_anew(checkout: Path) -> None:
    pretend(checkout, checkout.parent / "elsewhere")
    assert make(checkout, "help").returncode == 0
    assert not any((checkout / name).exists() for name in ENVIRONMENTS)


def test_without_a_network_it_says_so_in_one_line(checkout: Path) -> None:
    done = make(
        checkout,
        ".venv/.installed",
        PYTHON=sys.executable,
        PIP_INDEX_URL="http://127.0.0.1:9/",
        PIP_RETRIES="0",
        PIP_CONFIG_FILE=os.devnull,
    )
    assert done.returncode == 2
    assert done.stdout == "Setting up .venv (once)...\n"
    said = [line for line in done.stderr.splitlines() if not line.startswith(("ERROR:", "make:"))]
    assert said == [
        ".venv could not be set up: is there a network, or PIP_INDEX_URL and UV_INDEX_URL for an index of your own?"
    ]
