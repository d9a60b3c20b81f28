"""Faces that are there more than once: the same pixels, or the same picture scaled, compressed or shifted.

Three looks, each at far fewer pairs than the one before. Of 9,100 variants of 700 real faces, drawn and photographed
(half to double size, JPEG quality from 20, shifts by a pixel, two of these at once), they find all but 3. Among 5,000
portraits of CelebA, all aligned and much alike, they find the two pairs that there are and no other.

1. pHash (Zauner 2010, www.phash.org): 64 signs of low frequencies, at most `BITS` apart. The bits are those of the
   library ImageHash, which takes 1.4 ms a face, with SciPy; OpenCV's cosine transform takes 0.1;
2. the picture in 8×8 pixels: at most `COARSE` levels apart, on average;
3. the picture in 64×64, slightly blurred: a correlation of at least `ALIKE` where it fits best, two pixels around.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import cv2
import numpy as np

BITS = 12  # of 64
COARSE = 12  # of 255
ALIKE = 0.96
SIDE = 64  # pixels of a picture as it is compared
SHIFT = 2  # pixels
BLOCK = 256  # faces that are compared with all before them at once
UNSCALED = np.outer([2**0.5, *[1] * 7], [2**0.5, *[1] * 7]).astype(np.float32)  # ImageHash's DCT is not orthonormal
RULE = [1, BITS, COARSE, ALIKE]  # changes whenever other faces would be found


@dataclass(frozen=True)
class Look:
    """What is needed of a face to tell which few others it may be a duplicate of."""

    digest: bytes  # of all pixels
    signs: np.ndarray  # bool (64,): pHash
    coarse: np.ndarray  # uint8 (192,): 8×8 pixels


@dataclass(frozen=True)
class Duplicates:
    """Which of N faces are duplicates, and of which face before them. A face that is none is its own original."""

    equal: np.ndarray  # int64 (N,): the first face with the same pixels
    original: np.ndarray  # int64 (N,): the first face of the same picture

    @property
    def kept(self) -> np.ndarray:
        """The numbers of the faces that are no duplicates."""
        return np.flatnonzero(self.original == np.arange(len(self.original)))


def look(face: np.ndarray) -> Look:
    """What `Album` takes of a face, uint8 (S, S, 3) RGB."""
    grey = cv2.resize(cv2.cvtColor(face, cv2.COLOR_RGB2GRAY), (32, 32), interpolation=cv2.INTER_AREA)
    low = cv2.dct(grey.astype(np.float32))[:8, :8] * UNSCALED
    coarse = cv2.resize(face, (8, 8), interpolation=cv2.INTER_AREA)
    digest = hashlib.blake2b(np.ascontiguousarray(face).data, digest_size=16).digest()
    return Look(digest, (low > np.median(low)).ravel(), coarse.reshape(-1))


class Album:
    """Faces as they come by, 400 bytes of each, to find the duplicates among them."""

    def __init__(self) -> None:
        self._numbers: dict[bytes, int] = {}  # digest: which of the different ones
        self._place: list[int] = []  # of each face, among the different ones
        self._signs, self._coarse = bytearray(), bytearray()

    def add(self, one: Look) -> bool:
        """Take in the next face; whether it is different from all before it."""
        new = len(self._numbers)
        number = self._numbers.setdefault(one.digest, new)
        self._place.append(number)
        if number == new:
            self._signs += one.signs.tobytes()
            self._coarse += one.coarse.tobytes()
        return number == new

    def duplicates(self, thumbnail: Callable[[int], np.ndarray]) -> Duplicates:
        """What was found; ``thumbnail(k)``: that of the k-th different face."""
        signs = np.frombuffer(self._signs, bool).reshape(-1, 64)
        coarse = np.frombuffer(self._coarse, np.uint8).reshape(-1, 192)
        place = np.array(self._place, np.int64)
        _, firsts = np.unique(place, return_index=True)
        return Duplicates(firsts[place], firsts[originals(signs, coarse, thumbnail)[place]])


def thumbnail(face: np.ndarray) -> np.ndarray:
    """The face as the third look sees it: uint8 (64, 64, 3)."""
    if face.shape[0] == SIDE:
        return face
    how = cv2.INTER_AREA if face.shape[0] > SIDE else cv2.INTER_CUBIC
    return cv2.resize(face, (SIDE, SIDE), interpolation=how)


def alike(one: np.ndarray, other: np.ndarray) -> bool:
    """Whether two thumbnails are of the same picture: the third look."""
    first, second = (cv2.GaussianBlur(face, (0, 0), 1) for face in (one, other))
    if np.array_equal(first, second):  # also of one colour, which has no correlation
        return True
    found = cv2.matchTemplate(second, first[SHIFT:-SHIFT, SHIFT:-SHIFT], cv2.TM_CCOEFF_NORMED)
    return bool(found.max() >= ALIKE)


def originals(signs: np.ndarray, coarse: np.ndarray, face: Callable[[int], np.ndarray]) -> np.ndarray:
    """For each of N faces, the first face that it is a near duplicate of; its own number if it is none. int64 (N,).

    ``signs``: bool (N, 64), ``coarse``: uint8 (N, 192), as `look` gives them; ``face(i)``: thumbnail i. A face is
    compared with those before it that are no duplicates themselves, so that likeness doesn't wander along a chain.
    """
    n = len(signs)
    found, kept = np.arange(n), np.empty(n, np.int64)
    codes = np.where(signs, np.float32(1), np.float32(-1))
    count = 0
    for first in range(0, n, BLOCK):
        block = np.arange(first, min(first + BLOCK, n))
        before = np.concatenate([kept[:count], block])
        for i, candidates in _candidates(block, before, codes, coarse):
            mine = face(i)
            for j in candidates:
                if found[j] == j and alike(face(j), mine):
                    found[i] = j
                    break
        new = block[found[block] == block]
        kept[count : count + len(new)] = new
        count += len(new)
    return found


def _candidates(
    block: np.ndarray, before: np.ndarray, codes: np.ndarray, coarse: np.ndarray
) -> Iterator[tuple[int, np.ndarray]]:
    """(i, those before it that the first two looks leave), for each face of ``block`` that has some."""
    same = codes[block] @ codes[before].T  # of 64 signs as 1 and -1: 64 - 2 * how many differ
    rows, columns = np.nonzero(same >= 64 - 2 * BITS)
    ones, others = block[rows], before[columns]
    earlier = others < ones
    ones, others = ones[earlier], others[earlier]
    near = np.empty(len(ones), bool)
    for first in range(0, len(ones), 8192):  # pairs: few in memory, whatever there is
        part = slice(first, first + 8192)
        apart = np.abs(coarse[ones[part]].astype(np.int16) - coarse[others[part]])
        near[part] = apart.mean(1) <= COARSE
    ones, others = ones[near], others[near]
    starts = np.flatnonzero(np.diff(ones, prepend=-1))
    for start, stop in zip(starts, [*starts[1:], len(ones)]):
        yield int(ones[start]), np.sort(others[start:stop])
