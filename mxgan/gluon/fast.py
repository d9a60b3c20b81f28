"""What makes training fast stands beside the networks: the same layers, the same parameters, computed otherwise.

netG's first layer sees one pixel and netD's last one gives one, so both are plain matrix products, for which MXNet's
convolutions take 10 times as long. The sums run in another order: in float64 the results agree to rounding, in float32
the last bits differ, and with them the run. Everything else that `Engine` leaves out changes no bit.
"""

from __future__ import annotations

from mxnet.gluon import HybridBlock, nn


class FirstLayer(HybridBlock):
    """Conv2DTranspose of (n, latent, 1, 1) to (n, channels, 4, 4), as one product with the same weight and bias."""

    def __init__(self, layer: nn.Conv2DTranspose) -> None:
        super().__init__(prefix=layer.prefix, params=layer.params)
        self.weight = self.params.get("weight")
        self.bias = None if layer.bias is None else self.params.get("bias")
        self._shape = (-1, *self.weight.shape[1:])

    def hybrid_forward(self, F, x, weight, bias=None):
        y = F.dot(F.flatten(x), F.reshape(weight, (0, -1))).reshape(self._shape)
        return y if bias is None else F.broadcast_add(y, F.reshape(bias, (1, -1, 1, 1)))


class LastLayer(HybridBlock):
    """Conv2D of (n, channels, 4, 4) to (n, 1, 1, 1), as one product with the same weight and bias."""

    def __init__(self, layer: nn.Conv2D) -> None:
        super().__init__(prefix=layer.prefix, params=layer.params)
        self.weight = self.params.get("weight")
        self.bias = None if layer.bias is None else self.params.get("bias")

    def hybrid_forward(self, F, x, weight, bias=None):
        inputs = [F.flatten(x), F.reshape(weight, (1, -1)), *([] if bias is None else [bias])]
        return F.FullyConnected(*inputs, num_hidden=1, no_bias=bias is None).reshape((-1, 1, 1, 1))


def generator(netG: nn.HybridSequential) -> nn.HybridSequential:
    """netG over its own parameters, the first layer as a matrix product."""
    first, *rest = netG
    return _sequence([FirstLayer(first), *rest])


def discriminator(netD: nn.HybridSequential) -> nn.HybridSequential:
    """netD over its own parameters, the last layer as a matrix product."""
    *rest, last = netD
    return _sequence([*rest, LastLayer(last)])


def _sequence(layers: list[HybridBlock]) -> nn.HybridSequential:
    net = nn.HybridSequential()
    net.add(*layers)
    return net
