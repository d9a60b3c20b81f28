"""The notebooks' networks, layer by layer: names, shapes, numbers of parameters; PyTorch's own layers beside them."""

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from notebooks import notebook_netD, notebook_netG, used  # noqa: E402
from torch import nn  # noqa: E402

from mxgan.config import RECIPES, SIZES  # noqa: E402
from mxgan.pytorch import nets  # noqa: E402
from mxgan.pytorch.tensors import tensors, trainable  # noqa: E402


def test_a_notebooks_state_dict_loads_strictly_and_gives_what_its_network_gives():
    theirs, ours = used(notebook_netG(128, 4)), nets.generator(128, 4).eval()
    ours.load_state_dict(theirs.state_dict(), strict=True)
    z = torch.randn(5, 128, 1, 1)
    assert torch.equal(ours(z), theirs(z))

    theirs, ours = used(notebook_netD(4)), nets.discriminator(4).eval()
    ours.load_state_dict(theirs.state_dict(), strict=True)
    x = torch.randn(5, 3, 64, 64)
    assert torch.equal(ours(x).sigmoid(), theirs(x))


@pytest.mark.parametrize(
    ("recipe", "of_g", "of_d"),
    [
        ("gluon-tutorial", 3_987_267, 2_766_529),
        ("pytorch-anime", 3_806_080, 2_765_696),
        ("pytorch-celeba", 3_806_080, 2_765_696),
    ],
)
def test_parameter_counts_at_64_pixels(recipe, of_g, of_d):
    settings = RECIPES[recipe]
    netG = nets.generator(settings.latent, bias=settings.bias)
    netD = nets.discriminator(bias=settings.bias, first_norm=settings.first_norm)
    for net, number in ((netG, of_g), (netD, of_d)):
        assert sum(parameter.numel() for parameter in trainable(net).values()) == number


def test_the_shape_after_every_layer_is_as_the_comments_say():
    x, shapes = torch.zeros(2, 150, 1, 1), []
    for layer in nets.generator(150, 2):
        x = layer(x)
        shapes.append(tuple(x.shape[1:]))
    of_g = [(16, 4, 4), (8, 8, 8), (4, 16, 16), (2, 32, 32)]
    assert shapes == [shape for shape in of_g for _ in range(3)] + [(3, 64, 64)] * 2
    shapes = []
    for layer in nets.discriminator(3, first_norm=False):
        x = layer(x)
        shapes.append(tuple(x.shape[1:]))
    normed = [(6, 16, 16)] * 3 + [(12, 8, 8)] * 3 + [(24, 4, 4)] * 3
    assert shapes == [(3, 32, 32)] * 2 + normed + [(1, 1, 1), (1,)]


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("first_norm", [True, False])
def test_sizes(size, first_norm):
    images = nets.generator(5, 2, size)(torch.zeros(3, 5, 1, 1))
    assert images.shape == (3, 3, size, size)
    assert nets.discriminator(2, size, first_norm=first_norm)(images).shape == (3, 1)


@pytest.mark.parametrize("size", [48, 0, 16, 256, -64])
def test_another_size_is_refused(size):
    for build in (nets.generator, nets.discriminator):
        with pytest.raises(ValueError, match=f"size {size}: one of 32, 64, 128"):
            build(size=size)


def test_names_are_the_canonical_ones():
    norm = ["gamma", "beta", "running_mean", "running_var"]
    netG = nets.generator(5, 2, bias=True)
    assert list(tensors(netG)) == [
        f"{3 * i + (word in norm)}.{word}"
        for i in range(5)
        for word in ("weight", "bias", *norm)
        if i < 4 or word not in norm
    ]
    assert [name for name in tensors(netG) if name not in trainable(netG)] == [
        f"{i}.{word}" for i in (1, 4, 7, 10) for word in ("running_mean", "running_var")
    ]
    assert [name for name in tensors(nets.discriminator(2)) if name.endswith("weight")] == [
        f"{i}.weight" for i in (0, 3, 6, 9, 12)
    ]
    assert [name for name in tensors(nets.discriminator(2, first_norm=False)) if name.endswith("weight")] == [
        f"{i}.weight" for i in (0, 2, 5, 8, 11)
    ]


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_batchnorm_is_pytorchs_but_for_the_running_variance(dtype):
    ours, theirs = nets.BatchNorm(3).to(dtype), nn.BatchNorm2d(3).to(dtype)
    x = torch.randn(4, 3, 5, 5, dtype=dtype) * 3 + 1
    assert torch.equal(ours(x), theirs(x))
    share = 1 - float(np.float32(0.9))
    torch.testing.assert_close(ours.running_mean, share * x.mean((0, 2, 3)))
    biased = x.var((0, 2, 3), unbiased=False)
    torch.testing.assert_close(ours.running_var, (1 - share) * torch.ones(3, dtype=dtype) + share * biased)

    before = ours.running_mean.clone()
    ours.moves = False
    assert torch.equal(ours(x), theirs(x))
    assert torch.equal(ours.running_mean, before)
