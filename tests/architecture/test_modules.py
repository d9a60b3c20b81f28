"""Whole modules in a file give the graph that PyTorch runs, and no code of theirs is run."""

import numpy as np
import pytest

from mxgan.architecture.modules import OPEN_END, parts, sequential
from mxgan.architecture.normed_weights import plain_weights
from mxgan.errors import ParamsError
from mxgan.graph import layers
from mxgan.graph.forward import generate
from mxgan.weights.files import load

torch = pytest.importorskip("torch")
from torch import nn  # noqa: E402


def filled(net):
    """Every number different, in float64 and inference mode."""
    generator = torch.Generator().manual_seed(0)
    with torch.no_grad():
        for name, tensor in net.state_dict().items():
            if name.endswith(("running_var", "_u", "_v")):
                tensor.copy_(torch.rand(tensor.shape, generator=generator) + 0.5)
            elif tensor.is_floating_point():
                tensor.copy_(torch.randn(tensor.shape, generator=generator) * 0.3)
    return net.double().eval()


def saved(net, path, **more):
    """The file of ``torch.save(net)``, read again."""
    torch.save(net, path, **more)
    return load(path)


def assert_same_pictures(net, path, shape=None):
    """The graph of a saved net gives what the net gives. Returns the reading."""
    net = filled(net)
    (tree,) = saved(net, path).modules
    reading = sequential(tree, str(path))
    z = np.random.default_rng(0).normal(size=(2, reading.graph.latent))
    with torch.no_grad():
        y = net(torch.from_numpy(z.reshape(2, *(shape or z.shape[1:])))).numpy()
    np.testing.assert_allclose(generate(reading.graph, z), y, atol=1e-5)
    assert all(load(path).arrays[name] is not None for name in reading.names.values())
    return reading


def dcgan(*more):
    """A small generator; ``more`` goes before the tanh."""
    return nn.Sequential(
        nn.ConvTranspose2d(5, 8, 4, 1, 0, bias=False), nn.BatchNorm2d(8, eps=1e-3), nn.ReLU(True),
        nn.ConvTranspose2d(8, 8, (4, 3), (2, 1), (1, 1), output_padding=(1, 0), groups=2), *more,
        nn.Conv2d(8, 3, 3, padding=1), nn.Tanh(),
    )  # fmt: skip


MIDDLES = {
    "leaky": nn.LeakyReLU(0.3),
    "prelu": nn.PReLU(8),
    "one prelu": nn.PReLU(),
    "elu": nn.ELU(0.7),
    "selu": nn.SELU(),
    "sigmoid": nn.Sigmoid(),
    "plain norm": nn.BatchNorm2d(8, affine=False),
    "instance norm": nn.InstanceNorm2d(8),
    "affine instance norm": nn.InstanceNorm2d(8, affine=True, eps=0.1),
    "tracked instance norm": nn.InstanceNorm2d(8, affine=True, track_running_stats=True),
    "nearest": nn.Upsample(scale_factor=2),
    "bilinear": nn.Upsample(scale_factor=(2, 3), mode="bilinear"),
    "aligned": nn.UpsamplingBilinear2d(scale_factor=2),
    "nearest2d": nn.UpsamplingNearest2d(scale_factor=3),
    "shuffled": nn.Sequential(nn.Conv2d(8, 32, 1), nn.PixelShuffle(2)),
    "reflect": nn.ReflectionPad2d((1, 2, 0, 1)),
    "replicate": nn.ReplicationPad2d(2),
    "zeros": nn.ZeroPad2d((0, 1, 2, 0)),
    "reflecting conv": nn.Conv2d(8, 8, 3, padding=1, padding_mode="reflect"),
    "replicating conv": nn.Conv2d(8, 8, 3, padding=1, padding_mode="replicate", stride=2),
    "same": nn.Conv2d(8, 8, (4, 3), padding="same", dilation=(1, 2)),
    "valid": nn.Conv2d(8, 8, 3, padding="valid", bias=False),
    "nothing": nn.Sequential(nn.Identity(), nn.Dropout(0.5), nn.Dropout2d(0.5)),
    "spectral": nn.utils.spectral_norm(nn.Conv2d(8, 8, 3, padding=1)),
    "weight normed": nn.utils.weight_norm(nn.Conv2d(8, 8, 3, padding=1)),
    "spectral transposed": nn.utils.spectral_norm(nn.ConvTranspose2d(8, 8, 4, 2, 1)),
}


@pytest.mark.parametrize("legacy", [False, True], ids=["zip", "legacy"])
def test_a_module_saved_whole_has_its_state_dicts_names_and_its_settings(tmp_path, legacy):
    net = filled(dcgan())
    file = saved(net, tmp_path / "a.pth", _use_new_zipfile_serialization=not legacy)
    state = net.state_dict()
    assert list(file.arrays) == list(state)
    for name, array in file.arrays.items():
        np.testing.assert_array_equal(array, state[name].numpy())
    found = parts(file.modules[0])
    assert [part.kind for part in found] == [type(child).__name__ for child in net]
    assert found[1].layer == layers.BatchNorm(1e-3)
    assert found[3].layer == layers.ConvTranspose((2, 1), (1, 1), (1, 0), (1, 1), 2)
    assert found[1].names["gamma"] == "1.weight" and found[1].container == "Sequential"


@pytest.mark.parametrize("middle", MIDDLES)
def test_each_layer_is_pytorchs(tmp_path, middle):
    reading = assert_same_pictures(dcgan(MIDDLES[middle]), tmp_path / "a.pth", (5, 1, 1))
    assert reading.assumed == () and reading.source == f"the module in {tmp_path / 'a.pth'}"


def test_a_linear_start_takes_z_as_it_is_and_a_sigmoid_end_is_brought_to_the_pictures_range(tmp_path):
    body = nn.Sequential(nn.Linear(7, 32), nn.BatchNorm1d(32), nn.ReLU(), nn.Unflatten(1, (8, 2, 2)))
    net = nn.Sequential(body, nn.Upsample(scale_factor=2), nn.Conv2d(8, 1, 3, 1, 1), nn.Sigmoid())
    (tree,) = saved(filled(net), tmp_path / "a.pth").modules
    graph = sequential(tree, "a.pth").graph
    z = np.random.default_rng(0).normal(size=(3, 7))
    with torch.no_grad():
        y = net(torch.from_numpy(z)).numpy()
    assert graph.latent == 7
    np.testing.assert_allclose(generate(graph, z), 2 * y - 1, atol=1e-5)


def test_an_mlp_unflattens_at_the_end(tmp_path):
    net = nn.Sequential(nn.Flatten(), nn.Linear(4, 16), nn.LeakyReLU(0.2), nn.Linear(16, 49), nn.Tanh(),
                        nn.Unflatten(1, (1, 7, 7)))  # fmt: skip
    assert assert_same_pictures(net, tmp_path / "a.pth").assumed == ()


class Generator(nn.Module):
    """As pytorch/examples has it."""

    def __init__(self, main):
        super().__init__()
        self.main = main

    def forward(self, z):
        return self.main(z)


class Viewing(Generator):
    """Its forward does more than its child."""

    def forward(self, z):
        return self.main(z).view(len(z), 1, 4, 4)


def test_a_class_around_a_sequential_is_taken_as_it_and_said(tmp_path):
    reading = assert_same_pictures(Generator(dcgan()), tmp_path / "a.pth", (5, 1, 1))
    assert reading.assumed == ("forward() is taken to run `main` alone",)
    assert reading.names["main.1.gamma"] == "main.1.weight"


def test_data_parallel_and_a_checkpoint_around_it(tmp_path):
    net = filled(dcgan())
    (tree,) = saved({"netG": nn.DataParallel(net), "epoch": 1}, tmp_path / "a.pth").modules
    reading = sequential(tree, "a.pth")
    assert (reading.graph.latent, reading.names["netG.module.0.weight"]) == (5, "netG.module.0.weight")


def test_an_open_end_is_told(tmp_path):
    reading = assert_same_pictures(dcgan()[:-1], tmp_path / "a.pth", (5, 1, 1))
    assert reading.assumed == (OPEN_END,)


@pytest.mark.parametrize(
    "net",
    [
        Viewing(nn.Sequential(nn.Linear(5, 16), nn.Tanh())),
        Generator(nn.ModuleList([nn.ConvTranspose2d(5, 3, 4)])),
        nn.ModuleDict({"a": nn.ConvTranspose2d(5, 3, 4)}),
        nn.Sequential(nn.Conv2d(3, 8, 4, 2, 1), nn.LeakyReLU(0.2), nn.Conv2d(8, 1, 4)),
        nn.Sequential(nn.ConvTranspose2d(5, 3, 4), Generator(nn.Sequential(nn.Tanh()))),
    ],
    ids=["a view", "a list", "a dict", "a discriminator", "a class inside"],
)
def test_where_the_way_is_not_certain_there_is_no_graph(tmp_path, net):
    (tree,) = saved(net, tmp_path / "a.pth").modules
    assert sequential(tree, "a.pth") is None
    assert all(part.layer is not None for part in parts(tree))


@pytest.mark.parametrize(
    ("layer", "says"),
    [
        (nn.BatchNorm2d(8, track_running_stats=False), "1 (BatchNorm2d): it keeps no running statistics"),
        (nn.ReLU6(), "1 (ReLU6): torch.nn.modules.activation.ReLU6 isn't known"),
        (nn.Upsample(scale_factor=1.5), "scale_factor 1.5; whole numbers wanted"),
        (nn.Upsample(size=9), "size 9, which isn't a factor"),
        (nn.Upsample(scale_factor=2, mode="bicubic"), "mode 'bicubic'; nearest and bilinear are known"),
        (nn.Conv2d(8, 8, 3, padding=1, padding_mode="circular"), "padding_mode 'circular'"),
        (nn.ConstantPad2d(1, 0.5), "pads with another number"),
    ],
)
def test_what_no_layer_does_is_refused_with_the_reason(tmp_path, layer, says):
    net = nn.Sequential(nn.ConvTranspose2d(5, 8, 4), layer, nn.Conv2d(8, 3, 1), nn.Tanh())
    (tree,) = saved(net, tmp_path / "a.pth").modules
    assert parts(tree)[1].layer is None
    with pytest.raises(ParamsError) as error:
        sequential(tree, "a.pth")
    assert says in str(error.value) and str(error.value).endswith(
        "; describe the network with mxgan.Wishes(layout=...)"
    )


def test_shapes_that_do_not_go_together_are_an_error(tmp_path):
    net = nn.Sequential(nn.ConvTranspose2d(5, 8, 4), nn.ConvTranspose2d(7, 3, 4), nn.Tanh())
    (tree,) = saved(net, tmp_path / "a.pth").modules
    with pytest.raises(ParamsError, match=r"a\.pth: 1 \(ConvTranspose\): takes 7 channels and is given 8"):
        sequential(tree, "a.pth")


def test_an_old_modules_missing_attributes_have_their_defaults(tmp_path):
    net = filled(dcgan(nn.InstanceNorm2d(8)))
    for module in net.modules():
        for name in ("padding_mode", "output_padding", "track_running_stats", "affine", "_non_persistent_buffers_set"):
            if name != "output_padding" or isinstance(module, nn.Conv2d):
                module.__dict__.pop(name, None)
    (tree,) = saved(net, tmp_path / "a.pth").modules
    assert sequential(tree, "a.pth").graph.nodes[5].layer == layers.InstanceNorm()


def test_weight_norm_in_both_forms(tmp_path):
    for normed in (nn.utils.weight_norm, nn.utils.parametrizations.weight_norm):
        for dim in (0, 1, None):
            conv = normed(nn.ConvTranspose2d(4, 6, 3), dim=dim)
            found = plain_weights({name: tensor.numpy() for name, tensor in conv.state_dict().items()}, True)
            conv(torch.ones(1, 4, 2, 2))  # the old form computes its weight on the way
            np.testing.assert_allclose(found["weight"][0], conv.weight.detach().numpy(), atol=1e-6)


def test_spectral_norm_in_both_forms(tmp_path):
    for normed in (nn.utils.spectral_norm, nn.utils.parametrizations.spectral_norm):
        for layer, transposed in ((nn.ConvTranspose2d(4, 6, 3), True), (nn.Conv2d(4, 6, 3), False)):
            conv = normed(layer)
            for _ in range(20):  # u and v settle, as in training; before, the weights can be of any size
                conv(torch.ones(1, 4, 4, 4))
            conv.eval()
            found = plain_weights({name: tensor.numpy() for name, tensor in conv.state_dict().items()}, transposed)
            conv(torch.ones(1, 4, 4, 4))
            np.testing.assert_allclose(found["weight"][0], conv.weight.detach().numpy(), atol=1e-6)
