"""The Gluon engine: `mxgan.engines.protocol.Engine` on MXNet.

`step` is the training step and `model` what it trains; `state` reads and writes its numbers. Import this module through
`mxgan.engines.build`, which imports mxnet safely first.
"""

from __future__ import annotations

from typing import Any, Optional

import numpy as np

from mxgan import pixels
from mxgan.config import RunConfig
from mxgan.engines.protocol import Batch, Probe, State, Weights
from mxgan.gluon import runtime, state, step
from mxgan.gluon.model import PLAIN, Model, Options
from mxgan.gluon.tensors import to_array, write


class Engine:
    """Trains and generates with the tutorial's networks on MXNet."""

    name = package = "mxnet"

    def __init__(self, config: RunConfig, ctx: str, dtype: str = "float32", options: Optional[Options] = None) -> None:
        mx = runtime.load()
        self.ctx, self.version = ctx, mx.__version__
        self.threads = runtime.threads()
        self.model = Model(config, ctx, dtype, options or (PLAIN if config.plain else Options()))

    def train_step(self, batch: Batch) -> Stats:
        """Update netD, then netG; returns at once."""
        return Stats(step.train_step(self.model, self._as_written(batch)))

    def probe(self, batch: Batch) -> Probe:
        """Both losses and their gradients at the present weights, which stay, as do the statistics."""
        before, batch = self.weights(), self._as_written(batch)
        loss_d, _, _, fake = step.update_netD(self.model, batch, update=False)
        gradients = state.gradients(self.model, "netD")
        loss_g = step.update_netG(self.model, batch, fake, update=False)
        gradients.update(state.gradients(self.model, "netG"))
        losses = {"loss_d": float(loss_d.mean().asscalar()), "loss_g": float(loss_g.mean().asscalar())}
        for name, net in (("netG", self.model.netG), ("netD", self.model.netD)):
            write(net, before[name], name)
        return Probe(losses, {name: gradient / len(batch.images) for name, gradient in gradients.items()})

    def forward(self, z: np.ndarray) -> np.ndarray:
        """Latents (n, latent) to images in [-1, 1], NCHW, in inference mode, by netG's average where there is one."""
        net = self.model.ema.settled() if self.model.ema else self.model.netG
        return to_array(net(self.model.latents(z)))

    def generate(self, z: np.ndarray) -> np.ndarray:
        """`forward`, as pixels: uint8 NHWC."""
        return pixels.to_uint8(self.forward(z))

    def discriminate(self, images: np.ndarray) -> np.ndarray:
        """netD's logits of images (uint8 NHWC) in inference mode: (n,)."""
        self.wait()  # running statistics move in a backward pass, which MXNet may not have come to
        return to_array(self.model.netD(self.model.images(images))).reshape(-1)

    def wait(self) -> None:
        """Return once all that was asked for is computed."""
        runtime.load().nd.waitall()

    def weights(self) -> Weights:
        """The arrays of netG, netD and, where there is an average, netG-ema; waits for the work in flight."""
        return state.weights(self.model)

    def load_weights(self, weights: Weights) -> None:
        """Set the networks that ``weights`` names. Raises ParamsError if one doesn't fit."""
        state.load_weights(self.model, weights)

    def state(self) -> State:
        """All that a resume needs; waits for the work in flight."""
        return state.snapshot(self.model)

    def load_state(self, saved: State) -> None:
        """Go on from a state of this engine or another. Raises ParamsError where an array doesn't fit."""
        state.restore(self.model, saved)

    def _as_written(self, batch: Batch) -> Batch:
        """Where ``reuse`` is off, netG's step makes its fake batch anew from the same latents, as the tutorial does."""
        return batch if self.model.options.reuse or batch.z_g is not None else batch._replace(z_g=batch.z)


class Stats:
    """One step's losses and scores, still being computed; `read` waits for them."""

    def __init__(self, values: Any) -> None:
        self._values = values

    def read(self) -> dict[str, float]:
        """loss_d, loss_g, score_real and score_fake as numbers, from before the step's updates."""
        names = ("loss_d", "loss_g", "score_real", "score_fake")
        return dict(zip(names, to_array(self._values).ravel().tolist()))
