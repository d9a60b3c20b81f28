"""Was the machine quiet while we measured?"""

from __future__ import annotations

import os
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Optional

BUSY = 0.05  # share of the cores' time used by others or stolen; more than that shows in the numbers


@dataclass(frozen=True)
class Clock:
    """Seconds since the machine started, summed over its cores."""

    busy: float  # with work of any process
    ours: float  # with work of this process and its ended children
    stolen: float  # the host ran another machine instead
    total: float


def clock() -> Optional[Clock]:
    """How the cores have spent their time until now; None where there is no /proc."""
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
    """What other processes take of the machine, from when the watch is made."""

    def __init__(self) -> None:
        self._load = os.getloadavg()[0] if hasattr(os, "getloadavg") else None
        self._idle = self._used_in(1.0)  # before anything of ours runs
        self._start = clock()

    def report(self) -> dict[str, Any]:
        """JSON values: load_before, others_before, others, stolen (shares of all cores' time), and busy.

        Call it when all children have ended: the system counts their time only then.
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
