"""An engine in a process of its own, so that its speed and memory are its own."""

from __future__ import annotations

import sys
import time
from typing import Any

import numpy as np

from mxgan import engines, machine
from mxgan.child import Child, ChildEnded
from mxgan.config import RunConfig
from mxgan.engines.protocol import Batch
from mxgan.errors import TrainingError


class Worker:
    """The parent's end: each method runs in the child and returns its answer.

    Use as a context manager. Raises TrainingError, with the child's last words, where the child fails.
    """

    def __init__(self, choice: engines.Choice, config: RunConfig) -> None:
        self.name = choice.engine
        self._child = Child(Timed, choice, config)
        try:
            self.about: dict[str, Any] = self._call("about")  # name, ctx, package, version, threads
        except BaseException:  # Ctrl-C too
            self._child.end()
            raise

    def __enter__(self) -> Worker:
        return self

    def __exit__(self, *error: object) -> None:
        self._child.end()

    def engine(self, method: str, *arguments: Any) -> Any:
        """Call a method of the engine (see `mxgan.engines.protocol.Engine`)."""
        return self._call("call", method, *arguments)

    def train(self, batch: Batch) -> tuple[dict[str, float], float]:
        """One step, waited for: its losses and scores, and the seconds it took. See `Engine.train_step`."""
        return self._call("train", batch)

    def seconds_to_generate(self, z: np.ndarray) -> float:
        """The seconds from these latents to the pixels of their pictures."""
        return self._call("seconds_to_generate", z)

    def peak_memory(self) -> int:
        """The most memory that the process has had in RAM so far, in bytes."""
        return self._call("peak_memory")

    def _call(self, method: str, *arguments: Any) -> Any:
        try:
            return self._child.call(method, *arguments)
        except ChildEnded as error:
            sys.stderr.write(self._child.said())  # its traceback
            raise TrainingError(f"the {self.name} process failed: {error}") from error


class Timed:
    """The child's end: the engine, and what is measured beside it."""

    def __init__(self, choice: engines.Choice, config: RunConfig) -> None:
        self._engine = engines.build(choice, config)

    def about(self) -> dict[str, Any]:
        """The engine's name, ctx, package, version and threads."""
        return {name: getattr(self._engine, name) for name in ("name", "ctx", "package", "version", "threads")}

    def call(self, method: str, *arguments: Any) -> Any:
        """Call a method of the engine."""
        return getattr(self._engine, method)(*arguments)

    def train(self, batch: Batch) -> tuple[dict[str, float], float]:
        """See `Worker.train`."""
        start = time.perf_counter()
        stats = self._engine.train_step(batch).read()
        return stats, time.perf_counter() - start

    def seconds_to_generate(self, z: np.ndarray) -> float:
        """See `Worker.seconds_to_generate`."""
        start = time.perf_counter()
        self._engine.generate(z)
        return time.perf_counter() - start

    def peak_memory(self) -> int:
        """See `Worker.peak_memory`."""
        return machine.peak_memory()
