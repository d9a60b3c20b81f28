"""Context managers: what is recorded, how cuDNN computes, whether statistics move, and what stays as it was."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import torch

from mxgan.pytorch import nets, runtime


@contextmanager
def unrecorded(netG: torch.nn.Sequential) -> Iterator[None]:
    """``netG`` computes as in training, but nothing is recorded for a backward pass.

    Its running statistics are left unchanged too.
    """
    norms = [layer for layer in netG if isinstance(layer, nets.BatchNorm)]
    for norm in norms:
        norm.moves = False
    try:
        with torch.no_grad():
            yield
    finally:
        for norm in norms:
            norm.moves = True


@contextmanager
def convolutions(tf32: bool, deterministic: bool) -> Iterator[None]:
    """How cuDNN computes inside this block; without CUDA nothing changes."""
    with torch.backends.cudnn.flags(
        enabled=True, benchmark=not deterministic, deterministic=deterministic, allow_tf32=tf32
    ):
        yield


@contextmanager
def statistics_kept(*networks: torch.nn.Module) -> Iterator[None]:
    """After the block running statistics are what they were before it."""
    before = [(buffer, buffer.clone()) for net in networks for buffer in net.buffers()]
    try:
        yield
    finally:
        for buffer, value in before:
            buffer.copy_(value)


@contextmanager
def rng_kept() -> Iterator[None]:
    """After the block PyTorch's random state is what it was: new layers, on the CPU, draw weights nobody asked for."""
    with torch.random.fork_rng(devices=[]):
        yield


@contextmanager
def threads_kept() -> Iterator[None]:
    """The block computes with `runtime.usable_threads`; after it as many are set as before."""
    before, wanted = torch.get_num_threads(), runtime.usable_threads()
    if before == wanted:
        yield
        return
    torch.set_num_threads(wanted)
    try:
        yield
    finally:
        torch.set_num_threads(before)
