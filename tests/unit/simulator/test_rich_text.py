from __future__ import annotations

from html.parser import HTMLParser

import pytest
from hypothesis import given
from hypothesis import strategies as st

from zendesk_push.simulator.rich_text import TAGS, VOID, rich_text


@pytest.mark.parametrize(
    ("source", "shown"),
    [
        ("<p>a <b>b</b></p>", "<p>a <b>b</b></p>"),
        ("<p onclick='x()' style='y'>a</p>", "<p>a</p>"),
        ("a<script>alert(1)</script>b<style>c</style>", "ab"),
        ("<img src=x onerror=alert(1)>a", "a"),
        ('<a href="javascript:alert(1)">a</a>', "<a>a</a>"),
        (
            '<a href="https://e.example/?a=1&amp;b=%22" class="x">a</a>',
            '<a href="https://e.example/?a=1&amp;b=%22" rel="noreferrer noopener" target="_blank">a</a>',
        ),
        ("<b><i>a", "<b><i>a</i></b>"),
        ("</div>a</b>", "a"),
        ("a<br/>b<hr>c", "a<br>b<hr>c"),
        ("1 &lt; 2 & 3 &amp;lt;", "1 &lt; 2 &amp; 3 &amp;lt;"),
        ("<form action=x><input>a</form><iframe src=y>z</iframe>", "a"),
    ],
)
def test_only_harmless_markup_is_left(source: str, shown: str) -> None:
    assert rich_text(source) == shown


class _Seen(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.depth = 0
        self.attributes: set[str] = set()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes |= {key for key, _ in attrs}
        self.depth += tag not in VOID

    def handle_endtag(self, tag: str) -> None:
        self.depth -= tag not in VOID


MARKUP = [
    "<",
    ">",
    "</",
    "<b",
    "<p>",
    "<br",
    "/>",
    "<a href=",
    '"',
    "'",
    " on=",
    "b",
    "i",
    "\x00",
    "&lt;",
    "&#60;",
]
TRICKS = ["<script>", "</script>", "javascript:", "https://x", "<!--", "-->", "<![CDATA[", "<svg/onload=x>"]
PIECES = st.sampled_from([*MARKUP, *TRICKS])


@given(st.lists(PIECES | st.text(max_size=4), max_size=30).map("".join))
def test_whatever_comes_the_page_stays_whole(source: str) -> None:
    seen = _Seen()
    seen.feed(str(rich_text(source)))
    seen.close()
    assert set(seen.tags) <= TAGS
    assert seen.attributes <= {"href", "rel", "target"}
    assert seen.depth == 0
