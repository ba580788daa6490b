"""An animated SVG: a terminal's screens one after the other, and beside it a page that appears at the end.

It needs no script, so that it moves inside an ``<img>`` too; whoever asks for reduced motion sees the last screen.
"""

import base64
from html import escape
from typing import Final

from zendesk_push.recording.terminal import Recording, Row

_COLUMN: Final = 7.2  # pixels; a row is 17 high
_LINE: Final = 17
_MARGIN: Final = 14
_BAR: Final = 26
_GAP: Final = 16
_LONGEST_FRAME: Final = 1.2  # seconds that nothing happens for are cut to
_LAST_FRAME: Final = 6.0  # seconds, before it begins again
_COLOURS: Final = {
    "default": "#d4dde3",
    "bold": "#ffffff",
    "red": "#ff8272",
    "green": "#8fd694",
    "brown": "#f2c46d",  # what pyte calls yellow
    "blue": "#7cb8ff",
    "magenta": "#d7a6ff",
    "cyan": "#7fd9d9",
}


def height_of(lines: int) -> int:
    """How many pixels of height the page beside a terminal of so many lines has."""
    return _MARGIN + lines * _LINE


def draw(recording: Recording, page: bytes, page_width: int, title: str, address: str) -> str:
    """The SVG's text.

    Args:
        page: a JPEG image of what stands beside the terminal; it is shown ``page_width`` pixels wide.
        title: the terminal's; ``address``: the page's.
    """
    width, height = _MARGIN * 2 + recording.columns * _COLUMN, _BAR + height_of(recording.lines)
    total_width = width + _GAP + page_width
    starts = _starts(recording)
    seconds = starts[-1] + _LAST_FRAME
    rows: dict[Row, str] = {}
    frames = [_frame(index, screen, rows) for index, (_, screen) in enumerate(recording.frames)]
    steps = [_step(index, starts, seconds) for index in range(len(starts))]
    image = base64.b64encode(page).decode()
    return "\n".join(
        [
            (
                f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {total_width:g} {height}" '
                f'width="{total_width:g}" height="{height}" role="img" aria-label="{escape(title)}, and the ticket">'
            ),
            "<style>",
            "text{font:12px ui-monospace,SFMono-Regular,Menlo,Consolas,monospace;white-space:pre}",
            ".bar{fill:#8fa3ad}.f{visibility:hidden}",
            *(f".{_css(name)}{{fill:{colour}}}" for name, colour in _COLOURS.items()),
            *steps,
            f"#page{{animation:appear {seconds:.2f}s linear infinite}}",
            (
                f"@keyframes appear{{0%,{100 * starts[-1] / seconds:.2f}%{{opacity:0}}"
                f"{100 * (starts[-1] + 0.6) / seconds:.2f}%,100%{{opacity:1}}}}"
            ),
            "@media (prefers-reduced-motion:reduce){.f,#page{animation:none}.f:last-of-type{visibility:visible}}",
            "</style>",
            f'<rect width="{width:g}" height="{height}" rx="8" fill="#16242b"/>',
            f'<text class="bar" x="{_MARGIN}" y="17">{escape(title)}</text>',
            "<defs>",
            *(f'<g id="{name}">{_texts(row)}</g>' for row, name in rows.items()),
            "</defs>",
            f'<g transform="translate({_MARGIN} {_BAR + 12})">',
            *frames,
            "</g>",
            f'<g id="page" transform="translate({width + _GAP:g} 0)">',
            f'<rect width="{page_width}" height="{height}" rx="8" fill="#e9ecef"/>',
            f'<text class="bar" x="{_MARGIN}" y="17">{escape(address)}</text>',
            f'<image y="{_BAR}" width="{page_width}" height="{height - _BAR}" href="data:image/jpeg;base64,{image}"/>',
            "</g>",
            "</svg>\n",
        ]
    )


def _starts(recording: Recording) -> list[float]:
    """When each frame begins, in seconds, where nothing takes longer than the longest frame may."""
    starts = [0.0]
    for (before, _), (after, _) in zip(recording.frames, recording.frames[1:], strict=False):
        starts.append(starts[-1] + min(after - before, _LONGEST_FRAME))
    return starts


def _step(index: int, starts: list[float], seconds: float) -> str:
    begin = 100 * starts[index] / seconds
    end = 100 * starts[index + 1] / seconds if index + 1 < len(starts) else 100.0
    shown = f"{begin:.3f}%,{end:.3f}%{{visibility:visible}}"
    before = f"0%,{begin - 0.001:.3f}%{{visibility:hidden}}" if begin else ""
    after = f"{end + 0.001:.3f}%,100%{{visibility:hidden}}" if end < 100 else ""
    name = f"k{index}"
    return (
        f"@keyframes {name}{{{before}{shown}{after}}}"
        f"#f{index}{{animation:{name} {seconds:.2f}s step-end infinite}}"
    )


def _frame(index: int, screen: tuple[Row, ...], rows: dict[Row, str]) -> str:
    used = [
        f'<use href="#{rows.setdefault(row, f"r{len(rows)}")}" y="{line * _LINE}"/>'
        for line, row in enumerate(screen)
        if row
    ]
    return f'<g class="f" id="f{index}">{"".join(used)}</g>'


def _texts(row: Row) -> str:
    texts, column = [], 0
    for colour, text in row:
        if text.strip():
            texts.append(
                f'<text class="{_css(colour)}" x="{column * _COLUMN:g}" textLength="{len(text) * _COLUMN:g}" '
                f'lengthAdjust="spacingAndGlyphs">{escape(text)}</text>'
            )
        column += len(text)
    return "".join(texts)


def _css(colour: str) -> str:
    return "c-" + (colour if colour in _COLOURS else "default")
