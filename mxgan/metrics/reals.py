"""Features of real faces, computed once and cached by the faces' fingerprint and the extractor."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from tqdm import tqdm

from mxgan import atomic, rng
from mxgan.errors import MxganError
from mxgan.faces import Faces
from mxgan.faces.cache import cache_folder

BATCH = 64  # faces in memory at once


@dataclass(frozen=True)
class Chosen:
    """Some of a set's faces, in random order and without repeats."""

    faces: Faces
    order: np.ndarray  # their places in the set
    seed: int

    def batches(self, first: int, n: int) -> Iterator[np.ndarray]:
        """The chosen faces ``first`` .. ``first + n - 1``, at most `BATCH` at a time: uint8 (·, S, S, 3)."""
        for start in range(first, first + n, BATCH):
            yield self.faces.images[self.order[start : min(start + BATCH, first + n)]]

    def images(self, places: np.ndarray) -> np.ndarray:
        """The chosen faces of these numbers, an array of any shape."""
        return self.faces.images[self.order[places]]


def choose(faces: Faces, n: int, seed: int) -> Chosen:
    """n of the faces, or all of them if there are fewer, in the order that ``seed`` gives."""
    return Chosen(faces, rng.order(seed, 0, len(faces.images))[:n], seed)


def features(chosen: Chosen, extractor: Any, progress: bool = True) -> np.ndarray:
    """Features of all chosen faces, float32 (n, length), from the cache if it has them.

    ``extractor`` is a mxgan.metrics.extractors.Extractor. Raises MxganError where the cache can't be written.
    """
    n = len(chosen.order)
    wanted = {
        "format": 1,
        "faces": chosen.faces.fingerprint,
        "order": [chosen.seed, n],
        "extractor": [extractor.name, extractor.input_size, extractor.resize, extractor.weights],
    }
    name = hashlib.blake2b(json.dumps(wanted).encode(), digest_size=16).hexdigest()
    folder = cache_folder().parent / "features"
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise MxganError(
            f"{folder}: features can't be kept there: {error.strerror}; set MXGAN_CACHE to another folder"
        ) from error
    path = folder / f"{name}.npy"
    try:
        found = np.load(path)
        if found.dtype == np.float32 and found.shape == (n, extractor.length):
            return found
    except (OSError, ValueError, EOFError):  # none yet, or damaged: compute them
        found = None
    found = collect(chosen.batches(0, n), n, extractor, "features of real faces", progress)
    with atomic.writing(path) as out:
        np.save(out, found)
    return found


def watched(batches: Iterable[np.ndarray], n: int, title: str, progress: bool = True) -> Iterator[np.ndarray]:
    """The same batches of n images, with a progress bar."""
    with tqdm(
        total=n, desc=title, unit=" faces", dynamic_ncols=True, leave=False, disable=None if progress else True
    ) as bar:
        for images in batches:
            yield images
            bar.update(len(images))


def collect(batches: Iterable[np.ndarray], n: int, extractor: Any, title: str, progress: bool = True) -> np.ndarray:
    """Features of n images, given in batches: float32 (n, length). Raises MxganError if one isn't finite."""
    found = np.empty((n, extractor.length), np.float32)
    done = 0
    for images in watched(batches, n, title, progress):
        found[done : done + len(images)] = extractor.features(images)
        done += len(images)
    if not np.isfinite(found).all():
        raise MxganError(f"{extractor.name}: features that are NaN or infinite: are its weights whole?")
    return found
