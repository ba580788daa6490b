"""The pages point at what is there: every link inside the project resolves, headings included."""

import re
from pathlib import Path
from typing import Final

import pytest

ROOT: Final = Path(__file__).resolve().parents[3]
PAGES: Final = sorted({*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")})
# A link's text may hold code, code may hold what looks like a link.
_LINK: Final = re.compile(r"\]\(([^)\s]+)\)")
_CODE: Final = re.compile(r"`[^`\n]+`")


def _anchors(page: Path) -> set[str]:
    """The headings' anchors, as GitHub makes them."""
    headings = re.findall(r"^#+ (.+)$", page.read_text("utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def _links(page: Path) -> list[str]:
    return _LINK.findall(_CODE.sub("code", page.read_text("utf-8")))


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(ROOT).as_posix())
def test_links_resolve(page: Path) -> None:
    for link in _links(page):
        if link.startswith("https://"):
            continue
        path, _, anchor = link.partition("#")
        target = (page.parent / path) if path else page
        assert target.exists(), link
        assert not anchor or anchor in _anchors(target), link


def test_every_page_can_be_reached_from_the_readme() -> None:
    reached, waiting = set(), [ROOT / "README.md"]
    while waiting:
        page = waiting.pop().resolve()
        if page in reached or not page.exists():
            continue
        reached.add(page)
        paths = (link.partition("#")[0] for link in _links(page) if not link.startswith("https://"))
        waiting += [page.parent / path for path in paths if path.endswith(".md")]
    records = set((ROOT / "docs" / "decisions").glob("[0-9]*.md"))
    assert set(PAGES) - records <= reached


def test_every_make_target_that_is_named_exists() -> None:
    makefile = (ROOT / "Makefile").read_text("utf-8")
    targets = set(re.findall(r"^([a-z-]+):", makefile, re.MULTILINE))
    sources = [*PAGES, *(path for suffix in ("py", "yaml") for path in (ROOT / "infra").rglob(f"*.{suffix}"))]
    named = {name for path in sources for name in re.findall(r"`make ([a-z-]+)", path.read_text("utf-8"))}
    assert named
    assert named <= targets
