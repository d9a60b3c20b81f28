"""Which engine runs on which ctx here, and why; and how it is built. `protocol` says what an engine is."""

from __future__ import annotations

import dataclasses
import importlib
import importlib.metadata
import importlib.util
import os
from collections.abc import Sequence
from dataclasses import dataclass, field
from types import ModuleType
from typing import Optional

import numpy as np

from mxgan import extras, processes
from mxgan.config import RunConfig, TrainConfig, parse_ctx
from mxgan.engines.protocol import Engine, Forward, Team
from mxgan.errors import SettingError, in_shell
from mxgan.graph import Graph

TRAINERS = ("mxnet", "pytorch")
ON_CPU = ("onnx", "numpy")  # these generate, on the CPU alone
GENERATORS = ("onnx", *TRAINERS, "numpy")  # of those that compute on the CPU, ONNX Runtime is the first to be ready
LITTLE = 2**34  # multiply-adds that NumPy has done, in half a second, before another engine is loaded
TITLES = {"mxnet": "MXNet", "pytorch": "PyTorch", "onnx": "ONNX Runtime", "numpy": "NumPy"}

TOO_LARGE = (
    "can't allocate memory",
    "out of memory",
    "Failed to allocate",
    "Size of tensor you are trying to allocate",
)


@dataclass(frozen=True)
class Choice:
    """Which engine runs on which ctx, and why, in a sentence."""

    engine: str
    ctx: str
    why: str
    threads: Optional[int] = None  # to compute with; None: the cores this process may use
    passed_over: str = field(default="", compare=False)  # why an engine before this one doesn't run on the CPU here

    def line(self, asked: str = "auto", verbose: bool = False) -> str:
        """``mxnet on cpu``, for people; and why, if they wish, or where they ``asked`` for a GPU as the ctx.

        Where another engine would have come first, ``pytorch on cpu`` always says why it didn't.
        """
        why = self.why if verbose or asked.startswith(("gpu", "mps")) else self.passed_over
        return f"{self.engine} on {self.ctx}{': ' if why else ''}{why}"


def choose(
    engine: str = "auto", ctx: str = "auto", threads: Optional[int] = None, among: Sequence[str] = TRAINERS
) -> Choice:
    """The engine and ctx to use here: of ``among``, in that order, the first that runs on the ctx.

    ``auto`` leaves either open; a GPU that one of the engines can use comes before the CPU. The engine is imported, to
    know that it can be, and told to compute with ``threads`` (None: the cores this process may use).
    Raises MxganError or ImportError with the cause and what to type where the wish can't be met.
    """
    if engine not in ("auto", *among):
        raise SettingError("engine", engine, f"one of {', '.join(('auto', *among))}")
    kind, _ = parse_ctx(ctx)
    problems: dict[str, list[str]] = {}
    for place in ("gpu", "cpu") if kind == "auto" else (ctx,):
        problems[place] = []
        fit = [name for name in among if name not in ON_CPU or place == "cpu"]
        names = fit if engine == "auto" else [engine]
        for name in names:
            problem = _problem(name, place, threads)
            if problem is None:
                why = _why(engine, name, [one for many in problems.values() for one in many])
                return Choice(name, place, why, threads, _causes(problems[place]) if place == "cpu" else "")
            problems[place].append(problem)
    said = "; ".join(dict.fromkeys(problems[place]))
    if place == "cpu" or not any(_installed(name) for name in names):
        raise ImportError(said)
    raise SettingError("ctx", ctx, said)


def choose_trainer(config: TrainConfig) -> Choice:
    """`choose` for a run: ``auto`` passes MXNet over where only PyTorch computes as ``config`` asks."""
    among = ("pytorch",) if config.engine == "auto" and config.precision == "bfloat16" else TRAINERS
    return choose(config.engine, config.ctx, config.threads, among)


def as_computed(config: TrainConfig, ctx: str) -> TrainConfig:
    """The request with the precision that it is computed in on ``ctx``: only NVIDIA's GPUs have tf32."""
    has_tf32 = parse_ctx(ctx)[0] == "gpu"
    return config if config.precision != "tf32" or has_tf32 else dataclasses.replace(config, precision="float32")


def choose_generator(engine: str = "auto", ctx: str = "auto", work: Optional[int] = None) -> Choice:
    """The engine and ctx to generate with here: `choose` among all that can make pictures. NumPy is always here.

    ``work``: the multiply-adds of all the pictures wanted. Where they are few, ``auto`` is NumPy, which loads nothing.
    """
    kind, _ = parse_ctx(ctx)
    if engine == "auto" and kind in ("auto", "cpu") and work is not None and work <= LITTLE:
        return Choice("numpy", "cpu", "so little work is done before another engine is loaded")
    return choose(engine, ctx, among=GENERATORS)


def is_out_of_memory(error: Exception) -> bool:
    """Is it a MemoryError, or what MXNet or PyTorch, which raise RuntimeErrors, say where something doesn't fit?"""
    return isinstance(error, MemoryError) or any(words in str(error) for words in TOO_LARGE)


def versions() -> list[str]:
    """The engines and their versions, a line each, without importing them."""
    from mxgan.gluon import runtime

    found = {"mxnet": runtime.installed(), "pytorch": "torch", "onnx": "onnxruntime", "numpy": "numpy"}
    lines = {engine: _version(package) for engine, package in found.items()}
    if found["mxnet"] is None and extras.no_mxnet():  # pip installs the extra cpu there without it, and without a word
        lines["mxnet"] += f" ({extras.no_mxnet()})"
    return [f"{engine}: {line}" for engine, line in lines.items()]


def _version(package: Optional[str]) -> str:
    try:
        return f"{package} {importlib.metadata.version(package)}" if package else "not installed"
    except importlib.metadata.PackageNotFoundError:
        return "not installed"


def build(choice: Choice, config: RunConfig, dtype: str = "float32", team: Optional[Team] = None) -> Engine:
    """The chosen engine with freshly drawn weights. Raises MxganError where it can't compute as ``config`` asks.

    ``team``: the processes that share each batch, as `join` gives them; None: this one has it all.
    """
    if choice.engine == "pytorch":
        _runtime("pytorch").prepare(choice.threads)  # before anything else imports torch
        from mxgan.pytorch.engine import Engine as PyTorchEngine
        from mxgan.pytorch.team import Team as PyTorchTeam

        others = team if isinstance(team, PyTorchTeam) else None
        return PyTorchEngine(config, choice.ctx, dtype, team=others)
    if config.precision == "bfloat16":
        raise SettingError("precision", "bfloat16", "the mxnet engine computes in float32; use --engine pytorch")
    if config.deterministic and choice.ctx != "cpu":
        raise SettingError("deterministic", ..., "the mxnet engine can't promise it on a GPU; use --engine pytorch")
    _runtime("mxnet").load(choice.threads)
    from mxgan.gluon.engine import Engine as GluonEngine

    return GluonEngine(config, choice.ctx, dtype)


def join(engine: str = "auto") -> Team:
    """The processes that train together, as ``torchrun`` started them, connected; without it, this one alone.

    Raises MxganError where the ``engine`` asked for is another than PyTorch, or the others can't be reached.
    """
    place = processes.here()
    if place.count == 1:
        return processes.Alone()
    if engine not in ("auto", "pytorch"):
        raise SettingError("engine", engine, "torchrun starts processes of PyTorch; use --engine pytorch")
    _runtime("pytorch").prepare()
    from mxgan.pytorch.team import Team as PyTorchTeam

    return PyTorchTeam(place)


def prepare(engine: str) -> None:
    """Tell ``engine`` that this process is mxgan's own, as a command's is: it may set what a library leaves alone."""
    if engine == "pytorch":
        _runtime("pytorch").prepare()


def forward_of(choice: Choice, graph: Graph) -> Forward:
    """A generator's graph as a function on the chosen engine: latents, and labels, to float32 NCHW in [-1, 1].

    It may be called in a child made by fork too; on a GPU it raises MxganError there.
    """
    if choice.engine == "numpy":
        from mxgan.graph import forward

        return forward.forward_of(graph)
    if choice.engine == "onnx":
        from mxgan.onnx import engine as onnx

        return onnx.forward_of(graph, choice.ctx)
    if choice.engine == "pytorch":
        from mxgan.pytorch import graph as pytorch

        return _in_this_process(pytorch.forward_of(graph, choice.ctx), choice.ctx)
    _runtime("mxnet").load()
    from mxgan.gluon import graph as gluon

    return _in_this_process(gluon.forward_of(graph, choice.ctx), choice.ctx)


def _in_this_process(forward: Forward, ctx: str) -> Forward:
    """On a GPU, ``forward`` refuses to run in a child made by fork: CUDA can't be used there."""
    if ctx == "cpu":
        return forward
    home = os.getpid()

    def checked(z: np.ndarray, labels: Optional[np.ndarray] = None) -> np.ndarray:
        if os.getpid() != home:
            raise SettingError(
                "ctx",
                ctx,
                "a GPU can't be used in a process made by fork from one that has used it: "
                'start it with multiprocessing.get_context("spawn") and load the generator there',
            )
        return forward(z, labels)

    return checked


def _problem(engine: str, ctx: str, threads: Optional[int]) -> Optional[str]:
    """Why the engine can't run on cpu, gpu, gpu:N or mps here, with what to type; None if it can."""
    kind, number = parse_ctx(ctx)
    if engine in ON_CPU:
        if kind in ("gpu", "mps"):
            return f"the {engine} engine computes on the CPU: use --ctx cpu, or --engine mxnet or pytorch"
        return None if _installed(engine) else f"ONNX Runtime is not installed: {extras.install_line('onnx')}"
    if kind == "mps" and engine == "mxnet":
        return "MXNet can't compute on Apple's GPUs: use --engine pytorch"
    runtime = _runtime(engine)
    problem = runtime.gpu_problem(number) if kind == "gpu" else runtime.mps_problem() if kind == "mps" else None
    if problem is None:
        try:
            runtime.load(threads)
        except ImportError as error:
            problem = in_shell(error)
    return problem


def _installed(engine: str) -> bool:
    if engine == "numpy":
        return True
    if engine == "onnx":
        return all(importlib.util.find_spec(name) for name in ("onnx", "onnxruntime"))
    return bool(_runtime(engine).installed())


def _runtime(engine: str) -> ModuleType:
    return importlib.import_module({"mxnet": "mxgan.gluon.runtime", "pytorch": "mxgan.pytorch.runtime"}[engine])


def _why(wish: str, engine: str, problems: Sequence[str]) -> str:
    """What spoke against the choices before this one: their causes, without what to type."""
    if problems:
        return _causes(problems)
    return "as asked" if wish == engine else f"{TITLES[engine]} runs on it"


def _causes(problems: Sequence[str]) -> str:
    return "; ".join(dict.fromkeys(problem.partition(": ")[0] for problem in problems))
