"""Context managers."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from mxnet import autograd


@contextmanager
def unrecorded(netG: Any) -> Iterator[None]:
    """``netG`` computes as in training, but nothing is recorded for a backward pass.

    Its running statistics are left unchanged too, since MXNet moves them in the backward pass. Any network will do.
    """
    with autograd.pause(train_mode=True):
        yield
