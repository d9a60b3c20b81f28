"""Hair behind and in front of the face. Every style is a back, a fringe of pointed locks and a pair of side locks."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from .drawing import Drawing, Point, ellipse, mirror

FRINGES = ("choppy", "blunt", "parted", "swept", "wispy")


@dataclass(frozen=True)
class Style:
    back: str
    side_length: float  # how far below the eyes the side locks' tips hang
    side_width: float
    flat: bool = False  # side locks cut straight
    ears: bool = False  # ears show
    volume: float = 1.0


STYLES: dict[str, Style] = {
    "straight": Style("long", 104, 15),
    "princess": Style("long", 62, 18, flat=True),
    "wavy": Style("wavy", 112, 17, volume=1.05),
    "bob": Style("bob", 74, 17),
    "short": Style("short", 42, 13, ears=True),
    "spiky": Style("spiky", 46, 14, ears=True, volume=1.04),
    "shoulder": Style("shoulder", 84, 16),
    "twin tails": Style("twin", 78, 12),
    "ponytail": Style("pony", 70, 12, ears=True),
    "braids": Style("braids", 58, 13),
    "drills": Style("drills", 66, 14),
    "buns": Style("buns", 80, 12),
}


def draw_back(drawing: Drawing, style: Style, dice: Iterator[float]) -> None:
    """What hangs behind the head."""
    drawing.depth = -0.4
    v = style.volume
    if style.back in ("long", "wavy"):
        wave = 12 if style.back == "wavy" else 0
        right = ((0, -132), (72 * v, -130), (112 * v, -72), (110 + wave, -6), (116 - wave, 50), (116 + wave, 96), (130 - wave, 170), (132, 250), (50, 250))
        _both(drawing, right, inner=(0, -40, 80, 240))
        for side in (1, -1):
            for k in range(4):
                x = side * (78 + 12 * k + 6 * next(dice))
                drawing.stroke("back dark" if k % 2 else "hair light", (x * 0.92, -20), (x * (1.02 + wave / 150), 50), (x * 1.08, 170), 2.6)
    elif style.back in ("bob", "shoulder", "short", "spiky"):
        low = {"bob": 92, "shoulder": 128, "short": 64, "spiky": 66}[style.back]
        out = {"bob": 4, "shoulder": 16, "short": -4, "spiky": 4}[style.back]
        right = ((0, -132), (72 * v, -130), (112 * v, -72), (112 * v, -6), (108 + out, low - 34), (100 + out, low), (72 + out, low + 12), (40, low + 4))
        if style.back == "spiky":
            tips: list[Point] = [(0, -136), (40, -136)]
            for x, y, nx, ny in _SPIKES:
                jx, jy = 12 * next(dice) - 6, 12 * next(dice) - 6
                tips += [((x + nx) / 2 + 8, (y + ny) / 2 - 14), (x + jx, y + jy), (x + jx, y + jy), (nx, ny)]
            right = (*tips, (30, 66))
        elif style.back == "shoulder":
            right = (*right[:-3], (108 + out, low), (108 + out, low), (78, low + 6), (74, low + 16), (74, low + 16), (40, low + 4))
        _both(drawing, right, inner=(0, -40, 70, low - 8))
        for side in (1, -1):
            for k in range(3):
                x = side * (72 + 10 * k + 6 * next(dice))
                drawing.stroke("back dark", (x * 0.95, -20), (x * 1.05, 30), (x * 0.98, low - 6), 2.4)
    else:
        right = ((0, -130), (68 * v, -128), (104 * v, -70), (100 * v, -6), (88, 44), (60, 70), (20, 70))
        tail = _TAILS[style.back]
        tail(drawing, dice)
        _both(drawing, right, inner=(0, -40, 64, 50))
    drawing.depth = 1.0


def draw_front(drawing: Drawing, style: Style, fringe: str, dice: Iterator[float]) -> None:
    """Side locks, crown and fringe, with the shadow they throw on the face."""
    v = style.volume
    locks = _fringe(fringe, dice)
    drawing.depth = 0.9
    for lock in locks:
        drawing.shadow(tuple((x + 2, y + 11) for x, y in lock))
    for side in (1, -1):
        _side_lock(drawing, style, side, dice)
    crown = ((-98 * v, 6), (-104 * v, -62), (-70 * v, -130), (0, -140), (70 * v, -130), (104 * v, -62), (98 * v, 6), (98 * v, 6))
    crown += ((78, -18), (70, -52), (44, -74), (0, -80), (-44, -74), (-70, -52), (-78, -18), (-98 * v, 6))
    drawing.fill("hair line", tuple((x * 1.022, y * 1.018) for x, y in crown))
    drawing.fill("hair", crown)
    for lock in _front_to_back(locks):
        drawing.fill("hair line", lock)
        drawing.fill("hair", _inset(lock, 1.8))
        drawing.fill("hair dark", _slice(lock, 0.55, 1.0))
        drawing.fill("hair light", _slice(lock, 0.18, 0.34))
    _ring(drawing, v, dice)
    drawing.depth = 1.0


def _both(drawing: Drawing, right: tuple[Point, ...], inner: tuple[float, float, float, float]) -> None:
    """A symmetrical mass of back hair, darker in the middle where the head shades it."""
    outline = right + mirror(right)[::-1]
    drawing.fill("hair line", tuple((x * 1.02, y * 1.014) for x, y in outline))
    drawing.fill("back", outline)
    x, top, half, low = inner
    drawing.fill("back dark", ((x - half, top), (x + half, top), (x + half * 1.06, low), (x + half * 0.6, low + 6), (x - half * 0.6, low + 6), (x - half * 1.06, low)))


def _twin(drawing: Drawing, dice: Iterator[float]) -> None:
    for side in (1, -1):
        j = 8 * next(dice) - 4
        tail = ((74, -74), (74, -74), (112 + j, -96), (140 + j, -20), (138, 70), (112 + j, 168), (112 + j, 168), (96, 100), (104, 30), (92, -20))
        _strand(drawing, _sided(tail, side), side)
        drawing.fill("trim dark", ellipse(side * 82, -66, 13, 13))
        drawing.fill("trim", ellipse(side * 82, -66, 10, 10))


def _pony(drawing: Drawing, dice: Iterator[float]) -> None:
    j = 8 * next(dice) - 4
    tail = ((20, -110), (20, -110), (84, -146), (128 + j, -90), (122, 10), (108 + j, 110), (124 + j, 160), (124 + j, 160), (84, 120), (80, 20))
    _strand(drawing, tail, 1)


def _braids(drawing: Drawing, dice: Iterator[float]) -> None:
    for side in (1, -1):
        for k in range(6):
            y = 34 + 21 * k
            drawing.fill("hair line", ellipse(side * (84 + k * 1.5), y, 17 - k * 0.8, 15))
            drawing.fill("hair", ellipse(side * (84 + k * 1.5), y - 1, 14.5 - k * 0.8, 12.5))
            drawing.stroke("hair light", (side * 76, y - 8), (side * 84, y), (side * 80, y + 8), 4)
            drawing.stroke("hair dark", (side * 94, y - 8), (side * 92, y), (side * 84, y + 10), 4)


def _drills(drawing: Drawing, dice: Iterator[float]) -> None:
    for side in (1, -1):
        for k in range(6):
            y, half = 4 + 27 * k, 26 - k * 2.2
            x = side * (96 + 3 * k)
            drawing.fill("hair line", ((x - half, y - 16), (x + half, y - 16), (x + half + 4, y + 8), (x, y + 24), (x - half - 2, y + 12)))
            drawing.fill("hair", ((x - half + 2, y - 14), (x + half - 2, y - 14), (x + half + 1, y + 6), (x, y + 21), (x - half + 1, y + 10)))
            drawing.stroke("hair light", (x - half * 0.6, y - 2), (x, y + 8), (x + half * 0.5, y + 2), 5)
            drawing.stroke("hair dark", (x - half * 0.8, y + 8), (x, y + 18), (x + half * 0.8, y + 8), 5)


def _buns(drawing: Drawing, dice: Iterator[float]) -> None:
    for side in (1, -1):
        x = side * (78 + 4 * next(dice))
        drawing.fill("hair line", ellipse(x, -98, 36, 34))
        drawing.fill("hair", ellipse(x, -98, 33, 31))
        drawing.fill("hair dark", ellipse(x + 8, -88, 22, 18))
        drawing.fill("hair", ellipse(x + 3, -94, 22, 19))
        drawing.stroke("hair light", (x - 20, -104), (x - 8, -124), (x + 14, -116), 6)


# Of spiky hair, going down: each tip, and the notch below it.
_SPIKES = ((100, -118, 92, -98), (128, -62, 100, -42), (132, 4, 98, 18), (116, 62, 84, 56), (92, 104, 62, 72))

_TAILS = {"twin": _twin, "pony": _pony, "braids": _braids, "drills": _drills, "buns": _buns}


def _strand(drawing: Drawing, outline: tuple[Point, ...], side: int) -> None:
    """A tail of hair with its strands."""
    drawing.fill("hair line", outline)
    drawing.fill("hair", _inset(outline, 2.2))
    tip = outline[6]
    top = outline[3]
    mid = outline[4]
    drawing.stroke("hair light", (top[0] * 0.86, top[1]), (mid[0] * 0.9, mid[1]), (tip[0], tip[1] - 30), 6)
    drawing.stroke("hair dark", (top[0] * 0.95, top[1] + 10), (mid[0] * 0.99, mid[1]), (tip[0], tip[1] - 14), 5)
    drawing.stroke("hair line", (top[0] * 0.8, top[1] + 20), (mid[0] * 0.84, mid[1]), (tip[0], tip[1] - 40), 2.2)


def _side_lock(drawing: Drawing, style: Style, side: int, dice: Iterator[float]) -> None:
    j, k = 8 * next(dice) - 4, 12 * next(dice) - 6
    low, w = style.side_length + k, style.side_width
    x = 80.0
    tip = x - 6 + j
    if style.flat:
        lock = ((62, -66), (62, -66), (x - w, -10), (x - w, 30), (x - w, low), (x - w, low), (x + w, low), (x + w, low), (x + w + 2, 10), (92, -60), (84, -76))
    else:
        lock = ((62, -66), (62, -66), (x - w * 0.9, -8), (x - w, 24), (x - w * 0.7, low * 0.7), (tip, low), (tip, low), (x + w * 0.9, low * 0.6), (x + w + 4, 6), (94, -60), (84, -76))
    lock = _sided(lock, side)
    drawing.shadow(tuple((px + 3 - side * 3, py + 5) for px, py in lock))
    drawing.fill("hair line", lock)
    drawing.fill("hair", _inset(lock, 2.2))
    drawing.stroke("hair dark", (side * (x + w * 0.5), -40), (side * (x + w * 0.8), low * 0.3), (side * (tip + 2), low - 12), w * 0.42)
    drawing.stroke("hair light", (side * (x - w * 0.3), -30), (side * (x - w * 0.5), low * 0.25), (side * (x - w * 0.2), low * 0.66), w * 0.26)
    drawing.stroke("hair line", (side * (x + 1), -20), (side * (x + 2), low * 0.3), (side * (tip + 1), low - 8), 1.8)


def _sided(points: tuple[Point, ...], side: int) -> tuple[Point, ...]:
    return points if side == 1 else mirror(points)


# A fringe lock's points: 0, 1 root; 2, 3 its left side downwards; 4, 5 the tip's left end; 6, 7 its right; 8, 9 up again.
def _lock(root: float, left: float, right: float, tip: float, low: float, cut: float, sweep: float) -> tuple[Point, ...]:
    top = (root, -122.0)
    y1, y2 = -84.0, -84.0 + (low + 84.0) * 0.62
    a1, a2 = root + (left - root) * 0.72 - 4, left + sweep * 0.3
    b1, b2 = root + (right - root) * 0.72 + 4, right + sweep * 0.3
    return (top, top, (a1, y1), (a2, y2), (tip - cut, low), (tip - cut, low), (tip + cut, low), (tip + cut, low), (b2, y2), (b1, y1))


def _fringe(fringe: str, dice: Iterator[float]) -> list[tuple[Point, ...]]:
    """The locks of a fringe from left to right."""
    def j(amount: float) -> float:
        return amount * (2 * next(dice) - 1)

    part = {"parted": j(6), "swept": -34 + j(8)}.get(fringe, j(14))
    count = {"blunt": 6, "wispy": 7}.get(fringe, 5 + int(2 * next(dice)))
    edges = [-82 + 164 * i / count + (j(7) if 0 < i < count else 0) for i in range(count + 1)]
    locks = []
    for left, right in zip(edges, edges[1:]):
        middle = (left + right) / 2
        slope = 0.0062 * middle * middle
        tip, low, cut, sweep = middle, -16 + slope + j(9), 0.0, 0.0
        if fringe == "choppy":
            tip += j(7)
        elif fringe == "blunt":
            low, cut = -17 + slope * 0.6 + j(2), (right - left) * 0.42
        elif fringe == "wispy":
            tip += j(5)
            low += 26 if abs(middle) < 12 else 0
        elif fringe == "parted":
            away = middle - part
            tip, sweep = part + away * 1.16 + (10 if away > 0 else -10), (6 if away > 0 else -6)
            low = -52 + 0.9 * abs(away) + j(6)
        elif fringe == "swept":
            away = middle - part
            tip, sweep = middle + (20 if away > 0 else -10) + j(4), (16 if away > 0 else -6)
            low = -40 + 0.42 * abs(away) + j(6)
        root = part + (middle - part) * 0.22
        locks.append(_lock(root, left - 4, right + 4, tip, low, cut, sweep))
    return locks


def _front_to_back(locks: list[tuple[Point, ...]]) -> list[tuple[Point, ...]]:
    """Outer locks first, so that the middle ones lie over them."""
    return sorted(locks, key=lambda lock: -abs(lock[5][0]))


def _inset(outline: tuple[Point, ...], by: float) -> tuple[Point, ...]:
    """The same outline drawn in towards its axis, which leaves a line around it that fades towards its root."""
    xs = [x for x, _ in outline]
    top, low = outline[0][1], max(y for _, y in outline)
    middle, half = (max(xs) + min(xs)) / 2, (max(xs) - min(xs)) / 2
    inner = []
    for x, y in outline:
        down = (y - top) / (low - top)
        inner.append((middle + (x - middle) * max(0.5, 1 - by * min(1.0, 1.6 * down) / half), y - by * (2 * down - 0.5)))
    return tuple(inner)


def _slice(lock: tuple[Point, ...], start: float, end: float) -> tuple[Point, ...]:
    """The part of a lock between two shares of its width, narrowing to its root and its tip."""
    (rx, ry), left, right = lock[0], lock[3], lock[8]
    tip = ((lock[5][0] + lock[6][0]) / 2, lock[5][1] - 5)
    y = left[1]
    a, b = left[0] + (right[0] - left[0]) * start, left[0] + (right[0] - left[0]) * end
    mid = (lock[2][0] + (lock[9][0] - lock[2][0]) * (start + end) / 2, -76.0)
    return (mid, mid, (a, y), tip, tip, (b, y))


def _ring(drawing: Drawing, v: float, dice: Iterator[float]) -> None:
    """The band of light around the crown, in short upright strokes."""
    for k in range(9):
        x = -64 + 16 * k + 6 * next(dice)
        y = -92 + 0.0075 * x * x
        tall = 7 + 9 * next(dice)
        lean = x * 0.12
        drawing.fill("hair light", ((x - lean * 0.6, y - tall), (x - lean * 0.6, y - tall), (x + 6, y), (x + lean, y + tall * 1.3), (x + lean, y + tall * 1.3), (x - 6, y)))
        if k in (2, 3, 4):
            drawing.fill("shine", ((x, y - tall * 0.5), (x, y - tall * 0.5), (x + 3, y), (x + lean * 0.4, y + tall * 0.7), (x + lean * 0.4, y + tall * 0.7), (x - 3, y)))
