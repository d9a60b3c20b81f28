"""Which processes train a run together: what ``torchrun`` says of it in the environment."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from mxgan.errors import MxganError, SettingError

NEEDED = ("RANK", "WORLD_SIZE", "LOCAL_RANK", "MASTER_ADDR", "MASTER_PORT")  # torchrun sets them all


@dataclass(frozen=True)
class Place:
    """This process's place among those of a run. The one of rank 0 writes the run directory."""

    rank: int = 0
    count: int = 1
    local: int = 0  # its number on this host, from 0

    @property
    def first(self) -> bool:
        """Is it the one that writes and speaks?"""
        return self.rank == 0

    def share(self, batch_size: int) -> slice:
        """Its part of a batch. Raises MxganError unless the batch can be divided into equal parts."""
        if batch_size % self.count:
            near = self.count * max(1, round(batch_size / self.count))
            wanted = f"one that {self.count} processes can share equally, such as {near}"
            raise SettingError("batch_size", batch_size, wanted)
        part = batch_size // self.count
        return slice(self.rank * part, (self.rank + 1) * part)


class Alone:
    """A team of one: nobody to wait for (`mxgan.engines.protocol.Team`)."""

    place = Place()

    def agreed(self, number: int) -> int:
        """Its own number."""
        return number

    def told(self, value: Any) -> list[Any]:
        """What it says itself."""
        return [value]

    def from_first(self, value: Any) -> Any:
        """What it says itself."""
        return value


def here(environment: Mapping[str, str] = os.environ) -> Place:
    """The place that ``torchrun`` has given this process; alone without it.

    Raises MxganError where only a part of what it sets is there, or is no number.
    """
    if not {"RANK", "WORLD_SIZE"} & set(environment):
        return Place()
    missing = [name for name in NEEDED if name not in environment]
    if missing:
        there = " and ".join(name for name in ("RANK", "WORLD_SIZE") if name in environment)
        raise MxganError(f"{there} without {', '.join(missing)}: start the processes with torchrun, or unset {there}")
    rank, count, local = (_number(environment, name) for name in NEEDED[:3])
    if not 0 <= rank < count:
        raise MxganError(f"RANK {rank} of WORLD_SIZE {count}: ranks count from 0; start the processes with torchrun")
    return Place(rank, count, local)


def _number(environment: Mapping[str, str], name: str) -> int:
    text = environment[name]
    if not (text.isascii() and text.isdigit()):
        raise MxganError(f"{name} {text!r}: a whole number wanted; start the processes with torchrun")
    return int(text)
