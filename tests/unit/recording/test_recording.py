"""The README's picture: a command's screens, and the SVG that they become."""

import re
import sys
from xml.etree import ElementTree

import pytest

from zendesk_push.recording.picture import draw
from zendesk_push.recording.terminal import Recording, RecordingError, recorded

SVG = "{http://www.w3.org/2000/svg}"


def record(program: str, until: str) -> Recording:
    command = [sys.executable, "-c", program]
    with recorded(command, re.compile(until), columns=20, lines=3, timeout=30) as recording:
        return recording


def test_what_the_screen_showed_is_recorded_in_its_colours() -> None:
    recording = record("print('a <b>\\n\\x1b[32mdone\\x1b[0m now', flush=True); input()", "done now")
    assert recording.frames[-1][1] == ((("default", "a <b>"),), (("green", "done"), ("default", " now")), ())


def test_a_command_that_ends_by_itself_has_shown_nothing() -> None:
    with pytest.raises(RecordingError, match="ended by itself"):
        record("print('something else')", "done")


def test_the_picture_has_every_screen_and_each_row_once() -> None:
    first, second = (("default", "a <b> & c"),), (("green", "done"),)
    recording = Recording(20, 2, [(0.5, (first, ())), (9.0, (first, second))])
    svg = ElementTree.fromstring(draw(recording, b"image", 100, "$ make run", "Zendesk/tickets/1"))  # noqa: S314
    frames = [group for group in svg.iter(f"{SVG}g") if group.get("class") == "f"]
    assert [[use.get("href") for use in frame] for frame in frames] == [["#r0"], ["#r0", "#r1"]]
    assert [text.text for text in svg.iter(f"{SVG}text")] == [
        "$ make run",
        "a <b> & c",
        "done",
        "Zendesk/tickets/1",
    ]
