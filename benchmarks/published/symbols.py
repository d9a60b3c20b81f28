"""MXNet generators as symbols, for the Module API."""

from __future__ import annotations

from typing import Any, Optional

from mxgan.gluon import runtime

from .kinds import Published

mx = runtime.load()


def dcgan(
    widths: list[int],
    names: str,
    data: str,
    end: str = "tanh",
    slope: Optional[float] = None,
    no_bias: bool = True,
    channels: int = 3,
    **norm: Any,
) -> Any:
    """Deconvolution, BatchNorm(**norm), relu or LeakyReLU for each width, and one more Deconvolution."""
    sym = mx.sym
    x = sym.Variable(data)
    for i, width in enumerate(widths, 1):
        shape = {"stride": (2, 2), "pad": (1, 1)} if i > 1 else {}
        x = sym.Deconvolution(x, name=f"{names}{i}", kernel=(4, 4), num_filter=width, no_bias=no_bias, **shape)
        x = sym.BatchNorm(x, name=f"{names}bn{i}", **norm)
        if slope is None:
            x = sym.Activation(x, name=f"{names}act{i}", act_type="relu")
        else:
            x = sym.LeakyReLU(x, name=f"{names}act{i}", act_type="leaky", slope=slope)
    last = len(widths) + 1
    x = sym.Deconvolution(
        x, name=f"{names}{last}", kernel=(4, 4), stride=(2, 2), pad=(1, 1), num_filter=channels, no_bias=no_bias
    )
    return sym.Activation(x, name=f"{names}act{last}", act_type=end)


def upsampling() -> Any:
    """FullyConnected, Reshape, UpSampling and Convolution; gamma learned; nearly no name given."""
    sym = mx.sym
    x = sym.FullyConnected(sym.Variable("data"), num_hidden=32 * 16)
    x = sym.Reshape(x, shape=(-1, 32, 4, 4))
    for width in (24, 16, 8):
        x = sym.UpSampling(x, scale=2, sample_type="nearest", num_args=1)
        x = sym.Convolution(x, kernel=(3, 3), pad=(1, 1), num_filter=width)
        x = sym.LeakyReLU(sym.BatchNorm(x, fix_gamma=False, eps=2e-5), act_type="elu", slope=1.0)
    return sym.tanh(sym.Convolution(x, kernel=(3, 3), pad=(1, 1), num_filter=3))


def residual() -> Any:
    """A residual block with PReLU between two Deconvolutions; BatchNorm with MXNet's defaults."""
    sym = mx.sym
    x = sym.Deconvolution(sym.Variable("z"), name="first", kernel=(8, 8), num_filter=24, no_bias=False)
    x = sym.LeakyReLU(sym.BatchNorm(x, name="bn_first"), name="prelu_first", act_type="prelu")
    y = sym.Convolution(x, name="res_conv", kernel=(3, 3), pad=(1, 1), num_filter=24)
    x = x + sym.BatchNorm(y, name="res_bn", fix_gamma=False)
    x = sym.Deconvolution(x, name="second", kernel=(4, 4), stride=(2, 2), pad=(1, 1), num_filter=12)
    x = sym.Activation(sym.BatchNorm(x, name="bn_second"), act_type="relu")
    x = sym.Deconvolution(x, name="third", kernel=(4, 4), stride=(2, 2), pad=(1, 1), num_filter=3)
    return sym.Activation(x, act_type="sigmoid")


NETS = [
    Published(
        "module-64",
        lambda: dcgan([64, 32, 16, 8], "g", "rand", fix_gamma=True, eps=1e-5 + 1e-12),
        "example/gan: gammas fixed",
        100,
        64,
        moved_gammas=True,
    ),
    Published(
        "module-defaults-64",
        lambda: dcgan([64, 32, 16, 8], "deconv", "data"),
        "all of BatchNorm's defaults: eps 1e-3, gammas fixed",
        100,
        64,
        moved_gammas=True,
    ),
    Published(
        "module-leaky-32",
        lambda: dcgan([40, 20, 10], "g", "rand", slope=0.2, fix_gamma=False),
        "LeakyReLU, gammas learned, eps 1e-3",
        64,
    ),
    Published(
        "module-sigmoid-32",
        lambda: dcgan([40, 20, 10], "g", "z", end="sigmoid", no_bias=False, channels=1),
        "Sigmoid, biases, grey, gammas fixed",
        64,
        channels=1,
        end="sigmoid",
        moved_gammas=True,
    ),
    Published(
        "module-upsampling-32",
        upsampling,
        "FullyConnected, upsampling, ELU, names by MXNet",
        64,
        as_map=False,
        init="torch",
    ),
    Published("module-residual-32", residual, "residual, PReLU, kernel 8, Sigmoid", 48, end="sigmoid"),
]
