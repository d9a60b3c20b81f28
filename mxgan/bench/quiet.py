"""What was measured on, and was it quiet?"""

from __future__ import annotations

import os
import platform
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Optional

from mxgan import machine
from mxgan.machine import processor

BUSY = 0.05  # of the cores' time, used by others or stolen: more than that shows in the numbers


def describe() -> dict[str, Any]:
    """Processor, cores, memory and system, as JSON values."""
    return {
        "processor": processor(),
        "cores": os.cpu_count(),
        "cores_usable": machine.usable_cores(),
        "memory_gb": _memory(),
        "system": f"{platform.system()} {platform.release()} {platform.machine()}",
        "python": platform.python_version(),
    }


@dataclass(frozen=True)
class Clock:
    """The cores' time so far, in seconds: spent by anybody, spent by this process and its children, stolen, all."""

    busy: float
    ours: float
    stolen: float
    total: float


def clock() -> Optional[Clock]:
    """Where the cores' time went until now; None where the system doesn't say (/proc)."""
    try:
        first, *_ = Path("/proc/stat").read_text().splitlines()
        user, nice, system, idle, wait, interrupt, soft, stolen = map(int, first.split()[1:9])
    except (OSError, ValueError):
        return None
    tick = os.sysconf("SC_CLK_TCK")
    times = os.times()
    ours = times.user + times.system + times.children_user + times.children_system
    used = user + nice + system + interrupt + soft
    return Clock(used / tick, ours, stolen / tick, (used + idle + wait + stolen) / tick)


class Watch:
    """From its making on: what did others take of the machine?"""

    def __init__(self) -> None:
        self._load = os.getloadavg()[0] if hasattr(os, "getloadavg") else None
        self._idle = self._used_in(1.0)  # before anything of ours runs
        self._start = clock()

    def report(self) -> dict[str, Any]:
        """JSON values: load_before, others_before, others, stolen (shares of all cores' time), and busy.

        Call it when all children have ended: their time is known then.
        """
        now, before = clock(), self._start
        others = stolen = None
        if now is not None and before is not None and now.total > before.total:
            passed = now.total - before.total
            others = round(max(0.0, (now.busy - before.busy) - (now.ours - before.ours)) / passed, 3)
            stolen = round((now.stolen - before.stolen) / passed, 3)
        shares = [share for share in (others, stolen, self._idle) if share is not None]
        return {
            "load_before": None if self._load is None else round(self._load, 2),
            "others_before": self._idle,
            "others": others,
            "stolen": stolen,
            "busy": any(share > BUSY for share in shares),
        }

    @staticmethod
    def _used_in(seconds: float) -> Optional[float]:
        start = clock()
        time.sleep(seconds)
        now = clock()
        if start is None or now is None or now.total <= start.total:
            return None
        return round((now.busy - start.busy + now.stolen - start.stolen) / (now.total - start.total), 3)


def _memory() -> Optional[float]:
    try:
        return round(os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") / 1e9, 1)
    except (ValueError, OSError, AttributeError):
        return None
