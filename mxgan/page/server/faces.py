"""From what a request asks for to pictures: the latents of an address, and the generator that draws them."""

from __future__ import annotations

import asyncio
import base64
import functools
import hashlib
import json
from pathlib import Path
from typing import Any, Optional

import numpy as np

import mxgan
from mxgan import plots, pretrained, rng, run_names, walks
from mxgan.errors import MxganError, SettingError
from mxgan.page.server import answers
from mxgan.page.server.asked import MOST, PIXELS, SIDE, Face, Generate, Grid, Sampled, Walk, Walked
from mxgan.page.server.batcher import Batcher
from mxgan.sampling import Generator

SMALL = 2**16  # pixels: an answer of at most so many is encoded at once, in the batcher's thread


class Faces:
    """One generator, and the pictures that requests ask of it."""

    def __init__(self, generator: Generator, most: Optional[int] = None) -> None:
        """``most``: pictures in a batch; see `Batcher`."""
        self.generator, self._batcher = generator, Batcher(generator, most)
        self.name, self.version = _name(generator.file), _version(generator)
        self._drawn = functools.lru_cache(maxsize=64)(self._block)

    def close(self) -> None:
        """End the thread that draws."""
        self._batcher.close()

    def settings(self) -> dict[str, Any]:
        """What the page needs to know of the generator, as JSON values."""
        height, width, _ = self.generator.shape
        return {
            "source": "server",
            "name": self.name,
            "version": self.version,
            "engine": self.generator.engine,
            "latent": self.generator.latent,
            "uniform": self.generator.uniform,
            "classes": self.generator.classes,
            "height": height,
            "width": width,
            "most": {"n": MOST, "size": SIDE, "pixels": PIXELS},
        }

    def tag(self, kind: str, asked: Sampled) -> str:
        """An ETag: one for each answer that this generator gives, known before it is drawn."""
        said = f"{self.version} {kind} {asked.model_dump_json(exclude={'v'})}"
        return f'"{hashlib.sha256(said.encode()).hexdigest()[:32]}"'

    def pixels(self, asked: Sampled) -> int:
        """How many pixels an answer holds at most. Raises MxganError for more than `PIXELS`, but of a single face."""
        n = getattr(asked, "n", 1)
        height, width = self._shape(asked.size)
        found = n * max(height * width, self.generator.shape[0] * self.generator.shape[1])
        if n > 1 and found > PIXELS:
            raise MxganError(
                f"n {n} of {width}×{height} pixels: {found:,} pixels, {PIXELS:,} at most; ask for fewer or smaller ones"
            )
        return found

    async def face(self, asked: Face) -> bytes:
        """One face as a PNG."""
        shape = self._shape(asked.size)
        small = shape[0] * shape[1] <= SMALL
        latents, labels = self._towards(asked, 1, np.full(1, asked.t))
        if small:
            return await self._batcher.draw(latents, labels, lambda made: answers.png(answers.sized(made, shape)[0]))
        made = await self._batcher.draw(latents, labels, _itself)
        return await asyncio.to_thread(lambda: answers.png(answers.sized(made, shape)[0]))

    async def grid(self, asked: Grid) -> bytes:
        """Faces side by side as a PNG."""
        latents = walks.truncated(self._latents(asked.seed, asked.index, asked.n), asked.truncation)
        labels = self._labels(asked, asked.n)
        made = await self._batcher.draw(latents, labels, _itself)
        shape = self._shape(asked.size)
        return await asyncio.to_thread(lambda: answers.png(plots.grid(answers.sized(made, shape), asked.columns)))

    async def walk(self, asked: Walk) -> bytes:
        """A way from one face to another as a GIF; without a second one, to the next of the same seed."""
        if asked.to_seed is None and asked.to_index is None:
            asked = asked.model_copy(update={"to_index": asked.index + 1})
        latents, labels = self._towards(asked, 1, np.linspace(0, 1, asked.n))
        made = await self._batcher.draw(latents, labels, _itself)
        shape = self._shape(asked.size)

        def encoded() -> bytes:
            frames = answers.sized(made, shape)
            return answers.gif(np.concatenate([frames, frames[-2:0:-1]]) if asked.back else frames, asked.ms)

        return await asyncio.to_thread(encoded)

    async def generated(self, asked: Generate) -> bytes:
        """The faces of `Generate`: a PNG, a grid if there are several; or JSON, where each is a PNG in base64.

        JSON keys: version, and faces, a list of seed, index and png.
        """
        latents, labels = self._towards(asked, asked.n, np.full(1, asked.t))
        made = await self._batcher.draw(latents, labels, _itself)
        shape = self._shape(asked.size)

        def encoded() -> bytes:
            images = answers.sized(made, shape)
            if asked.format == "png":
                return answers.png(images[0] if asked.n == 1 else plots.grid(images))
            found = [
                {"seed": asked.seed, "index": asked.index + place, "png": base64.b64encode(answers.png(image)).decode()}
                for place, image in enumerate(images)
            ]
            return json.dumps({"version": self.version, "faces": found}).encode()

        return await asyncio.to_thread(encoded)

    def _towards(self, asked: Walked, n: int, t: np.ndarray) -> tuple[np.ndarray, Optional[np.ndarray]]:
        """Latents and labels of n faces from the first one on, each ``t`` of the way to the second, if there is one."""
        z, labels = self._latents(asked.seed, asked.index, n), self._labels(asked, n * len(t))
        if asked.to_seed is not None or asked.to_index is not None:
            to_seed = asked.seed if asked.to_seed is None else asked.to_seed
            to = self._latents(to_seed, asked.index if asked.to_index is None else asked.to_index, 1)[0]
            between = walks.lerp if self.generator.uniform else walks.slerp  # uniform latents lie on no sphere
            z = np.concatenate([between(one, to, t) for one in z])
        elif t.any():
            raise SettingError("t", float(t[0]), "towards which face? give to_index, or to_seed and to_index")
        return walks.truncated(z, asked.truncation), labels

    def _labels(self, asked: Sampled, n: int) -> Optional[np.ndarray]:
        """The labels of n faces; None for a generator without. Raises SettingError for one that it doesn't know."""
        classes, label = self.generator.classes, asked.label
        if classes is None:
            if label is not None:
                raise SettingError("label", label, "this generator isn't conditional; leave it out")
            return None
        if label is not None and label >= classes:
            raise SettingError("label", label, f"this generator knows 0 to {classes - 1}")
        if isinstance(asked, Walk):  # all of the first face's
            return np.full(n, asked.index % classes if label is None else label)
        return np.full(n, label) if label is not None else (asked.index + np.arange(n)) % classes

    def _latents(self, seed: int, first: int, n: int) -> np.ndarray:
        """As `rng.samples`; the blocks that it draws from are kept a while, since one holds many faces."""
        block, start = divmod(first, rng.BLOCK)
        if start + n <= rng.BLOCK:
            return self._drawn(seed, block)[start : start + n]
        return rng.samples(seed, first, n, self.generator.latent, self.generator.uniform)

    def _block(self, seed: int, block: int) -> np.ndarray:
        return rng.samples(seed, block * rng.BLOCK, rng.BLOCK, self.generator.latent, self.generator.uniform)

    def _shape(self, size: Optional[int]) -> tuple[int, int]:
        """Height and width of a picture whose longer side has ``size`` pixels; None: its own."""
        height, width, _ = self.generator.shape
        if size is None:
            return height, width
        longer = max(height, width)
        return max(1, round(height * size / longer)), max(1, round(width * size / longer))


def _itself(images: np.ndarray) -> np.ndarray:
    return images


def _name(file: Optional[Path]) -> str:
    """What the page calls the generator: its run, or its file without the suffix."""
    if file is None:
        return "generator"
    if file.parent == pretrained.FOLDER:
        return Path(pretrained.FILE).stem
    return file.resolve().parent.name if run_names.is_run(file.parent) else file.stem


def _version(generator: Generator) -> str:
    """One for each generator, engine and version of mxgan: while it stays, the same address is the same picture."""
    digest = hashlib.sha256(f"{mxgan.__version__} {generator.engine}".encode())
    if generator.file is not None:
        digest.update(generator.file.read_bytes())
    return digest.hexdigest()[:16]
