"""A graph as JSON and back, and every way to get the JSON wrong."""

import json

import layer_cases
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from strategies import generators

from mxgan.errors import ParamsError
from mxgan.graph import Graph, Node, layers, layout, shapes
from mxgan.graph.forward import generate

HEAD = {"mxgan-layout": 1, "latent": 2}
RESHAPE = {"kind": "Reshape", "shape": [2, 1, 1]}


def under_other_names(graph: Graph) -> tuple[dict[str, str], dict[str, np.ndarray]]:
    """The graph's arrays as a file might call them."""
    names = {name: f"netG.{name}_w" for name in graph.arrays}
    return names, {names[name]: array for name, array in graph.arrays.items()}


def assert_comes_back(graph: Graph, uniform: bool) -> None:
    names, arrays = under_other_names(graph)
    back = layout.parse(json.loads(layout.describe(graph, names, uniform)), arrays, "net.json")
    assert (back.graph.nodes, back.graph.inputs) == (graph.nodes, graph.inputs)
    assert (back.names, back.uniform) == (names, uniform)
    assert all(back.graph.arrays[name] is arrays[names[name]] for name in graph.arrays)


@pytest.mark.parametrize("name", layer_cases.CASES)
def test_each_layer_comes_back(name):
    assert_comes_back(layer_cases.CASES[name], uniform=False)


@settings(max_examples=40, deadline=None, derandomize=True)
@given(generators(), st.booleans())
def test_random_graphs_come_back(graph, uniform):
    assert_comes_back(graph, uniform)


def test_a_discriminator_comes_back():
    nodes = (Node("x", layers.Conv((2, 2)), ("images",)),)
    assert_comes_back(Graph(nodes, layer_cases.CASES["Conv"].arrays, {"images": (4, 3, 5)}), uniform=False)


def test_a_file_as_a_person_writes_it(tmp_path):
    """Names, inputs, defaults and the second of two equal numbers may be left out."""
    (tmp_path / "net.json").write_text(
        json.dumps(
            {
                **HEAD,
                "images": "unit",
                "latents": "uniform",
                "layers": [
                    RESHAPE,
                    {"kind": "ConvTranspose", "arrays": {"weight": "deconv.w"}, "stride": 2, "padding": [1, 0]},
                    {"kind": "LeakyRelu", "slope": 1},
                    {"kind": "Sigmoid"},
                ],
            }
        )
    )
    weight = np.random.RandomState(0).normal(size=(2, 3, 4, 4))
    found = layout.read(tmp_path / "net.json", {"deconv.w": weight, "other": np.zeros(3)})
    assert found.uniform and found.names == {"1.weight": "deconv.w"}
    assert [node.name for node in found.graph.nodes] == ["0", "1", "2", "3", "signed"]
    assert found.graph.nodes[1].layer == layers.ConvTranspose((2, 2), (1, 0))
    assert found.graph.nodes[2].layer == layers.LeakyRelu(1.0)
    assert shapes(found.graph)["signed"] == (3, 2, 4)
    images = generate(found.graph, np.array([[1.0, -1.0]]))
    assert -1 <= images.min() < 0 < images.max() <= 1


def with_layers(*rows):
    return {**HEAD, "layers": list(rows)}


REFUSED = {
    "not a layout: ": [1],
    'not a layout: {"mxgan-layout": 1': {"latent": 2, "layers": [RESHAPE]},
    "'colour' is not a setting; known: mxgan-layout, latent": {**with_layers(RESHAPE), "colour": 1},
    "0 layers; 1 to 2000 wanted": with_layers(),
    "2001 layers; 1 to 2000 wanted": with_layers(*[RESHAPE] * 2001),
    "latent: [None]; whole numbers wanted": {"mxgan-layout": 1, "layers": [RESHAPE]},
    "latent: ['2']; whole numbers wanted": {**with_layers(RESHAPE), "latent": "2"},
    "latent: [4294967296]; whole numbers wanted": {**with_layers(RESHAPE), "latent": 2**32},
    "input: []; whole numbers wanted": {"mxgan-layout": 1, "input": [], "layers": [RESHAPE]},
    "latents 'gaussian'; normal or uniform wanted": {**with_layers(RESHAPE), "latents": "gaussian"},
    "images 'bytes'; signed or unit wanted": {**with_layers(RESHAPE), "images": "bytes"},
    "layer 0: kind 'Softmax'; one of Linear, Embedding, ": with_layers({"kind": "Softmax"}),
    "layer 0: kind 'Tanh'; one of Linear": with_layers("Tanh"),
    "layer 0: kind None; one of Linear": with_layers({"name": "a"}),
    "layer 1: 'strides' is not a setting; known: name, kind, arrays, inputs, stride, padding": with_layers(
        RESHAPE, {"kind": "Conv", "strides": 2}
    ),
    "layer 0: a name is text, and inputs are a list of names": with_layers({**RESHAPE, "name": 3}),
    "layer 0: a name is text, and inputs are a list of names ": with_layers({**RESHAPE, "inputs": "z"}),
    "layer 0: a name is text, and inputs are a list of names  ": with_layers({**RESHAPE, "inputs": [3]}),
    "layer 0: arrays {'gamma': 'g'}; weight, bias wanted": with_layers({"kind": "Linear", "arrays": {"gamma": "g"}}),
    "layer 0: arrays 'w'; weight, bias wanted": with_layers({"kind": "Linear", "arrays": "w"}),
    "layer 0: the weights have no array 'w'": with_layers({"kind": "Linear", "arrays": {"weight": "w"}}),
    "layer 0: shape: 'big'; whole numbers wanted": with_layers({"kind": "Reshape", "shape": "big"}),
    "layer 0: Reshape lacks a setting: ": with_layers({"kind": "Reshape"}),
    "layer 0: stride: [1, 2, 3]; two whole numbers wanted": with_layers({"kind": "Conv", "stride": [1, 2, 3]}),
    "layer 0: stride: 1.5; two whole numbers wanted": with_layers({"kind": "Conv", "stride": 1.5}),
    "layer 0: groups: True; int wanted": with_layers({"kind": "Conv", "groups": True}),
    "layer 0: slope: '0.2'; float wanted": with_layers({"kind": "LeakyRelu", "slope": "0.2"}),
    "layer 0: align_corners: 1; bool wanted": with_layers({"kind": "Upsample", "align_corners": 1}),
    "layer 0: mode: 2; str wanted": with_layers({"kind": "Upsample", "mode": 2}),
}


@pytest.mark.parametrize("message", REFUSED)
def test_what_is_wrong_is_named(message):
    with pytest.raises(ParamsError) as refusal:
        layout.parse(REFUSED[message], {}, "net.json")
    assert str(refusal.value).startswith(f"net.json: {message.rstrip()}")


def test_what_does_not_go_together_is_refused_by_the_shapes():
    graph = layout.parse(with_layers({"kind": "Linear"}, {"kind": "Tanh", "inputs": ["9"]}), {}, "net.json").graph
    with pytest.raises(ValueError, match=r"has no array 0\.weight"):
        shapes(graph)


def test_files_that_are_no_layout_are_refused(tmp_path):
    path = tmp_path / "net.json"
    with pytest.raises(ParamsError, match=r"net\.json: there is no such file"):
        layout.read(path, {})
    for text, message in (
        ("{", r"not JSON: .*; `mxgan weights inspect FILE --layout` \(in a shell\) writes a draft"),
        ("[" * 100_000, "not JSON"),
        ("1" * 100_000, "not JSON|not a layout"),
        (" " * (layout.LONGEST + 1), "more than 1,048,576 bytes"),
    ):
        path.write_text(text)
        with pytest.raises(ParamsError, match=message):
            layout.read(path, {})
    path.write_bytes(b"\xff\xfe{}")
    with pytest.raises(ParamsError, match=r"UTF-8|not JSON"):
        layout.read(path, {})


JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=5)
    | st.sampled_from(("z", "label", "0")),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(("weight", "bias", "a")), inner),
    max_leaves=5,
)


@settings(max_examples=200, deadline=None, derandomize=True)
@given(st.data())
def test_damaged_layouts_are_refused_or_make_a_graph(data):
    """One value of a good layout replaced by any other."""
    graph = data.draw(generators())
    names, arrays = under_other_names(graph)
    said = json.loads(layout.describe(graph, names, False))
    place = data.draw(st.sampled_from([said, *said["layers"]]))
    place[data.draw(st.sampled_from(sorted(place)))] = data.draw(JSON)
    try:
        assert isinstance(layout.parse(said, arrays, "net.json").graph, Graph)
    except ParamsError as error:
        assert str(error).startswith("net.json: ")
