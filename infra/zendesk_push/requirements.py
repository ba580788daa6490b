"""Resolves pyproject.toml into the hashed requirements files that everything is installed from.

The development environment is resolved under the versions that ship (``--constraints``), so that tests run
on what runs in Lambda. Versions stay as they are unless pyproject.toml demands otherwise; ``--upgrade`` moves
them. No file names the registry that it was resolved from.
"""

import subprocess
import sys
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).resolve().parents[2]
RUNTIME: Final = "functions/requirements.txt"
RUNTIME_PYTHON: Final = "3.13"
OLDEST_PYTHON: Final = "3.11"

# File, oldest Python it is installed on, and what goes in: in the order in which they depend on each other.
FILES: Final = (
    (RUNTIME, RUNTIME_PYTHON, ("--group", "functions")),
    (
        "infra/requirements/dev.txt",
        OLDEST_PYTHON,
        ("pyproject.toml", "--all-extras", "--group", "dev", "--constraints", RUNTIME),
    ),
    ("infra/requirements/sam.txt", OLDEST_PYTHON, ("--group", "sam")),
    ("infra/requirements/policy.txt", OLDEST_PYTHON, ("--group", "policy", "--no-build")),
)


def compile_command(path: str, python: str, sources: tuple[str, ...]) -> list[str]:
    """The uv command that writes one requirements file."""
    return [
        *("uv", "pip", "compile", "--quiet", "--universal", "--generate-hashes", "--no-annotate"),
        *("--custom-compile-command", "make requirements", "--python-version", python),
        *("--output-file", path, *sources),
    ]


def main() -> None:
    """Write all files; further arguments (``--upgrade``, ``--upgrade-package NAME``) go to uv."""
    for path, python, sources in FILES:
        subprocess.run([*compile_command(path, python, sources), *sys.argv[1:]], cwd=ROOT, check=True)


if __name__ == "__main__":
    main()
