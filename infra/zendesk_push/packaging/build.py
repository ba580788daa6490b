"""`make build`: `sam build`, and what `sam build` leaves undone.

SAM insists on an interpreter of the functions' own version on PATH. Version managers put stand-ins there that
only say that they have nothing; so it is looked for, tried, and put in front.
"""

import argparse
import os
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

from zendesk_push.errors import CommandError
from zendesk_push.packaging.artifact import BUILD, artifacts, finish, report

RUNTIME: Final = "3.13"
ROOT: Final = Path(__file__).resolve().parents[3]


def runtime_python() -> Path:
    """The interpreter of Lambda's version on this machine.

    Raises:
        CommandError: there is none.
    """
    for candidate in _candidates():
        if _runs(candidate):
            return candidate
    raise CommandError(f"Python {RUNTIME} is needed to build for Lambda, and not on this machine")


def build(sam: str | Path, directory: Path, *, further: Sequence[str] = ()) -> list[Path]:
    """Build both functions into a directory and finish them.

    Returns:
        The artifacts.

    Raises:
        CommandError: Python is missing, or SAM can't build; its words are in the text.
    """
    python = runtime_python()
    done = subprocess.run(
        [sam, "build", "--template-file", ROOT / "template.yaml", "--build-dir", directory, *further],
        env={
            **os.environ,
            "PATH": f"{python.parent}{os.pathsep}{os.environ['PATH']}",
            "SAM_CLI_TELEMETRY": "0",
        },
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise CommandError(f"sam build failed:\n{done.stdout}{done.stderr}")
    built = artifacts(directory)
    for artifact in built:
        finish(artifact, python)
    return built


def _candidates() -> Iterator[Path]:
    name = f"python{RUNTIME}"
    for directory in os.environ.get("PATH", "").split(os.pathsep):
        yield Path(directory) / name
    # What pyenv and uv keep, whichever version is the one in use.
    for pattern in (
        f".pyenv/versions/{RUNTIME}.*/bin/{name}",
        f".local/share/uv/python/*-{RUNTIME}.*/bin/{name}",
    ):
        yield from sorted(Path.home().glob(pattern), reverse=True)


def _runs(python: Path) -> bool:
    try:
        version = "import sys; print('%d.%d' % sys.version_info[:2])"
        done = subprocess.run([python, "-I", "-c", version], capture_output=True, text=True, check=False)
    except OSError:
        return False
    return done.stdout.strip() == RUNTIME


def main(arguments: Sequence[str] | None = None) -> int:
    """Build, and print what came of it."""
    parser = argparse.ArgumentParser(prog="build", description="Build both functions for Lambda.")
    parser.add_argument("--sam", default="sam", help="the SAM command line (default: %(default)s)")
    parser.add_argument("--build-dir", type=Path, default=ROOT / BUILD, help="default: %(default)s")
    parser.add_argument("further", nargs="*", help="arguments for sam build, after --")
    options = parser.parse_args(arguments)
    try:
        for artifact in build(options.sam, options.build_dir, further=options.further):
            report(artifact)
    except CommandError as error:
        print(error, file=sys.stderr)
        return error.exit_code
    return 0


if __name__ == "__main__":
    sys.exit(main())
