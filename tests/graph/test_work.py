"""The arithmetic of a network, against what one counts by hand."""

import numpy as np
import pytest

from mxgan.architecture import networks
from mxgan.graph import Graph, Node
from mxgan.graph.layers import Conv, ConvTranspose, Linear, Reshape
from mxgan.graph.work import multiply_adds
from mxgan.weights.of_run import weights_file


def test_layers_by_hand():
    nodes = (
        Node("0", Linear(), ("z",)),  # 5 to 12
        Node("1", Reshape((3, 2, 2)), ("0",)),
        Node("2", ConvTranspose(stride=(2, 2), padding=(1, 1)), ("1",)),  # 3 to 4 channels, 4×4 kernels at 2×2 pixels
        Node("3", Conv(stride=(2, 2), padding=(1, 1), groups=2), ("2",)),  # 4 to 6 channels in 2 groups, 3×3 at 2×2
    )
    arrays = {
        "0.weight": np.zeros((12, 5)),
        "2.weight": np.zeros((3, 4, 4, 4)),
        "3.weight": np.zeros((6, 2, 3, 3)),
    }
    by_hand = 5 * 12 + 2 * 2 * 3 * 4 * 16 + 2 * 2 * 6 * 2 * 9
    assert multiply_adds(Graph(nodes, arrays, {"z": (5,)})) == by_hand


@pytest.mark.parametrize(("n", "few"), [(64, True), (1000, False)])
def test_64_faces_of_the_tutorials_network_are_little_work(n, few):
    from mxgan import engines

    graph = networks.generator(weights_file("painted")).graph
    assert multiply_adds(graph) == 16 * (150 * 512 + 3 * 16 * 512 * 256 + 32**2 * 64 * 3)
    assert (n * multiply_adds(graph) <= engines.LITTLE) == few
