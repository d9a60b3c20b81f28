"""The speed table: mxgan against the loops that people would otherwise run, measured here and now, in turns."""

from mxgan.bench.table import lines, run

__all__ = ["lines", "run"]
