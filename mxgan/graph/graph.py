"""What a network is: nodes in the order they are computed, and the arrays they need."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Optional

import numpy as np

from mxgan.graph.layers import Embedding, Layer, OneHot

LATENTS, LABELS, IMAGES = "z", "label", "images"


@dataclass(frozen=True)
class Node:
    """One layer at its place. ``inputs`` are names of earlier nodes or of the graph's inputs."""

    name: str
    layer: Layer
    inputs: tuple[str, ...]


@dataclass(frozen=True)
class Graph:
    """A network in inference mode. The last node's output is the network's.

    A generator takes ``z`` (latent,), and ``label`` () if it is conditional, and gives images (channels, H, W) in
    [-1, 1]. A discriminator takes ``images`` (channels, H, W).
    """

    nodes: tuple[Node, ...]
    arrays: Mapping[str, np.ndarray] = field(repr=False)  # "<node>.<word>": "0.weight", "1.gamma"
    inputs: Mapping[str, tuple[int, ...]]  # name -> shape of one sample

    @property
    def latent(self) -> Optional[int]:
        """How many numbers a latent has; None for a discriminator."""
        return self.inputs[LATENTS][0] if LATENTS in self.inputs else None

    @property
    def classes(self) -> Optional[int]:
        """How many labels a conditional generator knows; None for one without."""
        known = [
            node.layer.classes if isinstance(node.layer, OneHot) else len(self.arrays[f"{node.name}.weight"])
            for node in self.nodes
            if isinstance(node.layer, (OneHot, Embedding)) and node.inputs == (LABELS,)
        ]
        return min(known) if known else None

    @property
    def kind(self) -> str:
        """generator or discriminator."""
        return "generator" if LATENTS in self.inputs else "discriminator"

    def array(self, node: Node, word: str) -> Optional[np.ndarray]:
        """A node's array, or None where it has none of that name."""
        return self.arrays.get(f"{node.name}.{word}")
