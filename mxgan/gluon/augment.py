"""DiffAugment on Gluon: `mxgan.recipe.augment` draws the arrays, here images are multiplied with them."""

from __future__ import annotations

import numpy as np

from mxgan.gluon import runtime
from mxgan.recipe.augment import Augmentation


def apply(changes: Augmentation, images):
    """Images (n, 3, S, S) as netD is to see them; under autograd.record gradients go through to the images.

    Matrix products throughout: composed of broadcasts and slices the same changes take several times as long.
    """
    nd = runtime.load().nd
    n, channels, size, _ = shape = images.shape

    def array(values: np.ndarray):
        return runtime.array(values, images.context, images.dtype)

    if changes.color is not None:
        flat = images.reshape((n, -1))
        ones = nd.ones(flat.shape[1], images.context, images.dtype)
        mean = nd.dot(flat, ones) / len(ones)  # a tenth of the time of images.mean
        offset = array(changes.brightness) + (1 - array(changes.contrast)) * mean
        colored = nd.batch_dot(array(changes.color), images.reshape((n, channels, -1)))
        images = nd.broadcast_add(colored.reshape((n, -1)), offset.reshape((n, 1))).reshape(shape)
    if changes.rows is not None:
        across = nd.batch_dot(images.reshape((n, -1, size)), array(changes.columns))
        rows = array(np.repeat(changes.rows, channels, axis=0))
        images = nd.batch_dot(rows, across.reshape((-1, size, size))).reshape(shape)
    if changes.mask is not None:
        images = nd.broadcast_mul(images, array(changes.mask))
    return images
