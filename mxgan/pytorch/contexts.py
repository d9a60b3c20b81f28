"""What holds inside a block: how cuDNN computes, where gradients go, whether statistics move."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import torch

from mxgan.pytorch import nets


@contextmanager
def convolutions(tf32: bool, deterministic: bool) -> Iterator[None]:
    """How cuDNN computes inside this block; without CUDA nothing changes."""
    with torch.backends.cudnn.flags(
        enabled=True, benchmark=not deterministic, deterministic=deterministic, allow_tf32=tf32
    ):
        yield


@contextmanager
def frozen(net: torch.nn.Module) -> Iterator[None]:
    """No gradients into ``net``'s parameters: netG's step needs those with respect to its images alone."""
    net.requires_grad_(False)
    try:
        yield
    finally:
        net.requires_grad_(True)


@contextmanager
def wasted(net: torch.nn.Module) -> Iterator[None]:
    """Gradients into ``net``'s parameters are computed, as the tutorial's loop does, and dropped, as it does too."""
    parameters = list(net.parameters())
    before = [parameter.grad for parameter in parameters]
    for parameter in parameters:
        parameter.grad = None
    try:
        yield
    finally:
        for parameter, gradient in zip(parameters, before):
            parameter.grad = gradient


@contextmanager
def still(net: torch.nn.Sequential, still: bool) -> Iterator[None]:
    """Running statistics stay as they are."""
    norms = [layer for layer in net if isinstance(layer, nets.BatchNorm)]
    for norm in norms:
        norm.moves = not still
    try:
        yield
    finally:
        for norm in norms:
            norm.moves = True


@contextmanager
def statistics_kept(*networks: torch.nn.Module) -> Iterator[None]:
    """After the block running statistics are what they were before it."""
    before = [(buffer, buffer.clone()) for net in networks for buffer in net.buffers()]
    try:
        yield
    finally:
        for buffer, value in before:
            buffer.copy_(value)
