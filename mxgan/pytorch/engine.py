"""The PyTorch engine: `mxgan.engines.protocol.Engine` on PyTorch.

`step` is the training step and `model` what it trains; `state` reads and writes its numbers.
"""

from __future__ import annotations

import os
from contextlib import AbstractContextManager
from dataclasses import replace
from typing import Optional

import numpy as np
import torch

from mxgan import pixels
from mxgan.config import RunConfig
from mxgan.engines.protocol import Batch, Probe, State, Weights
from mxgan.pytorch import contexts, state, step
from mxgan.pytorch.model import PLAIN, Model, Options
from mxgan.pytorch.team import Team
from mxgan.pytorch.tensors import to_array


class Engine:
    """Trains and generates with the notebooks' networks on PyTorch."""

    name, package = "pytorch", "torch"

    def __init__(
        self,
        config: RunConfig,
        ctx: str,
        dtype: str = "float32",
        options: Optional[Options] = None,
        team: Optional[Team] = None,
    ) -> None:
        self.ctx, self.version = ctx, str(torch.__version__)
        self.threads = str(torch.get_num_threads())
        chosen = options or _options(config)
        if chosen.deterministic:
            os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")  # cuBLAS asks for it
            torch.use_deterministic_algorithms(True)
        self.model = Model(config, ctx, dtype, chosen, team)

    def train_step(self, batch: Batch) -> Stats:
        """Update netD, then netG; on a GPU returns at once."""
        with self._training():
            return Stats(step.train_step(self.model, self._as_written(batch)))

    def probe(self, batch: Batch) -> Probe:
        """Both losses and their gradients at the present weights, which stay, as do the statistics."""
        model, batch = self.model, self._as_written(batch)
        with self._training(), contexts.statistics_kept(model.netG, model.netD):
            loss_d, _, _, fake = step.update_netD(model, batch, update=False)
            gradients = state.gradients(model, "netD")
            loss_g = step.update_netG(model, batch, fake, update=False)
            gradients.update(state.gradients(model, "netG"))
        losses = to_array(model.mean(torch.stack([loss_d.detach(), loss_g.detach()]))).tolist()
        return Probe(dict(zip(("loss_d", "loss_g"), losses)), gradients)

    def forward(self, z: np.ndarray) -> np.ndarray:
        """Latents (n, latent) to images in [-1, 1], NCHW, in inference mode, by netG's average where there is one."""
        net = self.model.ema.settled() if self.model.ema else self.model.netG
        return self._inference(net, self.model.latents(z))

    def generate(self, z: np.ndarray) -> np.ndarray:
        """`forward`, as pixels: uint8 NHWC."""
        return pixels.to_uint8(self.forward(z))

    def discriminate(self, images: np.ndarray) -> np.ndarray:
        """netD's logits of images (uint8 NHWC) in inference mode: (n,)."""
        return self._inference(self.model.netD, self.model.images(images)).reshape(-1)

    def wait(self) -> None:
        """Return once all that was asked for is computed; the CPU has done so already."""
        if self.model.device.type == "cuda":
            torch.cuda.synchronize(self.model.device)
        elif self.model.device.type == "mps":
            torch.mps.synchronize()

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
        """Where ``reuse`` is off, netG's step makes its fake batch anew from the same latents, as plain code does."""
        return batch if self.model.options.reuse or batch.z_g is not None else batch._replace(z_g=batch.z)

    def _training(self) -> AbstractContextManager[None]:
        options = self.model.options
        return contexts.convolutions(options.precision != "float32", options.deterministic)

    def _inference(self, net: torch.nn.Sequential, x: torch.Tensor) -> np.ndarray:
        """In full precision whatever the options are, and deterministic: the same weights give the same pictures."""
        net.eval()
        try:
            with torch.inference_mode(), contexts.convolutions(tf32=False, deterministic=True):
                return to_array(net(x))
        finally:
            net.train()


class Stats:
    """One step's losses and scores, on a GPU still being computed; `read` waits for them."""

    def __init__(self, values: torch.Tensor) -> None:
        self._values = values

    def read(self) -> dict[str, float]:
        """loss_d, loss_g, score_real and score_fake as numbers, from before the step's updates."""
        names = ("loss_d", "loss_g", "score_real", "score_fake")
        return dict(zip(names, to_array(self._values).tolist()))


def _options(config: RunConfig) -> Options:
    asked = PLAIN if config.plain else Options()
    return replace(asked, precision=config.precision, deterministic=config.deterministic)
