"""Training, without knowing the framework: the loop, the run directory, checkpoints, what is shown and watched."""

from mxgan.training.run import Run
from mxgan.training.start import begin, go_on, resume, train

__all__ = ["Run", "begin", "go_on", "resume", "train"]
