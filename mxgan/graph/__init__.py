"""A network as a small graph in NumPy's terms: every layer with its own settings. Engines build it, files hold it."""

from mxgan.graph.graph import Graph, Node
from mxgan.graph.shapes import check, shapes

__all__ = ["Graph", "Node", "check", "shapes"]
