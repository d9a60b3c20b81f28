"""DiffAugment on PyTorch: `mxgan.recipe.augment` draws the numbers, here images are changed by them."""

from __future__ import annotations

from typing import Optional

import numpy as np
import torch

from mxgan.pytorch.tensors import to_tensor
from mxgan.recipe.augment import Augmentation


def augmented(images: torch.Tensor, changes: Optional[Augmentation]) -> torch.Tensor:
    """Images (n, 3, S, S) as netD is to see them; gradients go through. None: as they are.

    Always in full precision, also where the networks compute in bfloat16.
    """
    if changes is None:
        return images
    with torch.autocast(images.device.type, enabled=False):
        x = images.float() if images.dtype is torch.bfloat16 else images

        def tensor(values: Optional[np.ndarray]) -> torch.Tensor:
            assert values is not None  # the parts of one change come together
            return to_tensor(values, x.device, x.dtype)

        if changes.color is not None:
            color, brightness, contrast = map(tensor, (changes.color, changes.brightness, changes.contrast))
            added = brightness + (1 - contrast) * x.mean((1, 2, 3))
            x = torch.baddbmm(added[:, None, None], color, x.flatten(2)).reshape(x.shape)
        if changes.rows is not None:
            x = tensor(changes.rows)[:, None] @ x @ tensor(changes.columns)[:, None]
        return x if changes.mask is None else x * tensor(changes.mask)
