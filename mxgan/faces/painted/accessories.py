"""What a face wears: drawn behind the front hair or over it."""

from __future__ import annotations

from .drawing import Drawing, ellipse, mirror

ACCESSORIES = ("none", "glasses", "hair clip", "ribbon", "cat ears", "hairband", "flower", "choker")


def draw_behind(drawing: Drawing, accessory: str) -> None:
    """The part that the front hair covers."""
    if accessory == "cat ears":
        for side in (1, -1):
            ear = ((34, -108), (34, -108), (52, -146), (84, -158), (84, -158), (98, -124), (92, -78), (92, -78))
            inside = ((48, -110), (48, -110), (60, -132), (80, -146), (80, -146), (88, -118), (82, -86), (82, -86))
            drawing.fill("hair line", ear if side == 1 else mirror(ear))
            drawing.fill("hair", tuple((side * (x * 0.97 + 1.5), y * 0.98 - 1) for x, y in ear))
            drawing.fill("ear inside", inside if side == 1 else mirror(inside))


def draw_over(drawing: Drawing, accessory: str) -> None:
    """The part over the front hair."""
    drawing.depth = 1.1
    if accessory == "hair clip":
        for k in (0, 1):
            drawing.fill("trim dark", ((-74, -48 + 12 * k), (-70, -55 + 12 * k), (-36, -43 + 12 * k), (-38, -36 + 12 * k)))
            drawing.fill("trim", ((-71, -48 + 12 * k), (-68, -52 + 12 * k), (-39, -42 + 12 * k), (-41, -38 + 12 * k)))
    elif accessory == "ribbon":
        x, y = 62, -96
        for side in (1, -1):
            drawing.fill("trim dark", ((x, y), (x, y), (x + side * 26, y - 26), (x + side * 40, y - 14), (x + side * 36, y + 22), (x, y + 4), (x, y + 4)))
            drawing.fill("trim", ((x, y), (x, y), (x + side * 25, y - 21), (x + side * 36, y - 10), (x + side * 32, y + 17), (x, y + 3), (x, y + 3)))
            drawing.stroke("trim dark", (x + side * 6, y), (x + side * 16, y - 2), (x + side * 24, y - 2), 3)
        drawing.fill("trim dark", ellipse(x, y, 9, 10))
        drawing.fill("trim light", ellipse(x - 1, y - 1, 5.5, 6.5))
    elif accessory == "hairband":
        band = ((-92, -30), (-92, -30), (-84, -92), (-40, -124), (0, -128), (40, -124), (84, -92), (92, -30), (92, -30))
        band += ((84, -36), (84, -36), (74, -84), (36, -108), (0, -112), (-36, -108), (-74, -84), (-84, -36), (-84, -36))
        drawing.fill("trim dark", tuple((x * 1.015, y * 1.015) for x, y in band))
        drawing.fill("trim", tuple((x * 0.995, y * 0.995) for x, y in band))
    elif accessory == "flower":
        x, y = -66, -72
        petals = ((0, -15), (14, -5), (9, 12), (-9, 12), (-14, -5))
        for dx, dy in petals:
            drawing.fill("trim dark", ellipse(x + dx, y + dy, 12, 12))
        for dx, dy in petals:
            drawing.fill("trim light", ellipse(x + dx, y + dy, 9.5, 9.5))
        drawing.fill("trim", ellipse(x, y, 7, 7))
    drawing.depth = 1.0


def draw_glasses(drawing: Drawing) -> None:
    """Frames over the eyes, under the hair that hangs beside them."""
    drawing.depth = 1.15
    for side in (1, -1):
        outer, inner = ellipse(side * 46, 8, 31, 25), ellipse(side * 46, 8, 28.4, 22.4)
        # One closed curve out and back makes a ring.
        _ring(drawing, "lens", outer, inner)
        drawing.stroke("lens", (side * 76, 2), (side * 84, -1), (side * 92, -4), 3)
    drawing.stroke("lens", (-17, 3), (0, -3), (17, 3), 3)
    drawing.depth = 1.0


def draw_choker(drawing: Drawing) -> None:
    drawing.depth, drawing.sway = 0.1, 0.45
    drawing.fill("trim dark", ((-27, 108), (-27, 108), (0, 122), (27, 108), (27, 108), (27, 120), (27, 120), (0, 134), (-27, 120), (-27, 120)))
    drawing.fill("trim", ((-26, 111), (-26, 111), (0, 125), (26, 111), (26, 111), (26, 117), (26, 117), (0, 131), (-26, 117), (-26, 117)))
    drawing.depth, drawing.sway = 1.0, 1.0


def _ring(drawing: Drawing, paint: str, outer: tuple, inner: tuple) -> None:
    drawing.fill(paint, (outer[0], *outer, outer[0], inner[0], *inner[::-1], inner[0]))
