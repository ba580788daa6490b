"""Times, spans and strangers' text at the terminal."""

import io
import json
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from zendesk_push.errors import UsageError
from zendesk_push.terminal import (
    Column,
    confirm,
    duration,
    isoformat,
    parse_duration,
    print_json,
    printable,
    styled,
    table,
    timestamp,
)


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("90s", 90), ("15m", 900), ("1h30m", 5400), ("2d", 172_800), ("1d1s", 86_401), ("0s", 0)],
)
def test_spans_of_time(text: str, seconds: int) -> None:
    assert parse_duration(text) == seconds


@pytest.mark.parametrize("text", ["", "5", "m", "-5m", "1.5h", "30m1h", "٣s", "1h "])
def test_what_is_no_span_of_time(text: str) -> None:
    with pytest.raises(UsageError, match="is not a span of time"):
        parse_duration(text)


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0, "0s"), (-5, "0s"), (59.9, "59s"), (3600, "1h"), (90_061, "1d 1h"), (86_401, "1d 1s")],
)
def test_spans_are_shown_in_two_units(seconds: float, text: str) -> None:
    assert duration(seconds) == text


def test_points_in_time_are_utc() -> None:
    assert timestamp(1_700_000_000) == "2023-11-14 22:13:20Z"
    assert isoformat(1_700_000_000) == "2023-11-14T22:13:20Z"
    assert timestamp(None) == "-"
    assert isoformat(None) is None


def test_what_moves_the_cursor_is_not_printed() -> None:
    assert printable("a\x1b[31mb\x9bc\u202ed\ne\tf\r") == "a\ufffd[31mb\ufffdc\ufffdd\ne\tf\ufffd"


@given(st.text(alphabet=st.characters(categories=["L", "N", "P", "S", "Zs"])))
def test_ordinary_text_is_printed_as_it_is(text: str) -> None:
    assert printable(text) == text


class Tty(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize(
    ("answer", "agreed"), [("y\n", True), ("YES\n", True), ("n\n", False), ("\n", False), ("", False)]
)
def test_only_a_yes_is_a_yes(monkeypatch: pytest.MonkeyPatch, answer: str, *, agreed: bool) -> None:
    monkeypatch.setattr(sys, "stdin", Tty(answer))
    assert confirm("Sure?", assume_yes=False) is agreed


def test_without_a_terminal_nobody_is_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", io.StringIO("y\n"))
    with pytest.raises(UsageError, match="--yes"):
        confirm("Sure?", assume_yes=False)
    assert confirm("Sure?", assume_yes=True)


COLUMNS = [Column("ID"), Column("COUNT", right=True), Column("NAME", least=6)]
ID = "3cd1d2a5-aaf2-41fe-a9f1-519499605854"


def test_a_table_has_a_line_for_each_row_and_cuts_nothing_in_a_pipe() -> None:
    shown = table(
        COLUMNS, [[ID, "7", "[bold]:smile: " + "n" * 300], ["short", "1,000", "line\nfeed"]], io.StringIO()
    )
    lines = shown.splitlines()
    assert [len(lines), lines[0].split()] == [3, ["ID", "COUNT", "NAME"]]
    assert lines[1] == f"{ID}      7  [bold]:smile: " + "n" * 300
    assert lines[2] == f"{'short':36}  1,000  line feed"


def test_on_a_narrow_terminal_names_give_way_and_ids_do_not(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "60")
    lines = table(COLUMNS, [[ID, "7", "n" * 300], [ID, "8", "日本語日本語日本語"]], Tty()).splitlines()
    assert all(ID in line for line in lines[1:])
    assert lines[1].endswith("nnn…")
    assert [len(lines[1]), len(lines[2])] == [60, 53]  # a wide character takes two columns
    monkeypatch.setenv("COLUMNS", "10")
    assert all(ID in line for line in table(COLUMNS, [[ID, "7", "n" * 300]], Tty()).splitlines()[1:])


def test_colours_are_for_terminals_that_want_them(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("NO_COLOR", "TERM"):
        monkeypatch.delenv(name, raising=False)
    assert styled("x", "green", Tty()) == "\x1b[32mx\x1b[0m"
    assert styled("x", "green", io.StringIO()) == "x"
    monkeypatch.setenv("NO_COLOR", "1")
    assert styled("x", "green", Tty()) == "x"


def test_json_is_readable_and_moves_no_cursor(capsys: pytest.CaptureFixture[str]) -> None:
    value = {"text": "Zieli\u0144ski \x9b31m \u202e \x1b[31m :smile:", "list": [1]}
    print_json(value)
    shown = capsys.readouterr().out
    assert json.loads(shown) == value
    assert "Zieli\u0144ski" in shown
    assert not {"\x9b", "\u202e", "\x1b"} & set(shown)
