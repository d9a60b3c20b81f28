"""Adam in MXNet's form, so that both engines take the same steps.

Kingma and Ba 2015 (arXiv:1412.6980), the last lines of section 2: the bias correction is in the learning rate and
epsilon stands outside it, where torch.optim.Adam has it inside.
"""

from __future__ import annotations

import math

import numpy as np
import torch

EPSILON = 1e-8


class Adam:
    """The moments and the step count of one network's parameters; `step` updates them from their gradients."""

    def __init__(self, parameters: dict[str, torch.Tensor], lr: float, beta1: float, beta2: float) -> None:
        self.parameters = parameters
        self.lr, self.beta1, self.beta2 = lr, beta1, beta2
        self.m = {name: torch.zeros_like(parameter) for name, parameter in parameters.items()}
        self.v = {name: torch.zeros_like(parameter) for name, parameter in parameters.items()}
        self.count = 0

    @torch.no_grad()
    def step(self, rate: float = 1) -> None:
        """One update from the parameters' gradients, at ``rate`` times the learning rate."""
        self.count += 1
        correction = math.sqrt(1 - self.beta2**self.count) / (1 - self.beta1**self.count)
        numbers = (self.lr * rate * correction, self.beta1, self.beta2, EPSILON)
        lr, beta1, beta2, epsilon = (float(float32_of_text(repr(x))) for x in numbers)
        w, m, v = list(self.parameters.values()), list(self.m.values()), list(self.v.values())
        g = [gradient_of(parameter) for parameter in w]
        # All tensors of a network at once (_foreach_): a few kernels on a GPU instead of hundreds.
        torch._foreach_mul_(m, beta1)
        torch._foreach_add_(m, g, alpha=1 - beta1)
        torch._foreach_mul_(v, beta2)
        torch._foreach_addcmul_(v, g, g, value=1 - beta2)
        root = torch._foreach_sqrt(v)
        torch._foreach_add_(root, epsilon)
        torch._foreach_addcdiv_(w, m, root, value=-lr)


def gradient_of(parameter: torch.Tensor) -> torch.Tensor:
    """Its gradient, which a backward pass has computed."""
    assert parameter.grad is not None
    return parameter.grad


def float32_of_text(text: str) -> np.float32:
    """A number as MXNet's operators get it: written out in decimals, then read digit by digit into a float32.

    The reader (ParseFloat of dmlc-core's strtonum.h) rounds twice, so 3 % of the learning rates of a run's first 3,000
    steps come out one unit in the last place off: nothing in training, 6e-8 in a proof.
    """
    mantissa, _, exponent = text.partition("e-")
    whole, _, decimals = mantissa.partition(".")
    value = np.float32(whole) + np.float32(float(int(decimals or 0)) / 10.0 ** len(decimals))
    return value / np.float32(10.0 ** int(exponent or 0))
