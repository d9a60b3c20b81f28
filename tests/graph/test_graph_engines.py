"""Every engine computes what a graph's definition in NumPy says: layer by layer, then random graphs of them."""

import importlib.util

import layer_cases
import numpy as np
import pytest
from hypothesis import given, settings
from strategies import generators

from mxgan import engines
from mxgan.errors import ParamsError
from mxgan.graph import Graph, Node, check
from mxgan.graph.forward import generate
from mxgan.graph.graph import LABELS
from mxgan.graph.layers import KINDS, Affine, BatchNorm, ConvTranspose, Reshape, Tanh, name_of

TOLERANCE = 1e-4  # float32 against float64


@pytest.fixture(params=engines.GENERATORS)
def choice(request) -> engines.Choice:
    """Each engine that is installed, on the CPU."""
    try:
        return engines.choose_generator(request.param, "cpu")
    except ImportError as error:
        pytest.skip(str(error))


def assert_as_defined(graph: Graph, choice: engines.Choice) -> None:
    z, labels = layer_cases.inputs(graph)
    if graph.classes:
        labels = labels % graph.classes
    wanted = generate(graph, z, labels)
    found = engines.forward_of(choice, graph)(z, labels)
    assert (found.shape, found.dtype) == (wanted.shape, np.float32)
    np.testing.assert_allclose(found, wanted, atol=TOLERANCE * max(1, np.abs(wanted).max()))


@pytest.mark.parametrize("name", layer_cases.CASES)
def test_each_layer(choice, name):
    assert_as_defined(layer_cases.CASES[name], choice)


def test_every_kind_of_layer_has_its_case():
    assert {name_of(graph.nodes[-1].layer) for graph in layer_cases.CASES.values()} == set(KINDS)


@pytest.mark.parametrize("engine", engines.GENERATORS)
def test_random_graphs(engine):
    try:
        choice = engines.choose_generator(engine, "cpu")
    except ImportError as error:
        pytest.skip(str(error))

    @settings(max_examples=15, deadline=None, derandomize=True)
    @given(generators())
    def try_one(graph):
        check(graph, "the graph")
        assert_as_defined(graph, choice)

    try_one()


def test_a_label_may_go_through_numbers(choice):
    """As it does where a network is given its label as a number."""
    nodes = (Node("0", Reshape((1, 1, 1)), (LABELS,)), Node("1", Affine(0.5, -1), ("0",)))
    found = engines.forward_of(choice, Graph(nodes, {}, {"z": (2,), LABELS: ()}))(np.zeros((3, 2)), np.array([0, 4, 2]))
    assert found.ravel().tolist() == [-1, 1, 0]


def test_names_are_only_names(choice):
    """Names come from files; none means anything, however it looks."""
    names = ("images", "z.0", "a b/é", "relu0", "")
    layers = (Reshape((2, 1, 1)), ConvTranspose(), BatchNorm(), Tanh(), Tanh())
    nodes = tuple(Node(*row, (before,)) for *row, before in zip(names, layers, ("z", *names)))
    arrays = layer_cases.numbers({"weight": (2, 3, 2, 2), "bias": (3,)}, "z.0")
    arrays.update(layer_cases.numbers(layer_cases.norm("gamma", size=3), "a b/é"))
    assert_as_defined(Graph(nodes, arrays, {"z": (2,)}), choice)


def test_arrays_may_be_of_half_and_double_precision(choice):
    for dtype in ("float16", "float64"):
        graph = layer_cases.CASES["ConvTranspose with settings"]
        arrays = {name: array.astype(dtype) for name, array in graph.arrays.items()}
        assert_as_defined(Graph(graph.nodes, arrays, graph.inputs), choice)


def test_a_bias_of_half_precision_is_added_in_single(choice):
    """Taken off the mean of the BatchNorm that follows in half precision, 0.1 of 100 would be 0.125."""
    arrays = {
        "1.weight": np.ones((2, 3, 2, 2)), "1.bias": np.full(3, 0.1),
        "2.gamma": np.ones(3), "2.beta": np.zeros(3), "2.running_mean": np.full(3, 100), "2.running_var": np.ones(3),
    }  # fmt: skip
    nodes = (
        Node("0", Reshape((2, 1, 1)), ("z",)),
        Node("1", ConvTranspose(), ("0",)),
        Node("2", BatchNorm(), ("1",)),
    )
    graph = Graph(nodes, {name: array.astype(np.float16) for name, array in arrays.items()}, {"z": (2,)})
    found = engines.forward_of(choice, graph)(np.zeros((1, 2), np.float32))
    np.testing.assert_allclose(found, np.float64(np.float16(0.1)) - 100, atol=1e-3)  # eps makes 5e-4 of it


def test_a_bias_before_a_batchnorm_counts_once_and_one_seen_elsewhere_stays(choice):
    arrays = layer_cases.numbers({"weight": (2, 3, 2, 2), "bias": (3,)}, "1")
    arrays.update(layer_cases.numbers(layer_cases.norm("gamma", "beta", size=3), "2"))
    nodes = (
        Node("0", Reshape((2, 1, 1)), ("z",)),
        Node("1", ConvTranspose(), ("0",)),
        Node("2", BatchNorm(), ("1",)),
    )
    assert_as_defined(Graph(nodes, arrays, {"z": (2,)}), choice)
    both = (*nodes, Node("3", KINDS["Add"](), ("1", "2")))
    assert_as_defined(Graph(both, arrays, {"z": (2,)}), choice)


def test_batches_of_any_size_and_their_order(choice):
    graph = layer_cases.CASES["ConvTranspose"]
    forward = engines.forward_of(choice, graph)
    z = np.random.RandomState(0).normal(size=(9, graph.latent)).astype(np.float32)
    together = forward(z)
    for part in (slice(0, 1), slice(1, 9), slice(4, 6)):
        np.testing.assert_allclose(forward(z[part]), together[part], atol=1e-5)


def test_building_leaves_the_frameworks_global_state_alone():
    graph = layer_cases.CASES["ConvTranspose"]
    z, _ = layer_cases.inputs(graph)
    if importlib.util.find_spec("torch"):
        import torch

        before = torch.random.get_rng_state()
        engines.forward_of(engines.Choice("pytorch", "cpu", ""), graph)(z)
        assert torch.equal(torch.random.get_rng_state(), before)
    if importlib.util.find_spec("mxnet"):
        choice = engines.choose_generator("mxnet", "cpu")
        import mxnet as mx

        counts = dict(mx.name.NameManager._current.value._counter)
        engines.forward_of(choice, graph)(z)
        assert mx.name.NameManager._current.value._counter == counts


def test_what_onnx_writes_is_refused_where_it_would_be_wrong(tmp_path):
    pytest.importorskip("onnxruntime")
    from mxgan.onnx import export

    graph = layer_cases.CASES["Conv"]
    arrays = {**graph.arrays, "x.bias": np.array([np.nan, 1], np.float32)}
    with pytest.raises(ParamsError, match=r"net\.onnx: NaN or infinite values in x\.bias"):
        export.save(tmp_path / "net.onnx", Graph(graph.nodes, arrays, graph.inputs))
    with pytest.raises(ParamsError, match="discriminator"):
        export.save(tmp_path / "net.onnx", Graph(graph.nodes, graph.arrays, {"images": (4, 3, 5)}))
    assert not (tmp_path / "net.onnx").exists()
