"""Float32 matrix products by each library: the fastest is the rate that a training step is compared with.

Each ``next()`` is one product of two square matrices of `SIDE`.
"""

from __future__ import annotations

from collections.abc import Iterator

SIDE = 2048
FLOPS = 2 * SIDE**3  # of one product


def pytorch() -> Iterator[None]:
    """PyTorch's: Intel MKL in its x86 builds."""
    import torch

    a, b = torch.rand(SIDE, SIDE), torch.rand(SIDE, SIDE)
    while True:
        a @ b
        yield


def mxnet_blas() -> Iterator[None]:
    """MXNet's ``dot``: OpenBLAS in its wheels."""
    from mxgan.bench.peers.tutorial_loop import nd

    a, b = (nd.random.uniform(shape=(SIDE, SIDE)) for _ in range(2))
    while True:
        nd.dot(a, b).wait_to_read()
        yield


def mxnet_onednn() -> Iterator[None]:
    """MXNet's ``FullyConnected``: oneDNN, as in its convolutions."""
    from mxgan.bench.peers.tutorial_loop import nd

    a, b = (nd.random.uniform(shape=(SIDE, SIDE)) for _ in range(2))
    while True:
        nd.FullyConnected(a, b, num_hidden=SIDE, no_bias=True).wait_to_read()
        yield


def wait() -> None:
    """Return at once: each product has been waited for."""
