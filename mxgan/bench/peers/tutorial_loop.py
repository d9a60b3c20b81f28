"""The MXNet Gluon DCGAN tutorial's networks and training loop, as written.

Networks layer by layer, Normal(0.02), an iterator over all images in memory as floats. netG's step generates the fake
batch again and computes netD's gradients too. An accuracy is read twice a step. The tutorial doesn't hybridize its
networks; ``hybridize`` does.

`train` is a generator: each ``next()`` is one step of the loop. MXNet computes behind it until `wait` returns.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

for alias, kind in {"bool": bool, "int": int, "float": float, "complex": complex, "object": object, "str": str}.items():
    if alias not in vars(np):  # MXNet 1.9.1 is imported by these names, which NumPy 1.24 removed
        setattr(np, alias, kind)

import mxnet as mx  # noqa: E402
from mxnet import autograd, gluon, nd  # noqa: E402
from mxnet.gluon import nn  # noqa: E402

LATENT = 150


def networks(ngf: int = 64, ndf: int = 64, nc: int = 3) -> tuple[nn.HybridSequential, nn.HybridSequential]:
    """netG and netD, not yet initialized."""
    netG = nn.HybridSequential()
    with netG.name_scope():
        # input is Z, going into a convolution
        netG.add(nn.Conv2DTranspose(ngf * 8, 4, 1, 0))
        netG.add(nn.BatchNorm())
        netG.add(nn.Activation("relu"))
        # state size. (ngf*8) x 4 x 4
        netG.add(nn.Conv2DTranspose(ngf * 4, 4, 2, 1))
        netG.add(nn.BatchNorm())
        netG.add(nn.Activation("relu"))
        # state size. (ngf*4) x 8 x 8
        netG.add(nn.Conv2DTranspose(ngf * 2, 4, 2, 1))
        netG.add(nn.BatchNorm())
        netG.add(nn.Activation("relu"))
        # state size. (ngf*2) x 16 x 16
        netG.add(nn.Conv2DTranspose(ngf, 4, 2, 1))
        netG.add(nn.BatchNorm())
        netG.add(nn.Activation("relu"))
        # state size. (ngf) x 32 x 32
        netG.add(nn.Conv2DTranspose(nc, 4, 2, 1))
        netG.add(nn.Activation("tanh"))
        # state size. (nc) x 64 x 64

    netD = nn.HybridSequential()
    with netD.name_scope():
        # input is (nc) x 64 x 64
        netD.add(nn.Conv2D(ndf, 4, 2, 1))
        netD.add(nn.LeakyReLU(0.2))
        # state size. (ndf) x 32 x 32
        netD.add(nn.Conv2D(ndf * 2, 4, 2, 1))
        netD.add(nn.BatchNorm())
        netD.add(nn.LeakyReLU(0.2))
        # state size. (ndf*2) x 16 x 16
        netD.add(nn.Conv2D(ndf * 4, 4, 2, 1))
        netD.add(nn.BatchNorm())
        netD.add(nn.LeakyReLU(0.2))
        # state size. (ndf*4) x 8 x 8
        netD.add(nn.Conv2D(ndf * 8, 4, 2, 1))
        netD.add(nn.BatchNorm())
        netD.add(nn.LeakyReLU(0.2))
        # state size. (ndf*8) x 4 x 4
        netD.add(nn.Conv2D(1, 4, 1, 0))
    return netG, netD


def train(faces: np.ndarray, batch_size: int, hybridize: bool = False) -> Iterator[None]:
    """Train for ever on faces (uint8 NHWC), a step each time it is asked for the next value."""
    ctx = mx.cpu()
    images = faces.transpose(0, 3, 1, 2).astype(np.float32) / 127.5 - 1
    train_data = mx.io.NDArrayIter(data=nd.array(images), batch_size=batch_size)

    netG, netD = networks()
    loss = gluon.loss.SigmoidBinaryCrossEntropyLoss()
    netG.initialize(mx.init.Normal(0.02), ctx=ctx)
    netD.initialize(mx.init.Normal(0.02), ctx=ctx)
    if hybridize:
        netG.hybridize()
        netD.hybridize()
    trainerG = gluon.Trainer(netG.collect_params(), "adam", {"learning_rate": 0.0002, "beta1": 0.5})
    trainerD = gluon.Trainer(netD.collect_params(), "adam", {"learning_rate": 0.0002, "beta1": 0.5})

    real_label = nd.ones((batch_size,), ctx=ctx)
    fake_label = nd.zeros((batch_size,), ctx=ctx)
    metric = mx.metric.CustomMetric(facc)
    iteration = 0
    while True:
        train_data.reset()
        for batch in train_data:
            # (1) Update D network: maximize log(D(x)) + log(1 - D(G(z)))
            data = batch.data[0].as_in_context(ctx)
            latent_z = mx.nd.random_normal(0, 1, shape=(batch_size, LATENT, 1, 1), ctx=ctx)

            with autograd.record():
                # train with real image
                output = netD(data).reshape((-1, 1))
                errD_real = loss(output, real_label)
                metric.update([real_label], [output])

                # train with fake image
                fake = netG(latent_z)
                output = netD(fake.detach()).reshape((-1, 1))
                errD_fake = loss(output, fake_label)
                errD = errD_real + errD_fake
                errD.backward()
                metric.update([fake_label], [output])

            trainerD.step(batch.data[0].shape[0])

            # (2) Update G network: maximize log(D(G(z)))
            with autograd.record():
                fake = netG(latent_z)
                output = netD(fake).reshape((-1, 1))
                errG = loss(output, real_label)
                errG.backward()

            trainerG.step(batch.data[0].shape[0])

            # Print log information every ten batches
            if iteration % 10 == 0:
                _ = metric.get(), nd.mean(errD).asscalar(), nd.mean(errG).asscalar()
            iteration += 1
            yield


def facc(label: np.ndarray, pred: np.ndarray) -> float:
    """The tutorial's accuracy."""
    return ((pred.ravel() > 0.5) == label.ravel()).mean()


def wait() -> None:
    """Return once all steps asked for are computed."""
    mx.nd.waitall()
