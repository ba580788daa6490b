"""functions/requirements.txt is what pyproject.toml asks for: nothing missing, nothing more, all pinned."""

import ast
import sys
import tomllib
from importlib.metadata import requires
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from zendesk_push.requirements import FILES, RUNTIME

ROOT = Path(__file__).resolve().parents[3]
# The runtime's own environment: markers for other Pythons and systems do not count.
LAMBDA = {"python_version": "3.13", "sys_platform": "linux", "platform_system": "Linux", "extra": ""}
OURS = ("zendesk_push", "zendesk_channel", "push_content", "admin_callback")
# What develops, builds and simulates: not for an operator who has the command alone.
NOT_ALONE = (
    "bench",
    "costs",
    "in_memory",
    "packaging",
    "recording",
    "sam_local",
    "simulator",
    "template",
    "requirements.py",
)


def _pins(path: str) -> dict[str, Requirement]:
    lines = (ROOT / path).read_text(encoding="utf-8").splitlines()
    pinned = [Requirement(line.split(" \\")[0]) for line in lines if line and line[0] not in "# "]
    return {canonicalize_name(requirement.name): requirement for requirement in pinned}


def _wanted() -> list[Requirement]:
    groups = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["dependency-groups"]
    return [Requirement(text) for text in groups["functions"]]


def _closure(roots: list[Requirement]) -> dict[str, list[Requirement]]:
    """Every package that the installed metadata says is needed, with all demands made on it."""
    demands: dict[str, list[Requirement]] = {}
    queue = list(roots)
    while queue:
        demand = queue.pop()
        name = canonicalize_name(demand.name)
        known = name in demands
        demands.setdefault(name, []).append(demand)
        if not known:
            further = [Requirement(text) for text in requires(name) or ()]
            queue += [item for item in further if item.marker is None or item.marker.evaluate(LAMBDA)]
    return demands


def test_the_runtime_requirements_are_exactly_what_the_project_needs() -> None:
    assert set(_pins(RUNTIME)) == set(_closure(_wanted()))


def test_the_runtime_pins_satisfy_what_the_project_asks_for() -> None:
    pins = _pins(RUNTIME)
    for name, demands in _closure(_wanted()).items():
        (pin,) = pins[name].specifier
        assert pin.operator == "=="
        assert all(demand.specifier.contains(pin.version) for demand in demands), name


def test_tests_run_on_the_versions_that_ship() -> None:
    development = _pins("infra/requirements/dev.txt")
    for name, requirement in _pins(RUNTIME).items():
        assert development[name].specifier == requirement.specifier


def test_the_command_alone_imports_only_what_comes_with_it() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    modules = {"botocore": "boto3", "yaml": "pyyaml"}
    package = ROOT / "infra/zendesk_push"
    alone = [path for path in package.rglob("*.py") if path.relative_to(package).parts[0] not in NOT_ALONE]
    for path in (path for path in alone if "local" not in path.relative_to(package).parts):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            names = [node.module] if isinstance(node, ast.ImportFrom) and node.module else []
            names += [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            for name in (name.partition(".")[0] for name in names):
                if name in sys.stdlib_module_names or name in OURS or name.startswith("mypy_boto3"):
                    continue
                needed = modules.get(name, name)
                assert any(demand.startswith(needed) for demand in project["dependencies"]), (path, name)


@pytest.mark.parametrize("path", [path for path, _, _ in FILES] + ["infra/requirements/bootstrap.txt"])
def test_every_pin_has_hashes_and_no_file_names_a_registry(path: str) -> None:
    text = (ROOT / path).read_text(encoding="utf-8")
    requirements = [line for line in text.splitlines() if line and line[0] not in "# "]
    assert requirements
    assert all("==" in line and line.endswith("\\") for line in requirements)
    assert "index-url" not in text
    assert "://" not in text
