"""What the options say of a file of arrays changes what it opens as; what can't be is refused in a line."""

import json

import numpy as np
import pytest

torch = pytest.importorskip("torch")
import torch_nets as nets  # noqa: E402
from networks import generator  # noqa: E402
from torch import nn  # noqa: E402

from mxgan.architecture import networks  # noqa: E402
from mxgan.architecture.assume import STRANGE  # noqa: E402
from mxgan.architecture.wishes import Wishes  # noqa: E402
from mxgan.errors import MxganError, ParamsError  # noqa: E402
from mxgan.graph import layers  # noqa: E402
from mxgan.graph.layout import describe  # noqa: E402
from mxgan.weights import save_params  # noqa: E402

LATENT = 24


@pytest.fixture(scope="module")
def silent(tmp_path_factory):
    """A file of a generator without any norm: nothing in it tells what stands between its layers."""
    rows = [(LATENT, 16, 4, 1, 0), (16, 12, 4, 2, 1), (12, 3, 4, 2, 1)]
    torch.manual_seed(0)
    made = [module for row in rows for module in (nn.ConvTranspose2d(*row), nn.LeakyReLU(0.3))]
    net = nets.Main(*made[:-1], nn.Sigmoid())
    path = tmp_path_factory.mktemp("silent") / "netG.pth"
    torch.save(net.state_dict(), path)
    return path, net


def hidden(reading):
    """The activations between layers."""
    kinds = (layers.Relu, layers.LeakyRelu, layers.Elu, layers.Selu, layers.Tanh, layers.Sigmoid)
    return [node.layer for node in reading.graph.nodes if isinstance(node.layer, kinds) and "end" not in node.name]


@pytest.mark.parametrize(
    ("text", "layer"),
    [
        ("relu", layers.Relu()),
        ("leaky", layers.LeakyRelu(0.2)),
        ("leaky:0.3", layers.LeakyRelu(0.3)),
        ("elu", layers.Elu()),
        ("selu", layers.Selu()),
        ("tanh", layers.Tanh()),
        ("sigmoid", layers.Sigmoid()),
    ],
)
def test_activation(silent, text, layer):
    reading = networks.generator(silent[0], Wishes(activation=text))
    assert hidden(reading) == [layer, layer]
    assert not any("LU" in word for word in reading.assumed)


def test_no_activation(silent):
    assert hidden(networks.generator(silent[0], Wishes(activation="none"))) == []


@pytest.mark.parametrize(
    ("text", "end"), [("tanh", [layers.Tanh]), ("sigmoid", [layers.Sigmoid, layers.Affine]), ("none", [])]
)
def test_output(silent, text, end):
    reading = networks.generator(silent[0], Wishes(output=text))
    assert [type(node.layer) for node in reading.graph.nodes if node.name.startswith("end-")] == end
    assert "tanh at the end" not in reading.assumed


def test_activation_and_output_together_give_the_right_pictures(silent):
    path, net = silent
    _, found, _ = nets.read(path, Wishes(activation="leaky:0.3", output="sigmoid"))
    nets.assert_same(found, nets.pictures(net.eval(), LATENT, end="sigmoid"))


def test_eps(tmp_path):
    net = nets.trained(nets.stack(eps=1e-2, biases="last"), LATENT)
    torch.save(net.state_dict(), tmp_path / "a.pth")
    generator, found, _ = nets.read(tmp_path / "a.pth", Wishes(eps=1e-2))
    nets.assert_same(found, nets.pictures(net, LATENT))
    assert not any("eps" in word for word in generator.read.assumed)
    norms = [node.layer for node in generator.read.graph.nodes if isinstance(node.layer, layers.BatchNorm)]
    assert norms == [layers.BatchNorm(1e-2)] * 3


@pytest.mark.parametrize("size", [16, 32])
def test_size(silent, size):
    generator, found, _ = nets.read(silent[0], Wishes(size=size))
    assert generator.shape == (size, size, 3) == found.shape[1:]
    assert (generator.latent, generator.read.warnings) == (LATENT, ())


@pytest.mark.parametrize(("size", "said"), [(64, ()), (128, ("without --size 128 its images have 64 × 64 pixels",))])
def test_a_size_that_fits_badly_is_told_from_the_networks_own(tmp_path, size, said):
    save_params(tmp_path / "netG.params", generator())  # its running statistics fit no network
    reading = networks.generator(tmp_path / "netG.params", Wishes(size=size))
    assert reading.warnings == (STRANGE, *said)


def test_a_size_that_no_strides_give(silent):
    with pytest.raises(ParamsError, match="its layers can't make images of 333 pixels"):
        networks.generator(silent[0], Wishes(size=333))


def test_latents(silent):
    assert not networks.generator(silent[0], Wishes(uniform=False)).uniform
    reading = networks.generator(silent[0], Wishes(uniform=True))
    assert reading.uniform and "uniform latents" not in reading.assumed
    generator, _, _ = nets.read(silent[0], Wishes(uniform=True))
    assert not np.array_equal(generator.sample(2), nets.read(silent[0])[0].sample(2))


def test_a_layout_says_everything(silent, tmp_path):
    path, net = silent
    reading = networks.generator(path)
    said = json.loads(describe(reading.graph, reading.names, False))
    for row in said["layers"]:
        if row["kind"] == "Relu":
            row.update(kind="LeakyRelu", slope=0.3)
        if row["kind"] == "Tanh":
            row["kind"] = "Sigmoid"
    said["images"] = "unit"
    layout = tmp_path / "net.json"
    layout.write_text(json.dumps(said))
    generator, found, warned = nets.read(path, Wishes(layout=layout))
    nets.assert_same(found, nets.pictures(net.eval(), LATENT, end="sigmoid"))
    assert generator.read.told == [f"the network: {layout}"]
    assert warned == []


def test_a_layout_of_another_network_is_refused(silent, tmp_path):
    reading = networks.generator(silent[0])
    text = describe(reading.graph, reading.names, False).replace("main.0.weight", "main.7.weight")
    (tmp_path / "net.json").write_text(text)
    with pytest.raises(ParamsError, match=r"the weights have no array 'main\.7\.weight'"):
        networks.generator(silent[0], Wishes(layout=tmp_path / "net.json"))


@pytest.mark.parametrize(
    "wish",
    [
        {"activation": "relu6"},
        {"activation": "leaky:x"},
        {"activation": "leaky:7"},
        {"activation": "relu:1"},
        {"output": "softmax"},
        {"eps": 0.0},
        {"eps": -1e-5},
        {"eps": float("nan")},
        {"size": 3},
        {"size": 100000},
    ],
    ids=str,
)
def test_what_no_option_can_be_is_refused_in_a_line_that_names_the_option(wish):
    with pytest.raises(MxganError, match=f"^{next(iter(wish))} ") as error:
        Wishes(**wish)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize("wish", [{"activation": "relu"}, {"eps": 1e-5}, {"size": 64}, {"output": "none"}], ids=str)
def test_a_layout_and_another_option_contradict_each_other(silent, tmp_path, wish):
    reading = networks.generator(silent[0])
    (tmp_path / "net.json").write_text(describe(reading.graph, reading.names, False))
    with pytest.raises(MxganError, match=f"^{next(iter(wish))}: "):
        networks.generator(silent[0], Wishes(layout=tmp_path / "net.json", **wish))


def test_a_symbol_for_arrays_that_are_none_of_its(silent, tmp_path):
    (tmp_path / "net-symbol.json").write_text("{}")
    with pytest.raises(MxganError, match="net-symbol"):
        networks.generator(silent[0], Wishes(symbol=tmp_path / "net-symbol.json"))
