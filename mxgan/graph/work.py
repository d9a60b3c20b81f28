"""How much arithmetic a network is: what decides whether loading a quicker engine pays off."""

from __future__ import annotations

from math import prod

from mxgan.graph import layers
from mxgan.graph.graph import Graph
from mxgan.graph.shapes import shapes


def multiply_adds(graph: Graph) -> int:
    """Of the network's convolutions and matrix products for one sample; taps on the padding count, as usual."""
    found = shapes(graph)
    total = 0
    for node in graph.nodes:
        if isinstance(node.layer, (layers.Linear, layers.Conv, layers.ConvTranspose)):
            seen = node.inputs[0] if isinstance(node.layer, layers.ConvTranspose) else node.name  # one patch for each
            weight = graph.arrays[f"{node.name}.weight"]
            total += weight.size * prod(found[seen][1:])  # pixels; of a matrix product, one
    return total
