"""What is known of a generator beside its weights."""

from __future__ import annotations

import zlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np


@dataclass(frozen=True)
class Published:
    """One generator.

    ``build`` makes it: an ``nn.Module``, a ``HybridBlock``, or a symbol. ``end`` is the range of its images.
    ``latents`` is what it was trained on: "normal", "uniform" (-1..1) or "uniform01" (0..1). ``as_map``: z enters as
    (n, latent, 1, 1). ``labels`` is how a class enters: "index", "one-hot" or "" (unconditional). ``known`` is its
    entry in known.json.
    """

    name: str
    build: Callable[[], Any]
    special: str
    latent: int = 32
    size: int = 32
    channels: int = 3
    end: str = "tanh"
    latents: str = "normal"
    as_map: bool = True
    classes: int = 0
    labels: str = ""
    init: str = "dcgan"
    discriminator: str = "plain"
    known: str = ""
    work: float = 1.0  # steps, as a fraction of --steps, for nets that are slow
    moved_gammas: bool = False  # a symbol's gammas that are fixed are other than 1 in the file

    @property
    def seed(self) -> int:
        """A seed of its own, from its name."""
        return zlib.crc32(self.name.encode())

    def draw(self, rng: np.random.Generator, n: int) -> np.ndarray:
        """Latents: float32 (n, latent)."""
        if self.latents == "normal":
            return rng.standard_normal((n, self.latent), dtype=np.float32)
        z = rng.random((n, self.latent), dtype=np.float32)
        return z * 2 - 1 if self.latents == "uniform" else z
