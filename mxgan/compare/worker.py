"""An engine in a process of its own, so that its speed and memory are its own."""

from __future__ import annotations

import contextlib
import multiprocessing
import signal
import time
import traceback
from multiprocessing.connection import Connection
from typing import Any

import numpy as np

from mxgan import engines, machine
from mxgan.config import TrainConfig
from mxgan.engines.protocol import Batch, Engine
from mxgan.errors import TrainingError


class Worker:
    """The parent's end: each method runs in the child and returns its answer.

    Use as a context manager. Raises TrainingError, with the child's last words, where the child fails.
    """

    def __init__(self, choice: engines.Choice, config: TrainConfig) -> None:
        spawn = multiprocessing.get_context("spawn")  # a forked child would inherit the parent's frameworks and threads
        self._pipe, theirs = spawn.Pipe()
        self._process = spawn.Process(target=_serve, args=(theirs, choice, config), daemon=True)
        self._process.start()
        theirs.close()
        self.name = choice.engine
        self.about: dict[str, Any] = self._receive()  # name, ctx, package, version, threads

    def __enter__(self) -> Worker:
        return self

    def __exit__(self, *error: object) -> None:
        self._pipe.close()
        self._process.join(10)
        if self._process.is_alive():
            self._process.kill()
            self._process.join()

    def engine(self, method: str, *arguments: Any) -> Any:
        """Call a method of the engine (see `mxgan.engines.protocol.Engine`)."""
        return self._ask(method, *arguments)

    def train(self, batch: Batch) -> tuple[dict[str, float], float]:
        """One step, waited for: its losses and scores, and the seconds it took. See `Engine.train_step`."""
        return self._ask("timed_step", batch)

    def seconds_to_generate(self, z: np.ndarray) -> float:
        """The seconds that pictures of these latents take, up to their pixels."""
        return self._ask("timed_generate", z)

    def peak_memory(self) -> int:
        """The most memory that the process has had in RAM so far, in bytes."""
        return self._ask("peak_memory")

    def _ask(self, *question: Any) -> Any:
        with contextlib.suppress(OSError):  # the child has gone; what it said last is still to be read
            self._pipe.send(question)
        return self._receive()

    def _receive(self) -> Any:
        try:
            failed, answer = self._pipe.recv()
        except (EOFError, OSError) as error:
            self._process.join(10)
            status = self._process.exitcode
            raise TrainingError(f"the {self.name} process ended unexpectedly (exit status {status})") from error
        if failed:
            raise TrainingError(f"the {self.name} process failed: {answer}")
        return answer


def _serve(pipe: Connection, choice: engines.Choice, config: TrainConfig) -> None:
    """The child: answer questions until the parent hangs up."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the parent's to handle
    try:
        engine = engines.build(choice, config)
        about = {name: getattr(engine, name) for name in ("name", "ctx", "package", "version", "threads")}
        pipe.send((False, about))
        tasks = {"timed_step": _timed_step, "timed_generate": _timed_generate, "peak_memory": _peak_memory}
        while True:
            method, *arguments = pipe.recv()
            task = tasks.get(method)
            pipe.send((False, task(engine, *arguments) if task else getattr(engine, method)(*arguments)))
    except (EOFError, BrokenPipeError, ConnectionResetError):  # the parent has gone
        return
    except Exception as error:
        traceback.print_exc()
        pipe.send((True, f"{type(error).__name__}: {error}"))


def _timed_step(engine: Engine, batch: Batch) -> tuple[dict[str, float], float]:
    start = time.perf_counter()
    stats = engine.train_step(batch).read()
    return stats, time.perf_counter() - start


def _timed_generate(engine: Engine, z: np.ndarray) -> float:
    start = time.perf_counter()
    engine.generate(z)
    return time.perf_counter() - start


def _peak_memory(engine: Engine) -> int:
    return machine.peak_memory()
