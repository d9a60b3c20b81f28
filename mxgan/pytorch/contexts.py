"""Context managers: what is recorded, how cuDNN computes, whether statistics move."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import torch

from mxgan.pytorch import nets


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
