"""TorchScript programs of conditional generators: how long the latents and a one-hot label are."""

import warnings
import zipfile

import numpy as np
import pytest

from mxgan.architecture.torchscript import read
from mxgan.errors import ParamsError
from mxgan.graph.forward import generate

torch = pytest.importorskip("torch")
import torch.nn.functional as F  # noqa: E402
from torch import nn  # noqa: E402

LABELS = [3, 0, 1]


def rest(*shape):
    """From features to pictures (2, 4, 4)."""
    return nn.Sequential(nn.Linear(shape[0], 32), nn.ReLU(), nn.Unflatten(1, (2, 4, 4)), nn.Tanh())


class Beside(nn.Module):
    """The label's embedding beside the latents, as maps of one pixel."""

    def __init__(self):
        super().__init__()
        self.embed = nn.Embedding(4, 3)
        self.net = nn.Sequential(nn.ConvTranspose2d(8, 3, 4), nn.BatchNorm2d(3), nn.Tanh())

    def forward(self, z, label):
        return self.net(torch.cat([z, self.embed(label).unsqueeze(2).unsqueeze(3)], 1))


class Upsampled(nn.Module):
    """The same, made larger before the first layer, and the label first."""

    def __init__(self):
        super().__init__()
        self.embed = nn.Embedding(4, 3)
        self.net = nn.Sequential(nn.Upsample(scale_factor=4), nn.Conv2d(8, 3, 3, padding=1), nn.Tanh())

    def forward(self, label, z):
        return self.net(torch.cat([self.embed(label), z], 1).view(-1, 8, 1, 1))


class Branches(nn.Module):
    """Latents and a one-hot label through layers of their own."""

    def __init__(self):
        super().__init__()
        self.one, self.other = nn.ConvTranspose2d(5, 4, 4), nn.ConvTranspose2d(4, 4, 4)
        self.last = nn.Conv2d(8, 3, 3, padding=1)

    def forward(self, z, label):
        x = F.relu(self.one(z))
        return torch.tanh(self.last(torch.cat([x, F.relu(self.other(label[:, :, None, None]))], 1)))


class Mapped(nn.Module):
    """A one-hot label through a Linear, beside the latents."""

    def __init__(self):
        super().__init__()
        self.label, self.main = nn.Linear(4, 6), rest(11)

    def forward(self, z, y):
        return self.main(torch.cat([z, self.label(y)], 1))


class Joined(nn.Module):
    """A one-hot label beside the latents: their lengths are nowhere in it."""

    def __init__(self):
        super().__init__()
        self.main = rest(9)

    def forward(self, z, label):
        return self.main(torch.cat([z, label], 1))


class Swapped(Joined):
    def forward(self, classes, noise):
        return self.main(torch.cat([noise, classes], 1))


def saved(net, path, how, *inputs):
    """The net as a program, in float64."""
    torch.manual_seed(0)
    net.double().eval()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        program = torch.jit.script(net) if how == "script" else torch.jit.trace(net, inputs)
        torch.jit.save(program, path)
    return path


def assert_same_pictures(net, path, how, shape, one_hot, label_first=False):
    """The graph of a saved program gives what the net gives, for 4 classes and 5 latents. Returns the reading."""
    z = torch.from_numpy(np.random.default_rng(0).normal(size=(3, *shape)))
    label = F.one_hot(torch.tensor(LABELS), 4).double() if one_hot else torch.tensor(LABELS)
    given = (label, z) if label_first else (z, label)
    reading = read(saved(net, path, how, *given))
    assert (reading.graph.latent, reading.graph.classes) == (5, 4)
    with torch.no_grad():
        y = net(*given).numpy()
    np.testing.assert_allclose(generate(reading.graph, z.numpy().reshape(3, 5), np.array(LABELS)), y, atol=1e-6)
    return reading


@pytest.mark.parametrize("how", ["trace", "script"])
def test_an_embedding_beside_the_latents(tmp_path, how):
    assert assert_same_pictures(Beside(), tmp_path / "a.pt", how, (5, 1, 1), False).assumed == ()
    assert_same_pictures(Upsampled(), tmp_path / "a.pt", how, (5,), False, label_first=True)


@pytest.mark.parametrize("how", ["trace", "script"])
def test_a_one_hot_label_through_layers_of_its_own(tmp_path, how):
    reading = assert_same_pictures(Branches(), tmp_path / "a.pt", how, (5, 1, 1), True)
    assert reading.assumed == ("label is a label as a one-hot vector",)
    reading = assert_same_pictures(Mapped(), tmp_path / "a.pt", how, (5,), True)
    assert reading.assumed == ("y is a label as a one-hot vector",)


def test_a_one_hot_label_beside_the_latents_by_what_the_program_was_traced_with(tmp_path):
    assert_same_pictures(Joined(), tmp_path / "a.pt", "trace", (5,), True)
    reading = assert_same_pictures(Swapped(), tmp_path / "a.pt", "trace", (5,), True, label_first=True)
    assert reading.assumed == ("classes is a label as a one-hot vector",)


def without(path, name, data=None):
    """The archive without a member, or with other bytes in it."""
    with zipfile.ZipFile(path) as archive:
        members = {member: archive.read(member) for member in archive.namelist()}
    with zipfile.ZipFile(path, "w") as archive:
        for member, old in members.items():
            if not member.endswith(name):
                archive.writestr(member, old)
            elif data is not None:
                archive.writestr(member, data)
    return path


def test_lengths_that_nothing_tells_are_refused(tmp_path):
    z, label = torch.zeros(2, 5).double(), torch.zeros(2, 4).double()
    path = without(saved(Joined(), tmp_path / "a.pt", "trace", z, label), "traced_inputs.pkl")
    with pytest.raises(ParamsError, match="label, a label as a one-hot vector, come to 9 numbers together"):
        read(path)


@pytest.mark.parametrize("first", [False, True])
def test_latents_and_label_side_by_side_are_parted_by_the_running_statistics(tmp_path, first):
    class Normed(nn.Module):
        def __init__(self):
            super().__init__()
            self.main = nn.Sequential(nn.ConvTranspose2d(26, 64, 4), nn.BatchNorm2d(64), nn.ReLU(), nn.Conv2d(64, 3, 1))

        def forward(self, z, label):
            return torch.tanh(self.main(torch.cat([z, label], 1).view(-1, 26, 1, 1)))

    class First(Normed):
        def forward(self, label, z):
            return torch.tanh(self.main(torch.cat([label, z], 1)[:, :, None, None]))

    torch.manual_seed(0)
    net = First() if first else Normed()
    with torch.no_grad():
        for _ in range(60):
            given = torch.randn(32, 16), F.one_hot(torch.randint(0, 10, (32,)), 10).float()
            net.train()(*(given[::-1] if first else given))
    reading = read(saved(net, tmp_path / "a.pt", "script"))
    assert (reading.graph.latent, reading.graph.classes) == (16, 10)
    assert reading.assumed == ("label is a label as a one-hot vector", "10 classes, as its running statistics say")
    z, label = torch.randn(2, 16).double(), F.one_hot(torch.tensor([7, 0]), 10).double()
    with torch.no_grad():
        y = net(*((label, z) if first else (z, label))).numpy()
    np.testing.assert_allclose(generate(reading.graph, z.numpy(), np.array([7, 0])), y, atol=1e-6)


def test_damaged_inputs_are_refused_and_strange_ones_passed_over(tmp_path):
    z, label = torch.zeros(2, 5, 1, 1).double(), torch.zeros(2, 4).double()
    path = saved(Branches(), tmp_path / "a.pt", "trace", z, label)
    for data in (b"\x80\x02N.", b"\x80\x02K\x01K\x02\x86.", b"\x80\x02}X\x07\x00\x00\x00forwardK\x01s."):
        assert read(without(path, "traced_inputs.pkl", data)).graph.classes == 4
    for data in (b"", b"\x80\x02K\x01Q.", b"\x80\x02(X\x01\x00\x00\x00atQ."):
        with pytest.raises(ParamsError, match="damaged or cut short"):
            read(without(path, "traced_inputs.pkl", data))


@pytest.mark.parametrize("name", ["noise2", "text_embedding", "w"])
def test_another_vector_is_no_label(tmp_path, name):
    """5 latents and 6 numbers: too many for a label without a name."""
    net = type("Two", (nn.Module,), {})()
    net.start, net.other, net.end = nn.Linear(5, 4), nn.Linear(6, 4), rest(4)
    code = f"def forward(self, z, {name}):\n    return self.end(self.start(z) + self.other({name}))"
    scope = {}
    exec(code, scope)
    type(net).forward = scope["forward"]
    path = saved(net, tmp_path / "a.pt", "trace", torch.zeros(2, 5).double(), torch.zeros(2, 6).double())
    with pytest.raises(ParamsError, match=f"it takes {name} of 6 numbers beside the latents, which is not a label"):
        read(path)


def test_a_length_that_the_program_asserts(tmp_path):
    class Asserting(nn.Module):
        def __init__(self):
            super().__init__()
            self.main = rest(5)

        def forward(self, z):
            assert z.shape[1] == 5
            return self.main(z)

    assert read(saved(Asserting(), tmp_path / "a.pt", "script")).graph.latent == 5
