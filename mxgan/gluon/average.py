"""netG's moving average (EMA), as in StyleGAN2-ADA (Karras et al. 2020, arXiv:2006.06676)."""

from __future__ import annotations

from mxnet import nd
from mxnet.gluon.nn import HybridSequential

from mxgan.gluon.named import parameters


class Average:
    """Moves every array of ``average``, running statistics too, towards that of ``netG``, a net of the same build."""

    def __init__(self, netG: HybridSequential, average: HybridSequential, half_life: float, rampup: float) -> None:
        self._netG, self._average = parameters(netG), parameters(average)
        self._half_life, self._rampup = half_life, rampup

    def update(self, seen: int, batch: int) -> None:
        """After a step of ``batch`` images, the last of ``seen``: what a step brought is half forgotten a half-life on.

        The half-life, in images, is at most ``rampup`` of those seen, so that the initial weights are soon forgotten.
        """
        half_life = min(self._half_life, self._rampup * seen)
        nd.waitall()  # a backward pass moves running statistics unseen by MXNet's order of reads and writes
        share = 1 - 0.5 ** (batch / max(half_life, 1e-8))
        for name, parameter in self._netG.items():
            average = self._average[name].data()
            difference = parameter.data() - average
            difference *= share
            average += difference

    def restart(self) -> None:
        """From netG as it is now."""
        for name, parameter in self._netG.items():
            self._average[name].set_data(parameter.data())
