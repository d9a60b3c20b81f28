"""MXNet generators as Gluon blocks."""

from __future__ import annotations

from typing import Any

from mxgan.gluon import runtime

from .kinds import Published

mx = runtime.load()
nn = mx.gluon.nn


def dcgan(
    latent: int, widths: list[int], channels: int = 3, end: str = "tanh", bias: bool = False, norm_last: bool = False
) -> Any:
    """A HybridSequential: Conv2DTranspose, BatchNorm and relu for each width, and one more Conv2DTranspose."""
    net = nn.HybridSequential()
    with net.name_scope():
        for i, (a, b) in enumerate(zip([latent, *widths], [*widths, channels])):
            net.add(nn.Conv2DTranspose(b, 4, 2 if i else 1, 1 if i else 0, use_bias=bias, in_channels=a))
            last = i == len(widths)
            if not last or norm_last:
                net.add(nn.BatchNorm(in_channels=b))
            net.add(nn.Activation(end if last else "relu"))
    return net


class Stage(nn.HybridBlock):
    """A stage with parts of its own names."""

    def __init__(self, inside: int, outside: int, strides: int = 2, padding: int = 1, **scope: Any) -> None:
        super().__init__(**scope)
        with self.name_scope():
            self.conv2d_trans = nn.Conv2DTranspose(outside, 4, strides, padding, use_bias=False, in_channels=inside)
            self.batch_norm = nn.BatchNorm(in_channels=outside)
            self.activation = nn.Activation("relu")

    def hybrid_forward(self, F: Any, x: Any) -> Any:
        return self.activation(self.batch_norm(self.conv2d_trans(x)))


def nested() -> Any:
    net = nn.HybridSequential()
    with net.name_scope():
        net.add(Stage(100, 64, 1, 0), Stage(64, 32), Stage(32, 16), Stage(16, 8))
        net.add(
            nn.Conv2DTranspose(3, kernel_size=4, strides=2, padding=1, use_bias=False, activation="tanh", in_channels=8)
        )
    return net


class Selu(nn.HybridBlock):
    """Stages in a HybridSequential of a block; SELU, no norm."""

    def __init__(self, **scope: Any) -> None:
        super().__init__(**scope)
        with self.name_scope():
            self.stages = nn.HybridSequential()
            for i, (a, b) in enumerate(zip((100, 64, 32, 16), (64, 32, 16, 8))):
                self.stages.add(
                    nn.Conv2DTranspose(b, 4, 2 if i else 1, 1 if i else 0, use_bias=False, in_channels=a), nn.SELU()
                )
            self.stages.add(nn.Conv2DTranspose(3, 4, 2, 1, use_bias=False, in_channels=8), nn.Activation("tanh"))

    def hybrid_forward(self, F: Any, x: Any) -> Any:
        return self.stages(x)


class Dense(nn.HybridBlock):
    """Dense and reshape, LeakyReLU, biases, epsilon 1e-3, sigmoid."""

    def __init__(self, latent: int = 64, d: int = 8, **scope: Any) -> None:
        super().__init__(**scope)
        self.d = d
        with self.name_scope():
            self.dense = nn.Dense(d * 4 * 16, in_units=latent)
            self.bn0 = nn.BatchNorm(epsilon=1e-3, in_channels=d * 4)
            self.up1 = nn.Conv2DTranspose(d * 2, 4, 2, 1, in_channels=d * 4)
            self.bn1 = nn.BatchNorm(epsilon=1e-3, in_channels=d * 2)
            self.up2 = nn.Conv2DTranspose(d, 4, 2, 1, in_channels=d * 2)
            self.bn2 = nn.BatchNorm(epsilon=1e-3, in_channels=d)
            self.up3 = nn.Conv2DTranspose(3, 4, 2, 1, in_channels=d)
            self.act = nn.LeakyReLU(0.2)

    def hybrid_forward(self, F: Any, z: Any) -> Any:
        x = self.act(self.bn0(self.dense(z).reshape((-1, self.d * 4, 4, 4))))
        x = self.act(self.bn2(self.up2(self.act(self.bn1(self.up1(x))))))
        return F.sigmoid(self.up3(x))


class Upsampling(nn.HybridBlock):
    """Nearest upsampling and convolutions; BatchNorm without a scale: its gamma is ignored."""

    def __init__(self, latent: int = 48, d: int = 12, **scope: Any) -> None:
        super().__init__(**scope)
        self.d = d
        with self.name_scope():
            self.fc = nn.Dense(d * 2 * 49, in_units=latent)
            self.conv1 = nn.Conv2D(d * 2, 3, padding=1, use_bias=False, in_channels=d * 2)
            self.norm1 = nn.BatchNorm(scale=False, in_channels=d * 2)
            self.conv2 = nn.Conv2D(d, 5, padding=2, use_bias=False, in_channels=d * 2)
            self.norm2 = nn.BatchNorm(scale=False, in_channels=d)
            self.conv3 = nn.Conv2D(1, 3, padding=1, in_channels=d)

    def hybrid_forward(self, F: Any, z: Any) -> Any:
        x = F.Reshape(F.relu(self.fc(z)), shape=(-1, self.d * 2, 7, 7))
        for conv, norm in ((self.conv1, self.norm1), (self.conv2, self.norm2)):
            x = F.relu(norm(conv(F.UpSampling(x, scale=2, sample_type="nearest"))))
        return F.tanh(self.conv3(x))


NETS = [
    Published(
        "gluon-64",
        lambda: dcgan(100, [64, 32, 16, 8]),
        "example/gluon/dc_gan",
        100,
        64,
        known="MXNet example/gluon/dc_gan",
    ),
    Published("gluon-nested-64", nested, "blocks of blocks", 100, 64, known="Dive into Deep Learning DCGAN (MXNet)"),
    Published("gluon-selu-64", Selu, "SELU, no norm", 100, 64, init="torch", known="gluon-Improved-DCGAN with SELU"),
    Published(
        "gluon-sigmoid-32",
        lambda: dcgan(64, [40, 20, 10], end="sigmoid", norm_last=True),
        "BatchNorm and Sigmoid at the end",
        64,
        end="sigmoid",
    ),
    Published("gluon-dense-32", Dense, "Dense, LeakyReLU, eps 1e-3, Sigmoid", 64, end="sigmoid", as_map=False),
    Published(
        "gluon-upsampling-28", Upsampling, "upsampling, BatchNorm without scale", 48, 28, 1, as_map=False, init="torch"
    ),
    Published(
        "gluon-bias-grey-32", lambda: dcgan(32, [32, 16, 8], channels=1, bias=True), "biases, grey", 32, channels=1
    ),
]
