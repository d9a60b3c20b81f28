"""What a request may ask for, and within which bounds. FastAPI checks it, and describes it in openapi.json."""

from __future__ import annotations

from typing import Literal, Optional

from pydantic import BaseModel, ConfigDict, Field

SEEDS = 2**63 - 1
INDICES = 2**53 - 1  # the largest that JavaScript's numbers hold
MOST = 256  # pictures in a grid
FRAMES = 120  # in a walk
SIDE = 1024  # pixels on the longer side of a picture
PIXELS = 2**22  # in all pictures of an answer together


class Sampled(BaseModel):
    """Which picture of a generator: what ``mxgan generate --seed seed`` has at ``index``."""

    model_config = ConfigDict(extra="forbid")

    seed: int = Field(0, ge=0, le=SEEDS, description="As of `mxgan generate --seed`.")
    index: int = Field(0, ge=0, le=INDICES, description="Which picture of the seed, from 0.")
    truncation: float = Field(1, gt=0, le=1, description="Lower: more usual faces that differ less.")
    label: Optional[int] = Field(
        None, ge=0, description="Of a conditional generator; left out: the index, modulo its number of labels."
    )
    size: Optional[int] = Field(
        None, ge=1, le=SIDE, description="Pixels on the longer side; left out: as the generator makes them."
    )
    v: Optional[str] = Field(
        None, max_length=64, description="The `version` of settings.json: with it, the answer may be kept for ever."
    )


class Walked(Sampled):
    """A picture, and a second one to walk to."""

    to_seed: Optional[int] = Field(None, ge=0, le=SEEDS, description="Of the second face; left out: the first's.")
    to_index: Optional[int] = Field(None, ge=0, le=INDICES, description="Of the second face.")


class Face(Walked):
    """A face; or one on the way from it to a second."""

    t: float = Field(0, ge=0, le=1, description="How far towards the second face.")


class Grid(Sampled):
    """Faces side by side, from ``index`` on."""

    n: int = Field(64, ge=1, le=MOST, description="How many faces.")
    columns: Optional[int] = Field(None, ge=1, le=MOST, description="Left out: as nearly square as possible.")


class Walk(Walked):
    """A way from one face to another, and back."""

    n: int = Field(30, ge=2, le=FRAMES, description="Pictures on the way there.")
    ms: int = Field(60, ge=20, le=1000, description="Milliseconds that each is shown.")
    back: bool = Field(True, description="Whether it walks back too.")


class Generate(Face):
    """Faces from ``index`` on, for programs; on the way to a second face each by ``t``."""

    n: int = Field(1, ge=1, le=MOST, description="How many faces.")
    format: Literal["png", "base64"] = Field("png", description="One PNG, a grid if n > 1; or JSON with a PNG each.")
