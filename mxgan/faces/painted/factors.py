"""What varies from face to face: named factors, each drawn independently of the others."""

from __future__ import annotations

from bisect import bisect
from dataclasses import dataclass
from itertools import accumulate

from ... import rng
from ...errors import MxganError
from .accessories import ACCESSORIES
from .features import BROWS, EYE_SHAPES, GAZES, MOUTHS
from .hair import FRINGES, STYLES
from .palette import BACKGROUND, CLOTHES, EYES, HAIR, SKIN, TRIM

# The values of each named factor, with how often each is drawn (in proportion).
CHOICES: dict[str, dict[str, int]] = {
    "hair_colour": dict(zip(HAIR, (13, 11, 11, 8, 7, 11, 5, 5, 8, 7, 4, 6, 6, 4, 4, 6))),
    "hair_style": dict(zip(STYLES, (16, 8, 10, 12, 9, 7, 12, 9, 7, 4, 4, 4))),
    "fringe": dict(zip(FRINGES, (10, 5, 5, 6, 6))),
    "eye_colour": dict(zip(EYES, (9, 6, 7, 3, 8, 11, 5, 7, 5))),
    "eye_shape": dict(zip(EYE_SHAPES, (10, 9, 6, 6, 6, 4, 2))),
    "gaze": dict(zip(GAZES, (10, 3, 3, 2, 2, 2))),
    "brows": dict(zip(BROWS, (8, 4, 3, 4))),
    "mouth": dict(zip(MOUTHS, (10, 8, 5, 6, 4, 3, 2, 3, 2))),
    "skin": dict(zip(SKIN, (10, 14, 13, 5, 2, 2, 1))),
    "clothes": dict.fromkeys(CLOTHES, 1),
    "background": dict(zip(BACKGROUND, (24, 6, 3, 3, 2, 2, 2, 3, 2))),
    "accessory": dict(zip(ACCESSORIES, (16, 4, 3, 3, 2, 3, 2, 2))),
    "trim": dict.fromkeys(TRIM, 1),
}


@dataclass(frozen=True)
class Factors:
    """One face. The named factors are keys of `CHOICES`; lengths are in 256ths of the picture."""

    hair_colour: str
    hair_style: str
    fringe: str
    eye_colour: str
    eye_shape: str
    gaze: str
    brows: str
    mouth: str
    skin: str
    clothes: str
    background: str
    accessory: str
    trim: str  # the accessory's colour
    blush: float  # 0 none .. 1 strong
    tilt: float  # of the head, clockwise: the tangent of half the angle
    turn: float  # how far the face's middle is moved to the viewer's right
    scale: float  # of the head
    x: float  # of the head's middle, to the right of the picture's
    y: float  # and below
    detail: int  # seed of what has no name: the fall of single strands, small differences of proportion

    def __post_init__(self) -> None:
        for factor, weights in CHOICES.items():
            value = getattr(self, factor)
            if value not in weights:
                raise MxganError(f"painted faces: {factor} {value!r} isn't one of {', '.join(weights)}")


def draw_factors(seed: int, index: int) -> Factors:
    """The factors of face ``index`` of ``seed``, independent of one another and of other faces."""
    dice = iter(rng.generator(seed, "painted", index).random(40).tolist())
    named = {factor: _pick(next(dice), weights) for factor, weights in CHOICES.items()}

    def bell(width: float) -> float:
        return width * (next(dice) + next(dice) + next(dice) - 1.5) / 1.5

    return Factors(
        **named,
        blush=max(0.0, next(dice) * 1.3 - 0.4),
        tilt=bell(0.16),
        turn=bell(20.0),
        scale=1.03 + bell(0.16),
        x=bell(14.0),
        y=3.0 + bell(11.0),
        detail=int(next(dice) * 2**31),
    )


def _pick(share: float, weights: dict[str, int]) -> str:
    """The value at ``share`` (0 up to 1) of the way through the weights."""
    ends = list(accumulate(weights.values()))
    return list(weights)[bisect(ends, share * ends[-1])]
