"""From latents to pictures, with the generator in any weights file or run directory."""

from __future__ import annotations

import math
import warnings
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Optional

import numpy as np

from mxgan import checks, engines, pixels, rng, walks
from mxgan.architecture import networks
from mxgan.architecture.members import check_finite, check_pictures
from mxgan.architecture.wishes import NONE, Wishes, checked
from mxgan.engines.protocol import Forward
from mxgan.errors import Caution, MxganError, SettingError, in_shell
from mxgan.graph.reading import NoGraph, Reading
from mxgan.graph.work import multiply_adds
from mxgan.weights.of_run import weights_file

BATCH = 64  # pictures made at once, so that memory doesn't grow with n
MEMORY = 2**26  # numbers in a batch after any layer: large networks make fewer pictures at once


@dataclass(frozen=True)
class Generator:
    """A trained netG in inference mode: a latent gives the same picture in any batch."""

    compute: Forward  # what `forward` does, all at once and unchecked
    latent: int
    shape: tuple[int, int, int]  # of a picture: H, W, and 3 for RGB (grey fills all 3) or 4 for RGBA
    engine: str
    why: str = ""  # which engine, where, and why that one, in a line
    file: Path | None = None  # the weights file
    classes: Optional[int] = None  # labels are 0 to classes - 1; None: it takes none
    batch: int = BATCH  # pictures made at once
    uniform: bool = False  # latents from U(-1, 1), not N(0, 1)
    read: Optional[Reading] = None  # where the network comes from, and what was assumed; None: an .onnx run as it is
    ctx: str = "cpu"  # where the engine computes

    def __repr__(self) -> str:
        labels = "" if self.classes is None else f", {self.classes} labels"
        size = "×".join(map(str, self.shape))
        return f"Generator({self.file}: latent {self.latent}{labels}, images {size}, {self.engine} on {self.ctx})"

    @property
    def image_size(self) -> int:
        """The pictures' height in pixels; of square ones the width too."""
        return self.shape[0]

    def generate(self, z: np.ndarray, labels: Optional[np.ndarray | int] = None) -> np.ndarray:
        """Latents, float (n, latent), to pictures, uint8 (n, H, W, 3), or (n, H, W, 4) with transparency.

        ``labels``: what a conditional generator is to show, int (n,) or one for all.
        Raises MxganError for latents of another shape, or that aren't finite numbers, and for labels that are missing,
        unknown or not wanted.
        """
        z = self._checked(z)
        wanted = self._labels(labels, len(z))
        images = np.empty((len(z), *self.shape), np.uint8)
        for first in range(0, len(z), self.batch):
            part = slice(first, first + self.batch)
            images[part] = pixels.to_uint8(self.compute(z[part], None if wanted is None else wanted[part]))
        return images

    def forward(self, z: np.ndarray, labels: Optional[np.ndarray | int] = None) -> np.ndarray:
        """Latents as `generate` takes them to images, float32 (n, channels, H, W) in [-1, 1], all at once.

        Raises MxganError as `generate` does.
        """
        z = self._checked(z)
        return self.compute(z, self._labels(labels, len(z)))

    def sample(
        self, n: int, seed: int = 0, labels: Optional[np.ndarray | int] = None, truncation: float = 1
    ) -> np.ndarray:
        """The first n pictures of ``seed``, as `generate` gives them: those of ``mxgan generate --n n --seed seed``.

        ``truncation``: as `mxgan.walks.truncated` takes it; below 1 the pictures are more usual and differ less.
        Raises MxganError for an n, seed or truncation that can't be, and as `generate` does for labels.
        """
        checks.whole("n", n, 0)
        return np.concatenate([np.empty((0, *self.shape), np.uint8), *self.batches(n, seed, labels, truncation)])

    def batches(
        self, n: int, seed: int = 0, labels: Optional[np.ndarray | int] = None, truncation: float = 1
    ) -> Iterator[np.ndarray]:
        """The pictures of `sample`, at most 64 at a time."""
        wanted = self._labels(labels, n)
        for first in range(0, n, BATCH):
            part = slice(first, min(first + BATCH, n))
            z = self._latents(seed, first, part.stop - first, truncation)
            yield self.generate(z, None if wanted is None else wanted[part])

    def walk(
        self,
        seeds: Sequence[int],
        n: int = 60,
        loop: bool = False,
        labels: Optional[int] = None,
        truncation: float = 1,
    ) -> np.ndarray:
        """n pictures on the way from the first picture of a seed to that of the next: uint8 (n, H, W, 3).

        ``seeds``: two or more. The way is that of `mxgan.walks.slerp`, at even steps from the first seed to the last;
        or, with ``loop``, back to the first, whose picture then isn't shown again.
        Raises MxganError for seeds, n or truncation that can't be, and as `generate` does for labels.
        """
        return np.concatenate(list(self.frames(seeds, n, 1, loop, labels, truncation)))

    def frames(
        self,
        seeds: Sequence[int],
        n: int,
        walks_at_once: int,
        loop: bool = False,
        labels: Optional[np.ndarray | int] = None,
        truncation: float = 1,
    ) -> Iterator[np.ndarray]:
        """Walks side by side as `walk` makes them, between each seed's first pictures: n of uint8 (walks, H, W, 3).

        ``labels``: one for each walk, or one for all.
        """
        if np.ndim(seeds) != 1 or len(seeds) < 2:
            raise SettingError("seeds", seeds, "two or more in a list, to walk from one to the next")
        checks.whole("n", n, 2)
        checks.whole("walks_at_once", walks_at_once, 1)
        wanted = self._labels(labels, walks_at_once)
        stations = [self._latents(seed, 0, walks_at_once, truncation) for seed in (*seeds, *seeds[: int(loop)])]
        ways = np.stack(stations, axis=1)  # (walks, stations, latent)
        places = np.linspace(0, len(stations) - 1, n, endpoint=not loop)
        for at in np.array_split(places, math.ceil(n / max(1, BATCH // walks_at_once))):
            z = np.stack([walks.through(way, at) for way in ways], axis=1)  # (frames, walks, latent)
            together = None if wanted is None else np.tile(wanted, len(at))
            yield from self.generate(z.reshape(-1, self.latent), together).reshape(len(at), -1, *self.shape)

    def _checked(self, z: np.ndarray) -> np.ndarray:
        """Latents as float32 (n, latent). Raises MxganError for what can't be that."""
        wanted = f"this generator takes finite numbers, float (n, {self.latent})"
        try:
            found = np.asarray(z)
        except (RuntimeError, TypeError, ValueError) as error:  # rows of several lengths; a tensor with gradients
            raise MxganError(f"latents: no array ({error}); {wanted}") from error
        if found.dtype.kind not in "fiu":
            raise MxganError(f"latents of {found.dtype}: {wanted}")
        if found.ndim != 2 or found.shape[1] != self.latent:
            raise MxganError(f"latents of shape {found.shape}: this generator takes (n, {self.latent})")
        with np.errstate(over="ignore"):
            found = found.astype(np.float32)
        if not np.isfinite(found).all():
            row = int(np.argmin(np.isfinite(found).all(axis=1)))
            raise MxganError(f"latents: NaN or infinity in row {row}; {wanted}")
        return found

    def _latents(self, seed: int, first: int, n: int, truncation: float) -> np.ndarray:
        return walks.truncated(rng.samples(seed, first, n, self.latent, self.uniform), truncation)

    def _labels(self, labels: Optional[np.ndarray | int], n: int) -> Optional[np.ndarray]:
        """The labels as int64 (n,), or None for a generator without. Raises MxganError where they don't fit."""
        if self.classes is None:
            if labels is not None:
                raise MxganError("labels: this generator takes none; leave them out")
            return None
        last = self.classes - 1
        if labels is None:
            raise MxganError(f"this generator is conditional: give labels, each from 0 to {last}")
        found = np.asarray(labels)
        if found.dtype.kind not in "iu" or found.shape not in ((), (n,)):
            raise MxganError(f"labels of shape {found.shape}, {found.dtype}: whole numbers ({n},) wanted, or one")
        if found.size and not 0 <= found.min() <= found.max() <= last:
            wrong = found.min() if found.min() < 0 else found.max()
            raise MxganError(f"label {wrong}: this generator knows 0 to {last}")
        return np.broadcast_to(found.astype(np.int64), (n,))


def load_generator(
    path: str | Path,
    engine: str = "auto",
    ctx: str = "auto",
    allow_nonfinite: bool = False,
    wishes: Wishes = NONE,
    n: Optional[int] = None,
) -> Generator:
    """The generator in a weights file of any kind, or in a run directory.

    ``engine``: auto (on a GPU mxnet or pytorch; else the first of onnx, mxnet, pytorch, numpy that is here), or one of
    these. ``wishes``: what you know of the network and its file doesn't say. ``n``: how many pictures you want of it,
    if you know; for few on the CPU, auto is numpy, which has drawn them before another engine is loaded.
    Warns of what may be wrong with the pictures.
    Raises ParamsError if the file holds no generator that can be read or (unless ``allow_nonfinite``) NaN or infinity;
    MxganError or ImportError if the engine can't run here or not on this ctx.
    """
    file = weights_file(path)
    try:
        reading = networks.generator(file, checked(wishes))
    except NoGraph as error:
        return _program(file, engine, ctx, error)
    if not allow_nonfinite:
        check_finite(reading, str(file))
    for text in reading.cautions:
        warnings.warn(Caution(f"{file}: {text}"), stacklevel=2)
    return _generator(reading, engine, ctx, n, file)


def _program(file: Path, engine: str, ctx: str, error: NoGraph) -> Generator:
    """An .onnx model with an operator that no layer is, run as it is by onnxruntime. ``error`` names the operator.

    Raises MxganError where another engine or a GPU was asked for.
    """
    from mxgan.onnx import reader
    from mxgan.onnx.runner import Runner

    if engine not in ("auto", "onnx") or ctx.startswith(("gpu", "mps")):
        raise MxganError(f"{in_shell(error)}: it runs on --engine onnx and --ctx cpu alone") from error
    found = reader.program(file)
    for text in found.warnings:
        warnings.warn(Caution(f"{file}: {text}"), stacklevel=3)
    channels, height, width = found.shape
    return Generator(
        compute=Runner(found).forward,
        latent=found.latent,
        shape=(height, width, max(3, channels)),
        engine="onnx",
        why=f"engine onnx on cpu: {found.why}",
        file=file,
        classes=found.classes,
        read=None,
    )


def _generator(reading: Reading, engine: str, ctx: str, n: Optional[int], file: Path) -> Generator:
    """The graph on the engine that fits. Raises ParamsError where it isn't a generator of pictures."""
    graph = reading.graph
    found = check_pictures(graph, str(file))
    choice = engines.choose_generator(engine, ctx, None if n is None else n * multiply_adds(graph))
    channels, height, width = found[graph.nodes[-1].name]
    assert graph.latent is not None  # a generator has it
    largest = max(math.prod(shape) for shape in found.values())
    return Generator(
        compute=engines.forward_of(choice, graph),
        latent=graph.latent,
        shape=(height, width, max(3, channels)),
        engine=choice.engine,
        why=f"engine {choice.engine} on {choice.ctx}: {choice.why}",
        file=file,
        ctx=choice.ctx,
        classes=graph.classes,
        batch=max(1, min(BATCH, MEMORY // largest)),
        uniform=reading.uniform,
        read=reading,
    )


def latents(seed: int, n: int, latent: int, uniform: bool = False) -> np.ndarray:
    """The latents of the first n pictures of ``seed``, as ``mxgan generate`` draws them: float32 (n, latent).

    For a network of your own. Latent i is the same for every n. They are normal, or ``uniform`` in [-1, 1).
    Raises MxganError for a seed, n or latent that can't be.
    """
    checks.whole("n", n, 0)
    checks.whole("latent", latent, 1)
    return rng.samples(seed, 0, n, latent, uniform)


def labelled(
    generator: Generator, n: int, label: Optional[int] = None, by_label: bool = False
) -> tuple[Optional[np.ndarray], Optional[int]]:
    """Labels (n,) for n pictures, and a grid's columns where they decide it.

    All ``label``; or ``by_label``, a row of the grid for each label; or all labels in turn. None for a generator
    without labels. Raises MxganError for a wish that it can't meet.
    """
    if generator.classes is None:
        if label is not None or by_label:
            raise MxganError("--label and --labels: this generator isn't conditional; leave them out")
        return None, None
    if label is not None and by_label:
        raise MxganError("--label and --labels: give only one of them")
    if label is not None:
        return np.full(n, label), None
    if by_label:
        columns = math.ceil(n / generator.classes)
        return np.arange(n) // columns, columns
    return np.arange(n) % generator.classes, None
