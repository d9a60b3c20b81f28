"""Initial weights, the same numbers for both engines: drawn per array from (seed, name)."""

from __future__ import annotations

import numpy as np

from mxgan import noise
from mxgan.config import TrainConfig

BATCHNORM = {"gamma": 1.0, "beta": 0.0, "running_mean": 0.0, "running_var": 1.0}


def draw(config: TrainConfig, net: str, shapes: dict[str, tuple[int, ...]]) -> dict[str, np.ndarray]:
    """float32 arrays for ``net`` (netG or netD), by canonical name, with the given shapes.

    The recipe's ``init`` says how convolutions start: ``normal`` is Normal(0.02) with bias 0 (the DCGAN paper);
    ``uniform`` is PyTorch's default, ±1/√fan with fan = shape[1]·4·4: the channels in of a Conv2d, out of a
    ConvTranspose2d (torch.nn.init's fan_in counts axis 1 of either). BatchNorm starts as the identity.
    """
    arrays, fan = {}, 1
    for name, shape in shapes.items():
        kind = name.rpartition(".")[2]
        if kind in BATCHNORM:
            arrays[name] = np.full(shape, BATCHNORM[kind], np.float32)
        elif config.settings.init == "normal":
            scale = np.float32(0.02 if kind == "weight" else 0.0)
            arrays[name] = noise.normal(config.seed, f"{net}.{name}", shape) * scale
        else:
            fan = int(np.prod(shape[1:])) if kind == "weight" else fan  # a bias follows its weight and takes its fan
            arrays[name] = noise.uniform(config.seed, f"{net}.{name}", shape) * np.float32(fan**-0.5)
    return arrays
