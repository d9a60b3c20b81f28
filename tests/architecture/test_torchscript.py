"""TorchScript archives give the graph that PyTorch runs, by following their program and never running it."""

import re
import warnings
import zipfile

import numpy as np
import pytest

from mxgan.architecture.modules import sequential
from mxgan.architecture.torchscript import read
from mxgan.errors import ParamsError
from mxgan.graph.forward import generate
from mxgan.weights.files import load

torch = pytest.importorskip("torch")
import torch.nn.functional as F  # noqa: E402
from torch import nn  # noqa: E402


def filled(net):
    """Every number different, in float64 and inference mode."""
    generator = torch.Generator().manual_seed(0)
    with torch.no_grad():
        for name, tensor in net.state_dict().items():
            if name.endswith(("running_var", "_u", "_v", "weight_g", "original0")):
                tensor.copy_(torch.rand(tensor.shape, generator=generator) + 0.5)
            elif tensor.is_floating_point():
                tensor.copy_(torch.randn(tensor.shape, generator=generator) * 0.3)
    return net.double().eval()


def save(net, path, how, *inputs):
    """The net as a program: traced with these inputs, or scripted."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        program = torch.jit.script(net) if how == "script" else torch.jit.trace(net, inputs)
        torch.jit.save(program, path)
    return path


def assert_same_pictures(net, path, how, shape, labels=None):
    """The graph of a saved program gives what the net gives. Returns the reading."""
    net = filled(net)
    z = torch.from_numpy(np.random.default_rng(0).normal(size=(3, *shape)))
    more = () if labels is None else (torch.tensor(labels),)
    reading = read(save(net, path, how, z, *more))
    with torch.no_grad():
        y = net(z, *more).numpy()
    assert reading.graph.latent == shape[0]
    found = generate(reading.graph, z.numpy().reshape(3, -1), None if labels is None else np.array(labels))
    np.testing.assert_allclose(found, y, atol=1e-5)
    file = load(path)
    assert file.script and set(reading.names.values()) <= set(file.arrays)
    return reading


def dcgan(*more, end=None):
    """A small generator; ``more`` goes before the last convolution."""
    return nn.Sequential(
        nn.ConvTranspose2d(5, 8, 4, 1, 0, bias=False), nn.BatchNorm2d(8, eps=1e-3), nn.ReLU(True),
        nn.ConvTranspose2d(8, 8, (4, 3), (2, 1), (1, 1), output_padding=(1, 0), groups=2), *more,
        nn.Conv2d(8, 3, 3, padding=1), end or nn.Tanh(),
    )  # fmt: skip


MIDDLES = {
    "leaky": nn.LeakyReLU(0.3, inplace=True),
    "prelu": nn.PReLU(8),
    "elu": nn.ELU(0.7),
    "selu": nn.SELU(),
    "plain norm": nn.BatchNorm2d(8, affine=False),
    "instance norm": nn.InstanceNorm2d(8),
    "affine instance norm": nn.InstanceNorm2d(8, affine=True, eps=0.1),
    "tracked instance norm": nn.InstanceNorm2d(8, affine=True, track_running_stats=True),
    "nearest": nn.Upsample(scale_factor=2),
    "bilinear": nn.Upsample(scale_factor=2, mode="bilinear"),
    "aligned": nn.UpsamplingBilinear2d(scale_factor=2),
    "fixed size": nn.Upsample(size=(18, 8)),
    "shuffled": nn.Sequential(nn.Conv2d(8, 32, 1), nn.PixelShuffle(2)),
    "reflect": nn.ReflectionPad2d((1, 2, 0, 1)),
    "replicate": nn.ReplicationPad2d(2),
    "zeros": nn.ZeroPad2d((0, 1, 2, 0)),
    "reflecting conv": nn.Conv2d(8, 8, 3, padding=1, padding_mode="reflect"),
    "dropout": nn.Sequential(nn.Dropout(0.5), nn.Dropout2d(0.5)),
}


@pytest.mark.parametrize("how", ["trace", "script"])
@pytest.mark.parametrize("middle", MIDDLES)
def test_each_layer_is_pytorchs(tmp_path, middle, how):
    reading = assert_same_pictures(dcgan(MIDDLES[middle]), tmp_path / "a.pt", how, (5, 1, 1))
    assert (reading.assumed, reading.warnings) == ((), ())
    assert reading.source == f"the program in {tmp_path / 'a.pt'}"
    assert reading.names["1.gamma"] == "1.weight"


@pytest.mark.parametrize(
    "normed",
    [nn.utils.spectral_norm, nn.utils.weight_norm, nn.utils.parametrizations.spectral_norm,
     nn.utils.parametrizations.weight_norm],
)  # fmt: skip
def test_normed_weights_are_computed(tmp_path, normed):
    net = dcgan(normed(nn.ConvTranspose2d(8, 8, 4, 2, 1)), normed(nn.Conv2d(8, 8, 3)))
    assert_same_pictures(net, tmp_path / "a.pt", "trace", (5, 1, 1))


class Wordy(nn.Module):
    """As people write them: a linear start, views, functions, a residual with activations in place."""

    def __init__(self):
        super().__init__()
        self.fc = nn.Linear(6, 8 * 4 * 4)
        self.first = nn.Conv2d(8, 8, 3, padding=1)
        self.bn = nn.BatchNorm2d(8)
        self.last = nn.Conv2d(8, 3, 1)
        self.size = 4

    def forward(self, z):
        x = F.relu(self.fc(z), inplace=True).view(len(z), -1, self.size, self.size)
        y = self.first(x)
        y = F.leaky_relu(self.bn(y), 0.1, inplace=True)
        x = F.interpolate(x + y, scale_factor=2.0, mode="nearest")
        h = self.first(x)
        r = F.relu(h, inplace=True)
        x = torch.cat([x, r + h], 1)[:, :8] if False else 0.5 * (r + h) - x / 2 + 1
        return torch.tanh(self.last(x))


@pytest.mark.parametrize("how", ["trace", "script"])
def test_a_forward_in_peoples_own_words(tmp_path, how):
    assert_same_pictures(Wordy(), tmp_path / "a.pt", how, (6,))


class Conditional(nn.Module):
    """Labels by embedding, multiplied or joined to the latents."""

    def __init__(self, joined):
        super().__init__()
        self.joined = joined
        self.labels = nn.Embedding(4, 5)
        self.main = nn.Sequential(nn.Linear(10 if joined else 5, 48), nn.ReLU(), nn.Unflatten(1, (3, 4, 4)), nn.Tanh())

    def forward(self, z, label):
        known = self.labels(label)
        z = torch.cat((known, z), -1) if self.joined else known * z
        return self.main(z)


@pytest.mark.parametrize("how", ["trace", "script"])
@pytest.mark.parametrize("joined", [False, True])
def test_labels(tmp_path, joined, how):
    reading = assert_same_pictures(Conditional(joined), tmp_path / "a.pt", how, (5,), [3, 0, 1])
    assert reading.graph.classes == 4


def test_latents_that_the_program_reshapes_itself(tmp_path):
    class Shaping(nn.Module):
        def __init__(self):
            super().__init__()
            self.main = dcgan()

        def forward(self, z):
            return self.main(z.unsqueeze(-1).unsqueeze(3))

    assert_same_pictures(Shaping(), tmp_path / "a.pt", "trace", (5,))


def test_a_sigmoid_is_brought_to_the_pictures_range_and_an_open_end_told(tmp_path):
    net = filled(dcgan(end=nn.Sigmoid()))
    z = torch.randn(2, 5, 1, 1, dtype=torch.float64)
    graph = read(save(net, tmp_path / "a.pt", "script")).graph
    np.testing.assert_allclose(generate(graph, z[:, :, 0, 0].numpy()), 2 * net(z).detach().numpy() - 1, atol=1e-5)
    net = filled(dcgan(end=nn.Identity()))
    assert read(save(net, tmp_path / "a.pt", "script")).assumed == ("no activation at the end: taken as [-1, 1]",)


def test_a_net_traced_while_it_trained_is_refused_or_warned_of(tmp_path):
    z = torch.randn(2, 5, 1, 1)
    with pytest.raises(ParamsError, match=r"each batch's own statistics: trace it after net\.eval\(\)"):
        read(save(dcgan().train(), tmp_path / "a.pt", "trace", z))
    net = filled(dcgan(nn.Dropout(0.5)))
    net[4].train()
    assert read(save(net, tmp_path / "a.pt", "trace", z.double())).warnings == (
        "the program keeps dropout on: taken as off",
    )


@pytest.mark.parametrize(
    ("layer", "says"),
    [(nn.GELU(), "the operation torch.gelu isn't known"), (nn.Softplus(), "torch.softplus isn't known"),
     (nn.Upsample(scale_factor=1.5), "whole numbers wanted")],
)  # fmt: skip
def test_what_no_layer_does_is_named(tmp_path, layer, says):
    for how in ("trace", "script"):
        with pytest.raises(ParamsError) as error:
            read(save(filled(dcgan(layer)), tmp_path / "a.pt", how, torch.randn(2, 5, 1, 1).double()))
        assert says in str(error.value) and str(error.value).endswith(
            "; describe the network with mxgan.Wishes(layout=...)"
        )


def test_a_changed_view_is_not_taken_for_the_old_one(tmp_path):
    class Sly(nn.Module):
        def __init__(self):
            super().__init__()
            self.fc = nn.Linear(5, 48)

        def forward(self, z):
            x = self.fc(z)
            y = x.view(-1, 3, 4, 4)
            F.relu_(x)
            return y

    with pytest.raises(ParamsError, match="changes a tensor in place"):
        read(save(filled(Sly()), tmp_path / "a.pt", "trace", torch.randn(2, 5).double()))


def test_a_discriminator_is_no_generator(tmp_path):
    net = nn.Sequential(nn.Conv2d(3, 8, 3, 2, 1), nn.LeakyReLU(0.2), nn.Conv2d(8, 1, 3, 2, 1), nn.Sigmoid())
    save(filled(net), tmp_path / "a.pt", "script")
    with pytest.raises(ParamsError, match="single numbers, as a discriminator does"):
        read(tmp_path / "a.pt")
    assert sequential(load(tmp_path / "a.pt").modules[0], "a.pt") is None  # settings are in the code alone


# Programs that nobody's net has


def tampered(path, pattern: str, new: str):
    """A small archive with other text in its Sequential's code."""
    save(filled(nn.Sequential(nn.ConvTranspose2d(5, 3, 4), nn.Tanh())), path, "script")
    with zipfile.ZipFile(path) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    with zipfile.ZipFile(path, "w") as archive:
        for name, data in members.items():
            if "container" in name and name.endswith(".py"):
                data = re.sub(pattern, lambda _: new, data.decode()).encode()
                assert new.encode() in data
            archive.writestr(name, data)
    return path


@pytest.mark.parametrize(
    ("new", "says"),
    [
        ("__import__('os').system('touch harm')", "isn't known|no attributes"),
        ("eval('1')", "the operation eval isn't known"),
        ("[x for x in range(9)]", "ListComp isn't read"),
        ("(lambda: 1)()", "Lambda isn't read"),
        ("f'{1}'", "nested too deeply|isn't read"),
        ("(" * 5000 + "1" + ")" * 5000, "nested too deeply"),
        ("-" * 9000 + "1", "nested too deeply"),
        ("a" + ".b" * 9000, "nested too deeply"),
        ("a" + "()" * 9000, "nested too deeply"),
        ("1" + "*1" * 9000, "nested too deeply"),
        ("'%999999999d' % 5", "BinOp isn't read"),
        ("torch.unsqueeze(input, '%999999999d')", "an axis that isn't there"),
        ("self.forward(input)", "nested too deeply"),
        ("torch.mul(torch.mul(9999999999, 9999999999), 2)", "beyond 64 bits"),
        ("torch.view(input, [-1, 99999999999999])", "wanted"),
        ("1 +", "can't be parsed"),
        ("None", "something else than one tensor"),
    ],
)
def test_hostile_code_is_not_run(tmp_path, monkeypatch, new, says):
    monkeypatch.chdir(tmp_path)
    path = tampered(tmp_path / "a.pt", r"return \(_1\).*", f"return {new}")
    with pytest.raises(ParamsError, match=says) as error:
        read(path)
    assert str(error.value).isprintable() and len(str(error.value)) < 2000
    assert not (tmp_path / "harm").exists()


def test_a_loop_without_end_comes_to_one(tmp_path):
    path = tampered(tmp_path / "a.pt", r"return \(_1\)", "while True:\n      _9 = 1\n    return (_1)")
    with pytest.raises(ParamsError, match="takes more than 2,000,000 steps"):
        read(path)


def test_what_is_no_archive_is_refused(tmp_path):
    torch.save({"a": torch.ones(2)}, tmp_path / "a.pth")
    with pytest.raises(ParamsError, match="no TorchScript archive of a module"):
        read(tmp_path / "a.pth")
