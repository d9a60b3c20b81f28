"""Random generators, saved in each way there is and read back: the same pictures on every engine."""

import sys
import tempfile
import warnings
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, assume, given, settings

sys.path.append(str(Path(__file__).parent.parent / "graph"))
import mx_symbols
from strategies import generators

from mxgan import engines
from mxgan.architecture import networks
from mxgan.architecture.wishes import NONE, Wishes
from mxgan.graph import Graph, Node, layers, shapes
from mxgan.graph.forward import generate
from mxgan.graph.graph import LABELS, LATENTS
from mxgan.graph.layout import describe
from mxgan.weights.params_file import save_params

FEW = settings(max_examples=15, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
LEVEL = 1 / 127.5


@pytest.fixture(scope="module")
def choices():
    """Every engine that is installed."""
    found = []
    for engine in engines.GENERATORS:
        try:
            found.append(engines.choose_generator(engine, "cpu"))
        except ImportError:
            continue
    return found


def ended(graph: Graph) -> Graph:
    """The graph with an end that images have: a tanh, or a sigmoid brought to [-1, 1]."""
    channels, *sides = shapes(graph)[graph.nodes[-1].name]
    weighted = any(isinstance(node.layer, (layers.Linear, layers.Conv, layers.ConvTranspose)) for node in graph.nodes)
    assume(graph.latent > 1 and channels != 2 and min(sides) > 1 and weighted)  # else nobody calls it a generator
    last, before = graph.nodes[-1].layer, graph.nodes[-2].layer
    if isinstance(last, layers.Tanh) or (last == layers.Affine(2, -1) and isinstance(before, layers.Sigmoid)):
        return graph
    return Graph((*graph.nodes, Node("end", layers.Tanh(), (graph.nodes[-1].name,))), graph.arrays, graph.inputs)


def assert_same_pictures(graph: Graph, path: Path, choices: list, wishes: Wishes = NONE) -> None:
    """What the file reads as makes the graph's images, to one grey level."""
    reading = networks.generator(path, wishes)
    assert reading.graph.latent == graph.latent
    z = np.random.RandomState(1).normal(size=(3, graph.latent)).astype(np.float32)
    labels = np.arange(3) % (graph.classes or 1) if LABELS in graph.inputs else None
    wanted = generate(graph, z, labels)
    for choice in choices:
        found = engines.forward_of(choice, reading.graph)(z, labels if LABELS in reading.graph.inputs else None)
        assert found.shape == wanted.shape, choice.engine
        assert np.abs(found - wanted).max() <= LEVEL, choice.engine
    assert reading.warnings == ()


def written(save, name: str) -> Path:
    """A file of that name in a folder of its own."""
    path = Path(tempfile.mkdtemp(dir=FOLDER.name)) / name
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        save(path)
    return path


FOLDER = tempfile.TemporaryDirectory()


@pytest.mark.parametrize("form", ["whole", "scripted", "traced", "exported"])
def test_a_chain_of_pytorchs_layers(choices, form):
    torch = pytest.importorskip("torch")
    from torch_modules import chain

    @FEW
    @given(generators(conditional=False, plain=True))
    def try_one(drawn):
        graph = ended(drawn)
        net = chain(graph)
        assume(net is not None)
        example = torch.zeros(2, graph.latent)
        path = written(lambda path: saved(torch, net, (example,), form, path), NAMES[form])
        assert_same_pictures(graph, path, choices)

    try_one()


NAMES = {"whole": "net.pth", "scripted": "net.pt", "traced": "net.pt", "exported": "net.onnx"}


def saved(torch, net, example, form, path):
    if form == "whole":
        torch.save(net, path)
    elif form == "scripted":
        torch.jit.script(net).save(str(path))
    elif form == "traced":
        torch.jit.trace(net, example).save(str(path))
    else:
        pytest.importorskip("onnx")
        names = ["z", "label"][: len(example)]
        axes = {name: {0: "n"} for name in (*names, "images")}
        try:
            torch.onnx.export(net, example, str(path), input_names=names, output_names=["images"], dynamic_axes=axes,
                              opset_version=17, dynamo=False)  # fmt: skip
        except (torch.onnx.errors.SymbolicValueError, ValueError):  # it can't write every network
            assume(False)


def test_an_exported_unflatten(tmp_path):
    torch = pytest.importorskip("torch")
    pytest.importorskip("onnx")
    nn = torch.nn
    net = nn.Sequential(nn.Linear(5, 32), nn.Unflatten(1, (8, 2, 2)), nn.ConvTranspose2d(8, 3, 4, 2, 1), nn.Tanh())
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        torch.onnx.export(net, (torch.zeros(2, 5),), str(tmp_path / "net.onnx"), opset_version=17, dynamo=False,
                          input_names=["z"], dynamic_axes={"z": {0: "n"}})  # fmt: skip
    assert networks.generator(tmp_path / "net.onnx").graph.latent == 5


@pytest.mark.parametrize("form", ["traced", "exported"])
def test_any_graph_as_a_module_of_its_own(choices, form):
    torch = pytest.importorskip("torch")
    from torch_modules import walk

    @FEW
    @given(generators())
    def try_one(drawn):
        graph = ended(drawn)
        found = {**graph.inputs, **shapes(graph)}
        small = [node for node in graph.nodes if isinstance(node.layer, layers.InstanceNorm)]
        assume(all(found[node.inputs[0]][1:] != (1, 1) for node in small))  # PyTorch refuses them
        example = (torch.zeros(2, graph.latent), torch.zeros(2, dtype=torch.int64))[: len(graph.inputs)]
        path = written(lambda path: saved(torch, walk(graph), example, form, path), NAMES[form])
        assert_same_pictures(graph, path, choices)

    try_one()


def conditional(join: layers.Layer, features: int = 3) -> Graph:
    """Latents (3,) and a label's vector joined, then one transposed convolution."""
    random = np.random.RandomState(0)
    width = features + 3 if isinstance(join, layers.Concat) else 3
    nodes = (
        Node("table", layers.Embedding(), (LABELS,)),
        Node("both", join, (LATENTS, "table")),
        Node("map", layers.Reshape((width, 1, 1)), ("both",)),
        Node("up", layers.ConvTranspose(), ("map",)),
        Node("end", layers.Tanh(), ("up",)),
    )
    arrays = {"table.weight": random.normal(size=(4, features)), "up.weight": random.normal(size=(width, 3, 4, 4))}
    return Graph(nodes, {name: array.astype(np.float32) for name, array in arrays.items()}, {LATENTS: (3,), LABELS: ()})


@pytest.mark.parametrize("join", [layers.Concat(), layers.Multiply()], ids=["beside", "over"])
def test_a_traced_module_that_takes_a_label(choices, join):
    torch = pytest.importorskip("torch")
    from torch_modules import walk

    graph = conditional(join)
    example = (torch.zeros(2, 3), torch.zeros(2, dtype=torch.int64))
    path = written(lambda path: saved(torch, walk(graph), example, "traced", path), "net.pt")
    assert_same_pictures(graph, path, choices)


def test_a_traced_module_that_takes_a_label_and_latents_of_one_pixel():
    torch = pytest.importorskip("torch")
    import torch_nets

    net = torch_nets.Labelled("first").eval()
    example = (torch.zeros(2, 20, 1, 1), torch.zeros(2, dtype=torch.int64))
    path = written(lambda path: saved(torch, net, example, "traced", path), "net.pt")
    torch_nets.assert_same(torch_nets.read(path)[1], torch_nets.pictures(net, 20))


def test_a_traced_module_that_cuts_its_images(choices):
    torch = pytest.importorskip("torch")
    from torch_modules import walk

    graph = conditional(layers.Concat())
    cut = (Node("cut", layers.Crop(1, 1, 2, 2), ("up",)), Node("end", layers.Tanh(), ("cut",)))
    nodes = (Node("map", layers.Reshape((6, 1, 1)), (LATENTS,)), graph.nodes[3], *cut)
    graph = Graph(nodes, {"up.weight": graph.arrays["up.weight"]}, {LATENTS: (6,)})
    path = written(lambda path: saved(torch, walk(graph), (torch.zeros(2, 6),), "traced", path), "net.pt")
    assert_same_pictures(graph, path, choices)


@pytest.mark.parametrize(
    "join",
    [
        pytest.param(layers.Concat(), id="beside"),
        pytest.param(
            layers.Multiply(),
            id="over",
            marks=pytest.mark.xfail(reason="refused: the latents' width isn't taken from the label's", strict=True),
        ),
    ],
)
def test_a_symbol_that_takes_a_label(mx, choices, join):
    graph = conditional(join)
    assert_same_pictures(graph, as_symbol(mx, graph), choices)


def test_as_mxgan_exports_it(choices):
    pytest.importorskip("onnx")
    pytest.importorskip("onnxruntime")
    from mxgan.onnx import export

    @FEW
    @given(generators())
    def try_one(drawn):
        graph = ended(drawn)
        assert_same_pictures(graph, written(lambda path: export.save(path, graph), "net.onnx"), choices)

    try_one()


def as_symbol(mx, graph):
    """The file of arrays, with the symbol beside it; None where MXNet has no such layer."""
    made = mx_symbols.symbol(mx, graph)
    if made is None:
        return None
    net, arrays = made

    def save(path):
        net.save(str(path.with_name("net-symbol.json")))
        mx.nd.save(str(path), {name: mx.nd.array(array) for name, array in arrays.items()})

    return written(save, "net-0001.params")


def test_as_a_symbol_with_its_arrays(mx, choices):
    @FEW
    @given(generators())
    def try_one(drawn):
        graph = ended(drawn)
        assume(not any(isinstance(node.layer, layers.Multiply) and LATENTS in node.inputs for node in graph.nodes))
        path = as_symbol(mx, graph)
        assume(path is not None)
        assert_same_pictures(graph, path, choices)

    try_one()


def test_as_arrays_and_a_layout(choices):
    @FEW
    @given(generators())
    def try_one(drawn):
        names = {name: f"arg:{name}" for name in drawn.arrays}
        stored = {names[name]: array for name, array in drawn.arrays.items()}
        path = written(lambda path: save_params(path, stored), "a.params")
        layout = path.with_name("net.json")
        layout.write_text(describe(drawn, names, uniform=False))
        graph = ended(drawn)
        read = networks.generator(path, Wishes(layout=layout)).graph
        assert (read.nodes, shapes(read)) == (drawn.nodes, shapes(drawn))
        assert all(np.array_equal(read.arrays[name], array) for name, array in drawn.arrays.items())
        if graph is drawn:
            assert_same_pictures(graph, path, choices, Wishes(layout=layout))

    try_one()
