"""The losses that netD and netG can be trained with, of each sample: (n,) from logits (n, 1)."""

from __future__ import annotations

from mxnet import nd
from mxnet.gluon.loss import SigmoidBCELoss


class CrossEntropy:
    """The tutorial's: sigmoid and binary cross entropy. netD is told that reals are so by 1 - ``label_smoothing``."""

    def __init__(self, label_smoothing: float = 0) -> None:
        self._loss = SigmoidBCELoss()
        self._real = 1 - label_smoothing

    def netD(self, real, fake):
        return self._loss(real, real.ones_like() * self._real) + self._loss(fake, fake.zeros_like())

    def netG(self, fake):
        return self._loss(fake, fake.ones_like())


class Hinge:
    """Of Lim and Ye 2017, arXiv:1705.02894: netD stops caring for a logit beyond 1 on its right side of 0."""

    def netD(self, real, fake):
        return (nd.relu(1 - real) + nd.relu(1 + fake)).reshape(-1)

    def netG(self, fake):
        return -fake.reshape(-1)


def named(loss: str, label_smoothing: float = 0) -> CrossEntropy | Hinge:
    """The loss that a configuration calls ``bce`` or ``hinge``."""
    return Hinge() if loss == "hinge" else CrossEntropy(label_smoothing)
