"""A safe ``import torch``: is it installed, does it see the GPU, how many threads may it use."""

from __future__ import annotations

import importlib
import importlib.metadata
import importlib.util
import os
import sys
from functools import cache
from types import ModuleType
from typing import Any

from mxgan import extras, machine
from mxgan.config import parse_ctx
from mxgan.errors import MissingPackage, SettingError
from mxgan.pytorch import memory
from mxgan.words import counted

MAC = "PyTorch has no CUDA on a Mac: use --ctx mps for an Apple GPU, or --ctx cpu"
MPS_SINCE = (2, 5)  # PyTorch; earlier ones have no autocast there
SPAWN = 'start it with multiprocessing.get_context("spawn")'


def installed() -> bool:
    """Whether there is a PyTorch to import; imports nothing."""
    return "torch" in sys.modules or importlib.util.find_spec("torch") is not None


def load(threads: int | None = None) -> ModuleType:
    """Import torch and return it; ``threads`` to compute with are set (None: left alone), and nothing else global is.

    Raises ImportError with what to type where PyTorch is missing or can't be imported here.
    """
    if not installed():
        raise MissingPackage("PyTorch is not installed", "pytorch")
    home()
    with machine.environment_kept():
        machine.spare_others()
        try:
            torch = importlib.import_module("torch")
        except (ImportError, OSError, AttributeError) as error:  # OSError: a shared library is missing
            raise ImportError(f"PyTorch is installed but can't be imported here: {error}".replace("\n", " ")) from error
    wanted = 1 if forked() else threads
    if threads and torch.get_num_threads() != wanted:
        torch.set_num_threads(wanted)
    return torch


def prepare(threads: int | None = None) -> ModuleType:
    """As `load`, for a process of mxgan's own: it keeps its memory and has ``threads`` (None: `usable_threads`)."""
    memory.keep()
    return load(threads or usable_threads())


def usable_threads() -> int:
    """Threads to compute with: as many as are set, but no more than the cores this process may use; 1 if `forked`."""
    return 1 if forked() else min(load().get_num_threads(), machine.usable_cores())


@cache
def home() -> int:
    """The number of the process that first loaded PyTorch; children that are made by fork inherit the answer."""
    return os.getpid()


def forked() -> bool:
    """Whether this process was made by fork from one that had loaded PyTorch.

    OpenMP's threads don't exist here, and it waits for them for ever: only one thread may compute, as in the workers of
    PyTorch's own DataLoader.
    """
    return os.getpid() != home()


def gpu_problem(number: int = 0) -> str | None:
    """Why PyTorch can't use GPU ``number`` here, in one line with what to type; None if it can."""
    if not installed():
        return f"PyTorch is not installed: {extras.install_line('pytorch')}"
    if "+cpu" in _version():  # known without the import, which takes seconds
        return _cpu_build(_version())
    torch = load()
    if torch.version.cuda is None and getattr(torch.version, "hip", None) is None:
        return _cpu_build(torch.__version__) if sys.platform != "darwin" else MAC
    if torch.cuda._is_in_bad_fork():  # CUDA can't be used again
        return "this process was made by fork from one that has used the GPU: " + SPAWN
    gpus = torch.cuda.device_count()
    if not torch.cuda.is_available() or gpus == 0:
        return f"PyTorch {torch.__version__} finds no GPU or no driver for it: see nvidia-smi, or use --ctx cpu"
    if number >= gpus:
        return f"there is no GPU {number}: this machine has {counted(gpus, 'GPU')}, numbered from 0"
    major, minor = torch.cuda.get_device_capability(number)
    if torch.version.cuda is not None and not _has_code(torch.cuda.get_arch_list(), major, minor):
        return (
            f"GPU {number} has compute capability {major}.{minor} and this PyTorch ({torch.__version__}) has no code "
            "for it: install another build (https://pytorch.org/get-started/locally), or use --ctx cpu"
        )
    return None


def mps_problem() -> str | None:
    """Why PyTorch can't use an Apple GPU here, in one line with what to type; None if it can."""
    if not installed():
        return f"PyTorch is not installed: {extras.install_line('pytorch')}"
    torch = load()
    if not torch.backends.mps.is_built():
        return f"this PyTorch ({torch.__version__}) has no code for Apple's GPUs: use --ctx gpu or --ctx cpu"
    if not torch.backends.mps.is_available():
        return f"PyTorch {torch.__version__} finds no Apple GPU that it can use: update macOS, or use --ctx cpu"
    if tuple(map(int, torch.__version__.split(".")[:2])) < MPS_SINCE:
        return (
            f"PyTorch {torch.__version__} is too old for --ctx mps: pip install --upgrade 'torch>=2.5', "
            "or use --ctx cpu"
        )
    return None


def device(ctx: str) -> Any:
    """``cpu``, ``gpu``, ``gpu:N``, ``mps`` as a torch.device. Raises MxganError with the cause where it isn't there."""
    kind, number = parse_ctx(ctx)
    torch = load()
    if kind not in ("gpu", "mps"):
        return torch.device("cpu")
    problem = gpu_problem(number) if kind == "gpu" else mps_problem()
    if problem:
        raise SettingError("ctx", ctx, problem)
    return torch.device("cuda", number) if kind == "gpu" else torch.device("mps")


def _version() -> str:
    """What the installed package says; nothing is imported, and nothing said where it came without metadata."""
    try:
        return importlib.metadata.version("torch")
    except importlib.metadata.PackageNotFoundError:
        return ""


def _cpu_build(version: str) -> str:
    return (
        f"this is a CPU build of PyTorch ({version}): install the CUDA build that "
        "https://pytorch.org/get-started/locally names for this machine, or use --ctx cpu"
    )


def _has_code(architectures: list[str], major: int, minor: int) -> bool:
    """sm_XY runs on its own major from minor Y on; compute_XY (PTX) on every later GPU too."""
    for architecture in architectures:
        kind, _, digits = architecture.partition("_")
        digits = digits.rstrip("abcdefghijklmnopqrstuvwxyz")  # sm_90a
        if digits.isdigit():
            built = divmod(int(digits), 10)
            same_family = kind == "sm" and built[0] == major and built[1] <= minor
            if same_family or (kind == "compute" and built <= (major, minor)):
                return True
    return False
