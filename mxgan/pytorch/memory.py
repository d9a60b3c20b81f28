"""Memory that a step frees is kept for the next one."""

from __future__ import annotations

import ctypes
import os

# glibc's malloc.h
TRIM_THRESHOLD, TOP_PAD, MMAP_MAX = -1, -2, -4
MOST, AHEAD = 2**31 - 1, 2**26  # bytes


def keep() -> bool:
    """Have glibc's malloc keep what is freed, unless the user's MALLOC_ variables say otherwise; was it done?

    PyTorch asks for each array anew. By default large ones come from the kernel and go back to it, which clears their
    pages every time: 4 % of a step. The peak of memory stays what it was. Other C libraries are left as they are.
    """
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is None or any(name.startswith("MALLOC_") for name in os.environ):
        return False
    return all([mallopt(MMAP_MAX, 0), mallopt(TRIM_THRESHOLD, MOST), mallopt(TOP_PAD, AHEAD)])
