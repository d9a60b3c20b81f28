"""What holds inside a block of code."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from mxnet import autograd


@contextmanager
def aside(netG: Any) -> Iterator[None]:
    """``netG`` computes as in training, but nothing is recorded for a backward pass.

    Its running statistics stay too, since MXNet moves them in the backward pass.
    """
    with autograd.pause(train_mode=True):
        yield
