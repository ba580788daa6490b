"""Every command that the documentation shows can be typed: command, action and options exist."""

import re
from pathlib import Path
from typing import Final

import pytest

from zendesk_push.cli import COMMANDS
from zendesk_push.command_parser import Parser, build_parser

ROOT: Final = Path(__file__).parents[3]
PAGES: Final = [ROOT / "README.md", ROOT / "CHANGELOG.md", *sorted((ROOT / "docs").rglob("*.md"))]
SHOWN: Final = re.compile(r"(?<![\w/.@-])zendesk-push ((?:local|[a-z-]+)\b[^`\n|;]*)")


def shown() -> list[tuple[str, str]]:
    return [
        (page.relative_to(ROOT).as_posix(), found[1].partition("   #")[0].strip())
        for page in PAGES
        for found in SHOWN.finditer(page.read_text(encoding="utf-8"))
        if found[1].split()[0] in COMMANDS
    ]


@pytest.mark.parametrize(("page", "typed"), sorted(set(shown())))
def test_its_options_are_the_commands(page: str, typed: str) -> None:
    name, *words = typed.split(" && ")[0].split()
    parser: Parser = build_parser(COMMANDS, [name]).below()[name]
    if words and words[0] in parser.below():
        parser = parser.below()[words[0]]
    elif name == "accounts":  # short for `accounts list`
        parser = parser.below()["list"]
    wrong = [
        word
        for word in (word.strip("[]().,:\"'").partition("=")[0] for word in words)
        if word.startswith("--") and word not in parser.option_actions()
    ]
    assert not wrong, f"{page}: zendesk-push {typed}"


def test_there_is_something_to_look_at() -> None:
    assert len(shown()) > 40
    assert {typed.split()[0] for _, typed in shown()} >= COMMANDS.keys() - {"local"}
