"""Finishes what `sam build` left: only what is needed, byte-compiled for the runtime, measured. Idempotent.

Why each step (docs/decisions/0104-artifact.md has the figures):

- botocore describes 400 AWS services in 28 MB; the functions call five. Less to download at each cold start.
- Lambda's file system is read-only, so that a function without byte code compiles its sources at every cold
  start. SAM's ZIP does not keep modification times, hence ``unchecked-hash``.
- ``METADATA`` and licences of the packages stay, because scanners of deployed functions read them.
"""

import shutil
import subprocess
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryFile
from typing import Final

from zendesk_push.errors import CommandError

BUILD: Final = Path(".aws-sam/build")
# The directory in which Lambda runs a function: tracebacks name it, and builds do not differ by checkout.
RUNTIME_DIRECTORY: Final = "/var/task"

# The services that functions/ makes clients of (a test compares), and STS, which boto3's credential chain may want.
KEPT_SERVICES: Final = frozenset({"dynamodb", "kms", "secretsmanager", "sqs", "sts"})
# What pip notes for itself. Nothing reads it at run time, nor does a scanner.
_PIP_NOTES: Final = frozenset(
    {"RECORD", "WHEEL", "INSTALLER", "REQUESTED", "top_level.txt", "direct_url.json"}
)
# boto3's resource interface and examples; the functions use clients.
_UNUSED: Final = ("boto3/data", "boto3/examples", "requirements.txt")
# What tells that a directory is an artifact of ours, before anything in it is removed.
_SIGNS: Final = ("botocore/data/endpoints.json", "push_content/handler.py", "admin_callback/handler.py")

# Megabytes (2^20). A dependency that grows past these deserves a decision.
MAX_UNZIPPED: Final = 20.0
MAX_ZIPPED: Final = 8.0


@dataclass(frozen=True)
class Size:
    """An artifact's size in bytes: as Lambda unpacks it, and as it is uploaded."""

    unzipped: int
    zipped: int


def finish(artifact: Path, python: Path) -> None:
    """Prune one artifact and compile it with Lambda's version of Python.

    Raises:
        CommandError: this is not an artifact of ours, or a source does not compile.
    """
    if missing := [sign for sign in _SIGNS if not (artifact / sign).is_file()]:
        raise CommandError(
            f"{artifact} is not a built function: {missing[0]} is missing; run `sam build` first"
        )
    for path in list(unneeded(artifact)):
        shutil.rmtree(path) if path.is_dir() else path.unlink()
    compile_sources(artifact, python)


def unneeded(artifact: Path) -> Iterator[Path]:
    """What goes: models of AWS services that nothing calls, pip's notes, stubs and tests of dependencies."""
    for service in sorted((artifact / "botocore/data").iterdir()):
        if service.is_dir() and service.name not in KEPT_SERVICES:
            yield service
    yield from (artifact / name for name in _UNUSED if (artifact / name).exists())
    for path in sorted(artifact.iterdir()):
        if path.suffix == ".data":  # command line scripts of a dependency
            yield path
        elif path.suffix == ".dist-info":
            yield from (note for note in sorted(path.iterdir()) if note.name in _PIP_NOTES)
    yield from sorted(artifact.rglob("*.pyi"))
    yield from sorted(path for path in artifact.rglob("__pycache__") if path.is_dir())


def compile_sources(artifact: Path, python: Path) -> None:
    """Byte code beside every source, which the runtime takes without looking at the source.

    Raises:
        CommandError: a source does not compile.
    """
    done = subprocess.run(
        [
            *(python, "-I", "-m", "compileall", "-q", "-j", "0", "--invalidation-mode", "unchecked-hash"),
            *("-s", artifact, "-p", RUNTIME_DIRECTORY, artifact),
        ],
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise CommandError(f"{artifact} does not compile:\n{done.stdout}{done.stderr}")


def measure(artifact: Path) -> Size:
    """How large an artifact is, unpacked and as a ZIP."""
    files = [path for path in sorted(artifact.rglob("*")) if path.is_file()]
    with TemporaryFile() as buffer, zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for path in files:
            archive.write(path, path.relative_to(artifact))
        archive.close()
        return Size(unzipped=sum(path.stat().st_size for path in files), zipped=buffer.tell())


def artifacts(build: Path) -> list[Path]:
    """The built functions' directories.

    Raises:
        CommandError: there are none.
    """
    found = sorted(path for path in build.glob("*") if path.is_dir()) if build.is_dir() else []
    if not found:
        raise CommandError(f"{build} holds no built functions; run `sam build` first")
    return found


def report(artifact: Path) -> None:
    """Print an artifact's size.

    Raises:
        CommandError: it is over the bound.
    """
    size = measure(artifact)
    unzipped, zipped = size.unzipped / 2**20, size.zipped / 2**20
    print(f"{artifact.name}: {zipped:.1f} MB to upload, {unzipped:.1f} MB unpacked")
    if unzipped > MAX_UNZIPPED or zipped > MAX_ZIPPED:
        raise CommandError(
            f"{artifact.name} is over its bound of {MAX_ZIPPED:.0f} MB, {MAX_UNZIPPED:.0f} MB unpacked"
        )
