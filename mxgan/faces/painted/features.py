"""The face itself, from back to front: body, head, blush, nose, mouth, eyes, brows. All in head coordinates."""

from __future__ import annotations

from .drawing import Drawing, Point, ellipse, mirror

EYE = (47.0, 2.0)  # the right eye's middle (the viewer's right)

# Of a right eye, about its middle: inner corner, the upper lid from inside to outside, outer corner, the lower lid back.
EYE_SHAPES: dict[str, tuple[Point, ...]] = {
    "round": ((-19, 5), (-17, -17), (0, -26), (17, -18), (20, 3), (15, 22), (-1, 25), (-14, 20)),
    "large": ((-20, 7), (-19, -19), (-2, -30), (18, -23), (23, 1), (18, 26), (0, 29), (-15, 24)),
    "almond": ((-21, 7), (-14, -13), (2, -19), (19, -13), (24, -2), (16, 14), (2, 18), (-13, 15)),
    "sharp": ((-20, 10), (-15, -9), (1, -17), (19, -19), (26, -10), (16, 14), (2, 20), (-12, 17)),
    "droopy": ((-20, 1), (-13, -20), (2, -22), (18, -12), (24, 8), (15, 20), (0, 22), (-14, 16)),
    "sleepy": ((-20, 2), (-16, -7), (1, -10), (18, -8), (23, 1), (16, 18), (0, 22), (-14, 17)),
    "smiling": ((-20, 6), (-12, -12), (2, -17), (16, -11), (23, 5), (16, -3), (2, -9), (-12, -4)),
}

GAZES: dict[str, Point] = {
    "ahead": (0.0, 0.0),
    "left": (-5.5, 0.0),
    "right": (5.5, 0.0),
    "up": (0.0, -4.5),
    "down": (0.0, 5.0),
    "aside": (5.0, 3.5),
}

MOUTHS = ("smile", "small", "flat", "open smile", "round", "frown", "cat", "grin", "pout")
BROWS = {"calm": (0, 0), "raised": (-5, -5), "angry": (7, -3), "worried": (-6, 4)}  # inner, outer end, up is negative


def draw_body(drawing: Drawing, clothes: str) -> None:
    """Shoulders, clothes and neck; they follow the head's tilt only in part."""
    drawing.depth, drawing.sway = 0.1, 0.45
    drawing.fill("cloth line", ((-150, 240), (-142, 160), (-104, 134), (-50, 122), (50, 122), (104, 134), (142, 160), (150, 240)))
    drawing.fill("cloth", ((-150, 240), (-138, 162), (-102, 138), (-50, 126), (50, 126), (102, 138), (138, 162), (150, 240)))
    neck = ((-25, 70), (-25, 70), (-24, 105), (-28, 122), (-46, 130), (0, 176), (46, 130), (28, 122), (24, 105), (25, 70), (25, 70))
    drawing.fill("face line", tuple((x * 1.06, y) for x, y in neck))
    drawing.fill("neck", neck)
    drawing.start_inside(neck)
    drawing.fill("neck dim", ((-34, 80), (-34, 80), (-32, 104), (-8, 130), (16, 128), (34, 104), (34, 80), (34, 80)))
    drawing.end_inside()
    wide = clothes in ("sailor", "rose dress", "violet dress")
    for side in (1, -1):
        reach = 78 if wide else 56
        collar = ((24, 112), (24, 112), (reach, 126), (reach + 8, 140), (reach + 6, 150), (2, 168), (2, 168), (20, 138))
        collar = collar if side == 1 else mirror(collar)
        drawing.fill("cloth line", tuple((x * 1.04, y - 2) for x, y in collar))
        drawing.fill("collar", collar)
    if clothes not in ("black jacket", "green coat"):
        for side in (1, -1):
            drawing.fill("bow dark", ((0, 146), (0, 146), (side * 26, 136), (side * 34, 142), (side * 32, 168), (0, 156), (0, 156)))
            drawing.fill("bow", ((0, 149), (0, 149), (side * 25, 140), (side * 30, 146), (side * 28, 162), (0, 153), (0, 153)))
        drawing.fill("bow dark", ellipse(0, 151, 7, 7))
    drawing.depth, drawing.sway = 1.0, 1.0


def draw_head(drawing: Drawing, jaw: float, chin: float, ears: bool) -> None:
    """Ears and the face's outline; ``jaw`` and ``chin`` in units beyond the usual."""
    if ears:
        drawing.depth = -0.2
        for side in (1, -1):
            ear = ((70, -8), (84, -12), (90, 2), (84, 26), (70, 34))
            ear = ear if side == 1 else mirror(ear)
            drawing.fill("face line", tuple((x * 1.025, y) for x, y in ear))
            drawing.fill("face", ear)
            drawing.stroke("nose", (side * 76, 0), (side * 84, 4), (side * 77, 20), 3)
    drawing.depth = 0.8
    right = ((52, -92), (82, -60), (77, 6), (72 + jaw, 40), (48 + jaw, 76 + chin * 0.6), (9, 107 + chin))
    outline = right + mirror(right)[::-1]
    drawing.fill("face line", tuple((x * 1.022, y * 1.016) for x, y in outline))
    drawing.fill("face", outline)
    drawing.start_inside(outline)
    drawing.fill("face shade", ((88, -20), (88, -20), (72, 10), (68 + jaw, 42), (44 + jaw, 75 + chin), (16, 104 + chin), (60, 106), (90, 60)))
    drawing.end_inside()
    drawing.depth = 1.0


def draw_blush(drawing: Drawing) -> None:
    """Cheeks, in three rings whose colours the palette grades; faint blush only tints them."""
    for side in (1, -1):
        for ring in (1, 2, 3):
            drawing.fill(f"blush {ring}", ellipse(side * 46, 36, 23 - 5 * ring, 13 - 3 * ring))


def draw_nose(drawing: Drawing, length: float) -> None:
    drawing.stroke("nose", (1, 38), (6, 44 + length), (-1, 47 + length), 3.2)


def draw_mouth(drawing: Drawing, mouth: str, width: float) -> None:
    """One of `MOUTHS`; ``width`` is a factor about 1."""
    w, y = width, 66.0
    if mouth == "smile":
        drawing.stroke("lips", (-15 * w, y - 2), (0, y + 8), (15 * w, y - 2), 3.4)
    elif mouth == "small":
        drawing.stroke("lips", (-8 * w, y), (0, y + 4), (8 * w, y), 3.4)
    elif mouth == "flat":
        drawing.stroke("lips", (-12 * w, y), (0, y), (12 * w, y), 3.2)
    elif mouth == "frown":
        drawing.stroke("lips", (-11 * w, y + 3), (0, y - 5), (11 * w, y + 3), 3.4)
    elif mouth == "cat":
        for side in (1, -1):
            drawing.stroke("lips", (0, y - 2), (side * 8 * w, y + 10), (side * 15 * w, y - 3), 3.4)
    elif mouth == "pout":
        drawing.stroke("lips", (-7 * w, y + 1), (0, y - 5), (7 * w, y + 1), 3.6)
        drawing.stroke("nose", (-5 * w, y + 8), (0, y + 10), (5 * w, y + 8), 2.6)
    elif mouth == "round":
        drawing.fill("lips", ellipse(0, y + 2, 8.5 * w, 10))
        drawing.fill("mouth", ellipse(0, y + 2, 6.5 * w, 8))
        drawing.fill("tongue", ellipse(0, y + 6, 4.5 * w, 3.5))
    else:
        outline = ((-17 * w, y - 5), (-17 * w, y - 5), (0, y - 2), (17 * w, y - 5), (17 * w, y - 5), (11 * w, y + 13), (0, y + 19), (-11 * w, y + 13))
        drawing.fill("lips", tuple((px * 1.1, (py - y) * 1.12 + y) for px, py in outline))
        drawing.fill("mouth", outline)
        drawing.start_inside(outline)
        if mouth == "grin":
            drawing.fill("teeth", ((-20 * w, y - 8), (20 * w, y - 8), (18 * w, y + 9), (-18 * w, y + 9)))
        else:
            drawing.fill("teeth", ((-14 * w, y - 8), (14 * w, y - 8), (12 * w, y + 1), (-12 * w, y + 1)))
            drawing.fill("tongue", ellipse(0, y + 14, 9 * w, 6))
        drawing.end_inside()


def draw_eyes(drawing: Drawing, shape: str, gaze: str, size: float, spread: float) -> None:
    """Both eyes, ``size`` a factor about 1, ``spread`` in units outward."""
    gx, gy = GAZES[gaze]
    for side in (1, -1):
        place = _Place(side, side * (EYE[0] + spread), EYE[1], size)
        lids = EYE_SHAPES[shape]
        if shape == "smiling":
            drawing.fill("lash", place.each(lids[:1] * 2 + lids[1:4] + lids[4:5] * 2 + lids[5:]))
            drawing.stroke("lash", place.at(18, -2), place.at(25, 0), place.at(28, -4), 2)
        else:
            _draw_eye(drawing, place, lids, side * gx, gy)


def draw_brows(drawing: Drawing, brows: str, height: float, weight: float) -> None:
    inner, outer = BROWS[brows]
    for side in (1, -1):
        start, end = (side * 24, -38 + inner - height), (side * 66, -37 + outer - height)
        drawing.stroke("brow", start, (side * 48, -43 - height + (inner + outer) / 2), end, weight)


class _Place:
    """Puts points given about a right eye's middle where the eye is."""

    def __init__(self, side: int, x: float, y: float, size: float) -> None:
        self.side, self.x, self.y, self.size = side, x, y, size

    def at(self, x: float, y: float) -> Point:
        return self.x + self.side * self.size * x, self.y + self.size * y

    def each(self, points: tuple[Point, ...]) -> tuple[Point, ...]:
        return tuple(self.at(x, y) for x, y in points)


def _draw_eye(drawing: Drawing, place: _Place, lids: tuple[Point, ...], gx: float, gy: float) -> None:
    inner, lid_in, lid_top, lid_out, outer, low_out, low, low_in = lids
    opening = place.each((inner, *lids))
    tall = low[1] - lid_top[1]
    ry = max(19.0, tall * 0.43)
    rx = 15.0
    cx, cy = gx - 1.0, low[1] - ry + 1.0 + gy
    drawing.fill("white", opening)
    drawing.start_inside(opening)
    drawing.fill("white dim", place.each((inner, lid_in, lid_top, lid_out, outer, (18, lid_top[1] + 12), (-16, lid_top[1] + 13))))
    drawing.fill("iris line", place.each(ellipse(cx, cy, rx, ry)))
    drawing.fill("iris 0", place.each(ellipse(cx, cy, rx - 2, ry - 2)))
    for i in range(1, 5):
        drawing.fill(f"iris {i}", place.each(ellipse(cx, cy + 2.1 * i, rx - 2 - 1.2 * i, ry - 2 - 2.1 * i)))
    drawing.fill("pupil", place.each(ellipse(cx, cy - 1, 6, ry * 0.42)))
    drawing.fill("glow", place.each(ellipse(cx, cy + ry * 0.66, 6, 2.6)))
    drawing.fill("iris line", place.each((inner, lid_in, lid_top, lid_out, outer, (16, lid_out[1] + 9), (0, lid_top[1] + 8), (-14, lid_in[1] + 9))))
    drawing.end_inside()
    left = -place.side  # light comes from the left, so glints lie there in both eyes
    drawing.fill("glint", place.each(ellipse(cx + left * 6, cy - ry * 0.42, 4.8, 5.8)))
    drawing.fill("glint", place.each(ellipse(cx - left * 6, cy + ry * 0.42, 2.4, 2.8)))
    lash = (inner, inner, (lid_in[0] - 2, lid_in[1] - 2), (lid_top[0], lid_top[1] - 3), (lid_out[0] + 2, lid_out[1] - 3))
    lash += ((outer[0] + 4, outer[1] - 4), (outer[0] + 5, outer[1] + 3), (outer[0] + 5, outer[1] + 3), (outer[0] - 3, outer[1] + 1))
    lash += ((lid_out[0] - 2, lid_out[1] + 5), (lid_top[0], lid_top[1] + 4), (lid_in[0] + 2, lid_in[1] + 4))
    drawing.fill("lash", place.each(lash))
    drawing.fill("lash", place.each(((16, lid_out[1] + 3), (16, lid_out[1] + 3), (22, lid_out[1]), (30, outer[1] - 11), (30, outer[1] - 11), (24, outer[1] + 1))))
    drawing.stroke("lower lash", place.at(low_in[0] + 2, low_in[1] - 1), place.at(low[0] + 2, low[1] + 3), place.at(low_out[0] + 2, low_out[1] - 3), 2.6)
    drawing.stroke("crease", place.at(-13, lid_in[1] - 7), place.at(4, lid_top[1] - 9), place.at(20, lid_out[1] - 6), 2.2)
