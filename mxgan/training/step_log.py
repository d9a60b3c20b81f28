"""The numbers of each step on their way to the log, the screen and the watch over the run."""

from __future__ import annotations

import math
import time
from collections import deque
from typing import Any, Optional

import numpy as np

from mxgan.engines.protocol import Stats
from mxgan.training import log_file, monitor, validation
from mxgan.training.progress import Progress

RATE_STEPS = 20  # images/s is a mean over this many steps


class StepLog:
    """Reads a step's numbers after the next step has been handed to the engine.

    So the engine never idles for the sake of the log, and never runs more than one step ahead of it.
    """

    def __init__(self, file: log_file.LogFile, earlier: list[dict[str, Any]], per_epoch: int, batch_size: int) -> None:
        self.file = file
        self._per_epoch, self._batch_size = per_epoch, batch_size
        self._waiting: Optional[tuple[int, np.ndarray, Stats]] = None
        self._indices: list[np.ndarray] = []  # of the last two steps
        steps = [record for record in earlier if "loss_d" in record]
        self._recent = deque(steps, maxlen=monitor.STEPS)
        self._varieties = [(record["step"], record["variety"]) for record in earlier if "variety" in record]
        self.scores = validation.of(earlier)
        self._warned = {record["kind"]: record["step"] for record in earlier if "kind" in record}
        self._start = time.monotonic() - (steps[-1]["seconds"] if steps else 0.0)
        self._ends = deque([time.monotonic()], maxlen=RATE_STEPS + 1)
        self._full = False  # has the user been told that lines wait for room on the disk?

    def add(self, step: int, indices: np.ndarray, stats: Stats, progress: Progress) -> None:
        """``step``, of the images ``indices``, is on its way. Raises NonFinite as `flush` does."""
        self.flush(progress)
        self._waiting = step, indices, stats

    def flush(self, progress: Progress) -> None:
        """Wait for the last step's numbers. Raises NonFinite if one isn't finite."""
        if self._waiting is None:
            return
        (step, indices, stats), self._waiting = self._waiting, None
        numbers = stats.read()
        self._ends.append(time.monotonic())
        self._indices = [*self._indices[-1:], indices]
        if not all(map(math.isfinite, numbers.values())):
            self.fail(step, ", ".join(f"{name} {value}" for name, value in numbers.items()))
        rate = (len(self._ends) - 1) * self._batch_size / max(self._ends[-1] - self._ends[0], 1e-9)
        record = {
            "step": step,
            "epoch": self._epoch(step),
            **numbers,
            "images_per_s": round(rate, 1),
            "seconds": round(self._ends[-1] - self._start, 3),
        }
        self._append(record, progress)
        self._recent.append(record)
        progress.show(record)
        self.warn("d_wins", step, monitor.d_wins(self._recent), progress)

    def fail(self, step: int, numbers: str) -> None:
        """Raise NonFinite: after ``step``, the last that was flushed, ``numbers`` weren't finite."""
        raise NonFinite(step, self._indices, numbers)

    def add_variety(self, step: int, variety: float, progress: Progress) -> None:
        """Write down how much the samples after ``step`` differ (see `monitor.variety`), and warn if they collapsed."""
        self._varieties.append((step, variety))
        self._append({"step": step, "variety": variety}, progress)
        self.warn("collapse", step, monitor.collapsed(self._varieties), progress)

    def add_score(self, one: validation.Score, progress: Progress) -> None:
        """Write down how good the pictures after a step are (see `mxgan.training.validation`)."""
        self.scores.append(one)
        finish = {"finish": True} if one.finish else {}
        self._append({"step": one.step, "epoch": self._epoch(one.step), "score": one.value, **finish}, progress)
        progress.scored(one.value)

    def warn(self, kind: str, step: int, warning: Optional[str], progress: Progress) -> None:
        """Put a warning into the log and onto the screen, unless the same kind was given a short while ago."""
        if warning is None or step - self._warned.get(kind, -monitor.AGAIN) < monitor.AGAIN:
            return
        self._warned[kind] = step
        self._append({"step": step, "kind": kind, "warning": warning}, progress)
        progress.warn(kind, f"step {step}: {warning}")

    def _epoch(self, step: int) -> int:
        return math.ceil(step / self._per_epoch)

    def _append(self, record: dict[str, Any], progress: Progress) -> None:
        error = self.file.append(record)
        if error is not None and not self._full:
            progress.say(f"log.jsonl can't be written ({error.strerror or error}): its lines wait, the run goes on")
        self._full = error is not None


class NonFinite(Exception):
    """A step gave numbers that aren't finite. ``indices``: the images of the step before, if known, and of this one."""

    def __init__(self, step: int, indices: list[np.ndarray], numbers: str) -> None:
        super().__init__(f"step {step} isn't finite ({numbers})")
        self.step, self.indices = step, indices
