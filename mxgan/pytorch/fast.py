"""The networks in forms that compute faster: the same layers over the same parameters.

Where a layer's small side is 4×4 pixels, oneDNN's gradient of the weights takes twice as long as the same sums written
as one matrix product over (image, pixel); netG's first layer is a matrix product as it stands. In float64 the results
agree to rounding; in float32 the last bits differ. On the CPU alone: a GPU's libraries choose for themselves.
"""

from __future__ import annotations

import copy
from typing import Any, NamedTuple

import torch
import torch.nn.functional as F
from torch import nn


class Nets(NamedTuple):
    """The networks as a step computes them."""

    netG: nn.Sequential
    netD: nn.Sequential
    frozenD: nn.Sequential  # netD for netG's step, without gradients of its weights


def forms(netG: nn.Sequential, netD: nn.Sequential, options: Any) -> Nets:
    """The networks in the forms that ``options`` (`mxgan.pytorch.model.Options`) ask for."""
    frozenD = frozen(netD, copy.deepcopy(netD)) if options.freeze else netD
    device = next(netG.parameters()).device
    if options.products and device.type == "cpu" and options.precision != "bfloat16":
        return Nets(generator(netG), discriminator(netD), discriminator(frozenD))
    return Nets(netG, netD, frozenD)


def frozen(net: nn.Sequential, twin: nn.Sequential) -> nn.Sequential:
    """``twin``, a network of the same build, over ``net``'s own memory: it computes the same, and trains nothing."""
    for mine, theirs in zip(twin.modules(), net.modules()):
        mine._buffers = theirs._buffers
        for name, parameter in theirs.named_parameters(recurse=False):
            mine.register_parameter(name, nn.Parameter(parameter.detach(), requires_grad=False))
    return twin


class FirstLayer(nn.Module):
    """ConvTranspose2d of (n, latent, 1, 1) to (n, channels, 4, 4), as one product with the same weight and bias."""

    def __init__(self, layer: nn.ConvTranspose2d) -> None:
        super().__init__()
        self.layer = layer

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        weight = self.layer.weight.permute(0, 2, 3, 1)  # latent, 4, 4, channels: as channels_last lays it out
        y = x.flatten(1) @ weight.reshape(len(weight), -1)
        y = y.reshape(len(x), *weight.shape[1:])
        return (y if self.layer.bias is None else y + self.layer.bias).permute(0, 3, 1, 2)


class SmallLayer(nn.Module):
    """Conv2d or ConvTranspose2d, kernel 4, stride 2, padding 1, whose weight's gradient is one matrix product."""

    def __init__(self, layer: nn.Conv2d | nn.ConvTranspose2d) -> None:
        super().__init__()
        self.layer = layer

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return _Convolution.apply(x, self.layer.weight, self.layer.bias, isinstance(self.layer, nn.ConvTranspose2d))


class _Convolution(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x, weight, bias, transposed):
        ctx.save_for_backward(x, weight)
        ctx.transposed = transposed
        return (F.conv_transpose2d if transposed else F.conv2d)(x, weight, bias, 2, 1)

    @staticmethod
    def backward(ctx, gradient):
        x, weight = ctx.saved_tensors
        of_x = of_weight = of_bias = None
        if ctx.needs_input_grad[0]:  # a convolution's gradient is the transposed convolution, and the other way round
            of_x = (F.conv2d if ctx.transposed else F.conv_transpose2d)(gradient, weight, None, 2, 1)
        if ctx.needs_input_grad[1]:
            of_weight = _by_weight(*((x, gradient) if ctx.transposed else (gradient, x)))
        if ctx.needs_input_grad[2]:
            of_bias = gradient.sum((0, 2, 3))
        return of_x, of_weight, of_bias, None


def _by_weight(small: torch.Tensor, large: torch.Tensor) -> torch.Tensor:
    """(channels of small, channels of large, 4, 4): each pixel of ``small`` times the 4×4 it saw of ``large``."""
    n, channels, height, width = small.shape
    pixels = small.permute(0, 2, 3, 1).reshape(-1, channels)
    seen = F.pad(large.permute(0, 2, 3, 1), (0, 0, 1, 1, 1, 1)).contiguous()
    image, row, column, _ = seen.stride()
    among = large.shape[1]
    windows = seen.as_strided((n, height, width, 4, 4 * among), (image, 2 * row, 2 * column, row, 1))
    products = pixels.t() @ windows.reshape(n * height * width, 16 * among)
    return products.reshape(channels, 4, 4, among).permute(0, 3, 1, 2)


def generator(netG: nn.Sequential) -> nn.Sequential:
    """netG over its own parameters: its first two convolutions otherwise."""
    first, norm, relu, second, *rest = _layers(netG)
    return nn.Sequential(FirstLayer(first), norm, relu, SmallLayer(second), *rest)


def discriminator(netD: nn.Sequential) -> nn.Sequential:
    """netD over its own parameters: the convolution to 4×4 pixels otherwise."""
    layers = _layers(netD)
    place = max(index for index, layer in enumerate(layers) if isinstance(layer, nn.Conv2d) and layer.stride == (2, 2))
    layers[place] = SmallLayer(layers[place])
    return nn.Sequential(*layers)


def _layers(net: nn.Sequential) -> list[Any]:
    return list(net)
