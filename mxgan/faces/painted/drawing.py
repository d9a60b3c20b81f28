"""A drawing is a list of closed curves in the head's own coordinates; `render` turns it into pixels, exactly.

Every step gives the same bytes on every machine: coordinates are float64 under + - * / and square root alone (IEEE
754 rounds those one way), then fixed point; the sheet has a margin and points are clamped to it, because OpenCV's
clipping of polygons at the border changed between versions; nothing is anti-aliased: the sheet is drawn four times too
large, in paint *numbers*, and averaged in integers.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import cv2
import numpy as np

Point = tuple[float, float]
Colour = tuple[int, int, int]

FRAME = 256  # units across the picture, whatever its size in pixels
OVERSAMPLE = 4
MARGIN = 32  # units of sheet beyond each edge of the frame
BITS = 4  # fractional bits of a coordinate on the sheet
STEPS = 6  # straight pieces a curve segment is drawn with
SHADED = 64  # added to a paint's number where the shadow plane lies over it


@dataclass
class Drawing:
    """Shapes in the order they are painted, in head coordinates: the origin between the eyes, y downwards.

    A shape's points are the control points of a closed quadratic B-spline; a point given twice is a corner.
    ``depth`` is how far in front of the head's axis a shape lies: by that much it moves when the head turns.
    ``sway`` is the share of the head's tilt that it follows.
    """

    shapes: list[tuple[str, str]] = field(default_factory=list)  # what to do, with which paint
    points: list[Point] = field(default_factory=list)
    sizes: list[int] = field(default_factory=list)
    depths: list[float] = field(default_factory=list)
    sways: list[float] = field(default_factory=list)
    depth: float = 1.0
    sway: float = 1.0

    def fill(self, paint: str, points: Sequence[Point]) -> None:
        """Paint the inside of a closed curve."""
        self._add("fill", paint, points)

    def shadow(self, points: Sequence[Point]) -> None:
        """Throw a shadow: paints that have a shaded colour show it there, whenever they were painted."""
        self._add("shadow", "", points)

    def start_inside(self, points: Sequence[Point]) -> None:
        """Until `end_inside`, what is painted outside this curve is lost."""
        self._add("start", "", points)

    def end_inside(self) -> None:
        """Ends what `start_inside` began."""
        self._add("end", "", ())

    def stroke(self, paint: str, start: Point, bend: Point, end: Point, width: float) -> None:
        """A line that swells to ``width`` in the middle and tapers to its ends, pulled towards ``bend``."""
        dx, dy = end[0] - start[0], end[1] - start[1]
        reach = width / (1.5 * math.sqrt(dx * dx + dy * dy) + 1e-9)
        nx, ny = -dy * reach, dx * reach
        one, two = (bend[0] + nx, bend[1] + ny), (bend[0] - nx, bend[1] - ny)
        self.fill(paint, (start, start, one, end, end, two))

    def _add(self, action: str, paint: str, points: Sequence[Point]) -> None:
        self.shapes.append((action, paint))
        self.points.extend(points)
        self.sizes.append(len(points))
        self.depths.append(self.depth)
        self.sways.append(self.sway)


@dataclass(frozen=True)
class Pose:
    """Where the head is: ``x``, ``y`` in units from the frame's middle, ``tilt`` = tan(angle / 2), ``turn`` in units."""

    x: float
    y: float
    scale: float
    tilt: float
    turn: float


def ellipse(x: float, y: float, rx: float, ry: float) -> tuple[Point, ...]:
    """Control points of an ellipse (good to 1 %)."""
    return tuple((x + u * rx, y + v * ry) for u, v in _CIRCLE)


def mirror(points: Sequence[Point]) -> tuple[Point, ...]:
    """The same shape on the other side of the face."""
    return tuple((-x, y) for x, y in points)


def mix(one: Colour, two: Colour, percent: int) -> Colour:
    """``percent`` of the way from colour one to colour two."""
    return tuple((a * (100 - percent) + b * percent + 50) // 100 for a, b in zip(one, two))


def render(drawing: Drawing, pose: Pose, paints: Mapping[str, tuple[Colour, Colour]], size: int) -> np.ndarray:
    """The drawing as uint8 (size, size, 3).

    ``paints`` gives each paint its colour at the top and at the bottom of the frame; ``"name shaded"`` is the colour
    of ``"name"`` in shadow. Everything starts in the first paint.
    """
    numbers = {name: i for i, name in enumerate(n for n in paints if not n.endswith(" shaded"))}
    curves = _curves(drawing, pose, size)
    margin = MARGIN * size * OVERSAMPLE // FRAME
    side = OVERSAMPLE * size
    sheet = np.zeros((side + 2 * margin, side + 2 * margin), np.uint8)
    shade = np.zeros_like(sheet)
    before, outside = sheet, sheet
    end = 0
    for (action, paint), count in zip(drawing.shapes, drawing.sizes):
        start, end = end, end + count * STEPS
        if action == "fill":
            cv2.fillPoly(sheet, [curves[start:end]], numbers[paint], 8, BITS)
        elif action == "shadow":
            cv2.fillPoly(shade, [curves[start:end]], SHADED, 8, BITS)
        elif action == "start":
            before, outside = sheet.copy(), np.full_like(sheet, 255)
            cv2.fillPoly(outside, [curves[start:end]], 0, 8, BITS)
        else:
            cv2.copyTo(before, outside, sheet)
    frame = slice(margin, margin + side)
    return _develop(sheet[frame, frame] + shade[frame, frame], _colour_table(numbers, paints, size), size)


def _curves(drawing: Drawing, pose: Pose, size: int) -> np.ndarray:
    """Every shape's outline on the sheet, one after the other: int32 fixed point (points * STEPS, 2)."""
    sizes = np.array(drawing.sizes)
    control = np.array(drawing.points, dtype=np.float64)
    t = np.repeat(np.array(drawing.sways), sizes) * pose.tilt
    cosine, sine = (1 - t * t) / (1 + t * t), 2 * t / (1 + t * t)
    bulge = control[:, 0] / 110.0
    x = control[:, 0] + pose.turn * np.repeat(np.array(drawing.depths), sizes) * (1 - bulge * bulge)
    y = control[:, 1]
    control = np.empty_like(control)
    control[:, 0] = pose.scale * (cosine * x - sine * y) + (pose.x + FRAME // 2)
    control[:, 1] = pose.scale * (sine * x + cosine * y) + (pose.y + FRAME // 2)

    first = np.cumsum(sizes) - sizes
    last = (first + sizes - 1)[sizes > 0]
    first = first[sizes > 0]
    following = np.arange(1, len(control) + 1)
    following[last] = first
    middle = (control + control[following]) * 0.5
    previous = np.empty_like(middle)
    previous[following] = middle
    a, b, c = _WEIGHTS
    curve = a * previous[:, None] + b * control[:, None] + c * middle[:, None]
    unit = OVERSAMPLE * size / FRAME
    np.clip(curve, 1 - MARGIN, FRAME + MARGIN - 1, out=curve)
    return np.floor((curve + MARGIN) * (unit * (1 << BITS)) + 0.5).astype(np.int32).reshape(-1, 2)


def _colour_table(numbers: Mapping[str, int], paints: Mapping[str, tuple[Colour, Colour]], size: int) -> np.ndarray:
    """The colour of each paint number in each row of the picture: uint64 (size, 2 * SHADED), a lane of 16 bits each."""
    ends = np.zeros((2 * SHADED, 2, 3), np.int64)
    for name, number in numbers.items():
        ends[number] = paints[name]
        ends[number + SHADED] = paints.get(name + " shaded", paints[name])
    down = np.arange(size)[:, None, None]
    colours = (ends[:, 0] * (size - 1 - down) + ends[:, 1] * down + size // 2) // (size - 1)
    return (colours[..., 0] | colours[..., 1] << 16 | colours[..., 2] << 32).astype(np.uint64)


def _develop(numbers: np.ndarray, table: np.ndarray, size: int) -> np.ndarray:
    """Look each number's colour up and average blocks of OVERSAMPLE x OVERSAMPLE, rounding half up."""
    rows = np.repeat(np.arange(size, dtype=np.int32) * table.shape[1], OVERSAMPLE)
    colours = table.ravel()[numbers + rows[:, None]]
    colours = colours.reshape(size, OVERSAMPLE, -1).sum(axis=1).reshape(size, size, OVERSAMPLE)
    colours = colours[..., 0] + colours[..., 1] + colours[..., 2] + colours[..., 3]
    picture = np.empty((size, size, 3), np.uint8)
    for channel in range(3):
        picture[..., channel] = ((colours >> np.uint64(16 * channel) & np.uint64(0xFFFF)) + np.uint64(8)) >> np.uint64(4)
    return picture


def _spline_weights() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    t = np.arange(STEPS)[:, None] / STEPS
    return (1 - t) * (1 - t), 2 * t * (1 - t), t * t


_WEIGHTS = _spline_weights()
_CIRCLE = ((1.04, 0.43), (0.43, 1.04), (-0.43, 1.04), (-1.04, 0.43), (-1.04, -0.43), (-0.43, -1.04), (0.43, -1.04), (1.04, -0.43))
