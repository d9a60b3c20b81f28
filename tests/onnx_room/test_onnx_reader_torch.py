"""Generators as torch.onnx.export writes them: each reads as a graph with onnxruntime's pictures."""

import warnings

import numpy as np
import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("onnx")
pytest.importorskip("onnxruntime")

from reader_models import both, kinds, own_pictures  # noqa: E402
from torch import nn  # noqa: E402
from torch.nn import functional as F  # noqa: E402

from mxgan.graph.forward import generate  # noqa: E402
from mxgan.onnx import reader  # noqa: E402
from mxgan.onnx.runner import Runner  # noqa: E402


class Net(nn.Module):
    """A module whose forward pass is a function of it and its inputs."""

    def __init__(self, forward, **parts):
        super().__init__()
        self.way = forward
        for name, part in parts.items():
            setattr(self, name, part)

    def forward(self, *inputs):
        return self.way(self, *inputs)


def exported(path, net, *inputs, opset=17, dynamic=True, **more):
    """Write the net, in evaluation mode and with statistics that aren't 0 and 1."""
    torch.manual_seed(0)
    for part in net.modules():
        if isinstance(part, nn.BatchNorm2d):
            nn.init.normal_(part.running_mean)
            nn.init.uniform_(part.running_var, 0.5, 2)
    names = ["z", "label"][: len(inputs)]
    axes = {name: {0: "n"} for name in [*names, "images"]} if dynamic else None
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        torch.onnx.export(net.eval(), inputs, str(path), dynamo=False, opset_version=opset, input_names=names,
                          output_names=["images"], dynamic_axes=axes, **more)  # fmt: skip
    return path


Z = torch.randn(2, 10)
CONVS = nn.Sequential(
    nn.BatchNorm2d(8, 0.8), nn.LeakyReLU(0.2), nn.ConvTranspose2d(8, 3, 4, 2, 1, bias=False), nn.Tanh()
)


@pytest.mark.parametrize("opset", [9, 11, 13, 17, 20])
@pytest.mark.parametrize("dynamic", [True, False])
@pytest.mark.parametrize("folded", [True, False])
def test_every_opset(tmp_path, opset, dynamic, folded):
    net = Net(
        lambda net, z: net.end(net.up(net.start(z).view(z.size(0), 8, 4, 4))),
        start=nn.Linear(10, 128),
        up=nn.Sequential(nn.Upsample(scale_factor=2), nn.Conv2d(8, 32, 3, 1, 1), nn.PixelShuffle(2), nn.PReLU(8)),
        end=CONVS,
    )
    path = exported(tmp_path / "g.onnx", net, Z, opset=opset, dynamic=dynamic, do_constant_folding=folded)
    reading = both(path)
    assert reading.assumed == () and reading.graph.latent == 10
    assert {layer.layer.eps for layer in reading.graph.nodes if "BatchNorm" in type(layer.layer).__name__} == {0.8}


def test_latents_with_two_axes_of_one_pixel(tmp_path):
    net = nn.Sequential(nn.ConvTranspose2d(10, 8, 4, 1, 0, bias=False), CONVS)
    reading = both(exported(tmp_path / "g.onnx", net, Z[:, :, None, None], keep_initializers_as_inputs=True))
    assert kinds(reading)[:2] == ["Reshape", "ConvTranspose"]
    assert "1.2.weight" in reading.names.values()


def test_labels_embedded_multiplied_and_one_hot(tmp_path):
    labels = torch.tensor([0, 6])
    start, cat = nn.Linear(10, 128), torch.cat

    def image(net, x):
        return net.end(net.start(x).view(-1, 8, 4, 4))

    nets = [
        Net(lambda net, z, y: image(net, z * net.table(y)), table=nn.Embedding(7, 10), start=start, end=CONVS),
        Net(lambda net, z, y: image(net, cat((net.table(y), z), -1)), table=nn.Embedding(7, 7),
            start=nn.Linear(17, 128), end=CONVS),
        Net(lambda net, z, y: image(net, cat((z, F.one_hot(y, 7).float()), 1)), start=nn.Linear(17, 128), end=CONVS),
    ]  # fmt: skip
    for net in nets:
        reading = both(exported(tmp_path / "g.onnx", net, Z, labels), labels=np.array([0, 6]))
        assert reading.graph.classes == 7


def test_a_label_as_a_one_hot_vector(tmp_path):
    def image(net, x):
        return net.end(net.start(x).view(-1, 8, 4, 4))

    nets = [
        Net(lambda net, z, y: image(net, torch.cat((z, y.float()), 1)), start=nn.Linear(17, 128), end=CONVS),
        Net(lambda net, z, y: image(net, z + net.own(y.float()[:, :, None, None]).flatten(1)), start=nn.Linear(10, 128),
            own=nn.ConvTranspose2d(7, 10, 1), end=CONVS),
    ]  # fmt: skip
    one_hot = F.one_hot(torch.tensor([0, 6]), 7)
    for net, label in ((nets[0], one_hot.float()), (nets[0], one_hot), (nets[1], one_hot.float())):
        path = exported(tmp_path / "g.onnx", net, Z, label)
        reading = reader.read(path)
        assert (reading.graph.latent, reading.graph.classes) == (10, 7)
        assert reading.assumed == ("label is a label as a one-hot vector",)
        ours = generate(reading.graph, Z.numpy(), np.array([0, 6]))
        np.testing.assert_allclose(ours, own_pictures(path, Z.numpy(), label.numpy()), atol=1e-5)


def test_one_axis_into_several(tmp_path):
    """nn.Unflatten computes its shape with Mod, Slice and Concat."""
    net = nn.Sequential(nn.Linear(10, 128), nn.Unflatten(-1, (8, 4, 4)), CONVS)
    assert kinds(both(exported(tmp_path / "g.onnx", net, Z)))[:2] == ["Linear", "Reshape"]


def test_a_batchnorm_for_each_class(tmp_path):
    def way(net, z, label):
        x = net.norm(net.start(z).view(-1, 8, 4, 4))
        gamma, beta = net.table(label).chunk(2, 1)
        return net.end(x * gamma.view(-1, 8, 1, 1) + beta.view(-1, 8, 1, 1))

    net = Net(way, start=nn.Linear(10, 128), norm=nn.BatchNorm2d(8), table=nn.Embedding(7, 16), end=CONVS)
    both(exported(tmp_path / "g.onnx", net, Z, torch.tensor([0, 6])), labels=np.array([5, 6]))


def test_norms_of_other_kinds(tmp_path):
    spectral = nn.utils.spectral_norm(nn.Conv2d(8, 8, 3, padding=1))
    weighted = nn.utils.weight_norm(nn.Conv2d(8, 8, 3, padding=1))
    parts = nn.Sequential(spectral, nn.InstanceNorm2d(8, affine=True), nn.GroupNorm(2, 8), weighted, nn.ReLU6())
    net = Net(lambda net, z: net.end(net.parts(net.start(z).view(-1, 8, 4, 4))), start=nn.Linear(10, 128), parts=parts,
              end=CONVS)  # fmt: skip
    for folded in (True, False):
        both(exported(tmp_path / "g.onnx", net, Z, do_constant_folding=folded))


def test_resized_by_computed_sizes_and_padded(tmp_path):
    def way(net, z):
        x = net.start(z).view(z.size(0), 8, 4, 4)
        x = F.interpolate(x, size=(x.size(2) * 2, x.size(3) * 3), mode="bilinear", align_corners=False)
        x = F.interpolate(x, scale_factor=2, mode="nearest")
        return (net.end(F.pad(x, (1, 0, 2, 1), mode="reflect")[:, :, 1:, 1:]) + 1) / 2

    net = Net(way, start=nn.Linear(10, 128), end=CONVS)
    for opset in (11, 17):
        both(exported(tmp_path / "g.onnx", net, Z, opset=opset), lambda y: 2 * y - 1)


def test_attention_is_run(tmp_path):
    def way(net, z):
        x = net.start(z).view(z.size(0), 8, 16)
        return net.end((x + x @ torch.softmax(x.transpose(1, 2) @ x, 2)).view(-1, 8, 4, 4))

    path = exported(tmp_path / "g.onnx", Net(way, start=nn.Linear(10, 128), end=CONVS), Z)
    with pytest.raises(reader.NoGraph, match="MatMul"):
        reader.read(path)
    program = reader.program(path)
    z = np.random.default_rng(0).normal(size=(70, 10)).astype(np.float32)
    np.testing.assert_allclose(Runner(program).forward(z), own_pictures(path, z), atol=1e-5)


def test_a_net_in_training_mode_is_no_graph(tmp_path):
    net = nn.Sequential(nn.ConvTranspose2d(10, 8, 4), CONVS)
    path = exported(tmp_path / "g.onnx", net, Z[:, :, None, None], training=torch.onnx.TrainingMode.TRAINING)
    with pytest.raises(reader.NoGraph, match="training mode"):
        reader.read(path)
