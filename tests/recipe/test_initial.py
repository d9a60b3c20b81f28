"""How weights start: the same numbers for both engines, by the recipe's or the user's ``init``."""

import numpy as np
import pytest

import mxgan
from mxgan import rng
from mxgan.config import resolve
from mxgan.recipe import initial

SHAPES = {"0.weight": (150, 24, 4, 4), "0.bias": (24,), "1.gamma": (24,), "3.weight": (24, 12, 4, 4), "3.bias": (12,)}


def drawn(init: str, net: str = "netG") -> dict[str, np.ndarray]:
    return initial.draw(resolve(mxgan.TrainConfig(seed=3, init=init)), net, SHAPES)


def test_normal_is_the_papers():
    arrays = drawn("normal")
    assert {name: array.shape for name, array in arrays.items()} == SHAPES
    assert all(array.dtype == np.float32 for array in arrays.values())
    np.testing.assert_array_equal(arrays["3.weight"], rng.normal(3, "netG.3.weight", (24, 12, 4, 4)) * np.float32(0.02))
    assert not arrays["0.bias"].any() and (arrays["1.gamma"] == 1).all()


@pytest.mark.parametrize(("name", "fan"), [("0.weight", 24 * 16), ("0.bias", 24 * 16), ("3.bias", 12 * 16)])
def test_uniform_is_pytorchs(name, fan):
    array = drawn("uniform")[name]
    np.testing.assert_array_equal(array, rng.uniform(3, f"netG.{name}", SHAPES[name]) * np.float32(fan**-0.5))
    assert 0.8 < np.abs(array).max() * fan**0.5 <= 1


def test_smooth_layers_interpolate():
    arrays = drawn("smooth")
    kernels = arrays["3.weight"]
    weights = kernels[:, :, 0, 0] * 5  # a kernel's corner is a fifth of its pair's number
    assert weights.std() == pytest.approx(0.02, rel=0.1)
    np.testing.assert_allclose(kernels, weights[:, :, None, None] * np.outer([1, 3, 3, 1], [1, 3, 3, 1]) / 5, rtol=1e-6)
    assert (kernels**2).mean() == pytest.approx((weights**2).mean(), rel=1e-6)  # as large as Normal(0.02)'s
    # Each pixel of the doubled image lies under 2×2 numbers of a kernel: of a flat image a flat one comes
    under = [kernels[:, :, row::2, column::2].sum((2, 3)) for row in (0, 1) for column in (0, 1)]
    np.testing.assert_allclose(under, [16 / 5 * weights] * 4, rtol=1e-5)


def test_smooth_leaves_the_rest_at_normal():
    smooth, normal = drawn("smooth"), drawn("normal")
    assert [name for name in SHAPES if not np.array_equal(smooth[name], normal[name])] == ["3.weight"]
    assert all(np.array_equal(array, drawn("normal", "netD")[name]) for name, array in drawn("smooth", "netD").items())


def test_of_a_recipe_or_of_the_user():
    of_recipes = {name: resolve(mxgan.TrainConfig(recipe=name)).init for name in mxgan.config.RECIPES}
    assert of_recipes == {
        "gluon-tutorial": "normal", "pytorch-anime": "uniform", "pytorch-celeba": "uniform", "mxgan": "smooth",
    }  # fmt: skip
    assert resolve(mxgan.TrainConfig(recipe="mxgan", init="normal")).init == "normal"
    with pytest.raises(mxgan.MxganError, match="init 'xavier': one of normal, uniform, smooth"):
        mxgan.TrainConfig(init="xavier")
