"""Both engines side by side: a proof that they are one model, and what each costs.

proof.py    float64, reduced nets: forward, losses, gradients, weights and statistics after each of five steps
several.py  processes that make each step together, for the proof that they are one
outcome.py  float32, full size: outputs and pictures of the same weights; training, and how it drifts apart
speed.py    steps and pictures a second, and memory
run.py      the whole comparison, in order
worker.py   an engine in a process of its own
report.py   report.html, report.json and the PNGs
"""

from mxgan.compare.run import Comparison, compare

__all__ = ["Comparison", "compare"]
