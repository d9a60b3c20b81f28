"""The Gluon engine: the tutorial's training step on autograd, its loss and one Trainer per network.

What a recipe may add to the tutorial is in a file each beside this one: `losses`, `augment`, `spectral`, `average`.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from contextlib import nullcontext
from dataclasses import dataclass

import numpy as np

from mxgan import pixels
from mxgan.config import TrainConfig
from mxgan.engines.protocol import Augment, Batch, Probe, State
from mxgan.errors import ParamsError
from mxgan.gluon import runtime
from mxgan.gluon.augment import apply
from mxgan.gluon.tensors import parameters, trainable, write
from mxgan.recipe import initial
from mxgan.recipe.augment import Augmentation
from mxgan.weights import Net, fit


@dataclass(frozen=True)
class Options:
    """What of the tutorial's loop is computed otherwise. The first three change no bit of any result."""

    reuse: bool = True  # netG's step goes on with the fake batch of netD's, where they have the same latents
    freeze: bool = True  # netG's step computes no gradients by netD's weights, which nobody would use
    static: bool = True  # MXNet plans each network's memory once
    products: bool = True  # netG's first layer and netD's last are matrix products: other last bits
    unbiased: bool = True  # netG's biases in front of a BatchNorm aren't added while they are zero: other last bits


PLAIN = Options(reuse=False, freeze=False, static=False, products=False, unbiased=False)  # the tutorial's


class Engine:
    """Both networks, their Trainers, and one step of training. See `mxgan.engines` for the protocol."""

    name = package = "mxnet"

    def __init__(self, config: TrainConfig, ctx: str, dtype: str = "float32", options: Options | None = None) -> None:
        mx = runtime.load(config.threads)
        from mxgan.gluon import ema, losses, nets, spectral

        recipe = config.settings
        self.ctx, self.dtype, self.version = ctx, dtype, mx.__version__
        self.threads = os.environ["OMP_NUM_THREADS"]  # as the user's variable or `runtime.load` set it
        self.options = options or (PLAIN if config.plain else Options())
        self._device = runtime.context(ctx)
        self.netG = nets.generator(config.latent, config.ngf, config.size, recipe.bias)
        self.netD = nets.discriminator(config.ndf, config.size, recipe.bias, recipe.first_norm, dtype=dtype)
        self.netG_ema = nets.generator(config.latent, config.ngf, config.size, recipe.bias) if config.ema else None
        for name, net in self._nets().items():
            net.cast(dtype)
            net.initialize(mx.init.Zero(), ctx=self._device)
            shapes = {key: parameter.shape for key, parameter in parameters(net).items()}
            write(net, initial.draw(config, "netG" if net is self.netG_ema else name, shapes), name)
        for net in (self.netG, self.netD) if self.options.static else ():
            net.hybridize(static_alloc=True, static_shape=True)
        self._choose_forms()
        self._lr_g, self._lr_d = config.lr_g, config.lr_d
        adam = {"beta1": recipe.beta1, "beta2": recipe.beta2}
        self.trainerG, self.trainerD = (
            mx.gluon.Trainer(list(parameters(net).values()), "adam", {"learning_rate": lr, **adam})
            for net, lr in ((self.netG, config.lr_g), (self.netD, config.lr_d))
        )
        self.loss = losses.named(config.loss, config.label_smoothing)
        self.spectral = spectral.SpectralNorm(self.netD, config.seed) if config.spectral_norm else None
        self.average = ema.Average(self.netG, self.netG_ema, config) if config.ema else None

    def train_step(self, batch: Batch) -> Stats:
        """Update netD, then netG, on real images (uint8 NHWC) and latents (n, latent); returns at once.

        ``z_g`` are the G step's own latents; without them the G step goes on with the D step's fake batch, whose
        gradient is the same as that of generating it again, since netG hasn't changed in between. ``augment`` is what
        netD sees changed: `mxgan.recipe.augment` draws it. ``rate``: what both learning rates are multiplied with.
        """
        images, z, z_g, augment, rate = batch
        nd = runtime.load().nd
        for trainer, lr in ((self.trainerG, self._lr_g), (self.trainerD, self._lr_d)):
            trainer.set_learning_rate(lr * rate)
        if z_g is None and not self.options.reuse:
            z_g = z
        loss_d, logit_real, logit_fake, fake = self._backward_d(images, z, z_g is None, augment)
        with self.spectral.unfolded() if self.spectral else nullcontext():
            self.trainerD.step(len(images))
        loss_g = self._backward_g(fake, z_g, augment)
        self.trainerG.step(len(images))
        if self.average:
            self.average.follow(self.trainerG._optimizer.num_update)
        values = (loss_d, loss_g, nd.sigmoid(logit_real), nd.sigmoid(logit_fake))
        return Stats(nd.stack(*(value.mean() for value in values)))

    def probe(self, batch: Batch) -> Probe:
        """Both losses and their gradients at the weights as they are; weights and statistics stay so.

        netG's are taken through netD as it is now, where `train_step` updates it first.
        """
        images, z, z_g, augment, _ = batch
        before = self.weights()
        loss_d, _, _, fake = self._backward_d(images, z, z_g is None, augment)
        gradients = self._gradients("netD")
        loss_g = self._backward_g(fake, z_g, augment)
        gradients.update(self._gradients("netG"))
        losses = {"loss_d": float(loss_d.mean().asscalar()), "loss_g": float(loss_g.mean().asscalar())}
        for name, net in self._nets().items():
            write(net, before[name], name)
        # MXNet sums over the batch and its Trainer divides; a gradient of the mean is what is meant
        return Probe(losses, {name: gradient / len(images) for name, gradient in gradients.items()})

    def _backward_d(self, images: np.ndarray, z: np.ndarray, keep: bool, augment: Augment):
        """Gradients into netD; returns its loss, both logits and the fake batch (``keep``: with its graph)."""
        autograd = runtime.load().autograd
        of_real, of_fake, _ = augment or (None, None, None)
        real, z = self._images(images), self._latents(z)
        with autograd.record():
            if keep:
                fake = self._trainedG(z)
            else:
                with autograd.pause(train_mode=True):
                    fake = self._trainedG(z)
            logit_real = self._logit(real, of_real, self._trainedD)
            logit_fake = self._logit(fake.detach(), of_fake, self._trainedD)
            loss_d = self.loss.netD(logit_real, logit_fake)
        loss_d.backward()
        if self.spectral:
            self.spectral.chain()
        return loss_d, logit_real, logit_fake, fake

    def _backward_g(self, fake, z: np.ndarray | None, augment: Augment):
        """Gradients into netG through netD, of ``fake`` or of a batch generated from ``z``; returns its loss."""
        autograd = runtime.load().autograd
        with autograd.record():
            if z is not None:
                fake = self._trainedG(self._latents(z))
            seen = fake
            if self.options.freeze:  # two backward passes: through netD by its images alone, then through netG
                seen = fake.detach()
                seen.attach_grad()
            loss_g = self.loss.netG(self._logit(seen, augment and augment[2], self._frozenD))
        if self.options.freeze:
            (slope,) = autograd.grad([loss_g], [seen])
            fake.backward(slope)
        else:
            loss_g.backward()
        return loss_g

    def _logit(self, images, changes: Augmentation | None, netD):
        """``netD``'s logits (n, 1) of images as ``changes`` make them."""
        if changes is not None:
            images = apply(changes, images)
        return netD(images).reshape((-1, 1))

    def forward(self, z: np.ndarray) -> np.ndarray:
        """Latents (n, latent) to images in [-1, 1], NCHW, in inference mode; of netG's average, where there is one."""
        return (self.average.settled() if self.average else self.netG)(self._latents(z)).asnumpy()

    def generate(self, z: np.ndarray) -> np.ndarray:
        """`forward`, as pixels: uint8 NHWC."""
        return pixels.to_uint8(self.forward(z))

    def discriminate(self, images: np.ndarray) -> np.ndarray:
        """netD's logits of images (uint8 NHWC) in inference mode: (n,)."""
        self.wait()  # running statistics move in a backward pass, which MXNet may not have come to
        return self.netD(self._images(images)).asnumpy().reshape(-1)

    def wait(self) -> None:
        """Return once all that was asked for is computed."""
        runtime.load().nd.waitall()

    def weights(self) -> dict[str, dict[str, np.ndarray]]:
        """The arrays of netG, netD and, if there is one, netG-ema by canonical name; waits for the work in flight."""
        if self.average:
            self.average.settled()
        self.wait()
        return {
            name: {key: parameter.data().asnumpy() for key, parameter in parameters(net).items()}
            for name, net in self._nets().items()
        }

    def load_weights(self, weights: dict[str, dict[str, np.ndarray]]) -> None:
        """Set the networks that ``weights`` names. Raises ParamsError if one doesn't fit.

        netG's average begins anew with netG, if there is none beside it, and spectral norm with netD.
        """
        for name, arrays in weights.items():
            if name == "netG-ema":
                self.average.write(arrays, name)
            else:
                write(self._nets()[name], arrays, name)
        if "netG" in weights:
            self._choose_forms()
        if self.average and "netG" in weights and "netG-ema" not in weights:
            self.average.restart()
        if self.spectral and "netD" in weights:
            self.spectral.restart()

    def state(self) -> State:
        """Everything a resume needs: weights, Adam's moments and its step counts; waits for the work in flight."""
        arrays, counts = self.weights(), {}
        if self.average:
            arrays["emaG"] = arrays.pop("netG-ema")
        if self.spectral:
            arrays["spectral"] = self.spectral.state()
        for key, net, trainer in self._optimizers():
            states = trainer._updaters[0].states  # Trainer's only public way out is a pickle
            arrays[key] = {
                f"{name}.{moment}": value.asnumpy()
                for name, index in trainable(net).items()
                for moment, value in zip("mv", states.get(index, ()))
            }
            counts[key] = trainer._optimizer.num_update
        return State(arrays, counts)

    def load_state(self, state: State) -> None:
        """Go on from what `state` gave, on this engine or another. Raises ParamsError where an array doesn't fit."""
        self.load_weights({name: state.arrays.get("emaG" if name == "netG-ema" else name, {}) for name in self._nets()})
        if self.spectral:
            self.spectral.load_state(state.arrays.get("spectral", {}))
        for key, net, trainer in self._optimizers():
            updater, moments = trainer._updaters[0], state.arrays[key]
            mine = parameters(net)
            wanted = {f"{name}.{moment}": mine[name].shape for name in trainable(net) for moment in "mv"}
            fit.check(moments, wanted if state.counts[key] else {}, key)
            updater.states.clear()
            updater.states_synced.clear()
            for name, index in trainable(net).items() if moments else ():
                pair = (runtime.array(moments[f"{name}.{moment}"], self._device, self.dtype) for moment in "mv")
                updater.states[index] = tuple(pair)
                updater.states_synced[index] = True
            trainer._optimizer.begin_num_update = trainer._optimizer.num_update = state.counts[key]
            trainer._optimizer._index_update_count.clear()

    def _choose_forms(self) -> None:
        """How the networks are computed in training; pictures always come from the ones that were written down."""
        from mxgan.gluon import fast

        options, self._trainedG, self._trainedD = self.options, self.netG, self.netD
        if options.products or options.unbiased:
            biased = not options.unbiased or fast.has_biases(self.netG)
            self._trainedG = fast.generator(self.netG, options.products, biased)
        if options.products:
            self._trainedD = fast.discriminator(self.netD)
        # netG's step has a netD of its own: MXNet plans a backward pass anew whenever other gradients are asked for
        self._frozenD = fast.discriminator(self.netD) if options.products else self.netD
        for net in (self._trainedG, self._trainedD, self._frozenD) if options.static else ():
            net.hybridize(static_alloc=True, static_shape=True)

    def _optimizers(self) -> list[tuple]:
        return [("adamG", self.netG, self.trainerG), ("adamD", self.netD, self.trainerD)]

    def _gradients(self, name: str) -> dict[str, np.ndarray]:
        mine = parameters(self._nets()[name])
        return {f"{name}.{key}": mine[key].grad().asnumpy() for key in trainable(self._nets()[name])}

    def _nets(self) -> dict:
        nets = {"netG": self.netG, "netD": self.netD, "netG-ema": self.netG_ema}
        return {name: net for name, net in nets.items() if net is not None}

    def _images(self, images: np.ndarray):
        """uint8 NHWC to float NCHW in [-1, 1], on the device: a quarter of the bytes travel."""
        batch = runtime.array(images, self._device, "uint8").astype(self.dtype)
        return batch.transpose((0, 3, 1, 2)) / 127.5 - 1

    def _latents(self, z: np.ndarray):
        return runtime.array(z, self._device, self.dtype).reshape((*z.shape, 1, 1))


class Stats:
    """One step's losses and scores, still being computed; `read` waits for them."""

    def __init__(self, values) -> None:
        self._values = values

    def read(self) -> dict[str, float]:
        """loss_d, loss_g, score_real and score_fake as numbers, from before the step's updates."""
        names = ("loss_d", "loss_g", "score_real", "score_fake")
        return dict(zip(names, self._values.asnumpy().ravel().tolist()))


def forward_of(net: Net, ctx: str) -> Callable[[np.ndarray], np.ndarray]:
    """A generator read from a file as a function: latents (n, latent) to float32 NCHW images in [-1, 1].

    Raises ParamsError where its size or widths are not netG's, MxganError or ImportError where ctx can't be had.
    """
    mx, device = runtime.load(), runtime.context(ctx)
    from mxgan.gluon import fast, nets

    try:
        netG = nets.generator(net.latent, net.width, net.image_size, net.bias, net.channels)
    except ValueError as error:
        raise ParamsError(f"this generator makes {net.image_size}×{net.image_size} pixels: {error}") from error
    netG.initialize(mx.init.Zero(), ctx=device)
    write(netG, fast.without_biases(net.arrays), "netG")
    netG = fast.generator(netG, product=False, biased=False)
    netG.hybridize(static_alloc=True, static_shape=True)
    return lambda z: netG(runtime.array(z, device, "float32").reshape((*z.shape, 1, 1))).asnumpy()
