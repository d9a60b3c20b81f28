"""The held-out generators of MXNet."""

from __future__ import annotations

from typing import Any

from mxgan.gluon import runtime

from .kinds import Published

mx = runtime.load()
nn = mx.gluon.nn


class LeastSquares(nn.HybridBlock):
    """Dense, BatchNorm and a reshape between two HybridSequentials, LeakyReLU, kernels of 5 with output padding."""

    def __init__(self, latent: int = 48, d: int = 12, **scope: Any) -> None:
        super().__init__(**scope)
        self.d = d
        with self.name_scope():
            self.fc = nn.HybridSequential(prefix="fc_")
            self.fc.add(nn.Dense(d * 2 * 64, use_bias=False, in_units=latent))
            self.fc.add(nn.BatchNorm(in_channels=d * 2 * 64), nn.LeakyReLU(0.2))
            self.deconv = nn.HybridSequential(prefix="deconv_")
            settings = {"strides": 2, "padding": 2, "output_padding": 1}
            self.deconv.add(nn.Conv2DTranspose(d, 5, in_channels=d * 2, **settings), nn.BatchNorm(in_channels=d))
            self.deconv.add(nn.LeakyReLU(0.2), nn.Conv2DTranspose(3, 5, in_channels=d, **settings))

    def hybrid_forward(self, F: Any, z: Any) -> Any:
        return F.tanh(self.deconv(self.fc(z).reshape((-1, self.d * 2, 8, 8))))


def equal() -> Any:
    """A DCGAN with two equal widths, an activation inside the last layer, and dropout."""
    net = nn.HybridSequential(prefix="generator_")
    with net.name_scope():
        for i, (a, b) in enumerate(((48, 32), (32, 16), (16, 16))):
            net.add(nn.Conv2DTranspose(b, 4, 2 if i else 1, 1 if i else 0, use_bias=False, in_channels=a))
            net.add(nn.BatchNorm(in_channels=b), nn.Dropout(0.2), nn.Activation("relu"))
        net.add(nn.Conv2DTranspose(3, 4, 2, 1, activation="tanh", in_channels=16))
    return net


def boxes() -> Any:
    """Names of blocks and layers: gz1_conv, gz1_bn, gz1_act; LeakyReLU, gammas fixed."""
    sym = mx.sym
    x = sym.Variable("rand")
    for i, width in enumerate((40, 20, 10), 1):
        shape = {"stride": (2, 2), "pad": (1, 1)} if i > 1 else {}
        x = sym.Deconvolution(x, name=f"gz{i}_conv", kernel=(4, 4), num_filter=width, no_bias=True, **shape)
        x = sym.BatchNorm(x, name=f"gz{i}_bn", fix_gamma=True, eps=1e-5 + 1e-12)
        x = sym.LeakyReLU(x, name=f"gz{i}_act", act_type="leaky", slope=0.2)
    x = sym.Deconvolution(x, name="gz4_conv", kernel=(4, 4), stride=(2, 2), pad=(1, 1), num_filter=3, no_bias=True)
    return sym.Activation(x, name="gz4_act", act_type="tanh")


def dense_start() -> Any:
    """FullyConnected, Reshape, kernels of 5 with adj, eps 2e-5, gammas learned."""
    sym = mx.sym
    x = sym.FullyConnected(sym.Variable("data"), name="project", num_hidden=32 * 16, no_bias=True)
    x = sym.Reshape(x, shape=(-1, 32, 4, 4))
    x = sym.Activation(sym.BatchNorm(x, name="bn0", fix_gamma=False, eps=2e-5), act_type="relu")
    settings = {"kernel": (5, 5), "stride": (2, 2), "pad": (2, 2), "adj": (1, 1)}
    for i, width in enumerate((24, 12), 1):
        x = sym.Deconvolution(x, name=f"up{i}", num_filter=width, no_bias=True, **settings)
        x = sym.Activation(sym.BatchNorm(x, name=f"bn{i}", fix_gamma=False, eps=2e-5), act_type="relu")
    return sym.tanh(sym.Deconvolution(x, name="up3", num_filter=3, no_bias=False, **settings))


NETS = [
    Published("held-gluon-dense-32", LeastSquares, "Dense, BatchNorm, kernels of 5", 48, as_map=False, init="torch"),
    Published("held-gluon-equal-32", equal, "two equal widths, dropout", 48),
    Published("module-held-boxes-32", boxes, "names by block, LeakyReLU, gammas fixed", 64, moved_gammas=True),
    Published("module-held-dense-32", dense_start, "FullyConnected, kernels of 5, eps 2e-5", 64, as_map=False),
]
