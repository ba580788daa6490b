"""The logo that an installer app has unless its integrator gives one: a speech bubble, and an arrow into it."""

from functools import cache
from math import hypot
from typing import Final

from zendesk_push.commands.installer_app import png

_GROUND: Final = (23, 73, 77)
_INK: Final = (255, 255, 255)
_SHADES: Final = 16
_PALETTE: Final = [
    tuple(
        round(ground + (ink - ground) * shade / (_SHADES - 1))
        for ground, ink in zip(_GROUND, _INK, strict=True)
    )
    for shade in range(_SHADES)
]

# All lengths are in widths of the image.
_BUBBLE_CENTRE: Final = (0.53, 0.45)
_BUBBLE_HALF: Final = (0.31, 0.23)
_BUBBLE_RADIUS: Final = 0.09
# From a point with a half width to another one with another.
_TAIL: Final = ((0.40, 0.62), 0.09, (0.33, 0.80), 0.01)
_ARROW: Final = tuple(
    (start, 0.035, (0.64, 0.45), 0.035) for start in ((0.10, 0.45), (0.53, 0.34), (0.53, 0.56))
)
_Line = tuple[tuple[float, float], float, tuple[float, float], float]


@cache
def draw(size: int) -> bytes:
    """A square PNG image of that many pixels a side, an even number."""
    rows = [
        bytes(_shade((column + 0.5) / size, (row + 0.5) / size, 1 / size) for column in range(size))
        for row in range(size)
    ]
    return png.encode(rows, [(red, green, blue) for red, green, blue in _PALETTE])


def _shade(x: float, y: float, pixel: float) -> int:
    """How white a point is: the bubble is, and the arrow is white outside the bubble and dark inside."""
    bubble = _covered(min(_to_bubble(x, y), _to_line(x, y, _TAIL)), pixel)
    arrow = _covered(min(_to_line(x, y, line) for line in _ARROW), pixel)
    return round((bubble + arrow - 2 * bubble * arrow) * (_SHADES - 1))


def _covered(distance: float, pixel: float) -> float:
    """How much of a pixel lies inside a shape whose edge is that far away; negative: inside."""
    return min(1.0, max(0.0, 0.5 - distance / pixel))


def _to_bubble(x: float, y: float) -> float:
    across = abs(x - _BUBBLE_CENTRE[0]) - _BUBBLE_HALF[0] + _BUBBLE_RADIUS
    down = abs(y - _BUBBLE_CENTRE[1]) - _BUBBLE_HALF[1] + _BUBBLE_RADIUS
    return hypot(max(across, 0), max(down, 0)) + min(max(across, down), 0) - _BUBBLE_RADIUS


def _to_line(x: float, y: float, line: _Line) -> float:
    (x0, y0), from_width, (x1, y1), to_width = line
    along = ((x - x0) * (x1 - x0) + (y - y0) * (y1 - y0)) / ((x1 - x0) ** 2 + (y1 - y0) ** 2)
    along = min(1.0, max(0.0, along))
    half_width = from_width + along * (to_width - from_width)
    return hypot(x - x0 - along * (x1 - x0), y - y0 - along * (y1 - y0)) - half_width
