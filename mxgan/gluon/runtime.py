"""A safe ``import mxnet``: today's NumPy and Python, the right number of threads, the CUDA libraries loaded first.

What is worked around was measured on MXNet 1.9.1: it uses NumPy aliases removed in 1.24, ``distutils`` (gone in
Python 3.12), and, with OMP_NUM_THREADS unset, one core of two.
"""

from __future__ import annotations

import ctypes
import importlib
import importlib.metadata
import importlib.util
import os
import sys
import warnings
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np

from mxgan import extras, machine
from mxgan.config import parse_ctx
from mxgan.errors import MissingPackage, SettingError
from mxgan.words import counted

CAPABILITIES = range(5, 9)  # the CUDA wheels hold code for sm_50, 60, 70, 80, 86 and no PTX: majors 5 to 8 run
# In the order they need one another; libcuda.so.1, the driver's, comes with the driver.
CUDA_LIBRARIES = (
    "libcudart.so.11.0", "libnvrtc.so.11.2", "libcublasLt.so.11", "libcublas.so.11", "libcufft.so.10",
    "libcurand.so.10", "libcusparse.so.11", "libcusolver.so.11", "libnvToolsExt.so.1", "libnccl.so.2", "libcudnn.so.8",
)  # fmt: skip
SYSTEM_LIBRARIES = ("libgomp.so.1", "libquadmath.so.0")  # the wheels take them from the system, as compilers bring them
INSTALL_LIBRARIES = "apt install libgomp1 libquadmath0 (Debian, Ubuntu), dnf install libgomp libquadmath (Fedora)"
_computes_with: list[str] = []  # OMP_NUM_THREADS as `load` imported mxnet


def load(threads: int | None = None) -> ModuleType:
    """Import mxnet and return it; nothing global changes but what the import itself does.

    If the import is the first one, MXNet computes with ``threads`` for good (None: OMP_NUM_THREADS where the user has
    set it, otherwise every core this process may use). Raises ImportError with what to type where MXNet is missing or
    can't be imported here.
    """
    if "mxnet" in sys.modules:
        return sys.modules["mxnet"]
    package = installed()
    if package is None:
        if extras.no_mxnet():
            raise ImportError(extras.no_mxnet())
        raise MissingPackage("MXNet is not installed", "cpu")
    numpy_version = importlib.metadata.version("numpy")
    if int(numpy_version.split(".")[0]) >= 2:
        raise MissingPackage(f"MXNet 1.9.1 needs numpy<2 and {numpy_version} is installed", _extra(package))
    with machine.environment_kept():  # MXNet and OpenMP read it as they are loaded
        if threads is not None:
            os.environ["OMP_NUM_THREADS"] = str(threads)
        os.environ.setdefault("OMP_NUM_THREADS", str(machine.usable_cores()))
        _computes_with.append(os.environ["OMP_NUM_THREADS"])
        machine.spare_others()
        if "-cu" in package:
            _load_cuda_libraries(package)
        if sys.version_info >= (3, 12):
            _import_quietly("setuptools")  # brings distutils back
        with _removed_numpy_aliases():
            return _import_quietly("mxnet")


def threads() -> str:
    """How many threads MXNet computes with: what OMP_NUM_THREADS was as it was imported."""
    return _computes_with[-1] if _computes_with else os.environ.get("OMP_NUM_THREADS", "MXNet's default")


def installed() -> str | None:
    """The MXNet distribution that is installed here, such as ``mxnet`` or ``mxnet-cu112``; None without one."""
    if "mxnet" not in sys.modules and importlib.util.find_spec("mxnet") is None:
        return None
    names = (dist.metadata["Name"] or "" for dist in importlib.metadata.distributions())
    found = sorted(name.lower().replace("_", "-") for name in names if name.lower().startswith("mxnet"))
    return found[-1] if found else "mxnet"  # the CUDA build's files lie over the CPU build's where both are


def gpu_problem(number: int = 0) -> str | None:
    """Why MXNet can't use GPU ``number`` here, in one line with what to type; None if it can (nothing is imported)."""
    package = installed()
    if package is None:
        return extras.no_mxnet("cu112") or f"MXNet is not installed: {extras.install_line('cu112')}"
    gpus = driver_gpus()
    if isinstance(gpus, str):
        if "-cu" not in package:
            return (
                f"this is the CPU build of MXNet ({package}) and {gpus}: use --ctx cpu, or install NVIDIA's driver, "
                f"{_replace(package, 'cu112')}"
            )
        return f"{gpus}: install it, or for the CPU: {_replace(package, 'cpu')}"
    if number >= len(gpus):
        return f"there is no GPU {number}: this machine has {counted(len(gpus), 'GPU')}, numbered from 0"
    major, minor = gpus[number]
    if major not in CAPABILITIES:
        return (
            f"GPU {number} has compute capability {major}.{minor}, and MXNet wheels hold code for 5.0 to 8.9 only: "
            f"use --engine pytorch ({extras.install_line('pytorch')}), or --ctx cpu"
        )
    if "-cu" not in package:
        return f"this is the CPU build of MXNet ({package}): {_replace(package, 'cu112')}"
    missing = missing_cuda_libraries()
    if missing:
        return str(_no_libraries(package, missing))
    return None


def _replace(package: str, extra: str) -> str:
    """How to have ``extra`` instead of ``package``, whose files lie in the same place."""
    return extras.no_mxnet(extra) or f"pip uninstall {package}, then {extras.install_line(extra)}"


def _extra(package: str) -> str:
    return "cu112" if "-cu" in package else "cpu"


def driver_gpus() -> list[tuple[int, int]] | str:
    """The compute capability of each GPU that NVIDIA's driver sees, or one line on why there is none."""
    try:
        driver = ctypes.CDLL("libcuda.so.1")
    except OSError:
        return "there is no NVIDIA driver (libcuda.so.1) on this machine"
    code = driver.cuInit(0)
    if code != 0:
        return f"NVIDIA's driver finds no GPU to use (cuInit: error {code})"
    value = ctypes.c_int()
    driver.cuDeviceGetCount(ctypes.byref(value))
    capabilities = []
    for number in range(value.value):
        pair = []
        for attribute in (75, 76):  # CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MAJOR, _MINOR
            driver.cuDeviceGetAttribute(ctypes.byref(value), attribute, number)
            pair.append(value.value)
        capabilities.append((pair[0], pair[1]))
    return capabilities or "NVIDIA's driver finds no GPU"


def missing_cuda_libraries() -> list[str]:
    """Load the libraries of `CUDA_LIBRARIES` so that MXNet finds them; those that can't be loaded are returned."""
    missing = []
    for name in CUDA_LIBRARIES:
        # pip's nvidia-*-cu11 packages first, then wherever the system's loader looks
        places = [str(folder / name) for folder in _nvidia_folders() if (folder / name).exists()]
        for place in [*places, name]:
            try:
                ctypes.CDLL(place, mode=ctypes.RTLD_GLOBAL)
                break
            except OSError:
                continue
        else:
            missing.append(name)
    return missing


def _nvidia_folders() -> list[Path]:
    spec = importlib.util.find_spec("nvidia")
    roots = spec.submodule_search_locations or [] if spec else []
    return sorted(folder for root in roots for folder in Path(root).glob("*/lib"))


def _load_cuda_libraries(package: str) -> None:
    missing = missing_cuda_libraries()
    if missing:
        raise _no_libraries(package, missing)
    try:
        ctypes.CDLL("libcuda.so.1", mode=ctypes.RTLD_GLOBAL)
    except OSError as error:
        raise ImportError(
            f"{package} needs NVIDIA's driver (libcuda.so.1), which this machine lacks: {_replace(package, 'cpu')}"
        ) from error


def _no_libraries(package: str, missing: list[str]) -> MissingPackage:
    return MissingPackage(f"{package} needs CUDA libraries that are missing here ({', '.join(missing)})", "cu112")


def _import_quietly(name: str) -> ModuleType:
    with warnings.catch_warnings():  # MXNet's own, nothing a user can act on; an import under -W error would fail
        warnings.simplefilter("ignore")
        try:
            return importlib.import_module(name)
        except ImportError:
            raise
        except (OSError, AttributeError, RuntimeError) as error:
            said = f"{name} is installed but can't be imported here: {error}".replace("\n", " ")
            lacking = any(library in said for library in SYSTEM_LIBRARIES)
            cure = f"{INSTALL_LIBRARIES}, or {extras.install_line('pytorch')}"
            raise ImportError(f"{said}: {cure}" if lacking else said) from error


@contextmanager
def _removed_numpy_aliases():
    """NumPy's ``np.bool`` and its like, which 1.24 removed and MXNet's modules name as they are imported."""
    added = {"bool": bool, "int": int, "float": float, "complex": complex, "object": object, "str": str}
    added = {name: kind for name, kind in added.items() if name not in vars(np)}
    for name, kind in added.items():
        setattr(np, name, kind)
    try:
        yield
    finally:
        for name in added:
            delattr(np, name)


def context(ctx: str) -> Any:
    """``cpu``, ``gpu`` or ``gpu:N`` as an mxnet Context. Raises MxganError with the cause if the GPU can't be used."""
    kind, number = parse_ctx(ctx)
    if kind != "gpu":
        return load().cpu()
    problem = gpu_problem(number)
    if problem:
        raise SettingError("ctx", ctx, problem)
    return load().gpu(number)
