"""A run for TensorBoard: the log's numbers and the samples, in an event file of its own.

TensorBoard's package has the file format (records with checksums, which hold protocol buffers) and needs no TensorFlow
for it. PyTorch's writer is made of the same two parts, but would need PyTorch, and writes in a thread where a full disk
goes unseen.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from mxgan import plots
from mxgan.errors import MissingPackage

FOLDER = "tensorboard"  # in the run directory
TAGS = {  # of the log's numbers; what stands before the slash is a section of TensorBoard's page
    "loss_d": "loss/loss_d",
    "loss_g": "loss/loss_g",
    "score_real": "verdict/score_real",
    "score_fake": "verdict/score_fake",
    "score": "pictures/score",
    "variety": "pictures/variety",
    "images_per_s": "speed/images_per_s",
}


def check() -> None:
    """Raise MissingPackage without TensorBoard's package."""
    try:
        from tensorboard.compat.proto import event_pb2, summary_pb2
        from tensorboard.summary.writer import record_writer

        assert event_pb2 and summary_pb2 and record_writer
    except ImportError as error:
        raise MissingPackage("tensorboard is on, and its package isn't installed", "tensorboard") from error


class Board:
    """The event file of a run that goes on after ``step``. Where the disk is full it ends, and ``say`` is told."""

    def __init__(self, run: Path, step: int, say: Callable[[str], None]) -> None:
        from tensorboard.compat.proto import event_pb2
        from tensorboard.summary.writer.record_writer import RecordWriter

        self._event, self._say, self._writer = event_pb2.Event, say, None
        path = run / FOLDER / f"events.out.tfevents.{time.time():017.6f}.{os.getpid()}"  # read in the order of names
        try:
            path.parent.mkdir(exist_ok=True)
            self._writer = RecordWriter(open(path, "wb", buffering=0))  # noqa: SIM115 (closed by close)
        except OSError as error:
            self._give_up(error)
        self._write(file_version="brain.Event:2")
        if step:  # what an earlier process wrote of later steps is void
            start = event_pb2.SessionLog(status=event_pb2.SessionLog.START)
            self._write(step=step + 1, session_log=start)

    def add(self, record: dict[str, Any]) -> None:
        """The numbers in a line of the log."""
        from tensorboard.compat.proto.summary_pb2 import Summary

        values = [Summary.Value(tag=tag, simple_value=record[name]) for name, tag in TAGS.items() if name in record]
        if values:
            self._write(step=record["step"], summary=Summary(value=values))

    def add_samples(self, step: int, images: np.ndarray) -> None:
        """The samples after ``step``, uint8 NHWC, as the grid that the run directory has."""
        from tensorboard.compat.proto.summary_pb2 import Summary

        sheet = plots.grid(images)
        picture = Summary.Image(
            height=sheet.shape[0], width=sheet.shape[1], colorspace=3, encoded_image_string=plots.png(sheet)
        )
        self._write(step=step, summary=Summary(value=[Summary.Value(tag="samples", image=picture)]))

    def close(self) -> None:
        """Close the file."""
        if self._writer is not None:
            self._writer.close()
            self._writer = None

    def _write(self, **event: Any) -> None:
        if self._writer is None:
            return
        try:
            self._writer.write(self._event(wall_time=time.time(), **event).SerializeToString())
        except OSError as error:
            self._give_up(error)

    def _give_up(self, error: OSError) -> None:
        """Half a record is the end for a reader, so none may follow."""
        self.close()
        self._say(
            f"warning: TensorBoard's file can't be written ({error.strerror or error}); the run goes on without it"
        )
