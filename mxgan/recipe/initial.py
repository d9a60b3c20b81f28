"""Initial weights, the same numbers for both engines: drawn per array from (seed, name)."""

from __future__ import annotations

import numpy as np

from mxgan import rng
from mxgan.config import RunConfig

SMOOTH = np.array([1, 3, 3, 1], np.float32) / np.float32(5**0.5)  # doubles an image's size; its mean square is 1
BATCHNORM = {"gamma": 1.0, "beta": 0.0, "running_mean": 0.0, "running_var": 1.0}


def draw(config: RunConfig, net: str, shapes: dict[str, tuple[int, ...]]) -> dict[str, np.ndarray]:
    """float32 arrays for ``net`` (netG or netD), by canonical name, with the given shapes.

    ``init`` says how convolutions start: ``normal`` is Normal(0.02) with bias 0 (the DCGAN paper); ``uniform`` is
    PyTorch's default, ±1/√fan with fan = shape[1]·4·4: the channels in of a Conv2d, out of a ConvTranspose2d
    (torch.nn.init's fan_in counts axis 1 of either). ``smooth`` is ``normal``, except that each layer of netG that
    doubles an image starts by interpolating: one Normal(0.02) for each pair of channels, times the same 4×4 kernel.
    netG's first pictures then have no checkerboard to unlearn (Aitken et al. 2017, arXiv:1707.02937, do the same for
    sub-pixel convolutions). BatchNorm starts as the identity.
    """
    arrays, fan = {}, 1
    for name, shape in shapes.items():
        kind = name.rpartition(".")[2]
        stream = f"{net}.{name}"
        if kind in BATCHNORM:
            arrays[name] = np.full(shape, BATCHNORM[kind], np.float32)
        elif config.init == "uniform":
            fan = int(np.prod(shape[1:])) if kind == "weight" else fan  # a bias follows its weight and takes its fan
            arrays[name] = rng.uniform(config.seed, stream, shape) * np.float32(fan**-0.5)
        elif kind == "bias":
            arrays[name] = np.zeros(shape, np.float32)
        elif config.init == "smooth" and net == "netG" and name != "0.weight":
            pairs = rng.normal(config.seed, stream, (*shape[:2], 1, 1)) * np.float32(0.02)
            arrays[name] = pairs * np.outer(SMOOTH, SMOOTH)
        else:
            arrays[name] = rng.normal(config.seed, stream, shape) * np.float32(0.02)
    return arrays
