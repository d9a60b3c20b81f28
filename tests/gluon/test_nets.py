"""The tutorial's networks: layer by layer, their shapes and how many parameters they have."""

import needs
import numpy as np
import pytest

mx = needs.mxnet()

from mxgan.config import RECIPES, SIZES  # noqa: E402
from mxgan.gluon import nets  # noqa: E402
from mxgan.gluon.tensors import tensors, trainable  # noqa: E402

WIDTHS = {32: (4, 2, 1), 64: (8, 4, 2, 1), 128: (16, 8, 4, 2, 1)}  # of netG, in units of ngf, from the latent on


def build(recipe: str, size: int = 64, ngf: int = 64, ndf: int = 64) -> tuple:
    settings = RECIPES[recipe]
    netG = nets.generator(settings.latent, ngf, size, settings.bias)
    netD = nets.discriminator(ndf, size, settings.bias, settings.first_norm)
    for net in (netG, netD):
        net.initialize()
    return netG, netD


def count(net) -> int:
    return sum(parameter.data().size for parameter in trainable(net).values())


def chain(channels: list[int], bias: bool, normed: list[bool]) -> int:
    """Parameters of a chain of 4×4 convolutions: weights, biases, and a gamma and a beta where a BatchNorm follows."""
    return sum(
        16 * before * after + bias * after + 2 * after * norm
        for before, after, norm in zip(channels, channels[1:], normed)
    )


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("recipe", RECIPES)
def test_parameter_counts(recipe, size):
    settings = RECIPES[recipe]
    widths = [64 * unit for unit in WIDTHS[size]]
    layers = len(widths)
    netG, netD = build(recipe, size)
    assert count(netG) == chain([settings.latent, *widths, 3], settings.bias, [True] * layers + [False])
    normed = [settings.first_norm] + [True] * (layers - 1) + [False]
    assert count(netD) == chain([3, *reversed(widths), 1], settings.bias, normed)


@pytest.mark.parametrize(
    ("recipe", "of_g", "of_d"),
    [
        ("gluon-tutorial", 3_987_267, 2_766_529),
        ("pytorch-anime", 3_806_080, 2_765_696),
        ("pytorch-celeba", 3_806_080, 2_765_696),
    ],
)
def test_parameter_counts_at_64_pixels(recipe, of_g, of_d):
    netG, netD = build(recipe)
    assert (count(netG), count(netD)) == (of_g, of_d)


@pytest.mark.parametrize("size", SIZES)
def test_shapes(size):
    netG, netD = build("gluon-tutorial", size, ngf=2, ndf=2)
    images = netG(mx.nd.zeros((3, 150, 1, 1)))
    assert images.shape == (3, 3, size, size)
    assert netD(images).shape == (3, 1, 1, 1)


def test_the_shape_after_every_layer_is_as_the_comments_say():
    netG, netD = build("gluon-tutorial", ngf=2, ndf=3)
    shapes = []
    x = mx.nd.zeros((1, 150, 1, 1))
    for layer in netG:
        x = layer(x)
        shapes.append(x.shape[1:])
    of_g = [(16, 4, 4), (8, 8, 8), (4, 16, 16), (2, 32, 32)]
    assert shapes == [shape for shape in of_g for _ in range(3)] + [(3, 64, 64)] * 2
    shapes = []
    for layer in netD:
        x = layer(x)
        shapes.append(x.shape[1:])
    assert shapes == [(3, 32, 32)] * 2 + [(6, 16, 16)] * 3 + [(12, 8, 8)] * 3 + [(24, 4, 4)] * 3 + [(1, 1, 1)]


def test_layers_are_numbered_as_the_tutorial_saves_them():
    norm = ("gamma", "beta", "running_mean", "running_var")
    netG, netD = build("gluon-tutorial", ngf=2, ndf=2)
    of_g = [f"{3 * i}.{word}" if word in ("weight", "bias") else f"{3 * i + 1}.{word}"
            for i in range(5) for word in ("weight", "bias", *norm) if i < 4 or word in ("weight", "bias")]  # fmt: skip
    assert list(tensors(netG)) == of_g
    convolutions = [f"{i}.{word}" for i in (0, 2, 5, 8, 11) for word in ("weight", "bias")]
    assert set(tensors(netD)) == {*convolutions, *(f"{i}.{word}" for i in (3, 6, 9) for word in norm)}

    netG, netD = build("pytorch-anime", ngf=2, ndf=2)
    assert set(tensors(netG)) == {name for name in of_g if not name.endswith("bias")}
    convolutions = [f"{i}.weight" for i in (0, 3, 6, 9, 12)]
    assert set(tensors(netD)) == {*convolutions, *(f"{i}.{word}" for i in (1, 4, 7, 10) for word in norm)}


def test_names_are_those_that_save_parameters_writes(tmp_path):
    for recipe in RECIPES:
        for net in build(recipe, 32, ngf=2, ndf=2):
            net.save_parameters(str(tmp_path / "net.params"))
            assert list(mx.nd.load(str(tmp_path / "net.params"))) == list(tensors(net))


@pytest.mark.parametrize("size", [48, 0, 16, 256, -64])
def test_another_size_is_refused(size):
    for build_one in (nets.generator, nets.discriminator):
        with pytest.raises(ValueError, match=f"size {size}: one of 32, 64, 128"):
            build_one(size=size)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_leaky_relu(dtype):
    net = nets.discriminator(2, 32, dtype=dtype)
    x = mx.nd.array([-1.5, 0, 2.5], dtype=dtype)
    number = np.dtype(dtype).type
    assert net[1](x).asnumpy().tolist() == [number(-1.5) * number(0.2), 0, 2.5]
