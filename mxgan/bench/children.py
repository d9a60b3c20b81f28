"""Workers: started together, told in turns to work, ended together."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median
from typing import Any, Optional

from mxgan.bench.jobs import Job

ROOT = Path(__file__).parents[2]
THREAD_VARIABLES = ("OMP_", "MKL_", "GOMP_", "KMP_", "OPENBLAS_", "MXNET_")


@dataclass
class Measured:
    """A job's seconds, one number a round; or why there are none."""

    seconds: list[float] = field(default_factory=list)
    processor: list[float] = field(default_factory=list)  # seconds of processor time, of all threads together
    waiting: list[float] = field(default_factory=list)  # the share of each that went into waiting for faces
    versions: dict[str, str] = field(default_factory=dict)
    problem: Optional[str] = None

    @property
    def median(self) -> float:
        return median(self.seconds)


def measure(jobs: dict[str, Job], rounds: int, threads: int, say) -> dict[str, Measured]:
    """``rounds`` times all jobs, one after the other: A B C A B C ... ``say`` is told what is going on."""
    found = {name: Measured() for name in jobs}
    with _workers(jobs, threads) as workers:
        for name, worker in workers.items():
            say(f"warming up: {name}")
            try:
                found[name].versions = worker.answer()["versions"]
            except _Ended as error:
                found[name].problem = str(error)
        able = [name for name in jobs if found[name].problem is None]
        for number in range(rounds):
            for name in able:
                if found[name].problem is None:
                    say(f"round {number + 1} of {rounds}: {name}")
                    _measure_once(workers[name], jobs[name], found[name])
    return found


def _measure_once(worker: _Worker, job: Job, into: Measured) -> None:
    try:
        answer = worker.ask(job.count)
    except _Ended as error:
        into.problem = str(error)
        return
    into.seconds.append(answer["seconds"])
    into.processor.append(answer["processor"])
    if "waiting" in answer:
        into.waiting.append(answer["waiting"])


def environment(threads: Optional[int]) -> dict[str, str]:
    """This process's environment with that many threads to compute with; None: with no thread variable at all."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(THREAD_VARIABLES)}
    path = os.pathsep.join(filter(None, [str(ROOT), os.environ.get("PYTHONPATH")]))
    return {**kept, "PYTHONPATH": path, **({} if threads is None else {"OMP_NUM_THREADS": str(threads)})}


class _Ended(Exception):
    """A worker is gone; its last words."""


class _Worker:
    def __init__(self, job: Job, threads: int) -> None:
        self._said = tempfile.TemporaryFile()  # noqa: SIM115 (open as long as the process)
        described = {"kind": job.kind, "values": job.values}
        self.process = subprocess.Popen(
            [sys.executable, "-m", "mxgan.bench.worker", json.dumps(described)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._said,
            env=environment(threads if job.threads_set else None),
            text=True,
        )

    def ask(self, count: int) -> dict[str, Any]:
        """Have ``count`` steps made, and wait for the answer."""
        try:
            self.process.stdin.write(f"{count}\n")
            self.process.stdin.flush()
        except BrokenPipeError:
            pass  # `answer` says why
        return self.answer()

    def answer(self) -> dict[str, Any]:
        line = self.process.stdout.readline()
        if not line:
            status = self.process.wait()
            self._said.seek(0)
            words = self._said.read().decode(errors="replace").strip().splitlines()
            raise _Ended(words[-1] if words else f"its process ended with status {status}")
        return json.loads(line)

    def end(self) -> None:
        self.process.kill()
        self.process.wait()
        self.process.stdin.close()
        self.process.stdout.close()
        self._said.close()


@contextmanager
def _workers(jobs: dict[str, Job], threads: int) -> Iterator[dict[str, _Worker]]:
    workers: dict[str, _Worker] = {}
    try:
        for name, job in jobs.items():
            workers[name] = _Worker(job, threads)
        yield workers
    finally:
        for worker in workers.values():
            worker.end()
