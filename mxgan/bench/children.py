"""Each job in a process of its own: started together, told in turns to work, ended together."""

from __future__ import annotations

import os
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass, field
from statistics import median
from typing import Optional

from mxgan.bench.jobs import Job
from mxgan.bench.worker import Worker
from mxgan.child import Child, ChildEnded, variables

THREAD_VARIABLES = ("OMP_", "MKL_", "GOMP_", "KMP_", "OPENBLAS_", "MXNET_")


@dataclass
class Measured:
    """A job's seconds, one number a round; or why there are none."""

    seconds: list[float] = field(default_factory=list)
    processor: list[float] = field(default_factory=list)  # seconds of processor time, of all threads together
    waiting: list[float] = field(default_factory=list)  # the share of the seconds spent waiting for faces
    versions: dict[str, str] = field(default_factory=dict)
    problem: Optional[str] = None

    @property
    def median(self) -> float:
        return median(self.seconds)


def measure(jobs: dict[str, Job], rounds: int, threads: int, say: Callable[[str], None]) -> dict[str, Measured]:
    """``rounds`` times all jobs, one after the other: A B C A B C ... ``say`` gets a line before each."""
    found = {name: Measured() for name in jobs}
    with ExitStack() as stack:
        children = {
            name: stack.enter_context(Child(Worker, job.kind, job.values, environment=_environment_of(job, threads)))
            for name, job in jobs.items()
        }
        for name, child in children.items():
            say(f"warming up: {name}")
            try:
                found[name].versions = child.call("versions")
            except ChildEnded as error:
                found[name].problem = str(error)
        able = [name for name in jobs if found[name].problem is None]
        for number in range(rounds):
            for name in able:
                if found[name].problem is None:
                    say(f"round {number + 1} of {rounds}: {name}")
                    _measure_once(children[name], jobs[name], found[name])
    return found


def _measure_once(child: Child, job: Job, into: Measured) -> None:
    try:
        answer = child.call("measure", job.count)
    except ChildEnded as error:
        into.problem = str(error)
        return
    into.seconds.append(answer["seconds"])
    into.processor.append(answer["processor"])
    if "waiting" in answer:
        into.waiting.append(answer["waiting"])


def _environment_of(job: Job, threads: int) -> dict[str, str]:
    return environment(threads if job.threads_set else None)


def environment(threads: Optional[int]) -> dict[str, str]:
    """This process's environment with that many threads to compute with; None: with no thread variable at all."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(THREAD_VARIABLES)}
    return variables(kept if threads is None else {**kept, "OMP_NUM_THREADS": str(threads)})
