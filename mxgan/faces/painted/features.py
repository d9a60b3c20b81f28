"""The face itself: body, head, blush, nose, mouth, eyes, brows. Each is drawn once and then put where a face has it."""

from __future__ import annotations

from functools import cache

from .drawing import Drawing, Point, ellipse, move, stretch

# Of a right eye (the viewer's right) about its middle: inner corner, the upper lid outwards, outer corner, the lower
# lid back.
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
BROWS = {"calm": (0, 0), "raised": (-5, -5), "angry": (7, -3), "worried": (-6, 4)}  # inner and outer end, down


@cache
def body(clothes: str) -> Drawing:
    """Shoulders, clothes and neck."""
    drawing = Drawing()
    right = ((0, 118), (50, 122), (104, 134), (142, 160), (150, 250))
    shoulders = right + stretch(right, -1)[::-1]
    drawing.fill("cloth line", shoulders)
    drawing.fill("cloth", move(stretch(shoulders, 0.985), 0, 3))
    right = ((0, 70), (25, 70), (25, 70), (24, 105), (28, 122), (46, 130), (0, 176))
    neck = right + stretch(right, -1)[::-1]
    drawing.fill("face line", stretch(neck, 1.06))
    drawing.fill("neck", neck)
    drawing.start_inside(neck)
    under_chin = (
        (0, 80),
        (34, 80),
        (34, 80),
        (34, 104),
        (16, 128),
        (-8, 130),
        (-32, 104),
        (-34, 80),
        (-34, 80),
        (0, 80),
    )
    drawing.fill("neck dim", under_chin)
    drawing.end_inside()
    reach = 78 if clothes in ("sailor", "rose dress", "violet dress") else 56
    collar = ((24, 112), (reach, 126), (reach + 8, 140), (reach + 6, 150), (2, 168), (2, 168), (20, 138), (24, 112))
    for side in (1, -1):
        drawing.fill("cloth line", move(stretch(collar, side * 1.04), 0, -2))
        drawing.fill("collar", stretch(collar, side))
    if clothes not in ("black jacket", "green coat"):
        loop = ((0, 150), (26, 136), (34, 140), (34, 158), (32, 168), (0, 156), (0, 150))
        for side in (1, -1):
            drawing.fill("bow dark", stretch(loop, side))
            drawing.fill("bow", move(stretch(loop, side * 0.9, 0.86), 0, 21))
        drawing.fill("bow dark", ellipse(0, 151, 7, 7))
    return drawing


@cache
def ears() -> Drawing:
    drawing = Drawing()
    ear = ((70, -8), (87, -12), (94, 2), (87, 28), (70, 36))
    for side in (1, -1):
        drawing.fill("face line", stretch(ear, side * 1.025))
        drawing.fill("face", stretch(ear, side))
        drawing.stroke("nose", (side * 79, 0), (side * 88, 4), (side * 80, 20), 3)
    return drawing


@cache
def head() -> Drawing:
    """The face's outline, shaded on the side away from the light."""
    drawing = Drawing()
    right = ((52, -92), (82, -60), (79, 4), (75, 43), (51, 79), (8, 107))
    outline = right + stretch(right, -1)[::-1]
    drawing.fill("face line", stretch(outline, 1.022, 1.016))
    drawing.fill("face", outline)
    drawing.start_inside(outline)
    drawing.fill(
        "face shade",
        ((90, -20), (74, 6), (69, 44), (47, 77), (13, 105), (13, 105), (60, 110), (94, 60), (94, 20), (90, -20)),
    )
    drawing.end_inside()
    return drawing


@cache
def blush() -> Drawing:
    """Both cheeks, in three rings whose colours the palette grades."""
    drawing = Drawing()
    for side in (1, -1):
        for ring in (1, 2, 3):
            drawing.fill(f"blush {ring}", ellipse(side * 46, 36, 25 - 5 * ring, 14 - 3 * ring))
    return drawing


@cache
def nose() -> Drawing:
    drawing = Drawing()
    drawing.stroke("nose", (1, -6), (6, 0), (-1, 3), 3.4)
    return drawing


@cache
def mouth(kind: str) -> Drawing:
    """One of `MOUTHS`, about its middle."""
    drawing = Drawing()
    if kind == "smile":
        drawing.stroke("lips", (-16, -2), (0, 8), (16, -2), 3.8)
    elif kind == "small":
        drawing.stroke("lips", (-8, 0), (0, 4), (8, 0), 3.8)
    elif kind == "flat":
        drawing.stroke("lips", (-12, 0), (0, 0), (12, 0), 3.6)
    elif kind == "frown":
        drawing.stroke("lips", (-11, 3), (0, -5), (11, 3), 3.8)
    elif kind == "cat":
        for side in (1, -1):
            drawing.stroke("lips", (0, -2), (side * 8, 10), (side * 15, -3), 3.6)
    elif kind == "pout":
        drawing.stroke("lips", (-7, 1), (0, -5), (7, 1), 4)
        drawing.stroke("nose", (-5, 8), (0, 10), (5, 8), 2.8)
    elif kind == "round":
        drawing.fill("lips", ellipse(0, 2, 9, 11))
        drawing.fill("mouth", ellipse(0, 2, 7, 9))
        drawing.fill("tongue", ellipse(0, 7, 5, 4))
    else:
        right = ((0, -2), (17, -5), (17, -5), (11, 13), (0, 19))
        outline = right + stretch(right, -1)[::-1]
        drawing.fill("lips", stretch(outline, 1.1, 1.12))
        drawing.fill("mouth", outline)
        drawing.start_inside(outline)
        teeth = 9 if kind == "grin" else 1
        drawing.fill("teeth", ((-20, -8), (20, -8), (18, teeth), (-18, teeth)))
        if kind == "open smile":
            drawing.fill("tongue", ellipse(0, 14, 9, 6))
        drawing.end_inside()
    return drawing


@cache
def brows(kind: str) -> Drawing:
    drawing = Drawing()
    inner, outer = BROWS[kind]
    for side in (1, -1):
        bend = (side * 48, -43 + (inner + outer) / 2)
        drawing.stroke("brow", (side * 24, -38 + inner), bend, (side * 67, -36 + outer), 4.4)
    return drawing


@cache
def eye(shape: str, gaze: str, side: int) -> Drawing:
    """A right eye about its middle; for the left (``side`` -1) it has to be mirrored. Light comes from the left."""
    drawing = Drawing()
    inner, lid_in, lid_top, lid_out, outer, low_out, low, low_in = lids = EYE_SHAPES[shape]
    if shape == "smiling":
        drawing.fill("lash", (*lids[:5], outer, *lids[5:], inner))
        drawing.stroke("lash", (17, -3), (26, 1), (29, -4), 3)
        return drawing
    gx, gy = GAZES[gaze]
    rx, ry = 16.5, max(19.5, (low[1] - lid_top[1]) * 0.44)
    cx, cy = side * gx - 0.5, low[1] - ry + 1.0 + gy
    opening = (*lids[:5], outer, *lids[5:], inner)
    drawing.fill("white", opening)
    drawing.start_inside(opening)
    upper = (inner, lid_in, lid_top, lid_out, outer)
    drawing.fill(
        "white dim", (*upper, outer, (18, lid_top[1] + 13), (0, lid_top[1] + 15), (-16, lid_top[1] + 14), inner)
    )
    drawing.fill("iris line", ellipse(cx, cy, rx, ry))
    for i in range(5):
        drawing.fill(f"iris {i}", ellipse(cx, cy + 2.1 * i, rx - 2.2 - 1.3 * i, ry - 2.2 - 2.1 * i))
    drawing.fill("pupil", ellipse(cx, cy - 1, 6.5, ry * 0.45))
    drawing.fill("glow", ellipse(cx, cy + ry * 0.66, 6, 2.8))
    drawing.fill("iris line", (*upper, outer, (16, lid_out[1] + 10), (0, lid_top[1] + 9), (-14, lid_in[1] + 10), inner))
    drawing.end_inside()
    drawing.fill("glint", ellipse(cx - side * 6, cy - ry * 0.42, 5, 6))
    drawing.fill("glint", ellipse(cx + side * 6, cy + ry * 0.42, 2.6, 3))
    flick = (outer[0] + 6, outer[1] + 3)
    edge = ((lid_in[0] - 2, lid_in[1] - 3), (lid_top[0], lid_top[1] - 4), (lid_out[0] + 2, lid_out[1] - 4))
    under = ((lid_out[0] - 2, lid_out[1] + 5), (lid_top[0], lid_top[1] + 4), (lid_in[0] + 2, lid_in[1] + 4))
    lash = (inner, *edge, (outer[0] + 5, outer[1] - 4), flick, flick, (outer[0] - 3, outer[1] + 1), *under, inner)
    drawing.fill("lash", lash)
    corner, tip = (15, lid_out[1] + 3), (31, outer[1] - 11)
    drawing.fill("lash", (corner, (22, lid_out[1] - 1), tip, tip, (24, outer[1] + 2), corner))
    drawing.stroke(
        "lower lash", (low_in[0], low_in[1] - 1), (low[0] + 2, low[1] + 3), (low_out[0] + 3, low_out[1] - 4), 3
    )
    drawing.stroke("crease", (-13, lid_in[1] - 8), (4, lid_top[1] - 10), (20, lid_out[1] - 7), 2.4)
    return drawing
