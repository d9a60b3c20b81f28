"""A generator in plain NumPy, float64: slow, but the full definition, to check faster ones against."""

from __future__ import annotations

import numpy as np

from mxgan.weights.net import Net, canonical

EPSILON = 1e-5  # BatchNorm's, in MXNet's gluon.nn and in PyTorch; weights files don't hold it


def generate(net: Net, z: np.ndarray) -> np.ndarray:
    """Images float64 (n, channels, H, W) in [-1, 1] from latents (n, latent), in inference mode."""
    arrays = {name: array.astype(np.float64) for name, array in net.arrays.items()}
    x = z.astype(np.float64)[:, :, None, None]
    convs, norms = canonical("generator", net.convolutions)
    for index in convs:
        stride, pad = (1, 0) if index == 0 else (2, 1)
        x = transposed_convolution(x, arrays[f"{index}.weight"], stride, pad)
        if net.bias:
            x += _vector(arrays[f"{index}.bias"])
        if index + 1 in norms:
            gamma, beta, mean, var = (
                _vector(arrays[f"{index + 1}.{word}"]) for word in ("gamma", "beta", "running_mean", "running_var")
            )
            x = np.maximum((x - mean) / np.sqrt(var + EPSILON) * gamma + beta, 0)
    return np.tanh(x)


def transposed_convolution(x: np.ndarray, weight: np.ndarray, stride: int, pad: int) -> np.ndarray:
    """x (n, in, H, W) and weight (in, out, k, k): every pixel stamps its k×k patch onto the output; pad is cut off."""
    n, _, height, width = x.shape
    out, kernel = weight.shape[1:3]
    stamps = np.tensordot(x, weight, axes=(1, 0))  # (n, H, W, out, k, k)
    full = np.zeros((n, out, (height - 1) * stride + kernel, (width - 1) * stride + kernel))
    for row in range(kernel):
        for column in range(kernel):
            target = full[:, :, row : row + stride * height : stride, column : column + stride * width : stride]
            target += stamps[..., row, column].transpose(0, 3, 1, 2)
    return full[:, :, pad : full.shape[2] - pad, pad : full.shape[3] - pad]


def _vector(values: np.ndarray) -> np.ndarray:
    return values[:, None, None]
