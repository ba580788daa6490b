"""The tree's one rule: imports point one way."""

import ast
from collections.abc import Callable, Iterator
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


@pytest.mark.parametrize("package", ALLOWED)
def test_modules_of_a_package_do_not_import_each_other_in_circles(package: str) -> None:
    assert not _circles(package, whole)


def test_nor_do_the_packages_of_infra() -> None:
    """A command is a package, and so is every folder or module beside ``commands``."""
    assert not _circles("zendesk_push", lambda module: module[: 3 if module[1:2] == ("commands",) else 2])


@pytest.mark.parametrize("package", ["push_content", "admin_callback"])
def test_nor_do_the_rooms_of_a_function(package: str) -> None:
    assert not _circles(package, lambda module: module[:2])


@pytest.mark.parametrize("root", ["functions", "infra"])
def test_one_name_is_one_thing(root: str) -> None:
    names: dict[str, set[str]] = {}
    for source in (ROOT / root).rglob("*.py"):
        for node in ast.parse(source.read_text(encoding="utf-8")).body:
            if isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
                names.setdefault(node.name, set()).add(source.relative_to(ROOT).as_posix())
    assert {name: places for name, places in names.items() if len(places) > 1} == {}


def whole(module: tuple[str, ...]) -> tuple[str, ...]:
    return module


def _circles(
    package: str, unit: Callable[[tuple[str, ...]], tuple[str, ...]]
) -> dict[tuple[str, ...], set[tuple[str, ...]]]:
    """The units (of modules, by their names' parts) of a package that import each other in circles."""
    root = FUNCTIONS if (FUNCTIONS / package).is_dir() else ROOT / "infra"
    modules = {
        tuple(part for part in source.relative_to(root).with_suffix("").parts if part != "__init__"): source
        for source in _sources(package)
    }
    graph: dict[tuple[str, ...], set[tuple[str, ...]]] = {}
    for module, source in modules.items():
        named = {tuple(name.split(".")) for name in _names(source)} & modules.keys() - {(package,)}
        graph.setdefault(unit(module), set()).update({unit(name) for name in named} - {unit(module)})
    while leaves := {one for one, names in graph.items() if not names & graph.keys()}:
        graph = {one: names for one, names in graph.items() if one not in leaves}
    return graph


def _names(source: Path) -> Iterator[str]:
    """What a module imports: modules, and what may be modules (``from package import module``)."""
    for node in ast.walk(ast.parse(source.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def test_a_class_name_means_one_thing() -> None:
    """In functions, infra and tests alike: whoever searches for a name finds one class."""
    places: dict[str, list[str]] = {}
    for root in (FUNCTIONS, ROOT / "infra", ROOT / "tests"):
        for source in sorted(root.rglob("*.py")):
            for node in ast.parse(source.read_text(encoding="utf-8")).body:
                if isinstance(node, ast.ClassDef):
                    places.setdefault(node.name, []).append(source.relative_to(ROOT).as_posix())
    assert {name: found for name, found in places.items() if len(found) > 1} == {}
