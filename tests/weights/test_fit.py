"""Arrays fit a network by all their names and shapes, or not at all."""

import numpy as np
import pytest

from mxgan.errors import ParamsError
from mxgan.weights import fit

SHAPES = {"0.weight": (2, 3), "0.bias": (3,)}


def arrays(**changes) -> dict:
    whole = {"0.weight": np.zeros((2, 3)), "0.bias": np.zeros(3)}
    return {name: array for name, array in {**whole, **changes}.items() if array is not None}


def test_the_same_names_and_shapes_fit_in_any_order():
    fit.check(arrays(), SHAPES, "netG")
    fit.check(dict(reversed(arrays().items())), SHAPES, "netG")


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"0.bias": None}, "netG: these weights are another network's: without 0.bias"),
        ({"3.bias": np.zeros(3)}, "netG: these weights are another network's: with 3.bias"),
        ({"0.bias": None, "3.bias": np.zeros(3)}, "another network's: without 0.bias and with 3.bias"),
        ({"0.weight": np.zeros((3, 2))}, r"netG: 0.weight is \(3, 2\) and the network's is \(2, 3\)"),
        ({"0.weight": np.zeros((2, 2))}, r"netG: 0.weight is \(2, 2\) and the network's is \(2, 3\)"),
        ({"0.bias": np.zeros((3, 1))}, r"netG: 0.bias is \(3, 1\) and the network's is \(3,\)"),
    ],
)
def test_anything_else_is_refused_and_named(changes, said):
    with pytest.raises(ParamsError, match=f"{said}$"):
        fit.check(arrays(**changes), SHAPES, "netG")
