"""Small files that would ask for much: what opening them may cost is bounded."""

import subprocess
import sys

import pytest

torch = pytest.importorskip("torch")
import torch_nets as nets  # noqa: E402
from torch import nn  # noqa: E402

OPEN = """
import resource, sys
resource.setrlimit(resource.RLIMIT_AS, (4 << 30, 4 << 30))
from mxgan.architecture import networks
from mxgan.errors import MxganError
try:
    print(networks.generator(sys.argv[1]).source)
except MxganError as error:
    print(error)
"""


def deep(doublings: int) -> nn.Sequential:
    """So many doublings of 4 pixels, whose first running statistics are right: the rest are read as they were."""
    rows = [(8, 16, 4, 1, 0), *[(16, 16, 4, 2, 1)] * doublings]
    layers = [one for row in rows for one in (nn.ConvTranspose2d(*row), nn.BatchNorm2d(16), nn.ReLU())]
    net = nn.Sequential(*layers, nn.ConvTranspose2d(16, 3, 4, 2, 1, bias=False))
    nets.trained(net[:9], 8)
    return net


@pytest.mark.slow
@pytest.mark.parametrize("doublings", [8, 12])
def test_many_doublings_take_no_more_memory_than_pictures_that_can_be_made(tmp_path, doublings):
    torch.save(deep(doublings).state_dict(), tmp_path / "netG.pth")
    assert (tmp_path / "netG.pth").stat().st_size < 300_000
    command = [sys.executable, "-c", OPEN, str(tmp_path / "netG.pth")]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr[-300:]


@pytest.mark.parametrize("kind", ["hook", "parametrization"])
def test_spectral_norm_of_as_many_channels_as_go_in(tmp_path, kind):
    torch.manual_seed(0)
    norm = nn.utils.spectral_norm if kind == "hook" else nn.utils.parametrizations.spectral_norm
    made = nets.stack(24, (24, 16, 12), biases="last")
    net = nn.Sequential(*(norm(one) if isinstance(one, nn.ConvTranspose2d) else one for one in made))
    random = torch.Generator().manual_seed(0)
    for settled in (False, True):  # u and v first, then the running statistics
        for module in net.modules():
            if settled and isinstance(module, nn.BatchNorm2d):
                module.reset_running_stats()
                module.momentum = None
        for _ in range(30):
            net.train()(torch.randn(64, 24, 1, 1, generator=random))
    torch.save(net.eval().state_dict(), tmp_path / "netG.pth")
    nets.assert_same(nets.read(tmp_path / "netG.pth")[1], nets.pictures(net, 24))
