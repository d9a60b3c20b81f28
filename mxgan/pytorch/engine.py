"""The PyTorch engine: the notebooks' training step, with the arithmetic that doesn't change its result left out.

The notebooks don't detach the fake batch in netD's step and let netG's step compute netD's gradients: the same update,
and wasted work. Here the fake batch is detached, netD is frozen in netG's step, and where a recipe's netG step uses
the netD step's latents, it goes on with the same fake batch.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch

from mxgan import pixels
from mxgan.config import TrainConfig
from mxgan.engines.protocol import Augment, Batch, Probe, State
from mxgan.errors import ParamsError
from mxgan.pytorch import augment as augmenting
from mxgan.pytorch import contexts, fast, losses, nets, runtime
from mxgan.pytorch.adam import Adam
from mxgan.pytorch.ema import Average
from mxgan.pytorch.spectral import SpectralNorm
from mxgan.pytorch.tensors import array, arrays_of, tensor_of, tensors, trainable, write
from mxgan.recipe import initial
from mxgan.recipe.augment import Augmentation
from mxgan.weights import Net, fit


@dataclass(frozen=True)
class Options:
    """How PyTorch computes. Inference on the same weights never depends on these."""

    precision: str = (
        "tf32"  # of convolutions in training: float32; tf32 (PyTorch's default on CUDA; float32 elsewhere);
    )
    #                          bfloat16 by autocast, with float32 weights, statistics and losses
    deterministic: bool = False  # CUDA: the same bits in every run, at some cost in speed. The CPU is always so
    channels_last: bool = True  # the layout that convolutions are fastest in
    products: bool = True  # CPU: some layers as matrix products (`mxgan.pytorch.fast`): other last bits in float32
    pinned: bool = True  # CUDA: batches travel from page-locked memory while the GPU computes


class Engine:
    """Both networks, their optimizers, and one step of training. See `mxgan.engines` for the protocol."""

    name, package = "pytorch", "torch"

    def __init__(self, config: TrainConfig, ctx: str, dtype: str = "float32", options: Options | None = None) -> None:
        runtime.load(config.threads)
        recipe = config.settings
        self.ctx, self.dtype, self.version = ctx, getattr(torch, dtype), torch.__version__
        self.threads = str(torch.get_num_threads())
        quick = not config.plain
        self.options = options or Options(config.precision, config.deterministic, channels_last=quick, products=quick)
        self._plain = config.plain
        self._device = runtime.device(ctx)
        if self.options.deterministic:
            os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")  # cuBLAS asks for it
            torch.use_deterministic_algorithms(True)
        self.netG = self._place(nets.generator(config.latent, config.ngf, config.size, recipe.bias))
        self.netD = self._place(nets.discriminator(config.ndf, config.size, recipe.bias, recipe.first_norm))
        for name, net in (("netG", self.netG), ("netD", self.netD)):
            shapes = {key: tuple(tensor.shape) for key, tensor in tensors(net).items()}
            write(net, initial.draw(config, name, shapes), name)
        # In training the networks may be computed otherwise; pictures always come from the ones that were written down
        products = self.options.products and self._device.type == "cpu" and self.options.precision != "bfloat16"
        self._trainedG = fast.generator(self.netG) if products else self.netG
        self._trainedD = fast.discriminator(self.netD) if products else self.netD
        self.average = Average(self.netG, config) if config.ema else None
        self.spectral = SpectralNorm(self.netD, config.seed) if config.spectral_norm else None
        self._loss, self._smoothing = config.loss, config.label_smoothing
        of_netD = {**trainable(self.netD), **(self.spectral.weights if self.spectral else {})}
        self.adamG = Adam(trainable(self.netG), config.lr_g, recipe.beta1, recipe.beta2)
        self.adamD = Adam(of_netD, config.lr_d, recipe.beta1, recipe.beta2)

    def train_step(self, batch: Batch) -> Stats:
        """Update netD, then netG, on real images (uint8 NHWC) and latents (n, latent); on a GPU returns at once.

        ``z_g`` are the G step's own latents; without them the G step goes on with the D step's fake batch, whose
        gradient is the same as that of generating it again, since netG hasn't changed in between.
        ``augment``: how netD sees its real and its fake batch, and netG's. ``rate``: what both learning rates are
        multiplied with.
        """
        images, z, z_g, augment, rate = batch
        if z_g is None and self._plain:
            z_g = z
        with self._training():
            loss_d, logit_real, logit_fake, fake = self._backward_d(images, z, keep=z_g is None, augment=augment)
            self.adamD.step(rate)
            if self.spectral:
                self.spectral.follow()
            loss_g = self._backward_g(fake, z_g, augment)
            self.adamG.step(rate)
            if self.average:
                self.average.follow(self.adamG.count)
        scores = (logit.to(self.dtype).sigmoid().mean() for logit in (logit_real, logit_fake))
        return Stats(torch.stack([loss_d.detach(), loss_g.detach(), *scores]))

    def probe(self, batch: Batch) -> Probe:
        """The losses and gradients of one step, taken without making it: weights and statistics stay as they were."""
        images, z, z_g, augment, _ = batch
        with self._training(), contexts.statistics_kept(self.netG, self.netD):
            loss_d, _, _, fake = self._backward_d(images, z, keep=z_g is None, augment=augment)
            loss_g = self._backward_g(fake, z_g, augment)
        gradients = {}
        for name, adam in (("netG", self.adamG), ("netD", self.adamD)):
            for key, parameter in adam.parameters.items():
                gradients[f"{name}.{key}"], parameter.grad = array(parameter.grad), None
        return Probe({"loss_d": float(loss_d.detach()), "loss_g": float(loss_g.detach())}, gradients)

    def _backward_d(self, images: np.ndarray, z: np.ndarray, keep: bool, augment: Augment):
        """Gradients into netD; returns its loss, both logits and the fake batch (``keep``: with its graph)."""
        real, z = self._images(images), self._latents(z)
        of_real, of_fake, _ = augment or (None, None, None)
        with self._autocast():
            # netG's statistics move once a step: here only if this is the batch that its own step goes on with
            with torch.set_grad_enabled(keep), contexts.still(self.netG, still=not keep):
                fake = self._trainedG(z)
            # The fake batch first: MXNet updates statistics in the backward pass, so in reverse order
            logit_fake = self._trainedD(self._changed(fake.detach(), of_fake))
            logit_real = self._trainedD(self._changed(real, of_real))
            loss_d = losses.of_netD(logit_real, logit_fake, self._loss, self._smoothing)
        loss_d.backward()
        if self.spectral:
            self.spectral.pull_back()
        return loss_d, logit_real.detach(), logit_fake.detach(), fake

    def _backward_g(self, fake: torch.Tensor, z: np.ndarray | None, augment: Augment) -> torch.Tensor:
        """Gradients into netG through netD, of ``fake`` or of a batch generated from ``z``; returns its loss."""
        with contexts.wasted(self.netD) if self._plain else contexts.frozen(self.netD):
            with self._autocast():
                if z is not None:
                    fake = self._trainedG(self._latents(z))
                logit = self._trainedD(self._changed(fake, augment[2] if augment else None))
                loss_g = losses.of_netG(logit, self._loss)
            loss_g.backward()
        return loss_g

    def forward(self, z: np.ndarray) -> np.ndarray:
        """Latents (n, latent) to images in [-1, 1], NCHW, in inference mode, by netG's average where there is one."""
        return array(self._inference(self.average.settled() if self.average else self.netG, self._latents(z)))

    def generate(self, z: np.ndarray) -> np.ndarray:
        """Latents (n, latent) to images, uint8 NHWC, as `forward` makes them."""
        return pixels.to_uint8(self.forward(z))

    def discriminate(self, images: np.ndarray) -> np.ndarray:
        """netD's logits of images (uint8 NHWC) in inference mode: (n,)."""
        return array(self._inference(self.netD, self._images(images))).reshape(-1)

    def wait(self) -> None:
        """Return once all that was asked for is computed; the CPU has done so already."""
        if self._device.type == "cuda":
            torch.cuda.synchronize(self._device)

    def weights(self) -> dict[str, dict[str, np.ndarray]]:
        """The arrays of netG, netD and, of a run with an average, netG-ema; waits for the work in flight."""
        return {name: arrays_of(net) for name, net in self._nets().items()}

    def load_weights(self, weights: dict[str, dict[str, np.ndarray]]) -> None:
        """Set the networks named in ``weights``. Raises ParamsError if one doesn't fit.

        The average begins anew with netG, and spectral norm with netD.
        """
        for name, arrays in weights.items():
            if name == "netG-ema":
                self.average.write(arrays, name)
            else:
                write(self._nets()[name], arrays, name)
        if self.average and "netG" in weights and "netG-ema" not in weights:
            self.average.restart()
        if self.spectral and "netD" in weights:
            self.spectral.start()

    def state(self) -> State:
        """Everything a resume needs: weights, Adam's moments and its step counts; waits for the work in flight."""
        arrays = {"netG": arrays_of(self.netG), "netD": arrays_of(self.netD)}
        for key, adam in self._optimizers():
            arrays[key] = {
                f"{name}.{moment}": array(values[name])
                for name in (adam.parameters if adam.count else ())
                for moment, values in (("m", adam.m), ("v", adam.v))
            }
        if self.average:
            arrays["emaG"] = arrays_of(self.average.settled())
        if self.spectral:
            arrays["spectral"] = self.spectral.arrays()
        return State(arrays, {key: adam.count for key, adam in self._optimizers()})

    def load_state(self, state: State) -> None:
        """Go on from what `state` gave, on this engine or another. Raises ParamsError where an array doesn't fit."""
        for name, net in (("netG", self.netG), ("netD", self.netD)):
            write(net, state.arrays[name], name)
        for key, adam in self._optimizers():
            moments = state.arrays[key]
            wanted = {f"{name}.{moment}": w.shape for name, w in adam.parameters.items() for moment in "mv"}
            fit.check(moments, wanted if state.counts[key] else {}, key)
            for moment, values in (("m", adam.m), ("v", adam.v)):
                for name, value in values.items():
                    fresh = f"{name}.{moment}" not in moments  # of a run that hasn't made a step
                    value.zero_() if fresh else value.copy_(tensor_of(moments[f"{name}.{moment}"]))
            adam.count = state.counts[key]
        if self.average:
            self.average.write(state.arrays.get("emaG", {}), "emaG")
        if self.spectral:
            self.spectral.load(state.arrays.get("spectral", {}))

    def _nets(self) -> dict[str, torch.nn.Sequential]:
        average = {"netG-ema": self.average.settled()} if self.average else {}
        return {"netG": self.netG, "netD": self.netD, **average}

    def _optimizers(self) -> list[tuple[str, Adam]]:
        return [("adamG", self.adamG), ("adamD", self.adamD)]

    def _place(self, net: torch.nn.Sequential) -> torch.nn.Sequential:
        layout = torch.channels_last if self.options.channels_last else torch.contiguous_format
        return net.to(self._device, self.dtype, memory_format=layout)

    def _images(self, images: np.ndarray) -> torch.Tensor:
        """uint8 NHWC to float NCHW in [-1, 1], on the device: a quarter of the bytes travel."""
        batch = self._send(tensor_of(images)).permute(0, 3, 1, 2)
        layout = torch.preserve_format if self.options.channels_last else torch.contiguous_format
        return batch.to(self.dtype, memory_format=layout) / 127.5 - 1

    def _latents(self, z: np.ndarray) -> torch.Tensor:
        return self._send(tensor_of(z).to(self.dtype)).reshape(*z.shape, 1, 1)

    def _changed(self, images: torch.Tensor, one: Augmentation | None) -> torch.Tensor:
        """As netD sees them, in full precision."""
        if one is None:
            return images
        with torch.autocast(self._device.type, enabled=False):
            return augmenting.changed(images.to(self.dtype), one, lambda a: self._send(tensor_of(a)).to(self.dtype))

    def _send(self, batch: torch.Tensor) -> torch.Tensor:
        if self._device.type != "cuda":
            return batch
        pinned = self.options.pinned
        return (batch.pin_memory() if pinned else batch).to(self._device, non_blocking=pinned)

    def _autocast(self) -> torch.autocast:
        return torch.autocast(self._device.type, torch.bfloat16, enabled=self.options.precision == "bfloat16")

    def _training(self):
        return contexts.convolutions(self.options.precision != "float32", self.options.deterministic)

    def _inference(self, net: torch.nn.Sequential, x: torch.Tensor) -> torch.Tensor:
        """In full precision whatever the options are, and deterministic: the same weights give the same pictures."""
        net.eval()
        try:
            with torch.inference_mode(), contexts.convolutions(tf32=False, deterministic=True):
                return net(x)
        finally:
            net.train()


class Stats:
    """One step's losses and scores, on a GPU still being computed; `read` waits for them."""

    def __init__(self, values: torch.Tensor) -> None:
        self._values = values

    def read(self) -> dict[str, float]:
        """loss_d, loss_g, score_real and score_fake as numbers, from before the step's updates."""
        names = ("loss_d", "loss_g", "score_real", "score_fake")
        return dict(zip(names, self._values.tolist()))


def forward_of(net: Net, ctx: str) -> Callable[[np.ndarray], np.ndarray]:
    """A generator read from a file as a function: latents (n, latent) to float32 NCHW images in [-1, 1].

    Raises ParamsError where its size or widths are not netG's, MxganError or ImportError where ctx can't be had.
    """
    device = runtime.device(ctx)
    try:
        netG = nets.generator(net.latent, net.width, net.image_size, net.bias, net.channels)
    except ValueError as error:
        raise ParamsError(f"this generator makes {net.image_size}×{net.image_size} pixels: {error}") from error
    write(netG, net.arrays, "netG")
    netG = netG.to(device, memory_format=torch.channels_last).eval()

    def forward(z: np.ndarray) -> np.ndarray:
        with torch.inference_mode(), contexts.convolutions(tf32=False, deterministic=True):
            return array(netG(tensor_of(z).float().to(device).reshape(*z.shape, 1, 1)))

    return forward
