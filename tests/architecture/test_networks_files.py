"""A generator among other things in a file, and a generator in every form of file: PyTorch's own pictures come out."""

import copy

import pytest

torch = pytest.importorskip("torch")
import torch_nets as nets  # noqa: E402
from torch import nn  # noqa: E402

from mxgan import sampling  # noqa: E402
from mxgan.architecture import networks  # noqa: E402
from mxgan.architecture.wishes import Wishes  # noqa: E402
from mxgan.errors import MxganError, ParamsError  # noqa: E402

LATENT = 24


def generator(seed=0, **how):
    return nets.trained(nets.Main(*nets.stack(**{"biases": "last", **how})), LATENT, seed=seed)


def prefixed(prefix, net):
    return {f"{prefix}{name}": array for name, array in net.state_dict().items()}


def adam(net):
    """An optimizer's state after a step: as many arrays as the network has, twice."""
    made = torch.optim.Adam(net.parameters(), lr=1e-3)
    net.train()(torch.randn(4, LATENT, 1, 1)).sum().backward()
    made.step()
    return made.state_dict()


def beside_a_discriminator(netG):
    return {"netG": netG.state_dict(), "netD": nets.Discriminator().state_dict()}


FILES = {
    "a state dict": lambda netG: netG.state_dict(),
    "module. before every name": lambda netG: prefixed("module.", netG),
    "beside a discriminator that isn't known": beside_a_discriminator,
    "the discriminator first": lambda netG: dict(reversed(beside_a_discriminator(netG).items())),
    "with an optimizer's state": lambda netG: {
        "epoch": 3, "generator": netG.state_dict(), "optimizer": adam(copy.deepcopy(netG))},
    "as Lightning has it": lambda netG: {
        "epoch": 1, "pytorch-lightning_version": "1.9.0",
        "state_dict": {**prefixed("generator.", netG), **prefixed("discriminator.", nets.Discriminator())},
        "optimizer_states": [adam(copy.deepcopy(netG))]},
    "as DataParallel of both": lambda netG: {
        "g": prefixed("module.", netG), "d": prefixed("module.", nets.Discriminator())},
    "deeper in the file": lambda netG: {"model": beside_a_discriminator(netG)},
}  # fmt: skip


@pytest.mark.parametrize("kind", FILES)
def test_a_generator_in_any_company(tmp_path, kind):
    netG = generator()
    wanted = nets.pictures(netG, LATENT)
    torch.save(FILES[kind](netG), tmp_path / "a.pth")
    _, found, warned = nets.read(tmp_path / "a.pth")
    nets.assert_same(found, wanted)
    assert warned == []


@pytest.mark.parametrize("name", ["G_ema", "ema_generator", "g_avg", "netG_average"])
def test_of_two_generators_the_moving_average_is_used_and_it_is_said(tmp_path, name):
    plain, ema = generator(seed=1), generator(seed=2)
    torch.save({"G": plain.state_dict(), name: ema.state_dict()}, tmp_path / "a.pth")
    found, pictures, _ = nets.read(tmp_path / "a.pth")
    nets.assert_same(pictures, nets.pictures(ema, LATENT))
    assert f"{name}.main is used, a moving average; the file holds G.main too" in found.read.told[0]


def test_of_two_generators_that_nothing_tells_apart_neither_is_used(tmp_path):
    torch.save({"A": generator(seed=1).state_dict(), "B": generator(seed=2).state_dict()}, tmp_path / "a.pth")
    with pytest.raises(ParamsError, match=r"holds 2 generators.* A\S*, B"):
        networks.generator(tmp_path / "a.pth")


def test_a_discriminator_alone_is_no_generator(tmp_path):
    torch.save(nets.Discriminator().state_dict(), tmp_path / "a.pth")
    with pytest.raises(ParamsError, match=r"a\.pth: no"):
        networks.generator(tmp_path / "a.pth")


WHOLE = {
    "a Sequential": lambda: nets.stack(act=lambda: nn.LeakyReLU(0.1), eps=0.8, end=nn.Sigmoid()),
    "a Sequential in a class of its own": lambda: nets.Main(*nets.stack(act=nn.ELU, biases="all")),
    "blocks in blocks": lambda: nn.Sequential(
        nn.Sequential(*nets.stack(end=nn.SELU())), nn.Sequential(nn.Conv2d(3, 1, 5, 1, 2), nn.Tanh())),
}  # fmt: skip


@pytest.mark.parametrize("form", ["whole", "traced", "scripted", "onnx"])
@pytest.mark.parametrize("case", WHOLE)
def test_forms_that_say_their_graph(tmp_path, case, form):
    net = nets.trained(WHOLE[case](), LATENT)
    path, example = tmp_path / f"net.{'onnx' if form == 'onnx' else 'pt'}", torch.zeros(2, LATENT, 1, 1)
    if form == "whole":
        torch.save(net, path)
    elif form == "traced":
        torch.jit.trace(net, example).save(str(path))
    elif form == "scripted":
        torch.jit.script(net).save(str(path))
    else:
        pytest.importorskip("onnx")
        names = {"input_names": ["z"], "output_names": ["images"], "dynamic_axes": {"z": {0: "n"}, "images": {0: "n"}}}
        torch.onnx.export(net, example, str(path), opset_version=17, dynamo=False, **names)
    found, pictures, warned = nets.read(path)
    end = "sigmoid" if isinstance(list(net.modules())[-1], nn.Sigmoid) else "tanh"
    nets.assert_same(pictures, nets.pictures(net, LATENT, end=end))
    assert warned == []
    if form != "whole" or case == "a Sequential":
        assert found.read.assumed == ()
    for wish in ({"activation": "relu"}, {"output": "none"}, {"eps": 1e-5}, {"size": 64}):
        if found.read.assumed == ():
            with pytest.raises(MxganError, match=f"^{next(iter(wish))}: "):
                networks.generator(path, Wishes(**wish))


class Unsure(nn.Module):
    """Holds its layers in an order, and with activations, that only its forward tells."""

    def __init__(self):
        super().__init__()
        self.conv1 = nn.ConvTranspose2d(LATENT, 16, 4, 1, 0)
        self.conv2 = nn.ConvTranspose2d(16, 3, 5, 2, 2, 1)
        self.norm1 = nn.BatchNorm2d(16, 1e-3)
        self.act = nn.LeakyReLU(0.3)

    def forward(self, z):
        return torch.tanh(self.conv2(self.act(self.norm1(self.conv1(z)))))


def test_a_module_of_its_own_class_says_its_layers_settings_and_the_rest_is_assumed(tmp_path):
    net = nets.trained(Unsure(), LATENT)
    torch.save(net, tmp_path / "net.pth")
    found, pictures, warned = nets.read(tmp_path / "net.pth")
    nets.assert_same(pictures, nets.pictures(net, LATENT))
    assert (found.image_size, warned) == (8, [])
    assert found.read.told[0].startswith("the network: the module in ")
    assert "assumed: tanh at the end" in found.read.told[0]


def test_every_engine_makes_the_same_pictures(tmp_path):
    net = generator(act=lambda: nn.LeakyReLU(0.2))
    torch.save(net.state_dict(), tmp_path / "a.pth")
    tried = 0
    for engine in ("mxnet", "pytorch", "onnx"):
        try:
            sampling.load_generator(tmp_path / "a.pth", engine, "cpu")
        except ImportError:
            continue
        nets.assert_same(nets.read(tmp_path / "a.pth", engine=engine)[1], nets.pictures(net, LATENT))
        tried += 1
    assert tried
