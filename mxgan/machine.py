"""What this machine is, and what of it this process may use and has used."""

from __future__ import annotations

import math
import os
import platform
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any


def usable_cores(cgroup: Path = Path("/sys/fs/cgroup")) -> int:
    """Cores this process may use: its CPU affinity, within a container's quota (cgroup v2 or v1) rounded up."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    quota = _quota(cgroup)
    return max(1, min(cores, math.ceil(quota)) if quota else cores)


def spare_others() -> None:
    """Let OpenMP's idle threads spin for about a millisecond, then sleep, unless the user has set how they wait.

    Call it before the first import of a framework; later it has no effect. The default, to keep spinning, makes a step
    on a busy machine two to three times slower. Sleeping at once costs 2 to 8 % on a quiet one.
    """
    if not {"OMP_WAIT_POLICY", "GOMP_SPINCOUNT"} & set(os.environ):
        os.environ.update(OMP_WAIT_POLICY="passive", GOMP_SPINCOUNT="50000")


@contextmanager
def environment_kept() -> Iterator[None]:
    """After the block the environment is what it was before it.

    What a framework should find there is read as it is imported; what it leaves there would reach other libraries and
    every program that this process starts.
    """
    before = dict(os.environ)
    try:
        yield
    finally:
        for name in set(os.environ) - set(before):
            del os.environ[name]
        os.environ.update({name: value for name, value in before.items() if os.environ.get(name) != value})


def processor() -> str:
    """The processor's name, such as "AMD EPYC 7B13"; the architecture where the system doesn't give one."""
    try:
        for line in Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    except OSError:
        return platform.processor() or platform.machine()
    return platform.machine()


def peak_memory() -> int:
    """The most memory that this process has had in RAM so far, in bytes.

    Linux's own count (VmHWM) is used where there is one: it starts again with each program, while getrusage's starts
    with what the parent process had.
    """
    try:
        for line in Path("/proc/self/status").read_text(encoding="ascii").splitlines():
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) * 1024
    except OSError:
        pass
    import resource  # not on Windows

    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024


def describe() -> dict[str, Any]:
    """Processor, cores, memory (GB), system and Python, as JSON values for a report."""
    return {
        "processor": processor(),
        "cores": os.cpu_count(),
        "cores_usable": usable_cores(),
        "memory_gb": _memory(),
        "system": f"{platform.system()} {platform.release()} {platform.machine()}",
        "python": platform.python_version(),
    }


def _memory() -> float | None:
    """The machine's memory in GB, or None where the system doesn't tell."""
    try:
        return round(os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") / 1e9, 1)
    except (ValueError, OSError, AttributeError):
        return None


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
