"""A generator on onnxruntime: the engine for machines with neither MXNet nor PyTorch. It generates, and can't train."""

from __future__ import annotations

import ctypes
import os
from functools import cache
from typing import Any, Optional
from weakref import WeakSet

import numpy as np

from mxgan import machine, pixels
from mxgan.engines.protocol import Forward
from mxgan.errors import MissingPackage, MxganError, SettingError
from mxgan.graph import Graph, shapes
from mxgan.graph.graph import LABELS, LATENTS
from mxgan.onnx.model import serialise

BATCH = 64  # images computed at once, so that memory doesn't grow with n
_sessions: WeakSet[Any] = WeakSet()


class Engine:
    """A generator in inference mode on the CPU."""

    name = "onnx"

    def __init__(self, graph: Graph, model: Optional[bytes] = None) -> None:
        """``model``: the graph's ONNX model if it has already been made. Raises MissingPackage without the extra."""
        self.model = serialise(graph) if model is None else model
        self.latent, self.shape = graph.latent, shapes(graph)[graph.nodes[-1].name]
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
        self.inputs = [value.name for value in self.session.get_inputs()]

    def forward(self, z: np.ndarray, labels: Optional[np.ndarray] = None) -> np.ndarray:
        """Latents (n, latent), and labels (n,) of a conditional one, to float32 (n, channels, H, W) in [-1, 1].

        Raises MxganError for latents of another shape.
        """
        z = np.ascontiguousarray(z, np.float32)
        if z.ndim != 2 or z.shape[1] != self.latent:
            raise MxganError(f"latents of shape {z.shape}: this generator takes (n, {self.latent})")
        given = {LATENTS: z} if labels is None else {LATENTS: z, LABELS: np.asarray(labels, np.int64)}
        if self.process != os.getpid():  # made by fork, which leaves the session's threads behind
            self._open()
        images = np.empty((len(z), *self.shape), np.float32)
        for first in range(0, len(z), BATCH):
            part = {name: given[name][first : first + BATCH] for name in self.inputs}
            images[first : first + BATCH] = self.session.run(["images"], part)[0]
        return images

    def generate(self, z: np.ndarray, labels: Optional[np.ndarray] = None) -> np.ndarray:
        """`forward`, as pixels: uint8 (n, H, W, channels)."""
        return pixels.to_uint8(self.forward(z, labels))


def forward_of(graph: Graph, ctx: str = "auto") -> Forward:
    """The generator's `forward`, on the CPU. Raises MxganError if ctx asks for a GPU."""
    if ctx.startswith(("gpu", "mps")):
        raise SettingError(
            "ctx", ctx, "the onnx engine computes on the CPU; use --ctx cpu, or --engine mxnet or pytorch"
        )
    return Engine(graph).forward


@cache
def _keep_in_children() -> None:
    """Never free a session in a child made by fork: that would wait for its threads, which the child doesn't have."""

    def keep() -> None:
        for session in list(_sessions):
            ctypes.pythonapi.Py_IncRef(ctypes.py_object(session))

    if hasattr(os, "register_at_fork"):  # not on Windows, which has no fork
        os.register_at_fork(after_in_child=keep)
