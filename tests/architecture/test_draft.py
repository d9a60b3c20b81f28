"""``mxgan weights inspect --layout``: what it writes is what ``generate --layout`` reads."""

import json

import numpy as np
import pytest
from networks import discriminator, generator

from mxgan.architecture import networks
from mxgan.architecture.draft import describe
from mxgan.architecture.wishes import NONE, Wishes
from mxgan.errors import ParamsError
from mxgan.graph import forward, shapes
from mxgan.weights import files, save_params


def numbers(*shape):
    return np.random.default_rng(0).normal(0, 0.3, shape).astype(np.float32)


def drafted(path, wish=NONE):
    """(the layout as JSON, what is said of it)."""
    text, notes = describe(networks.load(path), wish)
    return json.loads(text), notes


@pytest.mark.parametrize("wish", [NONE, Wishes(activation="leaky:0.3", output="sigmoid", eps=0.1, uniform=True)])
def test_a_layout_makes_the_same_network(tmp_path, wish):
    weights, written = tmp_path / "netG.params", tmp_path / "net.json"
    save_params(weights, generator())
    text, _ = describe(networks.load(weights), wish)
    written.write_text(text)
    ours, again = networks.generator(weights, wish), networks.generator(weights, Wishes(layout=written))
    assert (again.source, again.uniform) == (str(written), ours.uniform)
    assert [node.layer for node in again.graph.nodes] == [node.layer for node in ours.graph.nodes]
    z = numbers(2, 6)
    np.testing.assert_array_equal(forward.generate(again.graph, z), forward.generate(ours.graph, z))


def test_of_several_networks_the_generator_is_described(tmp_path):
    arrays = {f"D.{name}": array for name, array in discriminator().items()}
    arrays.update({f"G.{name}": array for name, array in generator().items()})
    save_params(tmp_path / "gan.params", arrays)
    said, _ = drafted(tmp_path / "gan.params")
    assert (said["latent"], said["layers"][1]["arrays"]["weight"]) == (6, "G.0.weight")
    save_params(tmp_path / "netD.params", discriminator())
    assert drafted(tmp_path / "netD.params")[0]["input"] == [3, 64, 64]


def test_of_two_generators_alike_none_is_described(tmp_path):
    save_params(tmp_path / "two.params", {f"{net}.{k}": v for net in ("one", "two") for k, v in generator().items()})
    with pytest.raises(ParamsError, match=r"holds several generators, one, two; convert one with names=.keep"):
        drafted(tmp_path / "two.params")


def test_an_unknown_network_gets_a_draft_to_complete(tmp_path):
    """A skip connection: nothing in the arrays tells where it joins."""
    arrays = {
        "up.weight": numbers(8, 6, 4, 4),
        "norm.gamma": np.ones(6, np.float32),
        "norm.beta": np.zeros(6, np.float32),
        "norm.running_mean": np.zeros(6, np.float32),
        "norm.running_var": np.ones(6, np.float32),
        "skip.weight": numbers(5, 8, 1, 1),
        "last.weight": numbers(3, 11, 3, 3),
    }
    save_params(tmp_path / "odd.params", arrays)
    said, notes = drafted(tmp_path / "odd.params")
    assert (said["latent"], said["latents"], said["images"]) == (8, "normal", "signed")
    assert [(row["name"], row["kind"]) for row in said["layers"]] == [
        ("latents", "Reshape"),
        ("up", "ConvTranspose"),
        ("norm", "BatchNorm"),
        ("norm-activation", "Relu"),
        ("skip", "Conv"),
        ("skip-activation", "Relu"),
        ("last", "Conv"),
        ("end", "Tanh"),
    ]
    assert said["layers"][2] == {
        "name": "norm", "kind": "BatchNorm", "eps": 1e-5,
        "arrays": {word: f"norm.{word}" for word in ("running_mean", "running_var", "gamma", "beta")},
    }  # fmt: skip
    assert {"stride": 1, "padding": 1, "groups": 1}.items() <= said["layers"][6].items()  # to be changed
    assert "a draft: no generator that can be worked out" in notes[0]
    assert notes[1].startswith("to complete: the order of the layers")


def test_a_completed_draft_is_read(tmp_path):
    save_params(tmp_path / "odd.params", {"up.weight": numbers(8, 5, 4, 4), "last.weight": numbers(3, 13, 3, 3)})
    said, _ = drafted(tmp_path / "odd.params")
    up, joined = said["layers"][1], {"name": "joined", "kind": "Concat", "inputs": ["spread", "up-activation"]}
    spread = {"name": "spread", "kind": "Upsample", "scale": 4, "inputs": ["latents"]}
    said["layers"] = [said["layers"][0], up, said["layers"][2], spread, joined, *said["layers"][3:]]
    (tmp_path / "net.json").write_text(json.dumps(said))
    graph = networks.generator(tmp_path / "odd.params", Wishes(layout=tmp_path / "net.json")).graph
    assert shapes(graph)["end"] == (3, 4, 4)


def test_what_has_no_layers_cannot_be_described(tmp_path):
    files.save(tmp_path / "any.npz", {"step": np.array(3.0)})
    with pytest.raises(ParamsError, match=r"any\.npz: no layers to describe"):
        drafted(tmp_path / "any.npz")


def test_weights_that_are_worked_on_cannot_be_named(tmp_path):
    """Spectral norm: the network computes with weight_orig divided by its norm."""
    u, weight = numbers(3), numbers(8, 3, 4, 4)
    files.save(tmp_path / "sn.npz", {
        "0.weight": numbers(6, 8, 4, 4), "2.weight_orig": weight, "2.weight_u": u / np.linalg.norm(u),
    })  # fmt: skip
    with pytest.raises(ParamsError, match=r"2\.weight isn't in the file as the network has it.*\.onnx"):
        drafted(tmp_path / "sn.npz")
