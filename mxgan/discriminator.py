"""A trained netD, to ask: is this face real, and what do you see in it? In NumPy, so that no framework is needed."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from mxgan import checks, run_names
from mxgan.architecture import networks
from mxgan.architecture.members import check_finite
from mxgan.errors import MxganError, ParamsError
from mxgan.graph import Graph, Node, layers
from mxgan.graph.forward import BATCH, steps
from mxgan.graph.graph import IMAGES
from mxgan.graph.reading import Reading

SIDE = 4  # of the grid that each layer's activations are pooled to, as Radford et al. have it
ACTIVATIONS = (layers.Relu, layers.LeakyRelu, layers.PRelu, layers.Elu, layers.Selu)


@dataclass(frozen=True)
class Discriminator:
    """A trained netD in inference mode: an image gets the same numbers in any batch."""

    graph: Graph
    file: Path

    @property
    def shape(self) -> tuple[int, int, int]:
        """Of the images that it takes: H, W and channels."""
        channels, height, width = self.graph.inputs[IMAGES]
        return height, width, channels

    def __repr__(self) -> str:
        return f"Discriminator({self.file}: images {'×'.join(map(str, self.shape))})"

    def logits(self, images: np.ndarray) -> np.ndarray:
        """How real it takes images, uint8 (n, H, W, channels), to be: float32 (n,), above 0 for rather real.

        Raises MxganError for images of another shape or type.
        """
        found = [np.empty(0, np.float32)]
        for outputs in self._batches(images):
            *_, (_, y) = outputs
            found.append(y.reshape(len(y), -1)[:, 0])
        return np.concatenate(found)

    def features(self, images: np.ndarray, side: int = SIDE) -> np.ndarray:
        """What it sees in images, uint8 (n, H, W, channels): float32 (n, features), the first layer's first.

        The outputs of all its activations, each max-pooled to ``side`` × ``side`` and laid out in a row (Radford et al.
        2016, section 5.1). A layer of fewer pixels stays as it is.
        Raises MxganError for images of another shape or type, and where a layer can't be pooled so.
        """
        checks.whole("side", side, 1)
        found = []
        for outputs in self._batches(images):
            seen = [_pooled(y, side) for node, y in outputs if isinstance(node.layer, ACTIVATIONS)]
            found.append(np.concatenate(seen, axis=1))
        return np.concatenate(found)

    def _batches(self, images: np.ndarray) -> Iterator[Iterator[tuple[Node, np.ndarray]]]:
        """Each node with its output, for a few images at a time."""
        images = np.asarray(images)
        if images.dtype != np.uint8 or images.ndim != 4 or images.shape[1:] != self.shape or not len(images):
            wanted = ", ".join(map(str, self.shape))
            raise MxganError(f"images of shape {images.shape}, {images.dtype}: this netD takes uint8 (n, {wanted})")
        for first in range(0, len(images), BATCH):
            x = images[first : first + BATCH].transpose(0, 3, 1, 2) / np.float32(127.5) - 1
            yield steps(self.graph, {IMAGES: x}, "float32")


def load_discriminator(path: str | os.PathLike) -> Discriminator:
    """The discriminator in a weights file of any kind, or the newest of a run directory (its netD.params).

    Raises ParamsError where there is none, or several, or one with NaN or infinity; MxganError for a run without.
    """
    file = run_names.meant(path)
    if file.is_dir():
        file = file / "netD.params"
        if not file.exists():
            raise MxganError(f"{path}: no netD.params in this folder; give a weights file or a run directory")
    elif not file.exists() and not file.suffix:  # a run has none, a weights file has
        raise ParamsError(f"{path}: there is no such file or run{run_names.did_you_mean(file)}")
    read = networks.networks(networks.load(file))
    found = [one for one in read if isinstance(one, Reading) and one.graph.kind == "discriminator"]
    if len(found) != 1:
        raise ParamsError(f"{file}: holds {len(found) or 'no'} discriminator{'s' * (len(found) > 1)}; one is wanted")
    check_finite(found[0], str(file))
    return Discriminator(found[0].graph, file)


def _pooled(y: np.ndarray, side: int) -> np.ndarray:
    """A layer's output, (n, channels, H, W) or (n, features), as (n, channels * side * side) by the maximum."""
    if y.ndim == 2 or max(y.shape[2:]) <= side:
        return y.reshape(len(y), -1)
    n, channels, height, width = y.shape
    if height % side or width % side:
        raise MxganError(f"side {side}: a layer of {height}×{width} pixels doesn't divide into {side}×{side} parts")
    return y.reshape(n, channels, side, height // side, side, width // side).max((3, 5)).reshape(n, -1)
