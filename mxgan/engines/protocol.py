"""What an engine is: the types that the frameworks' rooms and everyone who uses them share.

An engine knows a framework; nothing else does. NumPy alone travels between an engine and the other rooms: images are
uint8 NHWC RGB, latents float32 (n, latent), weights arrays under canonical names.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple, Optional, Protocol

import numpy as np

from mxgan.processes import Place
from mxgan.recipe.augment import Augmentation

Weights = Mapping[str, Mapping[str, np.ndarray]]  # {"netG": {"0.weight": ...}, "netD": {...}}
Augment = Optional[tuple[Augmentation, Augmentation, Augmentation]]  # of netD's real and fake batch, and of netG's


class Batch(NamedTuple):
    """All that one training step is given; `mxgan.training.batches.inputs` makes it."""

    images: np.ndarray  # real faces, uint8 (n, S, S, 3)
    z: np.ndarray  # netD's step's latents, float32 (n, latent)
    z_g: Optional[np.ndarray] = None  # netG's step's own; None: it goes on with the fake batch of netD's step
    augment: Augment = None  # how netD sees its real batch, its fake batch, and the fake batch of netG's step
    rate: float = 1.0  # what both learning rates are multiplied by


@dataclass(frozen=True)
class State:
    """All that a resume needs, in no engine's own format."""

    arrays: dict[str, dict[str, np.ndarray]]
    #   netG, netD: by canonical name; of a net with spectral norm the folded weights
    #   adamG, adamD: <canonical>.m and .v
    #   netG-ema: netG's moving average, by canonical name; where the run has one
    #   spectral: netD's <layer>.weight as it is trained, with <layer>.u and .v; where the run has it
    counts: dict[str, int]  # how many updates adamG and adamD have made


@dataclass(frozen=True)
class Probe:
    """A batch's losses, and the gradients of their means as netG.0.weight, ...: netD's of loss_d, netG's of loss_g."""

    losses: dict[str, float]
    gradients: dict[str, np.ndarray]


class Team(Protocol):
    """The processes that train a run together, seen from one of them. `mxgan.processes.Alone` is a team of one.

    Every method is called by all of them in the same order, and waits for all.
    """

    place: Place

    def agreed(self, number: int) -> int:
        """The largest of the processes' numbers: a wish to stop that one of them has is all's."""

    def told(self, value: Any) -> list[Any]:
        """What each process says, by rank."""

    def from_first(self, value: Any) -> Any:
        """What the process of rank 0 says; the others' ``value`` isn't used."""


class Stats(Protocol):
    """One step's losses and scores; an engine may still be computing them."""

    def read(self) -> dict[str, float]:
        """Wait for loss_d, loss_g, score_real and score_fake."""


class Forward(Protocol):
    """A generator in inference mode, whatever framework computes it."""

    def __call__(self, z: np.ndarray, labels: Optional[np.ndarray] = None) -> np.ndarray:
        """Latents float (n, latent), and labels int (n,) of a conditional one, to float32 NCHW images in [-1, 1]."""


class Engine(Protocol):
    """A framework's netG and netD, with their optimizers."""

    name: str
    ctx: str
    package: str  # the framework's, with its version: they and the threads decide the last bit
    version: str
    threads: str

    def train_step(self, batch: Batch) -> Stats:
        """Update netD, then netG."""

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

    def probe(self, batch: Batch) -> Probe:
        """Both losses and their gradients at the present weights (netG's before netD's update); changes nothing."""
