"""A face from its factors: every part in its order and place, then pixels."""

from __future__ import annotations

import numpy as np

from ... import rng
from ...errors import MxganError
from . import features, hair, palette
from .accessories import accessory
from .drawing import Part, Pose, render
from .factors import Factors

SIZES = (32, 64, 128)


def check_size(size: int) -> None:
    """Raise MxganError unless faces can be painted this large."""
    if size not in SIZES:
        raise MxganError(f"painted faces: size {size} isn't one of {', '.join(map(str, SIZES))}")


def paint(factors: Factors, size: int = 64) -> np.ndarray:
    """The face with these factors: uint8 RGB (size, size, 3). Raises MxganError for a size that isn't in `SIZES`."""
    check_size(size)
    pose = Pose(factors.x, factors.y, factors.scale, factors.tilt, factors.turn)
    paints = palette.paints(
        *(factors.hair_colour, factors.eye_colour, factors.skin, factors.background, factors.clothes, factors.trim),
        factors.blush,
    )
    return render(_parts(factors), pose, paints, size)


def _parts(factors: Factors) -> list[Part]:
    """From back to front. Fine detail comes in three streams, so that another style leaves the face as it is."""
    dice = rng.generator(factors.detail, "painted detail").random(128).tolist()
    face, back, front = dice[:12], iter(dice[12:40]), iter(dice[40:])
    style = hair.STYLES[factors.hair_style]
    worn = accessory(factors.accessory)
    eye_size, spread = 0.98 + 0.2 * face[0], 46 + 4 * face[1]
    mouth_size = 0.85 + 0.35 * face[2]
    jaw, chin = 0.96 + 0.08 * face[3], 0.97 + 0.06 * face[4]
    volume = 0.93 + 0.15 * face[7]

    parts = [Part(hair.back(style, back), depth=-0.4, width=volume, height=volume)]
    parts.append(Part(features.body(factors.clothes), depth=0.1, sway=0.45))
    if factors.accessory == "choker":
        parts.append(Part(worn, depth=0.1, sway=0.45))
    if style.ears:
        parts.append(Part(features.ears(), depth=-0.2))
    parts.append(Part(features.head(), depth=0.8, width=jaw, height=chin))
    if factors.blush > 0:
        parts.append(Part(features.blush()))
    parts.append(Part(features.nose(), depth=1.15, y=43 + 4 * face[5]))
    parts.append(Part(features.mouth(factors.mouth), y=65 * chin, width=mouth_size, height=mouth_size))
    for side in (1, -1):
        eye = features.eye(factors.eye_shape, factors.gaze, side)
        parts.append(Part(eye, x=side * spread, y=3, width=side * eye_size, height=eye_size))
    if factors.accessory == "glasses":
        parts.append(Part(worn, depth=1.1))
    parts.append(Part(hair.front(style, factors.fringe, front), depth=0.9, width=volume, height=volume))
    parts.append(Part(features.brows(factors.brows), y=-4 * face[6]))
    if factors.accessory in ("hair clip", "ribbon", "cat ears", "hairband", "flower"):
        parts.append(Part(worn, depth=0.95))
    return parts
