"""What an engine is, and which one runs here.

An engine knows a framework; nothing else does. NumPy alone travels between an engine and the other rooms: images are
uint8 NHWC RGB, latents float32 (n, latent), weights arrays under canonical names.
"""

from __future__ import annotations

import importlib
import importlib.metadata
import importlib.util
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from types import ModuleType
from typing import Optional, Protocol

import numpy as np

from mxgan.augment import Augmentation
from mxgan.config import TrainConfig, parse_ctx
from mxgan.errors import MxganError
from mxgan.weights.net import Net

TRAINERS = ("mxnet", "pytorch")
GENERATORS = (*TRAINERS, "onnx")
TITLES = {"mxnet": "MXNet", "pytorch": "PyTorch", "onnx": "ONNX Runtime"}

TOO_LARGE = (
    "can't allocate memory",
    "out of memory",
    "Failed to allocate",
    "Size of tensor you are trying to allocate",
)

Weights = Mapping[str, Mapping[str, np.ndarray]]  # {"netG": {"0.weight": ...}, "netD": {...}}
Augment = Optional[tuple[Augmentation, Augmentation, Augmentation]]  # of netD's real and fake batch, and of netG's


@dataclass(frozen=True)
class State:
    """All that a resume needs, in no engine's own format."""

    arrays: dict[str, dict[str, np.ndarray]]
    #   netG, netD: by canonical name; of a net with spectral norm the folded weights
    #   adamG, adamD: <canonical>.m and .v
    #   emaG: netG's moving average, by canonical name; where the run has one
    #   spectral: netD's <layer>.weight as it is trained, with <layer>.u and .v; where the run has it
    counts: dict[str, int]  # how many updates adamG and adamD have made


@dataclass(frozen=True)
class Probe:
    """A batch's losses, and the gradients of their means as netG.0.weight, ...: netD's of loss_d, netG's of loss_g."""

    losses: dict[str, float]
    gradients: dict[str, np.ndarray]


class Stats(Protocol):
    """One step's losses and scores; an engine may still be computing them."""

    def read(self) -> dict[str, float]:
        """Wait for loss_d, loss_g, score_real and score_fake."""


class Engine(Protocol):
    """A framework's netG and netD, with their optimizers."""

    name: str
    ctx: str
    package: str  # the framework's, with its version: they and the threads decide the last bit
    version: str
    threads: str

    def train_step(
        self,
        images: np.ndarray,
        z: np.ndarray,
        z_g: Optional[np.ndarray] = None,
        augment: Augment = None,
        rate: float = 1,
    ) -> Stats:
        """Update netD, then netG. ``z_g``: the G step's own latents, for recipes that draw them afresh.

        ``rate``: what both learning rates are multiplied with.
        """

    def forward(self, z: np.ndarray) -> np.ndarray:
        """Latents to images in [-1, 1]: float NCHW, inference mode, by netG's moving average where there is one."""

    def generate(self, z: np.ndarray) -> np.ndarray:
        """Latents to images: uint8 NHWC, as `forward` makes them."""

    def discriminate(self, images: np.ndarray) -> np.ndarray:
        """Images (uint8 NHWC) to netD's logits: (n,), inference mode."""

    def wait(self) -> None:
        """Return once all that was asked for is computed."""

    def weights(self) -> Weights:
        """The arrays of netG, netD and, where there is a moving average, netG-ema, once the work in flight is done."""

    def load_weights(self, weights: Weights) -> None:
        """Set the networks that ``weights`` names. The average begins anew with netG, unless it is among them."""

    def state(self) -> State:
        """Weights, Adam's moments and counts, once the work in flight is done."""

    def load_state(self, state: State) -> None:
        """Go on from a state of this engine or another."""

    def probe(
        self, images: np.ndarray, z: np.ndarray, z_g: Optional[np.ndarray] = None, augment: Augment = None
    ) -> Probe:
        """Both losses and their gradients at the present weights (netG's before netD's update); changes nothing."""


@dataclass(frozen=True)
class Choice:
    """Which engine runs on which ctx, and why, in a sentence."""

    engine: str
    ctx: str
    why: str


def choose(
    engine: str = "auto", ctx: str = "auto", threads: Optional[int] = None, among: Sequence[str] = TRAINERS
) -> Choice:
    """The engine and ctx to use here: of ``among``, in that order, the first that runs on the ctx.

    ``auto`` leaves either open; a GPU that one of the engines can use comes before the CPU. The engine is imported, to
    know that it can be, and told to compute with ``threads`` (None: the cores this process may use).
    Raises MxganError or ImportError with the cause and what to type where the wish can't be met.
    """
    if engine not in ("auto", *among):
        raise MxganError(f"engine {engine!r}: one of {', '.join(('auto', *among))}")
    kind, _ = parse_ctx(ctx)
    names = [name for name in among if name != "onnx" or kind != "gpu"] if engine == "auto" else [engine]
    problems: dict[str, list[str]] = {}
    for place in ("gpu", "cpu") if kind == "auto" else (ctx,):
        problems[place] = []
        for name in names:
            problem = _problem(name, place, threads)
            if problem is None:
                return Choice(name, place, _why(engine, name, [one for many in problems.values() for one in many]))
            problems[place].append(problem)
    said = "; ".join(dict.fromkeys(problems[place]))
    if place == "cpu" or not any(_installed(name) for name in names):
        raise ImportError(said)
    raise MxganError(f"--ctx {ctx}: {said}")


def choose_trainer(config: TrainConfig) -> Choice:
    """`choose` for a run: ``auto`` passes MXNet over where only PyTorch computes as ``config`` asks."""
    among = ("pytorch",) if config.engine == "auto" and config.precision == "bfloat16" else TRAINERS
    return choose(config.engine, config.ctx, config.threads, among)


def choose_generator(engine: str = "auto", ctx: str = "auto") -> Choice:
    """The engine and ctx to generate with here: `choose` among all that can make pictures, ONNX on the CPU alone."""
    return choose(engine, ctx, among=GENERATORS)


def is_out_of_memory(error: Exception) -> bool:
    """Is it a MemoryError, or what MXNet or PyTorch, which raise RuntimeErrors, say where something doesn't fit?"""
    return isinstance(error, MemoryError) or any(words in str(error) for words in TOO_LARGE)


def versions() -> list[str]:
    """The engines and their versions, a line each, without importing them."""
    from mxgan.gluon import runtime

    found = {"mxnet": runtime.installed(), "pytorch": "torch", "onnx": "onnxruntime"}
    return [f"{engine}: {_version(package)}" for engine, package in found.items()]


def _version(package: Optional[str]) -> str:
    try:
        return f"{package} {importlib.metadata.version(package)}" if package else "not installed"
    except importlib.metadata.PackageNotFoundError:
        return "not installed"


def build(choice: Choice, config: TrainConfig, dtype: str = "float32") -> Engine:
    """The chosen engine with freshly drawn weights. Raises MxganError where it can't compute as ``config`` asks."""
    if choice.engine == "pytorch":
        _runtime("pytorch").load(config.threads)  # before anything else imports torch
        from mxgan.pytorch.engine import Engine as PyTorchEngine

        return PyTorchEngine(config, choice.ctx, dtype)
    if config.precision == "bfloat16":
        raise MxganError("--precision bfloat16: the mxnet engine computes in float32; use --engine pytorch")
    if config.deterministic and choice.ctx != "cpu":
        raise MxganError("--deterministic: the mxnet engine can't promise it on a GPU; use --engine pytorch")
    from mxgan.gluon.engine import Engine as GluonEngine

    return GluonEngine(config, choice.ctx, dtype)


def forward_of(choice: Choice, net: Net) -> Callable[[np.ndarray], np.ndarray]:
    """A generator's weights as a function on the chosen engine: latents (n, latent) to float32 NCHW in [-1, 1]."""
    if choice.engine == "onnx":
        from mxgan.onnx.engine import forward_of
    elif choice.engine == "pytorch":
        from mxgan.pytorch.engine import forward_of
    else:
        from mxgan.gluon.engine import forward_of
    return forward_of(net, choice.ctx)


def _problem(engine: str, ctx: str, threads: Optional[int]) -> Optional[str]:
    """Why the engine can't run on cpu, gpu or gpu:N here, with what to type; None if it can."""
    kind, number = parse_ctx(ctx)
    if engine == "onnx":
        if kind == "gpu":
            return "the onnx engine computes on the CPU: use --ctx cpu, or --engine mxnet or pytorch"
        return None if _installed(engine) else "ONNX Runtime is not installed: pip install 'mxgan[onnx]'"
    runtime = _runtime(engine)
    problem = runtime.gpu_problem(number) if kind == "gpu" else None
    if problem is None:
        try:
            runtime.load(threads)
        except ImportError as error:
            problem = str(error)
    return problem


def _installed(engine: str) -> bool:
    if engine == "onnx":
        return all(importlib.util.find_spec(name) for name in ("onnx", "onnxruntime"))
    return bool(_runtime(engine).installed())


def _runtime(engine: str) -> ModuleType:
    return importlib.import_module({"mxnet": "mxgan.gluon.runtime", "pytorch": "mxgan.pytorch.runtime"}[engine])


def _why(wish: str, engine: str, problems: Sequence[str]) -> str:
    """What spoke against the choices before this one: their causes, without what to type."""
    if problems:
        return "; ".join(dict.fromkeys(problem.partition(": ")[0] for problem in problems))
    return "as asked" if wish == engine else f"{TITLES[engine]} runs on it"
