"""The tree's one rule: imports point one way."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]
FUNCTIONS = ROOT / "functions"

# What each package of the project may import of the others.
ALLOWED = {
    "zendesk_channel": set[str](),
    "push_content": {"zendesk_channel"},
    "admin_callback": {"zendesk_channel"},
    "zendesk_push": {"zendesk_channel", "push_content", "admin_callback"},
}


def _sources(package: str) -> list[Path]:
    root = FUNCTIONS if (FUNCTIONS / package).is_dir() else ROOT / "infra"
    return sorted((root / package).rglob("*.py"))


def _imports(source: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(source.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{source}: relative import"
            yield node.module or ""


@pytest.mark.parametrize("package", ALLOWED)
def test_a_package_imports_only_what_is_below_it(package: str) -> None:
    sources = _sources(package)
    assert sources
    foreign = {
        (source.relative_to(ROOT).as_posix(), name)
        for source in sources
        for name in _imports(source)
        if (top := name.split(".")[0]) in ALLOWED and top != package and top not in ALLOWED[package]
    }
    assert not foreign


@pytest.mark.parametrize("package", ["push_content", "admin_callback"])
def test_handlers_know_neither_aws_nor_http_clients(package: str) -> None:
    names = {name.split(".")[0] for name in _imports(FUNCTIONS / package / "handler.py")}
    assert not names & {"boto3", "botocore", "urllib3"}


@pytest.mark.parametrize("package", ["push_content", "admin_callback", "zendesk_channel"])
def test_modules_of_a_package_do_not_import_each_other_in_circles(package: str) -> None:
    modules = {
        ".".join(source.relative_to(FUNCTIONS).with_suffix("").parts): source for source in _sources(package)
    }
    graph = {
        module: {name for name in _imports(source) if name in modules and name != module}
        for module, source in modules.items()
    }
    while leaves := {module for module, names in graph.items() if not names & graph.keys()}:
        graph = {module: names for module, names in graph.items() if module not in leaves}
    assert not graph, f"a circle among {sorted(graph)}"
