"""What an engine is, and which one runs here.

An engine knows a framework; nothing else does. NumPy alone travels between an engine and the other rooms: images are
uint8 NHWC RGB, latents float32 (n, latent), weights arrays under canonical names.
"""

from __future__ import annotations

import importlib.metadata
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Optional, Protocol

import numpy as np

from mxgan.config import TrainConfig, parse_ctx
from mxgan.errors import MxganError

Weights = Mapping[str, Mapping[str, np.ndarray]]  # {"netG": {"0.weight": ...}, "netD": {...}}


@dataclass(frozen=True)
class State:
    """All that a resume needs, in no engine's own format."""

    arrays: dict[str, dict[str, np.ndarray]]  # netG, netD by canonical name; adamG, adamD by <canonical>.m and .v
    counts: dict[str, int]  # how many updates adamG and adamD have made


@dataclass(frozen=True)
class Probe:
    """What one step would do: its losses, and the gradient of each (mean over the batch) as netG.0.weight, ..."""

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

    def train_step(self, images: np.ndarray, z: np.ndarray, z_g: Optional[np.ndarray] = None) -> Stats:
        """Update netD, then netG. ``z_g``: the G step's own latents, for recipes that draw them afresh."""

    def forward(self, z: np.ndarray) -> np.ndarray:
        """Latents to images in [-1, 1]: float NCHW, inference mode."""

    def generate(self, z: np.ndarray) -> np.ndarray:
        """Latents to images: uint8 NHWC, inference mode."""

    def discriminate(self, images: np.ndarray) -> np.ndarray:
        """Images (uint8 NHWC) to netD's logits: (n,), inference mode."""

    def weights(self) -> Weights:
        """Both networks' arrays, once the work in flight is done."""

    def load_weights(self, weights: Weights) -> None:
        """Set the networks that ``weights`` names."""

    def state(self) -> State:
        """Weights, Adam's moments and counts, once the work in flight is done."""

    def load_state(self, state: State) -> None:
        """Go on from a state of this engine or another."""

    def probe(self, images: np.ndarray, z: np.ndarray, z_g: Optional[np.ndarray] = None) -> Probe:
        """The losses and gradients that `train_step` would use, without making the step."""


@dataclass(frozen=True)
class Choice:
    """Which engine runs on which ctx, and why, in a sentence."""

    engine: str
    ctx: str
    why: str


def choose(engine: str, ctx: str) -> Choice:
    """The engine and ctx to train with here; ``auto`` takes MXNet where it can run on the ctx.

    Raises MxganError or ImportError with the cause and what to type where the wish can't be met.
    """
    from mxgan.gluon import runtime

    kind, number = parse_ctx(ctx)
    problem = runtime.gpu_problem(number) if kind != "cpu" else None
    if kind == "gpu" and problem:
        raise MxganError(f"--ctx {ctx}: {problem}")
    use = ctx if kind == "gpu" else "cpu" if kind == "cpu" or problem else "gpu"
    runtime.load()
    return Choice("mxnet", use, "as asked" if engine == "mxnet" else "MXNet runs on it")


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
    """The chosen engine with freshly drawn weights."""
    from mxgan.gluon.engine import Engine as GluonEngine

    return GluonEngine(config, choice.ctx, dtype)
