"""Hair that is tied: tails, braids, drills and buns, drawn behind the head's own mass of hair."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from .drawing import Drawing, Point, ellipse, move, stretch


def inset(outline: tuple[Point, ...], by: float) -> tuple[Point, ...]:
    """The outline drawn in towards its axis, which leaves a line around it that fades towards its root."""
    xs = [x for x, _ in outline]
    top, low = outline[0][1], max(y for _, y in outline)
    middle, half = (max(xs) + min(xs)) / 2, (max(xs) - min(xs)) / 2
    inner = []
    for x, y in outline:
        down = (y - top) / (low - top)
        shrink = max(0.5, 1 - by * min(1.0, 1.6 * down) / half)
        inner.append((middle + (x - middle) * shrink, y - by * (2 * down - 0.5)))
    return tuple(inner)


def _tail(drawing: Drawing, outline: tuple[Point, ...], axis: tuple[Point, Point, Point]) -> None:
    """A tail of hair with strands along its axis."""
    drawing.fill("hair line", outline)
    drawing.fill("hair", inset(outline, 2.4))
    start, bend, end = axis
    drawing.stroke("hair dark", *(move(axis, 8 if bend[0] > 0 else -8, 4)), 8)
    drawing.stroke("hair light", *(move(axis, -6 if bend[0] > 0 else 6, 0)), 6)
    drawing.stroke("hair line", start, bend, end, 2.4)


def _twin_tails(drawing: Drawing, dice: Iterator[float]) -> None:
    for side in (1, -1):
        j = 16 * next(dice) - 8
        outer = ((82, -76), (116 + j, -98), (140 + j, -20), (134, 60), (108 + j, 160), (108 + j, 160))
        tail = (*outer, (90, 90), (102, 30), (92, -24), (82, -76))
        axis = ((96, -76), (130 + j, -30), (108 + j, 140))
        _tail(drawing, stretch(tail, side), stretch(axis, side))


def _ponytail(drawing: Drawing, dice: Iterator[float]) -> None:
    j = 16 * next(dice) - 8
    outer = (
        (30, -118),
        (30, -118),
        (98, -148),
        (136 + j, -90),
        (128, 10),
        (108 + j, 100),
        (122 + j, 160),
        (122 + j, 160),
    )
    _tail(drawing, (*outer, (82, 120), (80, 20), (60, -90), (30, -118)), ((70, -122), (130 + j, -60), (106 + j, 130)))


def _braids(drawing: Drawing, dice: Iterator[float]) -> None:
    for side in (1, -1):
        for k in range(6):
            x, y = side * (92 + k * 1.5), 26 + 22 * k
            drawing.fill("hair line", ellipse(x, y, 19 - k * 0.8, 16))
            drawing.fill("hair", ellipse(x, y - 1, 16.5 - k * 0.8, 13.5))
            drawing.stroke("hair light", (x - 9, y - 8), (x, y), (x - 4, y + 8), 4)
            drawing.stroke("hair dark", (x + 10, y - 8), (x + 8, y), (x, y + 10), 4)


def _drills(drawing: Drawing, dice: Iterator[float]) -> None:
    for side in (1, -1):
        for k in range(6):
            x, y, w = side * (104 + 2 * k), 2 + 27 * k, 27 - k * 2.2
            turn = ((-w, -16), (w, -16), (w + 4, 8), (0, 24), (-w - 2, 12))
            drawing.fill("hair line", move(turn, x, y))
            drawing.fill("hair", move(stretch(turn, 0.9, 0.87), x, y))
            drawing.stroke("hair light", (x - w * 0.6, y - 2), (x, y + 8), (x + w * 0.5, y + 2), 5)
            drawing.stroke("hair dark", (x - w * 0.8, y + 8), (x, y + 18), (x + w * 0.8, y + 8), 6)


def _buns(drawing: Drawing, dice: Iterator[float]) -> None:
    for side in (1, -1):
        x, y = side * (98 + 6 * next(dice)), -88 - 10 * next(dice)
        drawing.fill("hair line", ellipse(x, y, 37, 35))
        drawing.fill("hair", ellipse(x, y, 34, 32))
        drawing.fill("hair dark", ellipse(x + 7, y + 10, 23, 18))
        drawing.fill("hair", ellipse(x + 3, y + 4, 23, 19))
        drawing.stroke("hair light", (x - 22, y - 6), (x - 8, y - 28), (x + 14, y - 20), 7)


TAILS: dict[str, Callable[[Drawing, Iterator[float]], None]] = {
    "twin tails": _twin_tails,
    "ponytail": _ponytail,
    "braids": _braids,
    "drills": _drills,
    "buns": _buns,
}
