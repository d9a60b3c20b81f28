"""Small networks as arrays under canonical names, for the tests beside this file: every number different."""

from __future__ import annotations

import numpy as np


def generator(latent=6, widths=(16, 8, 4, 2), channels=3, bias=True):
    """A generator's arrays: convolution, BatchNorm, relu, ..., convolution, tanh."""
    return _network([latent, *widths, channels], bias, transposed=True, norms=range(len(widths)))


def discriminator(widths=(2, 4, 8, 16), channels=3, bias=True, first_norm=False):
    """A discriminator's arrays: convolution, (BatchNorm,) leaky relu, ..., convolution."""
    return _network([channels, *widths, 1], bias, transposed=False, norms=range(0 if first_norm else 1, len(widths)))


def renamed(arrays, name_of):
    """The same arrays under ``name_of(place, word, norm, index)``: place counts convolutions and BatchNorms apart."""
    places = {"conv": {}, "norm": {}}
    out = {}
    for name, array in arrays.items():
        index, _, word = name.partition(".")
        norm = f"{index}.gamma" in arrays
        kind = places["norm" if norm else "conv"]
        out[name_of(kind.setdefault(index, len(kind)), word, norm, int(index))] = array
    return out


def block_names(prefix="", first_conv=0, first_norm=0, aux=False):
    """MXNet's prefixed names: conv0_weight, batchnorm0_gamma, ..."""

    def name_of(place, word, norm, index):
        start = ("aux:" if word.startswith("running") else "arg:") if aux else ""
        layer = f"batchnorm{place + first_norm}" if norm else f"conv{place + first_conv}"
        return f"{start}{prefix}{layer}_{word}"

    return name_of


def _network(channels, bias, transposed, norms):
    random = np.random.default_rng(0)
    arrays, index = {}, 0
    for place, (into, out) in enumerate(zip(channels, channels[1:])):
        shape = (into, out, 4, 4) if transposed else (out, into, 4, 4)
        arrays[f"{index}.weight"] = random.normal(0, 0.1, shape).astype(np.float32)
        if bias:
            arrays[f"{index}.bias"] = random.normal(0, 0.1, out).astype(np.float32)
        if place in norms:
            index += 1
            for word, base in (("gamma", 1), ("beta", 0), ("running_mean", 0), ("running_var", 2)):
                arrays[f"{index}.{word}"] = (base + random.uniform(-0.5, 0.5, out)).astype(np.float32)
        index += 2
    return arrays
