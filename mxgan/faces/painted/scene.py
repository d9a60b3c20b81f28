"""A face from its factors: every part in its order, then pixels."""

from __future__ import annotations

import numpy as np

from ... import noise
from ...errors import MxganError
from . import accessories, features, hair, palette
from .drawing import Drawing, Pose, ellipse, mix, render
from .factors import Factors

SIZES = (32, 64, 128)


def paint(factors: Factors, size: int = 64) -> np.ndarray:
    """The face with these factors: uint8 RGB (size, size, 3). Raises MxganError for a size that isn't in `SIZES`."""
    if size not in SIZES:
        raise MxganError(f"painted faces: size {size} isn't one of {', '.join(map(str, SIZES))}")
    pose = Pose(factors.x, factors.y, factors.scale, factors.tilt, factors.turn)
    return render(_draw(factors), pose, _paints(factors), size)


def _draw(factors: Factors) -> Drawing:
    dice = noise.generator(factors.detail, "painted detail").random(160).tolist()
    face, back, front = dice[:12], iter(dice[16:60]), iter(dice[60:])
    style = hair.STYLES[factors.hair_style]
    drawing = Drawing()
    hair.draw_back(drawing, style, back)
    features.draw_body(drawing, factors.clothes)
    if factors.accessory == "choker":
        accessories.draw_choker(drawing)
    accessories.draw_behind(drawing, factors.accessory)
    features.draw_head(drawing, jaw=8 * face[0] - 4, chin=10 * face[1] - 5, ears=style.ears)
    if factors.blush > 0:
        features.draw_blush(drawing)
    features.draw_nose(drawing, 4 * face[2])
    features.draw_mouth(drawing, factors.mouth, 0.85 + 0.35 * face[3])
    features.draw_eyes(drawing, factors.eye_shape, factors.gaze, 0.94 + 0.2 * face[4], 4 * face[5] - 2)
    if factors.accessory == "glasses":
        accessories.draw_glasses(drawing)
    hair.draw_front(drawing, style, factors.fringe, front)
    features.draw_brows(drawing, factors.brows, 4 * face[6], 3 + 1.6 * face[7])
    accessories.draw_over(drawing, factors.accessory)
    return drawing


def _paints(factors: Factors) -> dict:
    table = palette.paints(
        factors.hair_colour, factors.eye_colour, factors.skin, factors.background, factors.clothes, palette.TRIM[factors.trim]
    )
    skin, _, blush = palette.SKIN[factors.skin]
    for ring in (1, 2, 3):
        table[f"blush {ring}"] = palette.flat(mix(skin, blush, int(factors.blush * 30 * ring)))
    return table
