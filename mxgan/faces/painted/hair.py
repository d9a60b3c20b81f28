"""Hair behind and in front of the face: a style has a mass behind, perhaps tails, and a pair of side locks."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import accumulate

from .drawing import Drawing, Point, move, stretch
from .tails import TAILS, inset

FRINGES = ("choppy", "blunt", "parted", "swept", "wispy")


@dataclass(frozen=True)
class Style:
    """``side_*``: the locks beside the face, how far below the eyes they hang and half their width, in units."""

    back: str
    side_length: float
    side_width: float
    cut: bool = False  # side locks end in a straight cut
    ears: bool = False  # ears show
    flow: float = 64.0  # how far below the eyes the crown's outermost locks reach


STYLES: dict[str, Style] = {
    "straight": Style("long", 108, 14, flow=90),
    "princess": Style("long", 68, 17, cut=True, flow=100),
    "wavy": Style("wavy", 112, 17, flow=80),
    "bob": Style("bob", 76, 17, flow=70),
    "short": Style("short", 44, 13, ears=True, flow=36),
    "spiky": Style("spiky", 50, 14, ears=True, flow=40),
    "shoulder": Style("shoulder", 88, 16, flow=84),
    "twin tails": Style("twin tails", 82, 12, flow=30),
    "ponytail": Style("ponytail", 72, 12, ears=True, flow=30),
    "braids": Style("braids", 60, 13, flow=36),
    "drills": Style("drills", 68, 14, flow=30),
    "buns": Style("buns", 86, 12, flow=34),
}

# The right half of the mass behind the head, downwards from the crown.
_BACKS: dict[str, tuple[Point, ...]] = {
    "long": ((0, -138), (78, -136), (120, -76), (120, -6), (120, 50), (122, 96), (128, 170), (134, 250), (40, 250)),
    "wavy": ((0, -136), (80, -136), (124, -76), (128, -6), (106, 46), (136, 92), (112, 140), (142, 250), (40, 250)),
    "bob": ((0, -138), (78, -136), (120, -76), (124, -6), (122, 50), (108, 94), (78, 108), (40, 98)),
    "shoulder": (
        *((0, -138), (78, -136), (120, -76), (118, 6), (112, 74)),
        *((134, 126), (134, 126), (98, 134), (88, 148), (88, 148), (40, 128)),
    ),
    "short": ((0, -138), (76, -134), (116, -74), (116, -6), (104, 34), (94, 70), (94, 70), (66, 74), (40, 66)),
    "tied": ((0, -136), (74, -132), (112, -72), (108, -6), (94, 46), (62, 72), (20, 72)),
}
# Of spiky hair, downwards: each tip, and what it bends around.
_SPIKES = ((80, 110, 70, 52), (110, 88, 88, 36), (125, 38, 104, 0), (128, -28, 108, -52), (112, -104, 90, -98))


def back(style: Style, dice: Iterator[float]) -> Drawing:
    """What hangs behind the head, in head coordinates."""
    drawing = Drawing()
    if style.back in TAILS:
        TAILS[style.back](drawing, dice)
    right = _BACKS.get(style.back, _BACKS["tied"])
    outline = right + stretch(right, -1)[::-1]
    if style.back == "spiky":
        _spikes(drawing, dice)
    drawing.fill("hair line", stretch(outline, 1.02, 1.014))
    drawing.fill("back", outline)
    low = min(right[-1][1], 240)
    drawing.fill("back dark", ((-78, -40), (78, -40), (84, low - 4), (52, low), (-52, low), (-84, low - 4)))
    if low < 80:
        return drawing
    for side in (1, -1):
        x = side * (86 + 8 * next(dice))
        drawing.stroke("back dark", (x * 0.92, -20), (x, 30), (x * 1.02, low - 8), 5)
        drawing.stroke("hair light", (x * 1.12, -30), (x * 1.2, 50), (x * 1.16, low - 30), 3.4)
        drawing.stroke("hair line", (x * 1.05, -10), (x * 1.1, 60), (x * 1.14, low - 4), 2.2)
    return drawing


def _spikes(drawing: Drawing, dice: Iterator[float]) -> None:
    """Locks that stand off all around the head."""
    for side in (1, -1):
        for x, y, bend_x, bend_y in _SPIKES:
            tip = (side * (x + 16 * next(dice) - 8), y + 16 * next(dice) - 8)
            root = (side * bend_x * 0.5, bend_y * 0.5 - 12)
            spike = (root, (side * (bend_x + 8), bend_y - 32), tip, tip, (side * (bend_x - 14), bend_y + 26), root)
            drawing.fill("hair line", stretch(spike, 1.025, 1.02))
            drawing.fill("back", spike)


def front(style: Style, fringe: str, dice: Iterator[float]) -> Drawing:
    """Side locks, crown and fringe, with the shadow they throw on the face, in head coordinates."""
    drawing = Drawing()
    part, locks = _fringe(fringe, dice)
    for lock in locks:
        drawing.shadow(move(lock, 2, 11))
    for side in (1, -1):
        _side_lock(drawing, style, side, dice)
    _crown(drawing, style, part, dice)
    for lock in sorted(locks, key=lambda lock: -abs(lock[4][0] - part)):  # those at the parting lie over the others
        drawing.fill("hair line", lock)
        drawing.fill("hair", inset(lock, 2.0))
        drawing.fill("hair dark", _slice(lock, 0.5, 1.0))
        drawing.fill("hair light", _slice(lock, 0.14, 0.3))
    _gloss(drawing, dice)
    return drawing


def _crown(drawing: Drawing, style: Style, part: float, dice: Iterator[float]) -> None:
    """The hair over the head, down to the outermost locks."""
    tip = (104.0, style.flow)
    outer = ((0, -142), (76, -136), (104, -100), (115, -66), (113, style.flow * 0.3), tip)
    inner = ((0, -82), (44, -76), (68, -56), (77, -24), (90, 0), tip)
    crown = (*stretch(outer, -1)[:0:-1], *outer, *inner[::-1], *stretch(inner, -1)[1:])
    drawing.fill("hair line", stretch(crown, 1.02, 1.016))
    drawing.fill("hair", crown)
    edge = ((64, -124), (94, -110), (115, -66), (112, style.flow * 0.3), tip)
    drawing.fill("hair dark", (*edge, tip, (96, -10), (92, -40), (84, -80), (64, -124)))
    for side in (1, -1):
        reach = 4 * next(dice)
        drawing.stroke("hair line", (part + side * 5, -130), (side * (84 + reach), -96), (side * (92 + reach), 6), 2.4)
        drawing.stroke("hair dark", (part + side * 14, -132), (side * (92 + reach), -104), (side * 98, 10), 5)
        drawing.stroke("hair light", (side * 66, -112), (side * (98 + reach), -66), (side * 95, -8), 5)
        out = 108 + 12 * next(dice)  # a stray strand
        drawing.stroke("hair line", (side * 98, -60), (side * (out + 6), -10), (side * out, 20 + 16 * reach), 2.6)


def _fringe(fringe: str, dice: Iterator[float]) -> tuple[float, list[tuple[Point, ...]]]:
    """Where the hair parts, and the locks over the forehead from left to right."""

    def jitter(amount: float) -> float:
        return amount * (2 * next(dice) - 1)

    part = {"parted": jitter(6), "swept": -34 + jitter(8)}.get(fringe, jitter(18))
    lean = jitter(9)
    widths = [0.55 + next(dice) for _ in range(5 + int(3 * next(dice)))]
    edges, total = [-84.0], list(accumulate(widths))[-1]  # sum() rounds another way from Python 3.12
    for width in widths:
        edges.append(edges[-1] + 168 * width / total)
    locks = []
    for left, right in zip(edges, edges[1:]):
        middle = (left + right) / 2
        fall = 0.0062 * middle * middle
        tip, low, cut, sweep = middle + lean, -20 + fall + jitter(11), 0.0, lean * 0.5
        if fringe == "blunt":
            tip, low, cut, sweep = middle, -24 + fall * 0.6 + jitter(2), (right - left) * 0.42, 0.0
        elif fringe == "wispy":
            low += 24 if abs(middle) < 16 else 0
        elif fringe == "parted":
            away = 1 if middle > part else -1
            tip, sweep = part + (middle - part) * 1.16 + away * 12, away * 8
            low = -54 + 0.92 * abs(middle - part) + jitter(6)
        elif fringe == "swept":
            away = 1 if middle > part else -0.5
            tip, sweep = middle + away * 22 + jitter(4), away * 18
            low = -40 + 0.42 * abs(middle - part) + jitter(7)
        root = part + (middle - part) * 0.2
        locks.append(_lock(root, left - 4, right + 4, tip, low, cut, sweep, 0.46 + 0.18 * next(dice)))
    return part, locks


def _lock(
    root: float, left: float, right: float, tip: float, low: float, cut: float, sweep: float, share: float
) -> tuple[Point, ...]:
    """A lock's outline: 0 its root; 1, 2 down its left; 3 to 6 its end's corners; 7, 8 up its right; 9 the root."""
    y = -84 + (low + 84) * share
    upper_left, upper_right = root + (left - root) * 0.74 - 4, root + (right - root) * 0.74 + 4
    a, b = (tip - cut, low), (tip + cut, low)
    x = sweep * 0.4
    return (
        *((root, -126), (upper_left, -86), (left + x, y), a, a),
        *(b, b, (right + x, y), (upper_right, -86), (root, -126)),
    )


def _side_lock(drawing: Drawing, style: Style, side: int, dice: Iterator[float]) -> None:
    low = style.side_length + 14 * next(dice) - 7
    tip, w, x = 76 + 8 * next(dice) - 4, style.side_width, 81.0
    right = ((x + w * 0.9, low * 0.6), (x + w + 4, 6), (96, -60), (84, -76), (66, -70))
    left = ((66, -70), (x - w * 0.9, -8), (x - w, 24))
    if style.cut:
        end = ((x - w * 0.8, low), (x - w * 0.8, low), (x + w, low - 2), (x + w, low - 2))
    else:
        end = ((x - w * 0.7, low * 0.7), (tip, low), (tip, low))
    lock = stretch(left + end + right, side)
    drawing.shadow(move(lock, 3 - side * 3, 5))
    drawing.fill("hair line", lock)
    drawing.fill("hair", inset(lock, 2.2))
    end_x = x if style.cut else tip
    wide = side * (x + w * 0.8)
    drawing.stroke("hair dark", (side * (x + w * 0.5), -40), (wide, low * 0.3), (side * (end_x + 2), low - 10), w * 0.5)
    light = side * (x - w * 0.4)
    drawing.stroke("hair light", (light, -30), (light, low * 0.25), (side * (x - w * 0.2), low * 0.7), w * 0.28)
    drawing.stroke("hair line", (side * (x + 1), -20), (side * (x + 3), low * 0.3), (side * (end_x + 1), low - 8), 2.2)
    if next(dice) < 0.6:  # a thin lock that fell apart
        inner, length = x - w - 6 * next(dice), low * (0.4 + 0.4 * next(dice))
        start = (side * 66, -54)
        drawing.stroke("hair line", start, (side * inner, -10), (side * (inner + 3), length), 5)
        drawing.stroke("hair", start, (side * inner, -12), (side * (inner + 3), length - 5), 2.6)


def _gloss(drawing: Drawing, dice: Iterator[float]) -> None:
    """The band of light around the crown, ragged along the locks."""
    strength = next(dice)
    if strength < 0.15:
        return
    height, bow = -106 + 32 * next(dice), 0.004 + 0.007 * next(dice)
    for k in range(9):
        x = -68 + 17 * k + 6 * next(dice)
        y = height + bow * x * x
        lean, deep = x * 0.1, 7 + 14 * next(dice)
        side = 4 if x > 0 else -4  # the band bends down towards both sides
        tooth = ((x - lean, y - 8), (x + 15, y - 3 + side), (x + lean, y + deep), (x + lean, y + deep))
        tooth += ((x - 15, y - 3 - side), (x - lean, y - 8))
        drawing.fill("hair light", tooth)
        if strength > 0.5 and 1 < k < 5:
            drawing.fill(
                "shine",
                ((x - lean, y - 4), (x + 11, y - 1 + side), *((x, y + deep * 0.4),) * 2, (x - 11, y - 1 - side)),
            )


def _slice(lock: tuple[Point, ...], start: float, end: float) -> tuple[Point, ...]:
    """The part of a lock between two shares of its width, narrowing towards its root and its end."""
    left, right = lock[2], lock[7]
    tip = ((lock[4][0] + lock[5][0]) / 2, lock[4][1] - 5)
    top = (lock[1][0] + (lock[8][0] - lock[1][0]) * (start + end) / 2, -84.0)
    width, y = right[0] - left[0], left[1]
    return (top, (left[0] + width * start, y), tip, tip, (left[0] + width * end, y), top)
