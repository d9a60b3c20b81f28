"""The fastest float32 matrix product that a framework makes of this machine: what a training step is held against.

Each ``next()`` is one product of two square matrices of `SIDE`.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))  # a checkout that isn't installed

SIDE = 2048
FLOPS = 2 * SIDE**3


def pytorch() -> Iterator[None]:
    """PyTorch's: Intel MKL in its x86 builds."""
    import torch

    a, b = torch.rand(SIDE, SIDE), torch.rand(SIDE, SIDE)
    while True:
        a @ b
        yield


def mxnet_blas() -> Iterator[None]:
    """MXNet's ``dot``: OpenBLAS in its wheels."""
    from mxgan.gluon import runtime

    nd = runtime.load().nd
    a, b = (nd.random.uniform(shape=(SIDE, SIDE)) for _ in range(2))
    while True:
        nd.dot(a, b).wait_to_read()
        yield


def mxnet_onednn() -> Iterator[None]:
    """MXNet's ``FullyConnected``: oneDNN, as its convolutions."""
    from mxgan.gluon import runtime

    nd = runtime.load().nd
    a, b = (nd.random.uniform(shape=(SIDE, SIDE)) for _ in range(2))
    while True:
        nd.FullyConnected(a, b, num_hidden=SIDE, no_bias=True).wait_to_read()
        yield


def wait() -> None:
    """Nothing is left to wait for."""
