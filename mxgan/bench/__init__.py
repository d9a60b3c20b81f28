"""The speed table: every row measured here and now, in turns with the loop that people would otherwise run."""

from mxgan.bench.table import lines, run

__all__ = ["lines", "run"]
