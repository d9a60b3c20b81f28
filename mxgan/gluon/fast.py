"""The networks in forms that compute faster: the same layers over the same parameters.

- netG's first layer sees one pixel and netD's last one gives one, so both are plain matrix products, for which MXNet's
  convolutions take 10 times as long. The sums run in another order.
- A bias in front of a BatchNorm is taken away again with the batch's mean, so nothing can be learned from it: its
  gradient is zero, and what a float32 loop computes for it is rounding. Where all of netG's are zero, as they are
  drawn, they stay so and needn't be added, which MXNet's transposed convolutions do in a slow second pass.

In float64 the results agree with the plain networks to rounding; in float32 the last bits differ, and with them the
run. Everything else that training leaves out changes no bit.

BatchNorm and ReLU in one (contrib.BatchNormWithReLU) would save 3 % more, but in MXNet 1.9.1 its gradient is wrong,
without a word, wherever oneDNN lays its input out otherwise than its output.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from mxnet.gluon import HybridBlock, nn

from mxgan.gluon.tensors import tensors


class Nets(NamedTuple):
    """The networks as a step computes them."""

    netG: Any
    netD: Any
    frozenD: Any  # netD for netG's step, without gradients of its weights


def forms(netG: nn.HybridSequential, netD: nn.HybridSequential, frozenD: nn.HybridSequential, options: Any) -> Nets:
    """The three networks in the forms that ``options`` (`mxgan.gluon.model.Options`) ask for."""
    found = Nets(netG, netD, frozenD)
    if options.products or options.unbiased:
        biased = not options.unbiased or _has_biases(netG)
        found = found._replace(netG=generator(netG, options.products, biased))
    if options.products:
        found = found._replace(netD=discriminator(netD), frozenD=discriminator(frozenD))
    for net in found if options.static else ():
        net.hybridize(static_alloc=True, static_shape=True)
    return found


def frozen(net: nn.HybridSequential, twin: nn.HybridSequential) -> nn.HybridSequential:
    """``twin``, a network of the same build, over ``net``'s own memory: it computes the same, and has no gradients."""
    for mine, theirs in zip(tensors(twin).values(), tensors(net).values()):
        mine.grad_req = "null"
        mine._data = [data.detach() for data in theirs._data]  # detached: the handle itself is marked for gradients
    return twin


class _Layer(HybridBlock):
    """netG's transposed convolution, BatchNorm and ReLU over their own parameters. ``biased``: is the bias added?"""

    def __init__(self, layer: nn.Conv2DTranspose, norm: nn.BatchNorm, biased: bool) -> None:
        super().__init__(prefix=layer.prefix)
        self.params.update(layer.params)
        self.params.update(norm.params)
        self.weight, self.bias = layer.weight, layer.bias
        self.gamma, self.beta = norm.gamma, norm.beta
        self.running_mean, self.running_var = norm.running_mean, norm.running_var
        self._channels = layer.weight.shape[1]
        self._biased = biased and layer.bias is not None

    def hybrid_forward(self, F, x, weight, gamma, beta, running_mean, running_var, bias=None):
        y = self.convolved(F, x, weight, bias if self._biased else None)
        if bias is not None and not self._biased:
            beta = beta + 0 * bias  # Trainer asks for a gradient: this is it, zero
        y = F.BatchNorm(y, gamma, beta, running_mean, running_var, eps=1e-5, momentum=0.9, fix_gamma=False)
        return F.Activation(y, act_type="relu")


class ProductLayer(_Layer):
    """netG's first layer, (n, latent, 1, 1) to (n, channels, 4, 4), as one matrix product."""

    def convolved(self, F, x, weight, bias):
        y = F.dot(F.flatten(x), F.reshape(weight, (0, -1))).reshape((-1, self._channels, 4, 4))
        return y if bias is None else F.broadcast_add(y, F.reshape(bias, (1, -1, 1, 1)))


class NormedLayer(_Layer):
    """netG's layers as convolutions, whose bias may be left out."""

    def __init__(self, layer: nn.Conv2DTranspose, norm: nn.BatchNorm, biased: bool) -> None:
        super().__init__(layer, norm, biased)
        self._how = {name: layer._kwargs[name] for name in ("kernel", "stride", "pad", "num_filter")}

    def convolved(self, F, x, weight, bias):
        inputs = (x, weight) if bias is None else (x, weight, bias)
        return F.Deconvolution(*inputs, no_bias=bias is None, **self._how)


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
    """netG over its own parameters. ``product``: the first layer as a matrix product; ``biased``: biases are added."""
    layers = list(netG)
    pairs = zip(layers[0:-2:3], layers[1:-2:3])
    kinds = [ProductLayer if product else NormedLayer, *[NormedLayer] * len(layers)]
    normed = [kind(layer, norm, biased) for kind, (layer, norm) in zip(kinds, pairs)]
    return _sequence([*normed, *layers[-2:]])


def discriminator(netD: nn.HybridSequential) -> nn.HybridSequential:
    """netD over its own parameters, its last layer as a matrix product."""
    *rest, last = netD
    return _sequence([*rest, LastLayer(last)])


def _has_biases(netG: nn.HybridSequential) -> bool:
    """Is any bias in front of a BatchNorm not zero?"""
    *normed, _, _ = netG
    biases = [layer.bias for layer in normed if getattr(layer, "bias", None) is not None]
    return any(bias.data().asnumpy().any() for bias in biases)


def _sequence(layers: list[HybridBlock]) -> nn.HybridSequential:
    net = nn.HybridSequential()
    net.add(*layers)
    return net
