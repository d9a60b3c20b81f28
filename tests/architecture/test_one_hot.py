"""A one-hot label beside the latents is told by the first BatchNorm's running statistics, and by nothing else."""

import numpy as np
import pytest

from mxgan.architecture.one_hot import labelled, look, one_hot, with_label, without_label
from mxgan.graph import Graph, Node, check, layers
from mxgan.graph.forward import compute, generate
from mxgan.graph.reading import Reading

BATCHES, BATCH = 60, 32


def latents(random, n, latent, classes, end, uniform):
    """What a training gives the network: (n, latent), the label among them."""
    z = random.uniform(-1, 1, (n, latent)) if uniform else random.normal(size=(n, latent))
    if classes:
        part = slice(latent - classes, None) if end == "end" else slice(0, classes)
        z[:, part] = np.eye(classes)[random.integers(0, classes, n)]
    return z


def trained(seed, latent, classes=0, end="end", first="conv", channels=64, uniform=False, bias=False):
    """A small generator whose first BatchNorm has seen such latents while its weights grew, in batches of 32."""
    random = np.random.default_rng(seed)
    start = [Node("map", layers.Reshape((latent, 1, 1)), ("z",)), Node("up", layers.ConvTranspose(), ("map",))]
    weight = random.normal(0, 0.05, (latent, channels, 4, 4))
    if first == "linear":
        start = [Node("up", layers.Linear(), ("z",)), Node("map", layers.Reshape((channels, 4, 4)), ("up",))]
        weight = random.normal(0, 0.05, (channels * 16, latent))
    arrays = {"up.weight": weight}
    if bias:
        arrays["up.bias"] = random.normal(0, 0.1, channels if first == "conv" else channels * 16)
    mean, var = np.zeros(channels), np.ones(channels)
    for batch in range(BATCHES):
        grown = 0.8 + 0.2 * min(1, batch / (BATCHES - 20))
        x = latents(random, BATCH, latent, classes, end, uniform)
        for node in start:
            words = {word: arrays[f"up.{word}"] for word in ("weight", "bias") if f"up.{word}" in arrays}
            x = compute(node.layer, words if node.name == "up" else {}, x)
        x = x.reshape(BATCH, channels, 16) * grown
        mean = 0.9 * mean + 0.1 * x.mean(axis=(0, 2))
        var = 0.9 * var + 0.1 * x.var(axis=(0, 2), ddof=1)
    arrays |= {"norm.running_mean": mean, "norm.running_var": var}
    arrays["last.weight"] = random.normal(0, 0.05, (3, channels, 1, 1))
    nodes = [*start, Node("norm", layers.BatchNorm(), (start[-1].name,)), Node("relu", layers.Relu(), ("norm",))]
    nodes += [Node("last", layers.Conv(), ("relu",)), Node("tanh", layers.Tanh(), ("last",))]
    return Graph(tuple(nodes), arrays, {"z": (latent,)})


CASES = [
    {"latent": 74, "classes": 10},
    {"latent": 74, "classes": 10, "end": "start", "bias": True},
    {"latent": 110, "classes": 10, "first": "linear"},
    {"latent": 102, "classes": 2},
    {"latent": 67, "classes": 3, "uniform": True, "channels": 128},
    {"latent": 26, "classes": 10, "channels": 16},
    {"latent": 140, "classes": 40, "channels": 128, "bias": True},
    {"latent": 55, "classes": 5, "end": "start", "first": "linear", "uniform": True},
]


@pytest.mark.parametrize("case", CASES, ids=str)
def test_a_label_is_found_or_left_open(case):
    """Of four trainings, three at least are seen; none is taken for another."""
    wanted = (case.get("end", "end"), case["classes"])
    found = [one_hot(trained(seed, **case)) for seed in range(4)]
    assert set(found) <= {wanted, None} and found.count(wanted) >= 3


@pytest.mark.parametrize("latent", [16, 64, 100, 128])
@pytest.mark.parametrize("more", [{}, {"uniform": True}, {"first": "linear", "bias": True}, {"channels": 16}], ids=str)
def test_latents_alone_are_no_label(latent, more):
    for seed in range(3):
        graph = trained(seed, latent, **more)
        assert one_hot(graph) is None and one_hot(graph, False) is None and one_hot(graph, True) is None


def test_other_latents_are_no_label():
    """From U(0, 1), and of one length."""
    for shifted in (True, False):
        graph = trained(1, 64, bias=True)
        weight, bias = graph.arrays["up.weight"], graph.arrays["up.bias"]
        random = np.random.default_rng(2)
        z = random.uniform(0, 1, (2000, 64)) if shifted else random.normal(size=(2000, 64))
        z = z if shifted else z / np.linalg.norm(z, axis=1, keepdims=True)
        y = np.einsum("nk,kcij->ncij", z, weight) + bias[:, None, None]
        seen = {"norm.running_mean": y.mean(axis=(0, 2, 3)), "norm.running_var": y.var(axis=(0, 2, 3))}
        assert one_hot(Graph(graph.nodes, {**graph.arrays, **seen}, graph.inputs)) is None


def test_statistics_that_say_nothing():
    graph = trained(0, 74, 10)
    untrained = {"norm.running_mean": np.zeros(64), "norm.running_var": np.ones(64)}
    wrong = {"norm.running_var": np.full(64, np.nan)}
    for arrays in (untrained, wrong):
        assert look(Graph(graph.nodes, {**graph.arrays, **arrays}, graph.inputs)) is None
    bent = [*graph.nodes[:2], Node("bent", layers.Relu(), ("up",)), Node("norm", layers.BatchNorm(), ("bent",))]
    assert look(Graph((*bent, *graph.nodes[3:]), graph.arrays, graph.inputs)) is None
    assert look(Graph(graph.nodes[:2], graph.arrays, graph.inputs)) is None


@pytest.mark.parametrize("end", ["end", "start"])
def test_a_reading_gets_its_label(end):
    reading = labelled(Reading(trained(0, 74, 10, end), "the module in a.pth", assumed=("eps 1e-05",)))
    place = {"end": "last", "start": "first"}[end]
    said = f"the {place} 10 of 74 latents are a one-hot label, as its running statistics say"
    assert reading.assumed == ("eps 1e-05", said) and reading.warnings == ()
    assert (reading.graph.latent, reading.graph.classes) == (64, 10)
    assert labelled(reading) is reading
    plain = Reading(trained(0, 74), "the module in a.pth")
    assert labelled(plain) is plain


def test_a_label_of_unclear_length_is_warned_of(monkeypatch):
    monkeypatch.setattr("mxgan.architecture.one_hot.LEAD", 1e9)
    reading = labelled(Reading(trained(0, 74, 10), "the module in a.pth"))
    assert reading.graph.classes is None
    assert reading.warnings == (
        "its running statistics say that the last of its 74 latents, about 10, are a one-hot label; describe the "
        "network with --layout",
    )


@pytest.mark.parametrize("end", ["end", "start"])
def test_with_a_label_and_back(end):
    graph = trained(0, 26, 10, end, channels=4)
    new = with_label(graph, end, 10)
    assert new.inputs == {"z": (16,), "label": ()} and check(new, "a")["tanh"] == (3, 4, 4)
    z, label = np.random.default_rng(0).normal(size=(2, 16)), np.array([3, 9])
    parts = (z, np.eye(10)[label]) if end == "end" else (np.eye(10)[label], z)
    y = generate(graph, np.concatenate(parts, 1))
    np.testing.assert_array_equal(generate(new, z, label), y)
    old, side = without_label(new)
    assert side == end and old.inputs == graph.inputs
    np.testing.assert_array_equal(generate(old, np.concatenate(parts, 1)), y)
    assert without_label(graph) is None
