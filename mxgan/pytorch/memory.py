"""Memory that a step frees is kept for the next one."""

from __future__ import annotations

import ctypes
import os
import sys

# glibc's malloc.h
TRIM_THRESHOLD, TOP_PAD, MMAP_MAX = -1, -2, -4
MOST, AHEAD = 2**31 - 1, 2**26  # bytes


def keep() -> None:
    """Have glibc's malloc keep what is freed, unless the user's MALLOC_ variables or GLIBC_TUNABLES say otherwise.

    PyTorch asks for each array anew. By default large ones come from the kernel and go back to it, which clears their
    pages every time: 4 % of a step. The peak of memory hardly changes. Other C libraries are left as they are.
    """
    if sys.platform != "linux" or any(name.startswith(("MALLOC_", "GLIBC_TUNABLES")) for name in os.environ):
        return
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is not None:
        for setting, value in ((MMAP_MAX, 0), (TRIM_THRESHOLD, MOST), (TOP_PAD, AHEAD)):
            mallopt(setting, value)
