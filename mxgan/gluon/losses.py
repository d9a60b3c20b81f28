"""The losses of netD and netG: one value per sample, (n,), from netD's logits (n, 1)."""

from __future__ import annotations

from typing import Any, Union

from mxnet import nd
from mxnet.gluon.loss import SigmoidBCELoss


class CrossEntropy:
    """The tutorial's: sigmoid and binary cross entropy. Real faces' label is 1 - ``label_smoothing``."""

    def __init__(self, label_smoothing: float = 0) -> None:
        self._loss = SigmoidBCELoss()
        self._real = 1 - label_smoothing

    def netD(self, real: Any, fake: Any) -> Any:
        """netD should tell the two apart."""
        return self._loss(real, real.ones_like() * self._real) + self._loss(fake, fake.zeros_like())

    def netG(self, fake: Any) -> Any:
        """What netG makes should pass for real."""
        return self._loss(fake, fake.ones_like())


class Hinge:
    """Lim and Ye 2017, arXiv:1705.02894: netD has no more to gain from a logit beyond 1 on its right side of 0."""

    def netD(self, real: Any, fake: Any) -> Any:
        """netD should tell the two apart."""
        return (nd.relu(1 - real) + nd.relu(1 + fake)).reshape(-1)

    def netG(self, fake: Any) -> Any:
        """What netG makes should pass for real."""
        return -fake.reshape(-1)


def named(loss: str, label_smoothing: float = 0) -> Union[CrossEntropy, Hinge]:
    """The loss that a configuration calls ``bce`` or ``hinge``."""
    return Hinge() if loss == "hinge" else CrossEntropy(label_smoothing)
