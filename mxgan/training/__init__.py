"""Training, without knowing the framework: the loop, the run directory, the progress shown."""

from mxgan.training.loop import Run, train

__all__ = ["Run", "train"]
