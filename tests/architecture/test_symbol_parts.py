"""Which part of a symbol is read, which symbol belongs to a file, and whether random chains give MXNet's pictures."""

import numpy as np
import pytest
import symbol_makers as make
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from mxgan.architecture import symbol
from mxgan.errors import ParamsError
from mxgan.graph import forward
from mxgan.graph.layers import OneHot


def generator(s, z=None):
    x = s.Deconvolution(s.Variable("rand") if z is None else z, name="g1", kernel=(4, 4), num_filter=4)
    x = s.BatchNorm(x, name="gbn", fix_gamma=False)
    x = s.Deconvolution(s.Activation(x, act_type="relu"), name="g2", kernel=(4, 4), stride=(4, 4), num_filter=3)
    return s.Activation(x, act_type="tanh", name="gout")


def discriminator(s, x, dense=False):
    x = s.Convolution(x, name="d1", kernel=(4, 4), stride=(2, 2), pad=(1, 1), num_filter=4, no_bias=True)
    x = s.LeakyReLU(s.BatchNorm(x, name="dbn"), act_type="leaky", slope=0.2)
    if dense:
        x = s.FullyConnected(s.Dropout(x), num_hidden=1, name="d2")
    else:
        x = s.Flatten(s.Convolution(x, name="d2", kernel=(8, 8), num_filter=1))
    return s.LogisticRegressionOutput(x, s.Variable("softmax_label"), name="dloss")


@pytest.mark.parametrize("dense", [False, True])
def test_a_discriminator_whose_image_size_its_end_tells(mx, tmp_path, dense):
    s = mx.sym
    net = discriminator(s, s.Variable("data"), dense)
    images = np.random.default_rng(0).normal(size=(2, 3, 16, 16)).astype(np.float32)
    arrays = make.filled(net, data=images.shape, softmax_label=(2, 1))
    params = make.save(mx, tmp_path, net, arrays)
    reading = make.read(params)
    assert reading.graph.inputs == {"images": (3, 16, 16)}
    assert reading.assumed == ("images of 16×16",)
    *_, (_, ours) = forward.steps(reading.graph, {"images": images})
    theirs = make.in_mxnet(mx, params, {"data": images, "softmax_label": np.zeros((2, 1))})
    np.testing.assert_allclose(ours, theirs, atol=1e-5)


def test_a_discriminator_whose_symbol_says_the_size(mx, tmp_path):
    net = mx.sym.Convolution(mx.sym.Variable("data", shape=(0, 1, 20, 24)), name="d", kernel=(3, 3), num_filter=2)
    arrays = make.filled(net, data=(1, 1, 20, 24))
    assert make.read_text(tmp_path, net.tojson(), arrays).graph.inputs == {"images": (1, 20, 24)}


def test_the_generator_inside_a_training_graph(mx, tmp_path):
    s = mx.sym
    images = generator(s)
    whole = s.Group([discriminator(s, images), s.MakeLoss(s.BlockGrad(images), name="seen")])
    arrays = make.filled(whole, rand=(2, 10, 1, 1), softmax_label=(2, 1))
    reading = make.read_text(tmp_path, whole.tojson(), arrays)
    assert [node.name for node in reading.graph.nodes][-1] == "gout"
    assert set(reading.names.values()) == {
        "arg:g1_weight", "arg:g2_weight", "arg:gbn_gamma", "arg:gbn_beta", "aux:gbn_moving_mean", "aux:gbn_moving_var",
    }  # fmt: skip
    alone = make.read_text(tmp_path, discriminator(s, images).tojson(), arrays)  # no output is an image
    assert alone.graph.nodes == reading.graph.nodes
    assert alone.warnings == ("the symbol goes on after 'gout', into 'd1': read as far as that",)


def test_a_head_of_images_is_chosen_among_others(mx, tmp_path):
    s = mx.sym
    rand = s.Variable("rand")
    features = s.FullyConnected(rand, num_hidden=5, name="q")
    whole = s.Group([features, generator(s, rand)])
    reading = make.read_text(tmp_path, whole.tojson(), make.filled(whole, rand=(1, 10, 1, 1)))
    assert reading.graph.nodes[-1].name == "gout"
    assert reading.warnings == ()


def test_of_two_heads_of_images_the_squashed_one_is_taken_and_that_is_said(mx, tmp_path):
    images = generator(mx.sym)
    whole = mx.sym.Group([images.get_internals()["g2_output"], images])
    reading = make.read_text(tmp_path, whole.tojson(), make.filled(whole, rand=(1, 10, 1, 1)))
    assert reading.graph.nodes[-1].name == "gout"
    assert reading.warnings == ("2 outputs are images: gout, g2; the first is taken",)


def test_arrays_that_the_symbol_does_not_have_and_latents_that_were_saved(mx, tmp_path):
    net = generator(mx.sym)
    arrays = {
        **make.filled(net, rand=(2, 10, 1, 1)),
        "arg:d1_weight": np.zeros(3),
        "arg:rand": np.zeros((64, 10, 1, 1)),
    }
    assert make.read_text(tmp_path, net.tojson(), arrays).warnings == (
        "net-0010.params holds an array for 'rand', which is read as an input",
        "net-0010.params has arrays that the symbol doesn't: arg:d1_weight",
    )


def test_names_without_prefixes_fit_too(mx, tmp_path):
    net = generator(mx.sym)
    arrays = {name[4:]: array for name, array in make.filled(net, rand=(2, 10, 1, 1)).items()}
    assert make.read_text(tmp_path, net.tojson(), arrays).names["g1.weight"] == "g1_weight"


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (lambda net, arrays: arrays.pop("arg:g2_weight"), "'g2' (Deconvolution): wants the array 'g2_weight', which "
         "net-0010.params lacks: is it the symbol's?"),
        (lambda net, arrays: arrays.update({"arg:g2_weight": np.zeros((4, 3, 5, 5))}), "kernel (4, 4) and its weight"),
        (lambda net, arrays: arrays.update({"arg:g2_weight": np.zeros((4, 2, 4, 4))}), "num_filter is 3"),
        (lambda net, arrays: arrays.update({"arg:gbn_beta": np.zeros(9)}), "'gbn' (BatchNorm): takes 9 and is given 4"),
    ],
)  # fmt: skip
def test_arrays_that_are_not_the_symbols(mx, tmp_path, change, reason):
    net = generator(mx.sym)
    arrays = make.filled(net, rand=(2, 10, 1, 1))
    change(net, arrays)
    with pytest.raises(ParamsError) as error:
        make.read_text(tmp_path, net.tojson(), arrays)
    assert str(error.value).startswith(f"{tmp_path / 'net-symbol.json'}: ")
    assert reason in str(error.value)


@pytest.mark.parametrize(
    ("build", "operator", "reason"),
    [
        (lambda s, x: s.Pooling(x, kernel=(2, 2), pool_type="avg", name="p"), "Pooling", "node 'p'"),
        (lambda s, x: s.L2Normalization(x, name="l2"), "L2Normalization", "node 'l2'"),
        (lambda s, x: s.softmax(x, name="soft"), "softmax", "layout="),
    ],
)
def test_an_operator_that_no_layer_stands_for(mx, tmp_path, build, operator, reason):
    net = mx.sym.tanh(build(mx.sym, generator(mx.sym)))
    with pytest.raises(symbol.Unreadable, match=reason) as error:
        make.read_text(tmp_path, net.tojson(), make.filled(net, rand=(2, 10, 1, 1)))
    assert error.value.operator == operator


@pytest.mark.parametrize(
    ("build", "reason"),
    [
        (lambda s, x: s.Dropout(x, mode="always"), "mode always"),
        (lambda s, x: s.BatchNorm(x, axis=3), "axis 3"),
        (lambda s, x: s.Activation(x, act_type="softrelu"), "act_type softrelu"),
        (lambda s, x: s.Reshape(x, shape=(-3, 0, 0)), "mixes samples"),
        (lambda s, x: s.concat(x, x, dim=2), "axis 2"),
        (lambda s, x: s.concat(x, x, dim=1), "6, 16, 16"),
        (lambda s, x: s.BatchNorm(x, output_mean_var=True)[1], "its output 1"),
        (lambda s, x: s.broadcast_add(x, s.Variable("noise")), "'rand', 'noise'"),
    ],
)
def test_what_is_refused_for_its_settings(mx, tmp_path, build, reason):
    net = build(mx.sym, generator(mx.sym))
    arrays = make.filled(
        net, rand=(2, 10, 1, 1), **({"noise": (2, 3, 16, 16)} if "noise" in net.list_arguments() else {})
    )
    with pytest.raises(ParamsError) as error:
        make.read_text(tmp_path, net.tojson(), arrays)
    assert reason in str(error.value)


def test_which_symbol_lies_beside(tmp_path):
    for name in ("a-symbol.json", "b-0003-symbol.json", "c.json", "d.json"):
        (tmp_path / name).write_text('{"nodes": [], "heads": []}' if name != "d.json" else '{"epochs": 3}')
    (tmp_path / "c.json").write_text('{"nodes": [{"op": "null", "name": "x"}], "heads": [[0, 0]]}')
    beside = {
        "a-0010.params": "a-symbol.json", "a-12345.params": "a-symbol.json", "a.params": "a-symbol.json",
        "b-0003.params": "b-0003-symbol.json", "c.params": "c.json", "d.params": None, "a-001.params": None,
        "a.npz": None, "x/../a.txt": None,
    }  # fmt: skip
    for name, wanted in beside.items():
        assert symbol.beside(tmp_path / name) == (tmp_path / wanted if wanted else None), name


def test_two_inputs_that_nothing_tells_apart(mx, tmp_path):
    s = mx.sym
    net = generator(s, s.concat(s.Variable("rand"), s.Variable("code"), dim=1))
    arrays = make.filled(net, rand=(1, 6, 1, 1), code=(1, 4, 1, 1))
    with pytest.raises(ParamsError, match="'rand', 'code'; one for latents and at most one for a label wanted"):
        make.read_text(tmp_path, net.tojson(), arrays)


def test_two_labels_are_not_taken_for_one(mx, tmp_path):
    s = mx.sym
    labels = [s.one_hot(s.Variable(name), depth=3) for name in ("colour_label", "shape_label")]
    net = generator(s, s.Reshape(s.concat(s.Variable("rand"), *labels, dim=1), shape=(0, 0, 1, 1)))
    arrays = make.filled(net, rand=(1, 4), colour_label=(1,), shape_label=(1,))
    with pytest.raises(ParamsError, match="'colour_label', 'shape_label'; one for latents and at most one for a label"):
        make.read_text(tmp_path, net.tojson(), arrays)


def test_a_one_hot_vector_is_as_long_as_the_known_latents_leave(mx, tmp_path):
    s = mx.sym
    rand, label = s.Variable("rand", shape=(0, 6, 1, 1)), s.Variable("class_label")
    net = generator(s, s.concat(rand, label, dim=1))
    reading = make.read_text(tmp_path, net.tojson(), make.filled(net, rand=(1, 6, 1, 1), class_label=(1, 4, 1, 1)))
    assert [node.layer for node in reading.graph.nodes if isinstance(node.layer, OneHot)] == [OneHot(4)]


STEPS = ("relu", "leaky", "sigmoid", "norm", "instance", "up", "conv", "deconv", "add", "scale", "crop", "pad", "twice")


def step(s, x, kind, number):
    """One more layer of four channels."""
    same = {"kernel": (3, 3), "pad": (1, 1), "num_filter": 4, "name": f"l{number}"}
    return {
        "relu": lambda: s.Activation(x, act_type="relu"),
        "leaky": lambda: s.LeakyReLU(x, act_type="leaky", slope=0.3),
        "sigmoid": lambda: s.sigmoid(x),
        "norm": lambda: s.BatchNorm(x, name=f"l{number}", fix_gamma=bool(number % 2)),
        "instance": lambda: s.InstanceNorm(x, name=f"l{number}"),
        "up": lambda: s.UpSampling(x, scale=2, sample_type="nearest", num_args=1),
        "conv": lambda: s.Convolution(x, no_bias=bool(number % 2), **same),
        "deconv": lambda: s.Deconvolution(x, stride=(2, 1), adj=(1, 0), **same),
        "add": lambda: x + s.Convolution(x, **same),
        "scale": lambda: 1 - x * 0.7,
        "crop": lambda: s.slice(x, begin=(None, None, 0, 1), end=(None, None, None, None)),
        "pad": lambda: s.pad(x, mode="edge", pad_width=(0, 0, 0, 0, 1, 0, 0, 2)),
        "twice": lambda: s.Convolution(s.concat(x, x), **same),
    }[kind]()


@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(kinds=st.lists(st.sampled_from(STEPS), max_size=6), age=st.sampled_from(["1.9", "0.9", "0.8"]))
def test_random_chains(mx, tmp_path, kinds, age):
    assume(kinds.count("crop") < 3)  # each takes one of three columns
    s = mx.sym
    x = s.Reshape(s.FullyConnected(s.Variable("rand"), num_hidden=4 * 3 * 3, name="start"), shape=(0, 4, 3, 3))
    for number, kind in enumerate(kinds):
        x = step(s, x, kind, number)
    net = s.tanh(s.Convolution(x, kernel=(1, 1), num_filter=3, name="last"))
    params = make.save(mx, tmp_path, net, make.filled(net, rand=(2, 10)))
    theirs = make.in_mxnet(mx, params, {"rand": make.latents()})
    path = tmp_path / "net-symbol.json"
    path.write_text({"0.8": make.as_0_8, "0.9": make.as_0_9, "1.9": str}[age](path.read_text()))
    ours = forward.generate(make.read(params).graph, make.latents())
    assert np.abs(ours - theirs).max() < 1e-4
