"""A recognised DCGAN as a graph: node names are canonical child indices, arrays keep their canonical names."""

from __future__ import annotations

from mxgan.graph import Graph, Node
from mxgan.graph.graph import IMAGES, LATENTS
from mxgan.graph.layers import BatchNorm, Conv, ConvTranspose, Layer, LeakyRelu, Relu, Reshape, Tanh
from mxgan.weights.net import Net, canonical

EPSILON = 1e-5  # BatchNorm's, in MXNet's gluon.nn and in PyTorch; weights files don't hold it
SLOPE = 0.2  # of the discriminator's LeakyReLU


def graph_of(net: Net) -> Graph:
    """The tutorial's network (Radford et al. 2016, arXiv:1511.06434) with these arrays.

    A generator ends in tanh; a discriminator in logits (1, 1, 1).
    """
    generator = net.latent is not None
    convs, norms = canonical(net.kind, net.convolutions, net.first_norm)
    nodes: list[Node] = []

    def add(name: str, layer: Layer) -> None:
        nodes.append(Node(name, layer, (nodes[-1].name if nodes else LATENTS if generator else IMAGES,)))

    if generator:
        assert net.latent is not None
        add("latents", Reshape((net.latent, 1, 1)))
    for index in convs:
        alone = index == (convs[0] if generator else convs[-1])  # at one pixel: no stride, no padding
        stride, padding = ((1, 1), (0, 0)) if alone else ((2, 2), (1, 1))
        kind = ConvTranspose if generator else Conv
        add(str(index), kind(stride=stride, padding=padding))
        if index + 1 in norms:
            add(str(index + 1), BatchNorm(EPSILON))
        if index != convs[-1]:
            after = index + 2 if index + 1 in norms else index + 1
            add(str(after), Relu() if generator else LeakyRelu(SLOPE))
    if generator:
        add(str(convs[-1] + 1), Tanh())
    inputs = {LATENTS: (net.latent,)} if net.latent is not None else {IMAGES: (net.channels, *[net.image_size] * 2)}
    return Graph(tuple(nodes), net.arrays, inputs)
