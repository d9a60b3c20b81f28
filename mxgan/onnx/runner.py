"""A model run as it is by onnxruntime, bounded in memory and time: the file says what is computed."""

from __future__ import annotations

import dataclasses
import functools
import threading
from typing import Any, Optional

import numpy as np

from mxgan import machine
from mxgan.child import Child, ChildEnded
from mxgan.errors import MissingPackage, MxganError, ParamsError, in_shell
from mxgan.onnx.program import Program
from mxgan.weights.names import printable

BATCH = 64  # images computed at once, so that memory doesn't grow with n
MOST_MEMORY = 4 * 2**30  # bytes that all programs together may take
LONGEST = 60.0  # seconds of a program for one batch
_TYPES = {1: np.float32, 6: np.int32, 7: np.int64, 10: np.float16, 11: np.float64}  # TensorProto.DataType


class Runner:
    """A program in inference mode on the CPU."""

    name = "onnx"

    def __init__(self, program: Program) -> None:
        """Raises ParamsError if onnxruntime can't open the model, MissingPackage without the extra."""
        onnxruntime = _runtime()
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = machine.usable_cores()
        options.log_severity_level = 4
        options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL  # it would compute
        options.add_session_config_entry("session.use_env_allocators", "1")
        self.program, self.runtime = program, onnxruntime
        self.latent, self.classes = program.latent, program.classes
        try:
            self.session = onnxruntime.InferenceSession(program.data, options, providers=["CPUExecutionProvider"])
        except Exception as error:  # onnxruntime's errors are of many classes
            raise ParamsError(f"{program.path}: onnxruntime can't open it: {_line(error)}") from error

    def forward(self, z: np.ndarray, labels: Optional[np.ndarray] = None) -> np.ndarray:
        """Latents (n, latent), with labels (n,) if there are classes, to images in [-1, 1], float32 (n, C, H, W)."""
        z = np.ascontiguousarray(z, np.float32)
        if z.ndim != 2 or z.shape[1] != self.latent:
            raise MxganError(f"latents of shape {z.shape}: this generator takes (n, {self.latent})")
        if (labels is None) != (self.classes is None):
            raise MxganError("this generator takes labels" if labels is None else "this generator takes no labels")
        images = np.empty((len(z), *self.program.shape), np.float32)
        low, high = self.program.limits or (-1.0, 1.0)
        size = self.program.said.data.batch or BATCH
        for first in range(0, len(z), size):
            part = self.raw(z[first : first + size], None if labels is None else labels[first : first + size])
            part = part.transpose(0, 3, 1, 2) if self.program.last else part.reshape(-1, *self.program.shape)
            images[first : first + size] = part if (low, high) == (-1, 1) else (part - low) * (2 / (high - low)) - 1
        return images

    def raw(self, z: np.ndarray, labels: Optional[np.ndarray] = None) -> np.ndarray:
        """What the model itself gives for at most one batch. Raises ParamsError if it fails or takes too long."""
        said, n = self.program.said, len(z)
        given = {said.data.name: (z, said.data)}
        if said.label is not None and labels is not None:
            given[said.label.name] = (np.asarray(labels), said.label)
        rows = said.data.batch or n
        feeds = {}
        for name, (values, item) in given.items():
            values = np.resize(values, (rows, *values.shape[1:])) if rows != n else values
            feeds[name] = values.reshape(rows, *item.shape).astype(_TYPES[item.kind])
        options = self.runtime.RunOptions()
        clock = threading.Timer(LONGEST, setattr, (options, "terminate", True))
        clock.daemon = True
        clock.start()
        try:
            y = self.session.run([said.output], feeds, options)[0]
        except Exception as error:
            raise ParamsError(f"{self.program.path}: onnxruntime can't run it: {_line(error)}") from error
        finally:
            clock.cancel()
        if not isinstance(y, np.ndarray) or y.dtype.kind not in "fu" or y.shape[:1] != (rows,):
            raise ParamsError(f"{self.program.path}: the model doesn't give one image for each latent")
        return np.asarray(y[:n], np.float32)


def tried(program: Program) -> Program:
    """The program with what two latents showed: the images' shape, and their range where the model doesn't say it.

    It is tried in a process of its own, as a damaged model can end the one that runs it. Raises ParamsError.
    """
    with Child(_Trial, program) as child:
        try:
            found, problem = child.call("run")
        except ChildEnded as error:
            raise ParamsError(f"{program.path}: onnxruntime can't run it: {printable(str(error)[:300])}") from error
    if found is None:
        raise ParamsError(problem)
    return found


class _Trial:
    """What the process of `tried` holds."""

    def __init__(self, program: Program) -> None:
        self.program = program

    def run(self) -> tuple[Optional[Program], str]:
        """The program with more known, or what is wrong."""
        try:
            return _seen(self.program), ""
        except ParamsError as error:
            return None, in_shell(error)


def _seen(program: Program) -> Program:
    runner = Runner(program)
    z = np.linspace(-2, 2, 2 * program.latent, dtype=np.float32).reshape(2, program.latent)
    labels = None if program.classes is None else np.zeros(2, np.int64)
    size = program.said.data.batch or 2
    y = np.concatenate([runner.raw(z[first : first + size], labels) for first in range(0, 2, size)])
    shape = y.shape[1:] if y.ndim == 4 else (1, *y.shape[1:])
    last = len(shape) == 3 and shape[0] > 4 and shape[2] <= 4
    shape = (shape[2], *shape[:2]) if last else shape
    if len(shape) != 3 or not 1 <= shape[0] <= 4 or min(shape) < 1 or not np.isfinite(y).all():
        raise ParamsError(f"{program.path}: the model gives {y.shape[1:]}; finite images of 1 to 4 channels wanted")
    limits, assumed = program.limits, program.assumed
    if limits is None:
        low, high = float(y.min()), float(y.max())
        limits = (-1.0, 1.0) if low < 0 else (0.0, 1.0) if high <= 1 else (0.0, 255.0)
        assumed = (*assumed, f"images in [{limits[0]:g}, {limits[1]:g}]")
    return dataclasses.replace(program, shape=shape, last=last, limits=limits, assumed=assumed)


@functools.lru_cache(maxsize=1)
def _runtime() -> Any:
    """onnxruntime, with a limit on the memory of sessions that ask for it."""
    try:
        import onnxruntime
    except ImportError as error:
        raise MissingPackage("running an ONNX model needs onnxruntime", "onnx") from error
    arena, default = onnxruntime.OrtAllocatorType.ORT_ARENA_ALLOCATOR, onnxruntime.OrtMemType.DEFAULT
    memory = onnxruntime.OrtMemoryInfo("Cpu", arena, 0, default)
    onnxruntime.create_and_register_allocator(memory, onnxruntime.OrtArenaCfg({"max_mem": MOST_MEMORY}))
    return onnxruntime


def _line(error: Exception) -> str:
    return printable(str(error).strip().splitlines()[0][:300] if str(error).strip() else type(error).__name__)
