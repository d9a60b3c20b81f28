"""A batch of images changed as `mxgan.recipe.augment` says, so that gradients go through."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import torch

from mxgan.recipe.augment import Augmentation


def changed(x: torch.Tensor, one: Augmentation | None, send: Callable[[np.ndarray], torch.Tensor]) -> torch.Tensor:
    """``x``: images (n, 3, S, S); ``send`` makes tensors, of x's number type and device, of one's arrays."""
    if one is None:
        return x
    if one.color is not None:
        color, brightness, contrast = send(one.color), send(one.brightness), send(one.contrast)
        added = brightness + (1 - contrast) * x.mean((1, 2, 3))
        x = torch.baddbmm(added[:, None, None], color, x.flatten(2)).reshape(x.shape)
    if one.rows is not None:
        x = send(one.rows)[:, None] @ x @ send(one.columns)[:, None]
    return x if one.mask is None else x * send(one.mask)
