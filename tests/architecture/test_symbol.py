"""A symbol's graph gives the pictures that MXNet's own Module gives."""

import numpy as np
import pytest
import symbol_makers as make

from mxgan.architecture import symbol
from mxgan.graph.layers import Affine, BatchNorm, ConvTranspose, LeakyRelu

CLOSE = 1e-4


def same(found, wanted):
    assert found.shape == wanted.shape
    assert np.abs(found - wanted).max() < CLOSE


def deconvolution(s, x, name, filters, **settings):
    kernel = {"kernel": (4, 4), "stride": (2, 2), "pad": (1, 1)}
    return s.Deconvolution(x, name=name, num_filter=filters, **{**kernel, **settings})


def dcgan(s, eps=1e-5 + 1e-12, end="tanh", **norm):
    """As example/gan/dcgan.py of MXNet 0.7 to 1.9 builds it, three layers deep."""
    x = s.Deconvolution(s.Variable("rand"), name="g1", kernel=(4, 4), num_filter=8, no_bias=True)
    for number, filters in ((2, 6), (3, 3)):
        x = s.BatchNorm(x, name=f"gbn{number}", **({"eps": eps} if eps else {}), **norm)
        x = s.Activation(x, name=f"gact{number}", act_type="relu")
        x = deconvolution(s, x, f"g{number}", filters, no_bias=True)
    return s.Activation(x, name="gout", act_type=end)


@pytest.mark.parametrize("eps", [None, 1e-5 + 1e-12, 0.8])
@pytest.mark.parametrize("norm", [{}, {"fix_gamma": False}, {"use_global_stats": True}, {"axis": 1}], ids=str)
def test_batch_norm_with_every_epsilon_and_gammas_that_count_or_do_not(mx, tmp_path, eps, norm):
    reading, theirs, ours = make.compared(mx, tmp_path, dcgan(mx.sym, eps, **norm), make.latents(), shape=(1, 1))
    same(ours, theirs)
    layer = next(node.layer for node in reading.graph.nodes if isinstance(node.layer, BatchNorm))
    assert layer.eps == pytest.approx(1e-3 if eps is None else eps, rel=1e-6)
    assert ("gbn2.gamma" in reading.graph.arrays) == (norm == {"fix_gamma": False})
    assert (reading.assumed, reading.warnings, reading.source) == ((), (), "net-symbol.json")
    assert reading.graph.inputs == {"z": (10,)}


def test_names_lead_back_to_the_file(mx, tmp_path):
    reading, _, _ = make.compared(mx, tmp_path, dcgan(mx.sym), make.latents(), shape=(1, 1))
    assert [node.name for node in reading.graph.nodes] == [
        "rand", "g1", "gbn2", "gact2", "g2", "gbn3", "gact3", "g3", "gout",
    ]  # fmt: skip
    assert reading.names["g1.weight"] == "arg:g1_weight"
    assert reading.names["gbn2.running_var"] == "aux:gbn2_moving_var"
    assert set(reading.names) == set(reading.graph.arrays)


def test_a_sigmoid_end_is_brought_to_signed_images(mx, tmp_path):
    reading, theirs, ours = make.compared(mx, tmp_path, dcgan(mx.sym, end="sigmoid"), make.latents(), shape=(1, 1))
    same(ours, 2 * theirs - 1)
    assert reading.graph.nodes[-1].layer == Affine(2.0, -1.0)


@pytest.mark.parametrize(("scale", "shift"), [(0.5, 0.5), (127.5, 127.5)])
def test_tanh_scaled_to_another_range_is_scaled_back(mx, tmp_path, scale, shift):
    net = dcgan(mx.sym) * scale + shift
    _, theirs, ours = make.compared(mx, tmp_path, net, make.latents(), shape=(1, 1))
    same(ours, (theirs - shift) / scale)


def test_no_tanh_and_no_sigmoid_is_said(mx, tmp_path):
    reading, theirs, ours = make.compared(mx, tmp_path, dcgan(mx.sym, end="relu"), make.latents(), shape=(1, 1))
    assert reading.assumed == ("the symbol ends without tanh or sigmoid: taken as [-1, 1]",)
    np.testing.assert_allclose(ours, theirs, rtol=1e-4, atol=1e-3)


def dense_start(s):
    """As tqchen/mxnet-gan's dcgan28x28: a FullyConnected start, target_shape for sizes that strides don't give."""
    x = s.FullyConnected(s.Variable("code"), name="g1", num_hidden=4 * 4 * 6, no_bias=True)
    x = s.Reshape(s.LeakyReLU(x), shape=(-1, 6, 4, 4))
    x = deconvolution(s, x, "g2", 5, kernel=(3, 3), target_shape=(8, 8), adj=(1, 1))
    x = s.LeakyReLU(s.BatchNorm(x, name="bn"), act_type="leaky", slope=0.2)
    x = deconvolution(s, x, "g3", 4, target_shape=(14, 14), pad=(2, 2))
    x = deconvolution(s, x, "g4", 1, kernel=(5, 5), target_shape=(28, 28), pad=(2, 2), no_bias=False)
    return s.tanh(x)


def test_a_dense_start_and_target_shapes(mx, tmp_path):
    reading, theirs, ours = make.compared(mx, tmp_path, dense_start(mx.sym), make.latents(), names=("code", ""))
    same(ours, theirs)
    assert ours.shape == (2, 1, 28, 28)
    slopes = [node.layer.slope for node in reading.graph.nodes if isinstance(node.layer, LeakyRelu)]
    assert slopes == [0.25, 0.2]


@pytest.mark.parametrize("settings", [{}, {"pad": (3, 3), "adj": (1, 0)}], ids=str)
@pytest.mark.parametrize("target", [(9, 9), (8, 7), (11, 6)])
def test_a_target_shape_decides_whatever_pad_says(mx, tmp_path, target, settings):
    """MXNet's float64 code: its float32 code on CPUs (oneDNN) fails where ``pad`` isn't what the target needs."""
    random = np.random.default_rng(0)
    x, weight = random.normal(size=(2, 3, 4, 4)), random.normal(size=(3, 2, 5, 3))
    given = {"kernel": (5, 3), "stride": (2, 2), "num_filter": 2, "target_shape": target, **settings}
    arrays = [mx.nd.array(array, dtype="float64") for array in (x, weight)]
    theirs = mx.nd.Deconvolution(*arrays, **given).asnumpy()
    net = mx.sym.tanh(mx.sym.Deconvolution(mx.sym.Variable("x", shape=(0, 3, 4, 4)), name="g", **given))
    reading = make.read_text(tmp_path, net.tojson(), {"g_weight": weight})
    same(make.forward.generate(reading.graph, x.reshape(2, -1)), np.tanh(theirs))


def upsampling(s, sample_type, **settings):
    x = s.FullyConnected(s.Flatten(s.Variable("rand")), num_hidden=4 * 4 * 4, name="start")
    x = s.InstanceNorm(s.reshape(x, shape=(0, 4, 4, -1)), name="in", **settings)
    x = s.LeakyReLU(x, act_type="elu", slope=0.5)
    x = s.UpSampling(x, scale=2, sample_type=sample_type, num_filter=4, num_args=1, name="up")
    x = s.Convolution(
        s.Pad(x, mode="reflect", pad_width=(0, 0, 0, 0, 1, 1, 1, 1)), kernel=(3, 3), num_filter=6, name="c"
    )
    x = s.UpSampling(
        s.LeakyReLU(x, act_type="prelu", name="p"), scale=3, sample_type=sample_type, num_filter=6, name="up3"
    )
    x = s.Convolution(x, kernel=(5, 5), pad=(4, 4), dilate=(2, 2), num_group=3, num_filter=3, no_bias=True, name="last")
    return s.sigmoid(x)


@pytest.mark.parametrize("settings", [{}, {"eps": 1e-5}], ids=str)
@pytest.mark.parametrize("sample_type", ["nearest", "bilinear"])
def test_upsampling(mx, tmp_path, sample_type, settings):
    _, theirs, ours = make.compared(mx, tmp_path, upsampling(mx.sym, sample_type, **settings), make.latents())
    same(ours, 2 * theirs - 1)


def conditional(s):
    """The embedded label beside the latents, and a second time as a factor by channel."""
    label = s.Variable("label")
    known = s.Embedding(label, input_dim=7, output_dim=5, name="embed")
    x = s.Reshape(s.concat(s.Variable("rand"), known, dim=1), shape=(0, 0, 1, 1))
    x = s.BatchNorm(s.Deconvolution(x, kernel=(4, 4), num_filter=6, name="g1"), name="bn", fix_gamma=False)
    factor = s.FullyConnected(s.one_hot(s.Cast(label, dtype="int32"), depth=7), num_hidden=6, name="by_label")
    x = s.broadcast_mul(x, s.expand_dims(s.expand_dims(factor, axis=2), axis=3)) + x
    return s.Activation(deconvolution(s, x, "g2", 3), act_type="tanh")


def test_a_label_embedded_and_one_hot(mx, tmp_path):
    reading, theirs, ours = make.compared(mx, tmp_path, conditional(mx.sym), make.latents(3), np.array([6, 0, 3]))
    same(ours, theirs)
    assert reading.graph.classes == 7
    assert reading.graph.inputs == {"z": (10,), "label": ()}


def test_a_label_as_a_one_hot_vector_of_known_size(mx, tmp_path):
    s = mx.sym
    given = s.Reshape(s.Variable("class_label", shape=(2, 4)), shape=(0, 0, 1, 1))
    x = s.Deconvolution(s.concat(given, s.Variable("rand"), dim=1), kernel=(4, 4), num_filter=3, name="g1")
    net, z, label = s.tanh(x), make.latents(), np.array([3, 1])
    feeds = {"class_label": np.eye(4, dtype=np.float32)[label], "rand": z[:, :, None, None]}
    params = make.save(mx, tmp_path, net, make.filled(net, **{name: array.shape for name, array in feeds.items()}))
    reading = make.read(params)
    same(make.forward.generate(reading.graph, z, label), make.in_mxnet(mx, params, feeds))
    assert reading.assumed == ("class_label is a label as a one-hot vector",)


def test_one_weight_twice_and_one_block_twice(mx, tmp_path):
    s = mx.sym
    weight = s.Variable("shared")
    x = s.Deconvolution(s.Variable("rand"), kernel=(4, 4), num_filter=4, name="g1")
    for _ in range(2):
        x = x + s.Activation(s.Convolution(x, weight, kernel=(3, 3), pad=(1, 1), num_filter=4, no_bias=True, name="c"),
                             act_type="relu", name="act")  # fmt: skip
    net = s.tanh(s.slice_axis(s.Crop(x, offset=(0, 1), h_w=(3, 3), num_args=1), axis=2, begin=1, end=None))
    reading, theirs, ours = make.compared(mx, tmp_path, net, make.latents(), shape=(1, 1))
    same(ours, theirs)
    assert reading.names["c.weight"] == reading.names["c_2.weight"] == "arg:shared"


def odd(s):
    """The rest of what may stand between the layers."""
    x = s.Reshape(s.BlockGrad(s.Variable("rand")), shape=(-1, 10, 1, 1))
    x = s.Dropout(s.Deconvolution(x, kernel=(3, 3), num_filter=8, dilate=(2, 1), name="g1", no_bias=False), p=0.5)
    x = s.LeakyReLU(x, act_type="rrelu")[0] - s.Activation(x, act_type="sigmoid") / 3
    x = s.LeakyReLU(2 - x * x - 0.5, act_type="selu")
    x = s.depth_to_space(s.swapaxes(s.transpose(x, axes=(0, 1, 3, 2)), dim1=2, dim2=3), block_size=2)
    x = s.Reshape(s.Reshape(x, shape=(0, -4, -1, 2, -2)), shape=(0, -3, 0, 0))  # splits and merges channels
    x = s.ElementWiseSum(x, s.identity(-x), x)
    x = s.concat(x, x)
    x = s.contrib.BilinearResize2D(x, height=20, width=12)
    return s.LogisticRegressionOutput(s.Convolution(x, kernel=(1, 1), num_filter=3, name="last"), s.Variable("a_label"))


def test_what_may_stand_between_the_layers(mx, tmp_path):
    net = odd(mx.sym)
    arrays = make.filled(net, rand=(2, 10), a_label=(2, 3, 20, 12))
    z = make.latents()
    params = make.save(mx, tmp_path, net, arrays)
    theirs = make.in_mxnet(mx, params, {"rand": z, "a_label": np.zeros((2, 3, 20, 12))})
    same(make.forward.generate(make.read(params).graph, z), 2 * theirs - 1)


def rarer(s):
    """Operators that few generators have: reshapes of 0.x, crops like another, upsampling to a common size."""
    x = s.Reshape(s.FullyConnected(s.Variable("rand"), num_hidden=64, name="start"), target_shape=(0, 4, 4, 4))
    small = s.Crop(x, num_args=1, h_w=(2, 2), center_crop=True)
    x = s.UpSampling(x, small, scale=2, sample_type="nearest", num_args=2)
    x = s.Crop(s.pad(x, mode="constant", pad_width=(0, 0, 0, 0, 2, 1, 0, 3)), x, num_args=2, offset=(1, 2))
    row = s.slice_axis(s.slice_axis(x, axis=2, begin=0, end=1), axis=-1, begin=-1, end=None)
    x = s.broadcast_minus(x, s.broadcast_axis(row, axis=(2, 3), size=(8, 8)))
    one = s.slice(
        s.Convolution(x, kernel=(3, 3), num_filter=1, name="map"), begin=(None, None, 1, 1), end=(None, None, 2, 2)
    )
    x = s.broadcast_add(x, s.expand_dims(s.squeeze(one, axis=2), axis=2))
    x = s.reshape(s.reshape(x, shape=(2, 8, 64)), shape=(-1, 0, 0), reverse=True)
    x = s.reshape(x, shape=(0, 8, 8, -1))
    return s.tanh(s.Convolution(x, kernel=(1, 1), num_filter=2, name="last"))


def test_rarer_operators(mx, tmp_path):
    _, theirs, ours = make.compared(mx, tmp_path, rarer(mx.sym), make.latents())
    same(ours, theirs)


def test_what_gluon_exports(mx, tmp_path):
    nn = mx.gluon.nn
    net = nn.HybridSequential()
    with net.name_scope():
        net.add(nn.Dense(32), nn.HybridLambda(lambda F, x: F.reshape(x, (0, 8, 2, 2))), nn.BatchNorm(scale=False))
        net.add(nn.Conv2DTranspose(6, 4, 2, 1, output_padding=1, use_bias=False), nn.PReLU(), nn.BatchNorm(epsilon=0.1))
        net.add(nn.LeakyReLU(0.1), nn.Conv2DTranspose(12, 3, 1, 1))
        net.add(mx.gluon.contrib.nn.PixelShuffle2D(2), nn.Activation("tanh"))
    net.initialize(mx.init.Normal(0.3))
    net.hybridize()
    z = make.latents()
    theirs = net(mx.nd.array(z)).asnumpy()
    net.export(str(tmp_path / "net"), 10)
    reading = make.read(tmp_path / "net-0010.params")
    same(make.forward.generate(reading.graph, z), theirs)


def test_mxnet_2_style_names_of_operators(mx, tmp_path):
    s, np_, npx = mx.sym, mx.sym.np, mx.sym.npx
    x = npx.fully_connected(s.Variable("rand").as_np_ndarray(), s.Variable("w").as_np_ndarray(), num_hidden=32,
                            no_bias=True, name="start")  # fmt: skip
    x = npx.reshape(npx.leaky_relu(x, slope=0.2), (-2, 8, 2, -1))
    net = np_.tanh(npx.reshape(x * 0.5 + 1, (-2, 2, 4, 4)))
    arrays = {"arg:w": np.random.default_rng(0).normal(size=(32, 10)).astype(np.float32)}
    z = make.latents()
    (tmp_path / "net-symbol.json").write_text(net.tojson())
    reading = symbol.read(tmp_path / "net-symbol.json", arrays, "net-0010.params")
    x = z @ arrays["arg:w"].T
    same(make.forward.generate(reading.graph, z), np.tanh(np.where(x > 0, x, 0.2 * x).reshape(2, 2, 4, 4) * 0.5 + 1))


@pytest.mark.parametrize("old", [make.as_0_8, make.as_0_9])
@pytest.mark.parametrize("net", [dcgan, dense_start, upsampling, conditional])
def test_symbols_of_older_versions(mx, tmp_path, old, net):
    net = net(mx.sym, *(["nearest"] if net is upsampling else []))
    names = ("code", "") if "code" in net.list_arguments() else ("rand", "label")
    label = np.array([6, 2]) if "label" in net.list_arguments() else None
    shape = (1, 1) if net.name == "gout" else ()
    reading, theirs, _ = make.compared(mx, tmp_path, net, make.latents(), label, shape, names)
    path = tmp_path / "net-symbol.json"
    path.write_text(old(path.read_text()))
    again = make.read(tmp_path / "net-0010.params")
    assert again.graph.nodes == reading.graph.nodes
    assert (again.names, again.graph.inputs, again.warnings) == (reading.names, reading.graph.inputs, ())
    feeds = {names[0]: make.latents().reshape(2, 10, *shape)}
    if label is not None:
        feeds[names[1]] = label.astype(np.float32)
    same(make.in_mxnet(mx, tmp_path / "net-0010.params", feeds), theirs)  # MXNet 1.9.1 opens the old form too


def test_values_as_every_version_writes_them(mx, tmp_path):
    reading, _, _ = make.compared(mx, tmp_path, dcgan(mx.sym), make.latents(), shape=(1, 1))
    path = tmp_path / "net-symbol.json"
    text = (
        path.read_text()
        .replace('"(4, 4)"', '"[4L,4L]"')
        .replace('"(2, 2)"', '"(2L, 2L)"')
        .replace('"(1, 1)"', '"(1,1)"')
    )
    path.write_text(text.replace('"no_bias": "True"', '"no_bias": "1", "layout": "None", "workspace": "512"'))
    again = make.read(tmp_path / "net-0010.params")
    assert again.graph.nodes == reading.graph.nodes
    assert ConvTranspose((2, 2), (1, 1)) in [node.layer for node in again.graph.nodes]
