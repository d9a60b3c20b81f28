"""What a face wears."""

from __future__ import annotations

from functools import cache

from .drawing import Drawing, ellipse, move, stretch

ACCESSORIES = ("none", "glasses", "hair clip", "ribbon", "cat ears", "hairband", "flower", "choker")


@cache
def accessory(kind: str) -> Drawing:
    """One of `ACCESSORIES`, in head coordinates."""
    drawing = Drawing()
    if kind != "none":
        _DRAW[kind](drawing)
    return drawing


def _cat_ears(drawing: Drawing) -> None:
    ear = ((30, -104), (52, -132), (98, -142), (98, -142), (114, -100), (104, -50), (104, -50), (70, -66), (30, -104))
    inside = ((50, -102), (64, -121), (93, -131), (93, -131), (103, -102), (97, -70), (97, -70), (78, -80), (50, -102))
    for side in (1, -1):
        drawing.fill("hair line", stretch(ear, side))
        drawing.fill("hair", move(stretch(ear, side * 0.95, 0.95), side * 3.5, -3))
        drawing.fill("ear inside", stretch(inside, side))
        drawing.stroke("hair light", (side * 62, -90), (side * 78, -98), (side * 92, -112), 8)
        drawing.stroke("hair", (side * 76, -72), (side * 90, -82), (side * 92, -104), 8)


def _hair_clip(drawing: Drawing) -> None:
    bar = ((-74, -44), (-70, -53), (-36, -41), (-38, -32))
    for low in (0, 12):
        drawing.fill("trim dark", move(bar, 0, low))
        drawing.fill("trim", move(stretch(bar, 0.9, 0.7), -5.5, low - 13))


def _ribbon(drawing: Drawing) -> None:
    loop = ((0, 0), (28, -28), (44, -20), (44, 4), (39, 24), (0, 5), (0, 0))
    for side in (1, -1):
        drawing.fill("trim dark", move(stretch(loop, side), 62, -94))
        drawing.fill("trim", move(stretch(loop, side * 0.9, 0.82), 62, -94))
        drawing.stroke("trim dark", (62 + side * 6, -94), (62 + side * 16, -96), (62 + side * 26, -96), 4)
    drawing.fill("trim dark", ellipse(62, -94, 10, 11))
    drawing.fill("trim light", ellipse(61, -95, 6, 7))


def _hairband(drawing: Drawing) -> None:
    over = ((98, -24), (98, -24), (90, -92), (44, -126), (0, -128), (-44, -126), (-90, -92), (-98, -24), (-98, -24))
    under = ((88, -32), (88, -32), (78, -82), (38, -108), (0, -110), (-38, -108), (-78, -82), (-88, -32), (-88, -32))
    band = over + under[::-1]
    drawing.fill("trim dark", stretch(band, 1.015, 1.015))
    drawing.fill("trim", band)


def _flower(drawing: Drawing) -> None:
    for paint, radius in (("trim dark", 13), ("trim light", 10)):
        for x, y in ((0, -15), (14, -5), (9, 12), (-9, 12), (-14, -5)):
            drawing.fill(paint, ellipse(x - 68, y - 66, radius, radius))
    drawing.fill("trim", ellipse(-68, -66, 7, 7))


def _glasses(drawing: Drawing) -> None:
    over = ((-31, 1), (-31, 1), (-31, -16), (-14, -26), (14, -26), (31, -16), (31, 1), (31, 1))
    under = ((-27, 1), (-27, 1), (-27, -13), (-12, -22), (12, -22), (27, -13), (27, 1), (27, 1))
    rim = over + under[::-1]
    for side in (1, -1):
        drawing.fill("trim dark", move(rim, side * 46, 8))
        drawing.fill("trim dark", move(stretch(rim, 1, -1), side * 46, 8))
        drawing.stroke("trim dark", (side * 75, 2), (side * 84, -1), (side * 94, -4), 4)
    drawing.stroke("trim dark", (-18, 3), (0, -3), (18, 3), 4)


def _choker(drawing: Drawing) -> None:
    over = ((28, 106), (28, 106), (14, 118), (0, 122), (-14, 118), (-28, 106), (-28, 106))
    under = ((28, 121), (28, 121), (14, 133), (0, 137), (-14, 133), (-28, 121), (-28, 121))
    band = over + under[::-1]
    drawing.fill("trim dark", band)
    drawing.fill("trim", move(stretch(band, 0.96, 0.7), 0, 36))


_DRAW = {
    "glasses": _glasses,
    "hair clip": _hair_clip,
    "ribbon": _ribbon,
    "cat ears": _cat_ears,
    "hairband": _hairband,
    "flower": _flower,
    "choker": _choker,
}
