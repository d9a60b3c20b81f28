"""Every random number in mxgan, drawn from (seed, stream, counter).

The source is Philox, a counter-based generator (Salmon et al. 2011, "Parallel random numbers: as easy as 1, 2, 3"):
any draw can be made without the draws before it. So a resumed run needs no generator state, both engines see the same
numbers, and a sample's latent depends only on its seed and index. Checksums in the tests pin the streams.
"""

from __future__ import annotations

import hashlib

import numpy as np

from mxgan import checks

STREAMS = ("D step", "G step", "samples", "generate", "augmentation", "flip", "painted", "score", "statistics")
BLOCK = (
    64  # latents to generate from are drawn in blocks of this size, so that they don't depend on n or the batch size
)


def generator(seed: int, stream: str, counter: int = 0) -> np.random.Generator:
    """The generator for (seed, stream, counter); 2**192 numbers lie between two counters.

    Raises MxganError for a seed outside 0..2**63-1.
    """
    return np.random.Generator(_philox(seed, stream, counter))


def latents(seed: int, stream: str, step: int, n: int, latent: int) -> np.ndarray:
    """Standard normal latents of one step: float32 (n, latent). ``stream`` is one of `STREAMS`."""
    if stream not in STREAMS:
        raise ValueError(f"unknown stream {stream!r}: one of {', '.join(STREAMS)}")
    return generator(seed, stream, step).standard_normal((n, latent), dtype=np.float32)


def samples(seed: int, first: int, n: int, latent: int, uniform: bool = False) -> np.ndarray:
    """Latents of the generated samples ``first`` .. ``first + n - 1``: float32 (n, latent).

    Standard normal, or uniform in [-1, 1). Sample i is the same whatever ``first`` and ``n`` are: the first 64 of 100
    samples are the 64 of 64.
    """
    blocks = range(first // BLOCK, -(-(first + n) // BLOCK))
    if uniform:
        drawn = [fractions(seed, "generate", block, (BLOCK, latent)) * 2 - 1 for block in blocks]
    else:
        drawn = [latents(seed, "generate", block, BLOCK, latent) for block in blocks]
    start = first % BLOCK
    return np.concatenate(drawn or [np.empty((0, latent), np.float32)])[start : start + n]


def order(seed: int, epoch: int, n: int) -> np.ndarray:
    """The order of one pass over n images: an int64 permutation of 0..n-1."""
    return np.argsort(_philox(seed, "order", epoch).random_raw(n), kind="stable")


def normal(seed: int, name: str, shape: tuple[int, ...]) -> np.ndarray:
    """Standard normal initial weights of the array called ``name``: float32, in row-major order."""
    return generator(seed, f"weights {name}").standard_normal(shape, dtype=np.float32)


def uniform(seed: int, name: str, shape: tuple[int, ...]) -> np.ndarray:
    """Initial weights of the array called ``name``, uniform in [-1, 1): float32, in row-major order."""
    raw = _philox(seed, f"weights {name}").random_raw(int(np.prod(shape, dtype=np.int64)))
    return ((raw >> np.uint64(40)).astype(np.float32) * np.float32(2.0**-23) - np.float32(1)).reshape(shape)


def fractions(seed: int, stream: str, counter: int, shape: tuple[int, ...]) -> np.ndarray:
    """Numbers of one step, uniform in [0, 1): float32, in row-major order. ``stream`` is one of `STREAMS`."""
    if stream not in STREAMS:
        raise ValueError(f"unknown stream {stream!r}: one of {', '.join(STREAMS)}")
    raw = _philox(seed, stream, counter).random_raw(int(np.prod(shape, dtype=np.int64)))
    return ((raw >> np.uint64(40)).astype(np.float32) * np.float32(2.0**-24)).reshape(shape)


def _philox(seed: int, stream: str, counter: int = 0) -> np.random.Philox:
    checks.whole("seed", seed, 0, 2**63 - 1)
    digest = hashlib.sha256(stream.encode()).digest()
    key = np.array([seed, int.from_bytes(digest[:8], "little")], dtype=np.uint64)
    return np.random.Philox(key=key, counter=np.array([0, 0, 0, counter], dtype=np.uint64))
