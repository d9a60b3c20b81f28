"""Training, without knowing the framework: the loop, the run directory, checkpoints, what is shown and watched."""

from mxgan.training.loop import Run
from mxgan.training.start import resume, train

__all__ = ["Run", "resume", "train"]
