"""A set without its duplicates."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from functools import partial
from itertools import chain

import numpy as np

from mxgan.faces import spool
from mxgan.faces.duplicates import BLOCK, SIDE, Album, look, thumbnail
from mxgan.faces.members import Member, Members, parallel
from mxgan.faces.sources import cache_folder
from mxgan.words import counted


@contextmanager
def members(images: np.ndarray, shown: str, progress: bool) -> Iterator[Members]:
    """The different ones of images, uint8 (N, S, S, 3), in their order."""
    if progress:
        print(f"comparing {counted(len(images), 'face')}: {shown}", file=sys.stderr, flush=True)
    album, different = Album(), list[int]()
    firsts = range(0, len(images), BLOCK)
    looked = parallel(lambda first: [look(image) for image in images[first : first + BLOCK]], firsts)
    for i, one in enumerate(chain.from_iterable(looked)):
        if album.add(one):
            different.append(i)
    kept = album.duplicates(lambda k: thumbnail(images[different[k]])).kept
    yield Members(len(kept), (Member(f"face {i}", partial(np.array, images[i])) for i in kept))


def count(images: Iterable[np.ndarray]) -> tuple[int, int]:
    """How many different ones there are, and how many duplicates of them; thumbnails go to a temporary file."""
    album, n = Album(), 0
    with spool.temporary(cache_folder(), "thumbnails") as file:
        for image in images:
            n += 1
            if album.add(look(image)):
                file.write(thumbnail(image).tobytes())
        file.flush()
        small = np.memmap(file, np.uint8, "r").reshape(-1, SIDE, SIDE, 3)
        different = len(album.duplicates(lambda k: small[k]).kept)
    return different, n - different


def say(before: int, after: int, progress: bool) -> None:
    """Tell the user how many went."""
    if progress:
        print(f"{before - after:,} of {counted(before, 'face')} left out: duplicates", file=sys.stderr, flush=True)
