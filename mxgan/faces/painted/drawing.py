"""Drawings are lists of closed curves; `render` turns them into pixels, with the same bytes on every machine.

Coordinates are float64 under + - * / and square root alone (IEEE 754 rounds those one way), then fixed point. Every
shape goes through fillConvexPoly, whose pixels are the same from OpenCV 4.5 to 5.0; fillPoly's changed in 4.8 and 4.11.
Nothing is anti-aliased: the sheet is drawn four times too large, in paint *numbers*, and averaged in integers.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import chain, islice

import cv2
import numpy as np

Point = tuple[float, float]
Colour = tuple[int, int, int]
Gradient = tuple[Colour, Colour]  # at the picture's top and at its bottom

FRAME = 256  # units across the picture, whatever its size in pixels
OVERSAMPLE = 4
BITS = 4  # fractional bits of a coordinate on the sheet
STEPS = 3  # straight pieces in a curve segment
SHADED = 64  # added to a paint's number where the shadow plane lies over it
LANE = 21  # bits for each colour in a packed pixel


@dataclass
class Drawing:
    """Shapes in the order they are painted; y points downwards.

    A shape's points are the control points of a closed quadratic B-spline; a point given twice is a corner. Lines from
    one side of the list to the other (first to last, second to last but one ...) have to lie inside the shape.
    """

    shapes: list[tuple[str, str, int]] = field(default_factory=list)  # what to do, with which paint, number of points
    points: list[Point] = field(default_factory=list)

    def fill(self, paint: str, points: Sequence[Point]) -> None:
        """Paint the inside of a closed curve."""
        self.shapes.append(("fill", paint, len(points)))
        self.points.extend(points)

    def shadow(self, points: Sequence[Point]) -> None:
        """Throw a shadow: paints that have a shaded colour show it there, whenever they are painted."""
        self.shapes.append(("shadow", "", len(points)))
        self.points.extend(points)

    def start_inside(self, points: Sequence[Point]) -> None:
        """Until `end_inside`, what is painted outside this curve is lost."""
        self.shapes.append(("start", "", len(points)))
        self.points.extend(points)

    def end_inside(self) -> None:
        """End what `start_inside` began."""
        self.shapes.append(("end", "", 0))

    def stroke(self, paint: str, start: Point, bend: Point, end: Point, width: float) -> None:
        """A line that swells to ``width`` in the middle and tapers to its ends, pulled towards ``bend``."""
        dx, dy = end[0] - start[0], end[1] - start[1]
        reach = width / (1.5 * math.sqrt(dx * dx + dy * dy) + 1e-9)
        nx, ny = -dy * reach, dx * reach
        self.fill(paint, (start, (bend[0] + nx, bend[1] + ny), end, end, (bend[0] - nx, bend[1] - ny), start))


@dataclass(frozen=True)
class Part:
    """A drawing's place on the head, whose origin lies between the eyes.

    ``depth`` is how far in front of the head's axis the part lies, as a share of the face's: by that much it moves
    when the head turns. ``sway`` is the share of the head's tilt that it follows.
    """

    drawing: Drawing
    depth: float = 1.0
    sway: float = 1.0
    x: float = 0.0
    y: float = 0.0
    width: float = 1.0  # factors; a negative width mirrors
    height: float = 1.0


@dataclass(frozen=True)
class Pose:
    """Where the head is: ``x``, ``y`` from the frame's middle and ``turn`` in units; ``tilt`` is tan(angle / 2)."""

    x: float
    y: float
    scale: float
    tilt: float
    turn: float


def ellipse(x: float, y: float, rx: float, ry: float) -> tuple[Point, ...]:
    """Control points of an ellipse (good to 1 %)."""
    a, b, c, d = 1.04 * rx, 0.43 * rx, 1.04 * ry, 0.43 * ry
    return (
        *((x + b, y - c), (x + a, y - d), (x + a, y + d), (x + b, y + c)),
        *((x - b, y + c), (x - a, y + d), (x - a, y - d), (x - b, y - c)),
    )


def stretch(points: Sequence[Point], width: float, height: float = 1.0) -> tuple[Point, ...]:
    """The points with x times ``width`` and y times ``height``; a width of -1 mirrors."""
    return tuple((x * width, y * height) for x, y in points)


def move(points: Sequence[Point], dx: float, dy: float) -> tuple[Point, ...]:
    """The points, shifted."""
    return tuple((x + dx, y + dy) for x, y in points)


def mix(one: Colour, two: Colour, percent: int) -> Colour:
    """The colour ``percent`` of the way from one to two."""
    rest = 100 - percent
    return (
        (one[0] * rest + two[0] * percent + 50) // 100,
        (one[1] * rest + two[1] * percent + 50) // 100,
        (one[2] * rest + two[2] * percent + 50) // 100,
    )


def render(parts: Sequence[Part], pose: Pose, paints: Mapping[str, Gradient], size: int) -> np.ndarray:
    """The parts, painted one over the other: uint8 RGB (size, size, 3).

    ``"name shaded"`` is the colour of paint ``"name"`` in shadow. The first paint covers everything to start with.
    """
    numbers = {name: i for i, name in enumerate(name for name in paints if not name.endswith(" shaded"))}
    sheet = np.zeros((OVERSAMPLE * size, OVERSAMPLE * size), np.uint8)
    shade = np.zeros_like(sheet)
    before = outside = sheet
    shapes = [shape for part in parts for shape in part.drawing.shapes]
    pieces = _pieces(_curves(parts, pose, [count for _, _, count in shapes], size), [STEPS * n for _, _, n in shapes])
    for (action, paint, _), polygons in zip(shapes, pieces):
        if action == "fill":
            target, number = sheet, numbers[paint]
        elif action == "shadow":
            target, number = shade, SHADED
        elif action == "start":
            before, outside = sheet.copy(), np.full_like(sheet, 255)
            target, number = outside, 0
        else:
            cv2.copyTo(before, outside, sheet)
            continue
        for polygon in polygons:
            cv2.fillConvexPoly(target, polygon, number, 8, BITS)
    return _develop(sheet + shade, _colours(numbers, paints, size), size)


def _pieces(curves: np.ndarray, lengths: Sequence[int]) -> list[list[np.ndarray]]:
    """Each shape cut into polygons that a horizontal line enters once, which is all that fillConvexPoly asks.

    A shape that goes down and up once stays whole. Another is a strip between two chains, from its first point to the
    opposite one, and is cut across where a chain turns, and everywhere while the chains run against each other.
    """
    length = np.array([n for n in lengths if n])
    half, ends = length // 2, np.cumsum(length)
    following = np.arange(1, len(curves) + 1)
    following[ends - 1] = ends - length
    step = curves[following, 1] - curves[:, 1]
    down = step > 0
    whole = np.add.reduceat(down != down[following], ends - length) == 2

    halves = np.cumsum(half) - half
    along = np.arange(half.sum()) - np.repeat(halves, half)
    one, two = step[np.repeat(ends - length, half) + along], step[np.repeat(ends - 1, half) - along]
    way = np.sign(one) - np.sign(two)  # 2: both chains go down, -2: both go up
    cut = np.repeat(~whole, half)
    cut[1:] &= (way[1:] != way[:-1]) | (abs(way[1:]) < 2)
    cut[halves] = True
    rungs, counts = iter(along[cut].tolist()), iter(np.add.reduceat(cut, halves, dtype=int).tolist())

    pieces, end = [], 0
    for n in lengths:
        start, end = end, end + n
        at = [*islice(rungs, next(counts)), n // 2] if n else []
        if len(at) == 2:
            pieces.append([curves[start:end]])
        else:
            pieces.append([_rung(curves[start:end], i, j) for i, j in zip(at, at[1:])])
    return pieces


def _rung(outline: np.ndarray, i: int, j: int) -> np.ndarray:
    """The part of a strip between its rungs i and j."""
    n = len(outline)
    return np.concatenate((outline[i : j + 1], outline[n - j : min(n - i + 1, n)]))


def _curves(parts: Sequence[Part], pose: Pose, counts: Sequence[int], size: int) -> np.ndarray:
    """Every shape's outline on the sheet, one after the other: int32 fixed point (points * STEPS, 2)."""
    lengths = [len(part.drawing.points) for part in parts]
    points = chain.from_iterable(chain.from_iterable(part.drawing.points for part in parts))
    control = np.fromiter(points, np.float64, 2 * sum(lengths))
    settings = np.array([(p.depth, p.sway, p.x, p.y, p.width, p.height) for p in parts])
    depth, sway, dx, dy, width, height = np.repeat(settings.T, lengths, axis=1)
    x, y = control[0::2] * width + dx, control[1::2] * height + dy
    across = x / 110.0
    x = x + pose.turn * depth * (1 - across * across)
    t = sway * pose.tilt
    cosine, sine = (1 - t * t) / (1 + t * t), 2 * t / (1 + t * t)
    xs = pose.scale * (cosine * x - sine * y) + (pose.x + FRAME // 2)
    ys = pose.scale * (sine * x + cosine * y) + (pose.y + FRAME // 2)

    count = np.array([c for c in counts if c])
    ends = np.cumsum(count)
    following = np.arange(1, len(x) + 1)
    following[ends - 1] = ends - count
    unit = (OVERSAMPLE * size << BITS) / FRAME
    curve = np.empty((len(x), STEPS, 2))
    for axis, values in enumerate((xs * unit, ys * unit)):
        after = (values + values[following]) * 0.5
        before = np.empty_like(after)
        before[following] = after
        for step in range(STEPS):
            u = step / STEPS
            curve[:, step, axis] = (1 - u) * (1 - u) * before + 2 * u * (1 - u) * values + u * u * after
    return np.floor(curve + 0.5).astype(np.int32).reshape(-1, 2)


def _colours(numbers: Mapping[str, int], paints: Mapping[str, Gradient], size: int) -> np.ndarray:
    """Each paint number's colour in each row of the picture, times 128: uint64 (size, 2 * SHADED), three lanes."""
    ends = np.zeros((2 * SHADED, 2, 3), np.uint64)
    lit = [paints[name] for name in numbers]
    ends[: len(lit)] = lit
    ends[SHADED : SHADED + len(lit)] = [paints.get(name + " shaded", gradient) for name, gradient in zip(numbers, lit)]
    lanes = ends[..., 0] | ends[..., 1] << np.uint64(LANE) | ends[..., 2] << np.uint64(2 * LANE)
    down = ((2 * np.arange(size) + 1) * 64 // size).astype(np.uint64)[:, None]
    return lanes[:, 0] * (np.uint64(128) - down) + lanes[:, 1] * down


def _develop(numbers: np.ndarray, colours: np.ndarray, size: int) -> np.ndarray:
    """Look each number's colour up and average blocks of OVERSAMPLE x OVERSAMPLE, rounding half up."""
    rows = np.repeat(np.arange(size, dtype=np.int32) * colours.shape[1], OVERSAMPLE)[:, None]
    pixels = colours.ravel()[numbers + rows].reshape(size, OVERSAMPLE, -1)
    pixels = pixels[:, 0] + pixels[:, 1] + pixels[:, 2] + pixels[:, 3]
    pixels = pixels[:, 0::4] + pixels[:, 1::4] + pixels[:, 2::4] + pixels[:, 3::4]
    picture = np.empty((size, size, 3), np.uint8)
    for channel in range(3):  # 11 bits: 128 steps of the gradient, 16 pixels of the block
        lane = pixels >> np.uint64(LANE * channel) & np.uint64(2**LANE - 1)
        picture[..., channel] = (lane + np.uint64(1 << 10)) >> np.uint64(11)
    return picture
