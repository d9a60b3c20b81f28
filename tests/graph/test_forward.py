"""The generator in plain NumPy, against the definition of its layers a pixel at a time."""

import layer_cases
import numpy as np
import pytest

from mxgan.graph import forward
from mxgan.graph.layers import ConvTranspose
from mxgan.weights.dcgan import graph_of
from mxgan.weights.net import recognise


def plain_transposed(x: np.ndarray, weight: np.ndarray, stride: int, pad: int) -> np.ndarray:
    """Output pixel (i, j) sees input pixel (a, b) through weight (i + pad - stride·a, j + pad - stride·b)."""
    (n, _, height, width), (_, out, kernel, _) = x.shape, weight.shape
    rows, columns = ((side - 1) * stride + kernel - 2 * pad for side in (height, width))
    y = np.zeros((n, out, rows, columns))
    for i, j, a, b in np.ndindex(rows, columns, height, width):
        k, m = i + pad - stride * a, j + pad - stride * b
        if 0 <= k < kernel and 0 <= m < kernel:
            y[:, :, i, j] += x[:, :, a, b] @ weight[:, :, k, m]
    return y


@pytest.mark.parametrize(("stride", "pad", "size"), [(1, 0, (4, 5)), (2, 1, (4, 6))])
def test_a_transposed_convolution_is_the_plain_one(stride, pad, size):
    random = np.random.RandomState(0)
    x, weight = random.normal(size=(2, 3, *(side // stride for side in size))), random.normal(size=(3, 5, 4, 4))
    found = forward.transposed_convolution(x, weight, ConvTranspose((stride, stride), (pad, pad)))
    np.testing.assert_allclose(found, plain_transposed(x, weight, stride, pad), atol=1e-12)


@pytest.mark.parametrize("bias", [False, True])
def test_a_generator_is_its_layers_one_after_another(bias):
    random, arrays = np.random.RandomState(1), {}
    for layer, (before, after) in enumerate([(3, 4), (4, 3), (3, 2), (2, 3)]):
        arrays[f"{3 * layer}.weight"] = random.normal(0, 0.3, (before, after, 4, 4)).astype(np.float32)
        if bias:
            arrays[f"{3 * layer}.bias"] = random.normal(size=after).astype(np.float32)
        for word in ("gamma", "beta", "running_mean", "running_var") if layer < 3 else ():
            values = random.uniform(1e-6, 1e-5, after) if word == "running_var" else random.normal(size=after)
            arrays[f"{3 * layer + 1}.{word}"] = values.astype(np.float32)
    z = random.normal(size=(2, 3))
    x = z[:, :, None, None]
    for layer in range(4):
        x = plain_transposed(x, arrays[f"{3 * layer}.weight"].astype(float), *((2, 1) if layer else (1, 0)))
        if bias:
            x = x + arrays[f"{3 * layer}.bias"].reshape(-1, 1, 1)
        if layer < 3:
            norm = (
                arrays[f"{3 * layer + 1}.{word}"].astype(float).reshape(-1, 1, 1)
                for word in ("gamma", "beta", "running_mean", "running_var")
            )
            gamma, beta, mean, var = norm
            x = np.maximum(0, gamma * (x - mean) / np.sqrt(var + 1e-5) + beta)  # variances as small as 1e-5 show it
    found = forward.generate(graph_of(recognise(arrays, "the test", "generator")), z)
    assert found.shape == (2, 3, 32, 32)
    np.testing.assert_allclose(found, np.tanh(x), atol=1e-9)


BY_TORCH = {
    "Linear": lambda F, x, a: F.linear(x, a["weight"], a["bias"]),
    "Conv with settings": lambda F, x, a: F.conv2d(x, a["weight"], None, (1, 2), (2, 1), (2, 1)),
    "Conv in groups": lambda F, x, a: F.conv2d(x, a["weight"], a["bias"], (2, 1), (1, 2), 1, 2),
    "ConvTranspose with settings": lambda F, x, a: F.conv_transpose2d(x, a["weight"], None, (2, 3), (1, 2), (1, 2)),
    "ConvTranspose in groups": lambda F, x, a: F.conv_transpose2d(x, a["weight"], a["bias"], 2, 1, 0, 2),
    "ConvTranspose dilated": lambda F, x, a: F.conv_transpose2d(
        x, a["weight"], a["bias"], (1, 2), (1, 1), 0, 1, (2, 3)
    ),
    "BatchNorm": lambda F, x, a: F.batch_norm(x, a["running_mean"], a["running_var"], a["gamma"], a["beta"]),
    "BatchNorm without gamma and beta": lambda F, x, a: F.batch_norm(x, a["running_mean"], a["running_var"], eps=0.8),
    "InstanceNorm": lambda F, x, a: F.instance_norm(x, weight=a["gamma"], bias=a["beta"], eps=1e-3),
    "Permute": lambda F, x, a: x.permute(0, 3, 1, 2),
    "Upsample": lambda F, x, a: F.interpolate(x, scale_factor=2, mode="nearest"),
    "Upsample bilinear, unequal": lambda F, x, a: F.interpolate(x, scale_factor=(3, 4), mode="bilinear"),
    "Upsample bilinear, corners kept": lambda F, x, a: F.interpolate(
        x, scale_factor=(2, 3), mode="bilinear", align_corners=True
    ),
    "PixelShuffle by 3": lambda F, x, a: F.pixel_shuffle(x, 3),
    "Pad": lambda F, x, a: F.pad(x, (3, 0, 1, 2)),
    "Pad by the edge": lambda F, x, a: F.pad(x, (6, 0, 1, 4), "replicate"),
    "Pad reflected": lambda F, x, a: F.pad(x, (3, 0, 1, 2), "reflect"),
    "Crop": lambda F, x, a: x[:, :, 1:3, 2:5],
    "LeakyRelu": lambda F, x, a: F.leaky_relu(x, 0.2),
    "PRelu by channel": lambda F, x, a: F.prelu(x, a["slope"]),
    "Elu": lambda F, x, a: F.elu(x, 1.5),
    "Selu": lambda F, x, a: F.selu(x),
    "Tanh": lambda F, x, a: x.tanh(),
    "Sigmoid": lambda F, x, a: x.sigmoid(),
    "Embedding": lambda F, x, a: F.embedding(x, a["weight"]),
    "OneHot": lambda F, x, a: F.one_hot(x, layer_cases.CLASSES),
}


@pytest.mark.parametrize("name", BY_TORCH)
def test_each_layer_is_pytorchs_of_that_name(name):
    """In float64, so that no difference of definition hides in rounding."""
    torch = pytest.importorskip("torch")
    graph = layer_cases.CASES[name]
    z, labels = layer_cases.inputs(graph)
    arrays = {key.partition(".")[2]: torch.from_numpy(array).double() for key, array in graph.arrays.items()}
    x = z.astype(float).reshape(len(z), *graph.nodes[0].layer.shape) if labels is None else labels
    wanted = BY_TORCH[name](torch.nn.functional, torch.from_numpy(x), arrays).numpy()
    np.testing.assert_allclose(forward.generate(graph, z, labels), wanted, atol=1e-12)
