"""Line plots as SVG, with nothing but the standard library."""

import math
from collections.abc import Callable, Iterator, Sequence
from typing import Final
from xml.sax.saxutils import escape

from zendesk_push.bench.figures import Plot, number

_WIDTH: Final = 720
_HEIGHT: Final = 400
_LEFT: Final = 72
_RIGHT: Final = 200  # the legend
_TOP: Final = 40
_BOTTOM: Final = 48
_COLOURS: Final = ("#0b6e99", "#c4320a", "#6a737d", "#2e7d32", "#8e44ad", "#b8860b")
_DASHES: Final = ("", "6 3", "2 3", "8 3 2 3", "", "6 3")

_SVG: Final = (
    f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {_HEIGHT}" role="img" '
    'font-family="system-ui, sans-serif" font-size="12" fill="#24292f">'
)
_SIDEWAYS: Final = f'transform="translate(16 {(_TOP + _HEIGHT - _BOTTOM) / 2}) rotate(-90)"'


def svg(plot: Plot) -> str:
    """The plot on white, readable in both themes of whoever shows it."""
    points = [point for line in plot.lines.values() for point in line]
    to_x = _scale([x for x, _ in points], plot.log_x, _LEFT, _WIDTH - _RIGHT)
    to_y = _scale([y for _, y in points], plot.log_y, _HEIGHT - _BOTTOM, _TOP, from_zero=True)
    parts = [
        _SVG,
        f"<title>{escape(plot.title)}</title>",
        f'<rect width="{_WIDTH}" height="{_HEIGHT}" fill="#fff"/>',
        _text(_LEFT, 22, plot.title, weight="600"),
        _text((_LEFT + _WIDTH - _RIGHT) / 2, _HEIGHT - 10, plot.x, anchor="middle"),
        f'<text {_SIDEWAYS} text-anchor="middle">{escape(plot.y)}</text>',
    ]
    for value in _ticks([x for x, _ in points], plot.log_x):
        parts.append(_text(to_x(value), _HEIGHT - _BOTTOM + 18, number(value), anchor="middle"))
        parts.append(_line([(to_x(value), _TOP), (to_x(value), _HEIGHT - _BOTTOM)], "#e1e4e8"))
    for value in _ticks([y for _, y in points], plot.log_y, from_zero=True):
        parts.append(_text(_LEFT - 8, to_y(value) + 4, number(value), anchor="end"))
        parts.append(_line([(_LEFT, to_y(value)), (_WIDTH - _RIGHT, to_y(value))], "#e1e4e8"))
    for index, (name, line) in enumerate(plot.lines.items()):
        colour, dash = _COLOURS[index % len(_COLOURS)], _DASHES[index % len(_DASHES)]
        parts.append(_line([(to_x(x), to_y(y)) for x, y in line], colour, 2, dash))
        height = _TOP + 14 + 20 * index
        parts.append(
            _line([(_WIDTH - _RIGHT + 14, height - 4), (_WIDTH - _RIGHT + 40, height - 4)], colour, 2, dash)
        )
        parts.append(_text(_WIDTH - _RIGHT + 46, height, name))
    return "\n".join([*parts, "</svg>", ""])


def _scale(
    values: Sequence[float], log: bool, start: float, end: float, *, from_zero: bool = False
) -> Callable[[float], float]:
    transform = math.log10 if log else float
    low = 0.0 if from_zero and not log else transform(min(values))
    span = (transform(max(values)) - low) or 1.0
    return lambda value: start + (transform(value) - low) / span * (end - start)


def _ticks(values: Sequence[float], log: bool, *, from_zero: bool = False) -> Iterator[float]:
    low, high = 0.0 if from_zero and not log else min(values), max(values)
    if log:
        for power in range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1):
            for digit in (1, 2, 5):
                if low <= digit * 10.0**power <= high:
                    yield digit * 10.0**power
        return
    step = 10.0 ** math.floor(math.log10((high - low) or 1.0))
    while (high - low) / step < 4:
        step /= 2
    value = math.ceil(low / step) * step
    while value <= high * 1.0001:
        yield round(value, 6)
        value += step


def _line(points: Sequence[tuple[float, float]], colour: str, width: int = 1, dash: str = "") -> str:
    path = " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
    dashed = f' stroke-dasharray="{dash}"' if dash else ""
    return f'<polyline points="{path}" fill="none" stroke="{colour}" stroke-width="{width}"{dashed}/>'


def _text(x: float, y: float, text: str, *, anchor: str = "start", weight: str = "400") -> str:
    return (
        f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" font-weight="{weight}">{escape(text)}</text>'
    )
