"""Several processes of PyTorch that make each step together, seen as one engine, so that a proof can treat them so."""

from __future__ import annotations

import os
import socket
import sys
from typing import Any

import numpy as np

from mxgan import engines, processes
from mxgan.child import Child, ChildEnded, variables
from mxgan.config import RunConfig, parse_ctx
from mxgan.engines.protocol import Batch, Probe, State, Weights
from mxgan.errors import TrainingError
from mxgan.training import batches


class Several:
    """``count`` processes on this host, connected as `torchrun` would connect them, in float64.

    Use as a context manager. Methods are those of `mxgan.engines.protocol.Engine`. Raises TrainingError where a process
    fails, or where their weights differ in a bit: each has the mean of all gradients, so they may not.
    """

    def __init__(self, config: RunConfig, count: int, ctx: str) -> None:
        with socket.socket() as found:  # free now, and most likely still so in a second
            found.bind(("127.0.0.1", 0))
            port = found.getsockname()[1]
        shared = {"WORLD_SIZE": str(count), "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(port)}
        self._children = [
            Child(
                Share,
                config,
                f"gpu:{rank}" if parse_ctx(ctx)[0] == "gpu" else ctx,
                environment=variables({**os.environ, **shared, "RANK": str(rank), "LOCAL_RANK": str(rank)}),
            )
            for rank in range(count)
        ]

    def __enter__(self) -> Several:
        return self

    def __exit__(self, *error: object) -> None:
        for child in self._children:
            child.end()

    def train_step(self, batch: Batch) -> Losses:
        """Each makes its share of the step."""
        return Losses(self._each("train", batch)[0])

    def probe(self, batch: Batch) -> Probe:
        """The losses and gradients of the whole batch."""
        return self._each("probe", batch)[0]

    def weights(self) -> Weights:
        """The arrays by network, which are the same in each process."""
        return self.state().arrays

    def state(self) -> State:
        """All numbers, which are the same in each process."""
        first, *others = self._each("call", "state")
        for rank, other in enumerate(others, 1):
            for net, arrays in first.arrays.items():
                for name, array in arrays.items():
                    if not np.array_equal(other.arrays[net][name], array):
                        raise TrainingError(f"rank {rank} has another {net} {name} than rank 0")
        return first

    def load_state(self, saved: State) -> None:
        """All begin with these numbers."""
        self._each("call", "load_state", saved)

    def forward(self, z: np.ndarray) -> np.ndarray:
        """Latents to images, by the first process."""
        return self._each("call", "forward", z)[0]

    def discriminate(self, images: np.ndarray) -> np.ndarray:
        """netD's logits, by the first process."""
        return self._each("call", "discriminate", images)[0]

    def _each(self, method: str, *arguments: Any) -> list[Any]:
        """What the processes answer, by rank: all are asked before one is waited for."""
        for child in self._children:
            child.ask(method, *arguments)
        found = list[Any]()
        for rank, child in enumerate(self._children):
            try:
                found.append(child.answer())
            except ChildEnded as error:
                sys.stderr.write(child.said())  # its traceback
                raise TrainingError(f"the process of rank {rank} failed: {error}") from error
        return found


class Losses(dict[str, float]):
    """A step's losses and scores, as an engine's are read."""

    def read(self) -> dict[str, float]:
        """The numbers."""
        return self


class Share:
    """One of the processes: its engine, which is given the whole batch and computes its share."""

    def __init__(self, config: RunConfig, ctx: str) -> None:
        team = engines.join("pytorch")
        self._part = processes.here().share(config.batch_size)
        self._engine = engines.build(engines.Choice("pytorch", ctx, "", 1), config, "float64", team)

    def train(self, batch: Batch) -> dict[str, float]:
        """See `Several.train_step`."""
        return self._engine.train_step(batches.share(batch, self._part)).read()

    def probe(self, batch: Batch) -> Probe:
        """See `Several.probe`."""
        return self._engine.probe(batches.share(batch, self._part))

    def call(self, method: str, *arguments: Any) -> Any:
        """Call a method of the engine."""
        return getattr(self._engine, method)(*arguments)
