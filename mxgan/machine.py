"""What this machine is and how much of it is ours: the processor, the cores this process may use, idle threads."""

from __future__ import annotations

import math
import os
import platform
from pathlib import Path


def usable_cores(cgroup: Path = Path("/sys/fs/cgroup")) -> int:
    """Cores this process may use: its CPU affinity, within a container's quota (cgroup v2 or v1) rounded up."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    quota = _quota(cgroup)
    return max(1, min(cores, math.ceil(quota)) if quota else cores)


def spare_others() -> None:
    """Have OpenMP's idle threads spin for about a millisecond and then sleep, unless the user has said otherwise.

    Heeded by the first import of a framework alone. Spinning on, as is usual, makes a step on a busy machine two to
    three times slower; sleeping at once costs 2 to 8 % on a quiet one.
    """
    if not {"OMP_WAIT_POLICY", "GOMP_SPINCOUNT"} & set(os.environ):
        os.environ.update(OMP_WAIT_POLICY="passive", GOMP_SPINCOUNT="50000")


def processor() -> str:
    """The processor's name, as exactly as the system tells it."""
    try:
        for line in Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    except OSError:
        return platform.processor() or platform.machine()
    return platform.machine()


def _quota(cgroup: Path) -> float | None:
    """CPUs' worth of time that the container may use, or None where nothing limits it."""
    try:
        limit, period = (cgroup / "cpu.max").read_text().split()
    except (OSError, ValueError):
        try:
            limit = (cgroup / "cpu" / "cpu.cfs_quota_us").read_text()
            period = (cgroup / "cpu" / "cpu.cfs_period_us").read_text()
        except OSError:
            return None
    try:
        quota = int(limit) / int(period)
    except (ValueError, ZeroDivisionError):  # "max"
        return None
    return quota if quota > 0 else None
