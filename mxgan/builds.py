"""Which engine has builds for this Python and processor: what setup.py's markers decide, in words.

The Makefile asks before anything is installed, and any Python from 3.7 on can answer: nothing but the standard library.
"""

from __future__ import annotations

import platform
import sys

TRIED = "3.9 to 3.14"


def no_mxnet(cuda: bool = False) -> str:
    """Why MXNet 1.9.1 (``cuda``: its build for GPUs) can't be had here, in half a sentence; empty where it can.

    Its Arm wheel for Linux needs Arm's Performance Libraries, which it doesn't bring; for Apple silicon there is none.
    """
    if sys.version_info >= (3, 13):
        return f"MXNet has no build for Python {_python()}"
    fits = platform.machine() == "x86_64" and (sys.platform == "linux" or not cuda)
    what = "CUDA build" if cuda else "working build"
    return "" if fits else f"MXNet has no {what} for {platform.system()} on {platform.machine()}"


def no_engine() -> str:
    """Why no engine can be had here, in a line with what to do; empty where one can."""
    if sys.version_info < (3, 9):  # noqa: UP036  # the Makefile asks any Python
        return f"Python {_python()} is too old for mxgan: install Python {TRIED}, or name it with make PYTHON=..."
    if sys.version_info >= (3, 13) and (sys.platform, platform.machine()) == ("darwin", "x86_64"):
        return (
            f"neither MXNet nor PyTorch has a build for Python {_python()} on Intel Macs: install Python 3.9 to 3.12, "
            "or name it with make PYTHON=..."
        )
    return ""


def fits(mxnet: bool = False) -> bool:
    """Is this a Python that the program was tried on, with an engine for it (``mxnet``: with MXNet)?"""
    return not no_engine() and sys.version_info < (3, 15) and not (mxnet and no_mxnet())


def line() -> str:
    """Which engine the extra ``run`` installs here, and why. Exits with `no_engine` where there is none."""
    if no_engine():
        sys.exit(f"mxgan: error: {no_engine()}")
    if not no_mxnet():
        return f"engine: MXNet, which has a build for Python {_python()} on {platform.machine()}; 0.5 GB"
    size = "6 GB with the CUDA libraries" if _brings_cuda() else "about 1 GB"
    return f"engine: PyTorch, because {no_mxnet()}; {size}"


def _brings_cuda() -> bool:
    """PyTorch's own packages on the Python index: for Linux on x86-64 the only build is the one for NVIDIA's GPUs."""
    return (sys.platform, platform.machine()) == ("linux", "x86_64")


def _python() -> str:
    return "{}.{}".format(*sys.version_info)
