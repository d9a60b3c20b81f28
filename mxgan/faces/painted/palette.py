"""Colours: what each named factor looks like, and the table of paints a face is coloured with."""

from __future__ import annotations

from functools import cache

from .drawing import Colour, Gradient, mix

HAIR: dict[str, tuple[Colour, Colour, Colour]] = {  # base, shade, light
    "black": ((54, 50, 64), (25, 22, 34), (138, 138, 164)),
    "dark brown": ((92, 64, 58), (48, 30, 36), (178, 140, 124)),
    "brown": ((142, 94, 74), (86, 48, 48), (218, 172, 140)),
    "chestnut": ((174, 108, 84), (108, 56, 58), (240, 190, 158)),
    "light brown": ((198, 156, 126), (148, 104, 90), (244, 216, 186)),
    "blond": ((248, 218, 146), (210, 158, 98), (255, 248, 214)),
    "orange": ((240, 154, 82), (188, 94, 58), (255, 216, 156)),
    "red": ((208, 70, 74), (140, 36, 56), (255, 166, 152)),
    "pink": ((246, 164, 186), (204, 104, 144), (255, 224, 230)),
    "purple": ((146, 108, 180), (96, 64, 132), (212, 184, 236)),
    "lavender": ((190, 172, 222), (142, 120, 182), (236, 226, 252)),
    "blue": ((84, 112, 190), (48, 66, 134), (166, 196, 246)),
    "navy": ((54, 64, 108), (26, 30, 60), (134, 152, 206)),
    "light blue": ((150, 196, 232), (98, 142, 198), (222, 242, 255)),
    "green": ((104, 170, 142), (58, 114, 104), (190, 232, 206)),
    "silver": ((208, 208, 222), (156, 154, 182), (250, 250, 255)),
}

EYES: dict[str, tuple[Colour, Colour]] = {  # dark top, bright bottom
    "brown": ((74, 38, 34), (184, 118, 84)),
    "amber": ((122, 66, 24), (250, 204, 88)),
    "red": ((104, 18, 34), (236, 92, 92)),
    "pink": ((122, 30, 84), (248, 132, 180)),
    "violet": ((64, 36, 110), (172, 124, 228)),
    "blue": ((24, 44, 116), (96, 164, 240)),
    "aqua": ((16, 84, 112), (112, 222, 226)),
    "green": ((18, 78, 62), (112, 206, 142)),
    "grey": ((48, 50, 66), (146, 150, 172)),
}

SKIN: dict[str, tuple[Colour, Colour, Colour]] = {  # base, shade, blush
    "porcelain": ((255, 242, 234), (240, 202, 196), (255, 190, 186)),
    "fair": ((254, 236, 218), (240, 194, 168), (252, 174, 158)),
    "cream": ((252, 232, 206), (234, 186, 154), (250, 170, 146)),
    "rosy": ((252, 226, 212), (232, 174, 160), (248, 150, 146)),
    "peach": ((248, 214, 186), (222, 162, 134), (240, 146, 124)),
    "tan": ((214, 164, 128), (170, 114, 88), (206, 118, 96)),
    "brown": ((164, 114, 88), (118, 74, 62), (160, 84, 72)),
}

BACKGROUND: dict[str, tuple[Colour, Colour]] = {  # top, bottom
    "white": ((255, 255, 255), (252, 252, 253)),
    "cream": ((255, 250, 240), (246, 228, 206)),
    "sky": ((150, 196, 240), (226, 242, 252)),
    "rose": ((252, 222, 230), (244, 186, 206)),
    "mint": ((226, 244, 232), (170, 214, 194)),
    "lilac": ((226, 218, 244), (186, 172, 222)),
    "dusk": ((92, 80, 132), (232, 160, 140)),
    "room": ((186, 160, 132), (128, 102, 88)),
    "night": ((26, 28, 50), (58, 56, 92)),
}

CLOTHES: dict[str, tuple[Colour, Colour, Colour]] = {  # cloth, collar, bow
    "white shirt": ((250, 250, 254), (226, 228, 240), (196, 60, 70)),
    "sailor": ((248, 248, 252), (58, 76, 140), (208, 58, 66)),
    "navy jacket": ((58, 62, 96), (246, 246, 250), (170, 50, 62)),
    "black jacket": ((54, 50, 60), (240, 240, 244), (84, 96, 160)),
    "rose dress": ((238, 150, 170), (255, 236, 240), (250, 250, 252)),
    "brown vest": ((170, 128, 96), (252, 248, 240), (92, 130, 90)),
    "green coat": ((92, 130, 110), (232, 226, 206), (196, 156, 80)),
    "violet dress": ((122, 96, 162), (240, 232, 248), (244, 206, 110)),
}

TRIM: dict[str, Colour] = {
    "red": (214, 52, 62),
    "black": (52, 44, 56),
    "white": (242, 240, 246),
    "blue": (84, 128, 214),
    "pink": (244, 140, 176),
    "gold": (238, 190, 80),
    "green": (90, 170, 120),
}

WHITE, INK = (255, 255, 255), (38, 24, 34)


def paints(
    hair: str, eye: str, skin: str, background: str, clothes: str, trim: str, blush: float
) -> dict[str, Gradient]:
    """Every paint's colours at the top and the bottom of the picture; "name shaded" is "name" in shadow."""
    return {
        "paper": BACKGROUND[background],
        **_hair_paints(hair),
        **_line_paints(hair, skin),
        **_skin_paints(skin),
        **_eye_paints(eye),
        **_clothes_paints(clothes),
        **_trim_paints(trim),
        **{f"blush {ring}": _flat(mix(SKIN[skin][0], SKIN[skin][2], int(blush * 30 * ring))) for ring in (1, 2, 3)},
        **{f"blush {ring} shaded": _flat(SKIN[skin][1]) for ring in (1, 2, 3)},
    }


@cache
def _hair_paints(hair: str) -> dict[str, Gradient]:
    base, shade, light = HAIR[hair]
    return {
        "hair": (mix(base, light, 16), mix(base, shade, 26)),
        "hair dark": (mix(base, shade, 50), mix(base, shade, 95)),
        "hair light": (mix(base, light, 75), mix(base, light, 40)),
        "shine": _flat(mix(light, WHITE, 60)),
        "back": (mix(base, shade, 20), mix(base, shade, 65)),
        "back dark": (shade, mix(shade, INK, 18)),
        "ear inside": _flat(mix((250, 190, 196), shade, 15)),
        "lash": _flat(mix(INK, shade, 12)),
    }


@cache
def _line_paints(hair: str, skin: str) -> dict[str, Gradient]:
    line = mix(mix(HAIR[hair][1], INK, 60), SKIN[skin][1], 8)
    return {"hair line": (line, mix(line, INK, 25)), "brow": _flat(mix(line, SKIN[skin][1], 15))}


@cache
def _skin_paints(skin: str) -> dict[str, Gradient]:
    base, shade, blush = SKIN[skin]
    line = mix(mix(shade, INK, 40), blush, 20)
    colours = {
        "face": base,
        "face shaded": shade,
        "face shade": mix(base, shade, 60),
        "face shade shaded": mix(shade, line, 12),
        "neck": mix(base, shade, 30),
        "neck dim": mix(shade, line, 8),
        "face line": line,
        "nose": mix(shade, line, 40),
        "lips": mix(line, (200, 60, 60), 30),
        "mouth": mix((186, 72, 70), line, 20),
        "tongue": (240, 130, 124),
        "teeth": (255, 252, 248),
        "white": (253, 252, 253),
        "white shaded": mix((214, 206, 222), shade, 25),
        "white dim": mix((206, 198, 216), shade, 25),
        "crease": mix(line, shade, 30),
        "lower lash": mix(line, INK, 35),
    }
    return {name: _flat(colour) for name, colour in colours.items()}


@cache
def _eye_paints(eye: str) -> dict[str, Gradient]:
    top, bottom = EYES[eye]
    colours = {
        "iris line": mix(top, INK, 60),
        "pupil": mix(top, INK, 75),
        "glow": mix(bottom, WHITE, 45),
        "glint": WHITE,
        **{f"iris {i}": mix(mix(top, INK, 10), bottom, 25 * i) for i in range(5)},
    }
    return {name: _flat(colour) for name, colour in colours.items()}


@cache
def _clothes_paints(clothes: str) -> dict[str, Gradient]:
    cloth, collar, bow = CLOTHES[clothes]
    colours = {
        "cloth": cloth,
        "collar": collar,
        "cloth line": mix(mix(cloth, collar, 30), INK, 60),
        "bow": bow,
        "bow dark": mix(bow, INK, 40),
    }
    return {name: _flat(colour) for name, colour in colours.items()}


@cache
def _trim_paints(trim: str) -> dict[str, Gradient]:
    colour = TRIM[trim]
    return {
        "trim": _flat(colour),
        "trim dark": _flat(mix(colour, INK, 50)),
        "trim light": _flat(mix(colour, WHITE, 55)),
    }


def _flat(colour: Colour) -> Gradient:
    return colour, colour
