"""DiffAugment on Gluon: `mxgan.recipe.augment` draws the numbers, here images are changed by them."""

from __future__ import annotations

from typing import Any, Optional

import numpy as np
from mxnet import nd

from mxgan.gluon.tensors import to_tensor
from mxgan.recipe.augment import Augmentation


def augmented(images: Any, changes: Optional[Augmentation]) -> Any:
    """Images (n, 3, S, S) as netD is to see them; gradients go through. None: as they are.

    Matrix products throughout: composed of broadcasts and slices the same changes take several times as long.
    """
    if changes is None:
        return images
    n, channels, size, _ = shape = images.shape

    def tensor(values: Optional[np.ndarray]) -> Any:
        assert values is not None  # the parts of one change come together
        return to_tensor(values, images.context, images.dtype)

    if changes.color is not None:
        flat = images.reshape((n, -1))
        ones = nd.ones(flat.shape[1], images.context, images.dtype)
        mean = nd.dot(flat, ones) / len(ones)  # a tenth of the time of images.mean
        offset = tensor(changes.brightness) + (1 - tensor(changes.contrast)) * mean
        colored = nd.batch_dot(tensor(changes.color), images.reshape((n, channels, -1)))
        images = nd.broadcast_add(colored.reshape((n, -1)), offset.reshape((n, 1))).reshape(shape)
    if changes.rows is not None:
        across = nd.batch_dot(images.reshape((n, -1, size)), tensor(changes.columns))
        rows = tensor(np.repeat(changes.rows, channels, axis=0))
        images = nd.batch_dot(rows, across.reshape((-1, size, size))).reshape(shape)
    if changes.mask is not None:
        images = nd.broadcast_mul(images, tensor(changes.mask))
    return images
