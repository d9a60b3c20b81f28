"""The MXNet generators' training and saving. The discriminator is a Gluon net for blocks and symbols alike."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from mxgan.gluon import runtime

from .kinds import Published
from .reals import reals
from .training import BATCH, RATE, REALS, rate

mx = runtime.load()
nn = mx.gluon.nn
LOSS = mx.gluon.loss.SigmoidBinaryCrossEntropyLoss()


def discriminator(size: int) -> Any:
    net = nn.HybridSequential()
    with net.name_scope():
        width, first = 8, True
        while size > 4:
            net.add(nn.Conv2D(width, 4, 2, 1, use_bias=False))
            if not first:
                net.add(nn.BatchNorm())
            net.add(nn.LeakyReLU(0.2))
            width, size, first = min(width * 2, 64), size // 2, False
        net.add(nn.Conv2D(1, size, 1, 0, use_bias=False))
    return net


def initializer(net: Published) -> Any:
    return mx.init.Normal(0.02) if net.init == "dcgan" else mx.init.Xavier()


def inputs(net: Published, z: np.ndarray) -> Any:
    return mx.nd.array(z[:, :, None, None] if net.as_map else z)


class BlockGenerator:
    """A HybridBlock to train, run and save."""

    def __init__(self, net: Published) -> None:
        self.net, self.block = net, net.build()
        self.block.initialize(initializer(net))
        self.trainer = mx.gluon.Trainer(self.block.collect_params(), "adam", {"learning_rate": RATE, "beta1": 0.5})

    def step(self, z: Any, gradient: Any, rate: float) -> None:
        """One step against ``gradient(images)``, the loss's gradient by the images."""
        self.trainer.set_learning_rate(rate)
        with mx.autograd.record():
            images = self.block(z)
        images.backward(gradient(images))
        self.trainer.step(1)

    def images(self, z: Any) -> np.ndarray:
        return self.block(z).asnumpy()

    def save(self, folder: Path, steps: int) -> dict[str, str]:
        self.block.save_parameters(str(folder / "netG.params"))
        self.block.hybridize()
        self.block(inputs(self.net, np.zeros((1, self.net.latent), np.float32)))
        self.block.export(str(folder / "export"), epoch=0)
        return dict.fromkeys(("netG.params", "export-symbol.json", "export-0000.params"), "ok")


class ModuleGenerator:
    """A symbol to train, run and save by the Module API."""

    def __init__(self, net: Published) -> None:
        self.net, self.symbol = net, net.build()
        self.data = next(name for name in self.symbol.list_arguments() if name in ("data", "rand", "z"))
        shape = (net.latent, 1, 1) if net.as_map else (net.latent,)
        self.module = mx.mod.Module(self.symbol, data_names=(self.data,), label_names=None, context=mx.cpu())
        self.module.bind(data_shapes=[(self.data, (BATCH, *shape))])
        self.module.init_params(initializer(net))
        self.optimizer = mx.optimizer.Adam(learning_rate=RATE, beta1=0.5)
        self.module.init_optimizer(optimizer=self.optimizer)

    def step(self, z: Any, gradient: Any, rate: float) -> None:
        self.optimizer.set_learning_rate(rate)
        self.module.forward(mx.io.DataBatch([z], []), is_train=True)
        self.module.backward([gradient(self.module.get_outputs()[0].copy())])
        mx.nd.waitall()  # or updates of running statistics get lost: MXNet doesn't know that backward writes them
        self.module.update()

    def images(self, z: Any) -> np.ndarray:
        self.module.forward(mx.io.DataBatch([z], []), is_train=False)
        return self.module.get_outputs()[0].asnumpy()

    def save(self, folder: Path, steps: int) -> dict[str, str]:
        if self.net.moved_gammas:
            self.move_gammas()
        self.module.save_checkpoint(str(folder / "G"), steps)
        self.module.save_params(str(folder / "G-nosymbol.params"))
        return dict.fromkeys(("G-symbol.json", f"G-{steps:04d}.params", "G-nosymbol.params"), "ok")

    def move_gammas(self) -> None:
        """Give gammas that BatchNorm takes for 1 other values, as long training with weight decay does."""
        args, auxiliary = self.module.get_params()
        rng = np.random.default_rng(self.net.seed + 2)
        for name in args:
            if name.endswith("_gamma"):
                args[name] = mx.nd.array(rng.uniform(0.2, 1.5, args[name].shape))
        self.module.set_params(args, auxiliary)


def train(net: Published, steps: int) -> Any:
    """The generator after ``steps`` steps."""
    mx.random.seed(net.seed)
    np.random.seed(net.seed)
    rng = np.random.default_rng(net.seed)
    with mx.name.NameManager():
        netG = ModuleGenerator(net) if net.name.startswith("module") else BlockGenerator(net)
    netD = discriminator(net.size)
    netD.initialize(mx.init.Normal(0.02))
    trainer = mx.gluon.Trainer(netD.collect_params(), "adam", {"learning_rate": RATE, "beta1": 0.5})
    images, _ = reals(REALS, net.size, net.channels)
    images = images if net.end == "sigmoid" else images * 2 - 1

    def gradient(fake: Any) -> Any:
        """A step of netD on these images and real ones, then what netG's loss would change in the images."""
        fake = fake.detach()
        real = mx.nd.array(images[rng.integers(0, REALS, BATCH)])
        with mx.autograd.record():
            loss = LOSS(netD(real), mx.nd.ones(BATCH)) + LOSS(netD(fake), mx.nd.zeros(BATCH))
        loss.backward()
        trainer.step(BATCH)
        fake.attach_grad()
        with mx.autograd.record():
            loss = LOSS(netD(fake), mx.nd.ones(BATCH)).mean()
        loss.backward()
        return fake.grad

    for step in range(steps):
        netG.step(inputs(net, net.draw(rng, BATCH)), gradient, rate(step, steps))
    return netG


def expected(net: Published, netG: Any) -> dict[str, np.ndarray]:
    """Latents and the images that the framework makes of them."""
    z = net.draw(np.random.default_rng(net.seed + 1), 8)
    padded = np.concatenate([z, np.zeros((BATCH - 8, net.latent), np.float32)])  # a Module's batch has one size
    return {"z": z, "images": netG.images(inputs(net, padded))[:8], "range": np.array(net.end)}
