"""What every source of faces is: something that lists its members, and opens each of them.

A folder, an archive, a .rec, an array and a Parquet file each have one file of code, which gives `Members`. Everything
else (decoding, resizing, the cache, the reports) is the same for all of them, and begins here.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from typing import Callable, TypeVar, Union

import numpy as np

from mxgan import machine
from mxgan.faces import pictures
from mxgan.faces.pictures import Unreadable

Opened = Union[bytes, np.ndarray]  # a picture file's bytes, or pixels: uint8 (H, W, 3) RGB
T = TypeVar("T")
U = TypeVar("U")
AT_ONCE = 16  # members that a thread is given


@dataclass(frozen=True)
class Member:
    """One face to be: a file of a folder, a record, a row."""

    name: str  # what the source calls it; for a file, its path below the folder
    open: Callable[[], Opened]  # from any thread; raises Unreadable


@dataclass(frozen=True)
class Members:
    """The members of an open source. Their order is the order of the faces."""

    count: int
    each: Iterable[Member]  # once
    in_hand: bool = False  # do they hold their bytes before they are opened? Then few may wait.


def read_all(members: Members, work: Callable[[np.ndarray], T]) -> Iterator[tuple[str, Union[T, str]]]:
    """Open and decode all members on all cores, in order: (name, what ``work`` makes of it), or (name, why not).

    ``work`` gets uint8 (H, W, 3) RGB. A member that can't be read costs only itself.
    """

    def one(member: Member) -> tuple[str, Union[T, str]]:
        try:
            opened = member.open()
            return member.name, work(opened if isinstance(opened, np.ndarray) else pictures.decode(opened, member.name))
        except Unreadable as error:
            return member.name, error.reason

    with pictures.silence():
        for done in parallel(
            lambda some: [one(m) for m in some], _chunks(members.each, 1 if members.in_hand else AT_ONCE)
        ):
            yield from done


def parallel(work: Callable[[T], U], items: Iterable[T]) -> Iterator[U]:
    """``map(work, items)`` on as many threads as there are cores, with only a few results waiting at any time."""
    threads = machine.usable_cores()
    with ThreadPoolExecutor(threads) as pool:
        waiting: deque[Future] = deque()
        for item in items:
            waiting.append(pool.submit(work, item))
            if len(waiting) > 4 * threads:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()


def _chunks(items: Iterable[T], length: int) -> Iterator[list[T]]:
    chunk: list[T] = []
    for item in items:
        chunk.append(item)
        if len(chunk) == length:
            yield chunk
            chunk = []
    if chunk:
        yield chunk
