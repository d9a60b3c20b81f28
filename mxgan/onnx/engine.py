"""A generator on onnxruntime: the engine for machines with neither MXNet nor PyTorch. It generates, and can't train."""

from __future__ import annotations

import ctypes
import os
from collections.abc import Callable
from functools import cache
from typing import Any, Optional
from weakref import WeakSet

import numpy as np

from mxgan import machine, pixels
from mxgan.errors import MissingPackage, MxganError
from mxgan.onnx.model import serialise
from mxgan.weights.net import Net

BATCH = 64  # images computed at once, so that memory doesn't grow with n
_sessions: WeakSet[Any] = WeakSet()


class Engine:
    """A generator in inference mode on the CPU."""

    name = "onnx"

    def __init__(self, net: Net, model: Optional[bytes] = None) -> None:
        """``model``: the net's ONNX model if it has already been made. Raises MissingPackage without the extra."""
        self.model = serialise(net) if model is None else model
        self.latent, self.image_size, self.channels = net.latent, net.image_size, net.channels
        self._open()

    def _open(self) -> None:
        try:
            import onnxruntime
        except ImportError as error:
            raise MissingPackage("the onnx engine needs onnx and onnxruntime", "onnx") from error
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = machine.usable_cores()
        options.log_severity_level = 3  # errors only: warnings would clutter the user's stderr
        self.session = onnxruntime.InferenceSession(self.model, options, providers=["CPUExecutionProvider"])
        self.process = os.getpid()
        _sessions.add(self.session)
        _keep_in_children()

    def forward(self, z: np.ndarray) -> np.ndarray:
        """Latents (n, latent) to images in [-1, 1], float32 (n, channels, H, W). Raises MxganError for other shapes."""
        z = np.ascontiguousarray(z, np.float32)
        if z.ndim != 2 or z.shape[1] != self.latent:
            raise MxganError(f"latents of shape {z.shape}: this generator takes (n, {self.latent})")
        if self.process != os.getpid():  # made by fork, which leaves the session's threads behind
            self._open()
        images = np.empty((len(z), self.channels, self.image_size, self.image_size), np.float32)
        for first in range(0, len(z), BATCH):
            images[first : first + BATCH] = self.session.run(["images"], {"z": z[first : first + BATCH]})[0]
        return images

    def generate(self, z: np.ndarray) -> np.ndarray:
        """Latents (n, latent) to images uint8 (n, H, W, channels)."""
        return pixels.to_uint8(self.forward(z))


def forward_of(net: Net, ctx: str = "auto") -> Callable[[np.ndarray], np.ndarray]:
    """The generator's `forward`, on the CPU. Raises MxganError if ctx asks for a GPU."""
    if ctx.startswith("gpu"):
        raise MxganError(
            f"--ctx {ctx}: the onnx engine computes on the CPU; use --ctx cpu, or --engine mxnet or pytorch"
        )
    return Engine(net).forward


@cache
def _keep_in_children() -> None:
    """Never free a session in a child made by fork: that would wait for its threads, which the child doesn't have."""

    def keep() -> None:
        for session in list(_sessions):
            ctypes.pythonapi.Py_IncRef(ctypes.py_object(session))

    if hasattr(os, "register_at_fork"):  # not on Windows, which has no fork
        os.register_at_fork(after_in_child=keep)
