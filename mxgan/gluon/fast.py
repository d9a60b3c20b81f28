"""What makes training fast stands beside the networks: the same layers, the same parameters, computed otherwise.

- netG's first layer sees one pixel and netD's last one gives one, so both are plain matrix products, for which MXNet's
  convolutions take 10 times as long. The sums run in another order.
- A bias in front of a BatchNorm is taken away again with the batch's mean, so nothing can be learned from it: its
  gradient is zero, and what a float32 loop computes for it is rounding. Where all of netG's are zero, as they are
  drawn, they stay so and needn't be added, which MXNet's transposed convolutions do in a slow second pass.

In float64 the results agree with the plain networks to rounding; in float32 the last bits differ, and with them the
run. Everything else that `Engine` leaves out changes no bit.

BatchNorm and ReLU in one (contrib.BatchNormWithReLU) would save 3 % more, but in MXNet 1.9.1 its gradient is wrong,
without a word, wherever oneDNN lays its input out otherwise than its output.
"""

from __future__ import annotations

import numpy as np
from mxnet.gluon import HybridBlock, nn


class NormedLayer(HybridBlock):
    """netG's Conv2DTranspose, BatchNorm and ReLU over their own parameters.

    ``product``: the first layer, (n, latent, 1, 1) to (n, channels, 4, 4), as one product. ``biased``: is the bias
    added?
    """

    def __init__(self, layer: nn.Conv2DTranspose, norm: nn.BatchNorm, first: bool, product: bool, biased: bool) -> None:
        super().__init__(prefix=layer.prefix)
        self.params.update(layer.params)
        self.params.update(norm.params)
        self.weight, self.bias = layer.weight, layer.bias
        self.gamma, self.beta = norm.gamma, norm.beta
        self.running_mean, self.running_var = norm.running_mean, norm.running_var
        self._first, self._product, self._biased = first, first and product, biased and layer.bias is not None

    def hybrid_forward(self, F, x, weight, gamma, beta, running_mean, running_var, bias=None):
        channels = self.weight.shape[1]
        if self._product:
            y = F.dot(F.flatten(x), F.reshape(weight, (0, -1))).reshape((-1, channels, 4, 4))
            y = F.broadcast_add(y, F.reshape(bias, (1, -1, 1, 1))) if self._biased else y
        else:
            stride, pad = ((1, 1), (0, 0)) if self._first else ((2, 2), (1, 1))
            inputs = (x, weight, *([bias] if self._biased else []))
            y = F.Deconvolution(
                *inputs, kernel=(4, 4), stride=stride, pad=pad, num_filter=channels, no_bias=not self._biased
            )
        if bias is not None and not self._biased:
            beta = beta + 0 * bias  # Trainer asks for a gradient: this is it, zero
        y = F.BatchNorm(y, gamma, beta, running_mean, running_var, eps=1e-5, momentum=0.9, fix_gamma=False)
        return F.Activation(y, act_type="relu")


class LastLayer(HybridBlock):
    """Conv2D of (n, channels, 4, 4) to (n, 1, 1, 1), as one product with the same weight and bias."""

    def __init__(self, layer: nn.Conv2D) -> None:
        super().__init__(prefix=layer.prefix, params=layer.params)
        self.weight = self.params.get("weight")
        self.bias = None if layer.bias is None else self.params.get("bias")

    def hybrid_forward(self, F, x, weight, bias=None):
        inputs = [F.flatten(x), F.reshape(weight, (1, -1)), *([] if bias is None else [bias])]
        return F.FullyConnected(*inputs, num_hidden=1, no_bias=bias is None).reshape((-1, 1, 1, 1))


def generator(netG: nn.HybridSequential, product: bool, biased: bool) -> nn.HybridSequential:
    """netG over its own parameters, as `NormedLayer` says."""
    layers = list(netG)
    normed = [NormedLayer(layers[i], layers[i + 1], i == 0, product, biased) for i in range(0, len(layers) - 2, 3)]
    return _sequence([*normed, *layers[-2:]])


def discriminator(netD: nn.HybridSequential) -> nn.HybridSequential:
    """netD over its own parameters, the last layer as a matrix product."""
    *rest, last = netD
    return _sequence([*rest, LastLayer(last)])


def has_biases(netG: nn.HybridSequential) -> bool:
    """Is any bias in front of a BatchNorm not zero?"""
    *normed, _, _ = netG
    biases = [layer.bias for layer in normed if getattr(layer, "bias", None) is not None]
    return any(bias.data().asnumpy().any() for bias in biases)


def without_biases(arrays: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    """netG's arrays for the same function, each bias in front of a BatchNorm taken off the mean that it subtracts."""
    same = dict(arrays)
    for name in arrays:
        layer = name.partition(".running_mean")[0]
        if layer != name and f"{int(layer) - 1}.bias" in arrays:
            bias = f"{int(layer) - 1}.bias"
            same[name], same[bias] = arrays[name] - arrays[bias], np.zeros_like(arrays[bias])
    return same


def _sequence(layers: list[HybridBlock]) -> nn.HybridSequential:
    net = nn.HybridSequential()
    net.add(*layers)
    return net
