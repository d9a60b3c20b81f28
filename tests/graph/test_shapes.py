"""Shapes are known before anything is computed, and what doesn't go together is refused by the node's name."""

import dataclasses

import layer_cases
import numpy as np
import pytest
from hypothesis import given, settings
from layer_cases import numbers, of
from strategies import generators

from mxgan.errors import ParamsError
from mxgan.graph import Graph, Node, check, layers, shapes
from mxgan.graph.forward import steps
from mxgan.graph.graph import IMAGES, LABELS, LATENTS
from mxgan.graph.shapes import LARGEST, MOST_NODES, Unfit


def assert_shapes_are_those_computed(graph: Graph) -> None:
    found = shapes(graph)
    z, labels = layer_cases.inputs(graph)
    given = {LATENTS: z} if labels is None else {LATENTS: z, LABELS: labels % (graph.classes or 1)}
    for node, y in steps(graph, given):
        assert y.shape == (len(z), *found[node.name]), node


@pytest.mark.parametrize("name", layer_cases.CASES)
def test_each_layers_shape_is_that_of_what_it_computes(name):
    assert_shapes_are_those_computed(layer_cases.CASES[name])


@settings(max_examples=40, deadline=None, derandomize=True)
@given(generators())
def test_every_nodes_shape_in_random_graphs(graph):
    assert_shapes_are_those_computed(graph)
    assert check(graph, "the graph") == shapes(graph)


REFUSED = {
    "x (Linear): takes (6,) and is given (5,)": of(layers.Linear(), (5,), weight=(4, 6)),
    "x (Linear): has no array x.weight": of(layers.Linear(), (5,)),
    "x (Linear): weight is (4, 5, 1); 2 dimensions wanted": of(layers.Linear(), (5,), weight=(4, 5, 1)),
    "x (Linear): bias is (3,); (4,) wanted": of(layers.Linear(), (5,), weight=(4, 5), bias=(3,)),
    "x (Conv): takes 3 channels and is given 4": of(layers.Conv(), weight=(2, 3, 3, 3)),
    "x (Conv): takes 6 channels and is given 4": of(layers.Conv(groups=2), weight=(2, 3, 3, 3)),
    "x (Conv): takes (channels, H, W) and is given (4,)": of(layers.Conv(), (4,), weight=(2, 4, 3, 3)),
    "x (Conv): stride (0, 1), padding (0, 0), dilation (1, 1)": of(layers.Conv((0, 1)), weight=(2, 4, 3, 3)),
    "x: gives (2, 0, 2), of sizes from 1": of(layers.Conv(), weight=(2, 4, 4, 4)),
    "x: gives (2, -1, 1), of sizes from 1": of(layers.ConvTranspose(padding=(3, 3)), weight=(4, 2, 3, 3)),
    "x (ConvTranspose): output_padding (2, 0) isn't less than stride (2, 2)": of(
        layers.ConvTranspose((2, 2), output_padding=(2, 0)), weight=(4, 2, 3, 3)
    ),
    "x (ConvTranspose): takes 3 channels and is given 4": of(layers.ConvTranspose(), weight=(3, 2, 3, 3)),
    "x (BatchNorm): has no array x.running_mean": of(layers.BatchNorm(), running_var=(4,)),
    "x (BatchNorm): running_var is (3,); (4,) wanted": of(layers.BatchNorm(), running_mean=(4,), running_var=(3,)),
    "x (BatchNorm): takes features or images and is given (2, 2)": of(layers.BatchNorm(), (2, 2), **layer_cases.norm()),
    "x (InstanceNorm): takes (channels, H, W)": of(layers.InstanceNorm(), (4,)),
    "x (Reshape): can't make (7, -1) of (4, 3, 5)": of(layers.Reshape((7, -1))),
    "x (Reshape): can't make (-1, -1) of": of(layers.Reshape((-1, -1))),
    "x (Reshape): can't make (0, -1) of": of(layers.Reshape((0, -1))),
    "x (Permute): axes (0, 1) of (4, 3, 5)": of(layers.Permute((0, 1))),
    "x (Upsample): bicubic by (2, 2)": of(layers.Upsample(mode="bicubic")),
    "x (PixelShuffle): 4 channels and factor 3": of(layers.PixelShuffle(3)),
    "x (Pad): pads (0, 0, -1, 0) by constant": of(layers.Pad(0, 0, -1, 0)),
    "x (Pad): reflects (3, 0, 0, 0) of (4, 3, 5)": of(layers.Pad(3, 0, 0, 0, "reflect")),
    "x (Crop): crops 3×3 at (1, 0) of (4, 3, 5)": of(layers.Crop(1, 0, 3, 3)),
    "x (Tanh): has 2 inputs; 1 wanted": of(layers.Tanh(), times=2),
    "x (PRelu): slope is (3,) for (4, 3, 5)": of(layers.PRelu(), slope=(3,)),
    "x (Embedding): takes a label and is given (4, 3, 5)": of(layers.Embedding(), weight=(3, 2)),
    "x (OneHot): takes a label": of(layers.OneHot(3)),
    f"x: gives (4, 3000, 15000), of sizes from 1 and at most {LARGEST} numbers": of(layers.Upsample((1000, 3000))),
}


@pytest.mark.parametrize("message", REFUSED)
def test_what_does_not_fit_is_refused(message):
    with pytest.raises(Unfit) as refusal:
        shapes(REFUSED[message])
    assert str(refusal.value).startswith(message)


def test_inputs_of_several_shapes_do_not_add_up_but_may_lie_side_by_side():
    graph = of(layers.Concat(), (4, 1, 1))
    taller = (*graph.nodes[:1], Node("y", layers.Upsample((2, 1)), ("in",)))
    wider = (*graph.nodes[:1], Node("y", layers.Concat(), ("in", "in")))
    for nodes, kind, message in (
        (taller, layers.Add, r"x \(Add\): is given \(4, 1, 1\), \(4, 2, 1\); one shape wanted"),
        (wider, layers.Multiply, r"x \(Multiply\): is given \(4, 1, 1\), \(8, 1, 1\); one shape wanted"),
        (taller, layers.Concat, r"x \(Concat\): is given .*; shapes that differ in the first size alone wanted"),
    ):
        with pytest.raises(Unfit, match=message):
            shapes(Graph((*nodes, Node("x", kind(), ("in", "y"))), {}, graph.inputs))
    assert shapes(Graph((*wider, Node("x", layers.Concat(), ("in", "y"))), {}, graph.inputs))["x"] == (12, 1, 1)


def test_a_node_comes_after_its_inputs_and_once():
    tanh = layers.Tanh()
    for nodes, message in (
        ((Node("a", tanh, ("b",)), Node("b", tanh, ("z",))), "a: takes b, which isn't before it"),
        ((Node("a", tanh, ("a",)),), "a: takes a, which isn't before it"),
        ((Node("a", tanh, ("z",)), Node("a", tanh, ("a",))), "a: comes twice"),
        ((Node("z", tanh, ("z",)),), "z: comes twice"),
        ((), f"0 layers; 1 to {MOST_NODES} wanted"),
        ((Node("a", tanh, ("z",)),) * (MOST_NODES + 1), "2001 layers"),
    ):
        with pytest.raises(Unfit, match=message):
            shapes(Graph(nodes, {}, {"z": (3,)}))


def test_a_generator_ends_in_images_and_a_discriminator_in_anything():
    end = Node("1", layers.Reshape((-1,)), ("0",))
    graph = Graph((Node("0", layers.Reshape((3, 1, 1)), ("z",)), end), {}, {LATENTS: (3,)})
    with pytest.raises(ParamsError, match=r"net\.params: 1 gives \(3,\); images of 1 to 4 channels wanted"):
        check(graph, "net.params")
    end = Node("0", layers.Reshape((-1,)), (IMAGES,))
    assert check(Graph((end,), {}, {IMAGES: (3, 2, 2)}), "net.params") == {IMAGES: (3, 2, 2), "0": (12,)}


def test_sizes_are_known_without_the_memory_for_them():
    """A file may ask for anything; nothing is computed to find out what it would give."""
    huge = np.broadcast_to(np.float32(0), (2**40, 4, 3, 3))
    graph = dataclasses.replace(of(layers.Conv(), weight=(1, 4, 3, 3)), arrays={"x.weight": huge})
    with pytest.raises(Unfit, match=r"x: gives \(1099511627776, 1, 3\)"):
        shapes(graph)


def test_how_many_labels_there_are():
    arrays = numbers({"weight": (7, 2)}, "a")
    nodes = (
        Node("a", layers.Embedding(), (LABELS,)),
        Node("b", layers.OneHot(5), (LABELS,)),
        Node("c", layers.Concat(), ("a", "b")),
    )
    graph = Graph(nodes, arrays, {LATENTS: (3,), LABELS: ()})
    assert (graph.classes, graph.latent, graph.kind) == (5, 3, "generator")
    assert layer_cases.CASES["Conv"].classes is None
