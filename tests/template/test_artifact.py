"""What `sam build` and `make build` make runs by itself on Lambda's Python, and holds nothing else."""

import ast
import json
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from machine_parts import missing
from zendesk_push.errors import CommandError
from zendesk_push.packaging.artifact import (
    KEPT_SERVICES,
    MAX_UNZIPPED,
    MAX_ZIPPED,
    artifacts,
    finish,
    measure,
)
from zendesk_push.packaging.build import build, runtime_python
from zendesk_push.packaging.publish import publish_hash

ROOT = Path(__file__).resolve().parents[2]
SAM = ROOT / ".tools/sam/bin/sam"
HANDLERS = {
    "PushContentFunction": "push_content.handler",
    "AdminCallbackFunction": "admin_callback.handler",
}
MEGABYTE = 2**20

# Imports the handler where nothing is but the artifact and the standard library, makes every client, and says what
# was loaded from where.
PROBE = """
import importlib, json, sys
sys.path[:] = [path for path in sys.path if path] + [sys.argv[1]]
module = importlib.import_module(sys.argv[2])
import boto3
for service in json.loads(sys.argv[3]):
    boto3.client(service, region_name="us-east-1")
print(json.dumps({
    "callable": callable(module.lambda_handler),
    "files": [file for loaded in list(sys.modules.values()) if (file := getattr(loaded, "__file__", None))],
    "cached": [loaded.__spec__.cached for loaded in list(sys.modules.values())
               if (getattr(loaded, "__file__", None) or "").startswith(sys.argv[1]) and loaded.__spec__.cached],
}))
"""


@pytest.fixture(scope="session")
def python() -> Path:
    """Lambda's version of Python."""
    try:
        return runtime_python()
    except CommandError as error:
        missing("python3.13", str(error))


@pytest.fixture(scope="session")
def built(tmp_path_factory: pytest.TempPathFactory, python: Path) -> Path:
    """A fresh, finished build of both functions."""
    if not SAM.is_file():
        missing("tools", f"{SAM.relative_to(ROOT)} is not here (`make {SAM.relative_to(ROOT)}`)")
    directory = tmp_path_factory.mktemp("build") / "build"
    assert {path.name for path in build(SAM, directory)} == HANDLERS.keys()
    return directory


def _probe(python: Path, artifact: Path, module: str) -> dict[str, Any]:
    # -I: no PYTHON* variables, no user site, no current directory; -S: no site-packages.
    done = subprocess.run(
        [python, "-I", "-S", "-W", "error", "-c", PROBE, artifact, module, json.dumps(sorted(KEPT_SERVICES))],
        cwd=artifact.parent,
        env={"PATH": os.environ["PATH"], "AWS_REGION": "us-east-1", "AWS_EC2_METADATA_DISABLED": "true"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return found


@pytest.mark.parametrize("function", HANDLERS)
def test_it_imports_by_itself_on_lambdas_python(built: Path, python: Path, function: str) -> None:
    found = _probe(python, built / function, HANDLERS[function])
    assert found["callable"]
    outside = [
        file for file in found["files"] if not file.startswith(str(built)) and "/python3.13/" not in file
    ]
    assert outside == []


@pytest.mark.parametrize("function", HANDLERS)
def test_nothing_is_compiled_at_a_cold_start(built: Path, python: Path, function: str) -> None:
    """Every module that is loaded has byte code that Lambda's Python takes without a look at the source."""
    artifact = built / function
    cached = [Path(path) for path in _probe(python, artifact, HANDLERS[function])["cached"]]
    assert len(cached) > 100
    magic = subprocess.run(
        [python, "-c", "import importlib.util; print(importlib.util.MAGIC_NUMBER.hex())"],
        capture_output=True,
        text=True,
        check=True,
    ).stdout.strip()
    for path in cached:
        header = path.read_bytes()[:8]
        assert header[:4].hex() == magic, path
        # Bit 0: checked by hash and not by time; bit 1: and do look. Only the first is set.
        assert int.from_bytes(header[4:8], "little") == 0b01, path


@pytest.mark.parametrize("function", HANDLERS)
def test_the_build_does_not_depend_on_where_it_was_made(built: Path, python: Path, function: str) -> None:
    """Byte code names Lambda's directory, so that two checkouts publish the same version."""
    compiled = sorted((built / function / "zendesk_channel").rglob("*.pyc"))
    assert compiled
    for path in compiled:
        code = path.read_bytes()
        assert b"/var/task/zendesk_channel/" in code
        assert str(built).encode() not in code


@pytest.mark.parametrize("function", HANDLERS)
def test_it_holds_what_is_needed_and_nothing_else(built: Path, python: Path, function: str) -> None:
    artifact = built / function
    names = {path.relative_to(artifact).as_posix() for path in artifact.rglob("*") if path.is_file()}
    ours = {
        path.relative_to(ROOT / "functions").as_posix()
        for path in (ROOT / "functions").rglob("*")
        if path.is_file() and "__pycache__" not in path.parts and path.name != "requirements.txt"
    }
    assert ours <= names
    services = {
        name.split("/")[2] for name in names if name.startswith("botocore/data/") and name.count("/") > 2
    }
    assert services == KEPT_SERVICES
    unwanted = [name for name in names if name.endswith((".pyi", "/RECORD")) or "/tests/" in f"/{name}"]
    assert unwanted == []
    # What scanners of deployed functions read.
    assert any(name.startswith("urllib3-") and name.endswith(".dist-info/METADATA") for name in names)


def test_it_stays_small(built: Path) -> None:
    for artifact in artifacts(built):
        size = measure(artifact)
        assert size.unzipped < MAX_UNZIPPED * MEGABYTE
        assert size.zipped < MAX_ZIPPED * MEGABYTE


def test_finishing_twice_changes_nothing(built: Path, python: Path) -> None:
    before = publish_hash(built, {})
    for artifact in artifacts(built):
        finish(artifact, python)
    assert publish_hash(built, {}) == before


def _clients() -> Iterator[str]:
    """The services by name, where a client is asked for; a variable is one of the module's SERVICES."""
    for path in sorted((ROOT / "functions").rglob("*.py")):
        tree = ast.parse(path.read_text("utf-8"))
        listed = [
            ast.literal_eval(node.value)
            for node in tree.body
            if isinstance(node, ast.AnnAssign) and node.value and ast.unparse(node.target) == "SERVICES"
        ]
        for node in ast.walk(tree):
            if (
                isinstance(node, ast.Call)
                and isinstance(node.func, ast.Attribute)
                and node.func.attr == "client"
            ):
                if isinstance(node.args[0], ast.Constant):
                    yield str(node.args[0].value)
                else:
                    assert listed, f"{path}: a client of something that varies"
                    yield from listed[0]


def test_the_services_that_are_called_are_kept() -> None:
    called = set(_clients())
    assert called >= {"sqs", "dynamodb", "secretsmanager", "kms"}
    assert called <= KEPT_SERVICES
