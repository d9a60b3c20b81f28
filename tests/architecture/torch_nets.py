"""Small PyTorch generators as people build them, with weights like trained ones, and what PyTorch makes of them."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import Callable, Optional

import numpy as np
import pytest

from mxgan import pixels, sampling
from mxgan.architecture.wishes import NONE, Wishes
from mxgan.errors import in_shell

torch = pytest.importorskip("torch")
from torch import nn  # noqa: E402

PICTURES = 6


def trained(net: nn.Module, latent: int, as_map: bool = True, seed: int = 0) -> nn.Module:
    """Numbers like a trained network's: running statistics are those of what reaches each BatchNorm."""
    random = torch.Generator().manual_seed(seed)
    weighted = [module for module in net.modules() if isinstance(module, (nn.Conv2d, nn.ConvTranspose2d, nn.Linear))]
    with torch.no_grad():
        for module in weighted:
            fan = module.weight.shape[0] if isinstance(module, nn.ConvTranspose2d) else module.weight[0].numel()
            hidden = module is not weighted[-1] and not isinstance(module, nn.Linear)
            module.weight.normal_(0, 0.05 if hidden else 1.4 / fan**0.5, generator=random)
            if module.bias is not None:
                module.bias.normal_(0, 0.1, generator=random)
        for module in net.modules():
            if isinstance(module, (nn.BatchNorm2d, nn.BatchNorm1d, nn.InstanceNorm2d)) and module.affine:
                module.weight.normal_(1, 0.2, generator=random)
                module.bias.normal_(0, 0.3, generator=random)
        norms = [module for module in net.modules() if isinstance(module, (nn.BatchNorm2d, nn.BatchNorm1d))]
        for norm in norms:
            norm.momentum = None  # the mean of all batches
        for _ in range(8 if norms else 0):
            net.train()(*_inputs(net, torch.randn(64, latent, generator=random), as_map))
    return net.eval()


def _inputs(net: nn.Module, z: torch.Tensor, as_map: bool) -> tuple[torch.Tensor, ...]:
    latents = z[:, :, None, None] if as_map else z
    classes = getattr(net, "classes", None)
    return (latents,) if classes is None else (latents, torch.arange(len(z)) % classes)


def pictures(net: nn.Module, latent: int, as_map: bool = True, end: str = "tanh") -> np.ndarray:
    """PyTorch's own, uint8 (6, H, W, 3 or 4), of `latents`."""
    with torch.no_grad():
        images = net(*_inputs(net, torch.from_numpy(latents(latent)), as_map)).numpy()
    found = pixels.to_uint8(images * 2 - 1 if end == "sigmoid" else images)
    return np.repeat(found, 3, axis=-1) if found.shape[-1] == 1 else found


def latents(size: int) -> np.ndarray:
    return np.random.default_rng(5).standard_normal((PICTURES, size)).astype(np.float32)


def read(
    path: Path, wishes: Wishes = NONE, engine: str = "pytorch"
) -> tuple[sampling.Generator, np.ndarray, list[str]]:
    """The generator that mxgan finds in a file, its pictures, and what it warns of besides what it says it guessed."""
    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always")
        generator = sampling.load_generator(path, engine, "cpu", wishes=wishes)
    labels = None if generator.classes is None else np.arange(PICTURES) % generator.classes
    said = [in_shell(one.message) for one in told if issubclass(one.category, UserWarning)]
    assert said == [f"{path}: {text}" for text in generator.read.cautions]
    said = [f"{path}: {text}" for text in generator.read.warnings]
    return generator, generator.generate(latents(generator.latent), labels), said


def assert_same(found: np.ndarray, wanted: np.ndarray) -> None:
    """At most one grey level apart."""
    assert found.shape == wanted.shape
    assert np.abs(found.astype(int) - wanted).max() <= 1


def stack(
    latent: int = 24,
    widths: tuple[int, ...] = (24, 16, 12),
    channels: int = 3,
    act: Callable[[], nn.Module] = nn.ReLU,
    eps: float = 1e-5,
    biases: str = "none",
    end: Optional[nn.Module] = None,
) -> nn.Sequential:
    """A DCGAN: 4 pixels, then doubled by each layer. ``biases``: none, all, last, or all but the last."""
    layers: list[nn.Module] = []
    for i, (a, b) in enumerate(zip((latent, *widths), (*widths, channels))):
        last = i == len(widths)
        bias = biases == "all" or ((biases == "last") == last and biases in ("last", "all but the last"))
        layers.append(nn.ConvTranspose2d(a, b, 4, 2 if i else 1, 1 if i else 0, bias=bias))
        if not last:
            layers += [nn.BatchNorm2d(b, eps), act()]
    return nn.Sequential(*layers, end or nn.Tanh())


class Main(nn.Module):
    """A Sequential called main, as pytorch/examples has it."""

    def __init__(self, *layers: nn.Module) -> None:
        super().__init__()
        self.main = nn.Sequential(*layers)

    def forward(self, z: torch.Tensor) -> torch.Tensor:
        return self.main(z)


class Projected(nn.Module):
    """A Linear layer, a reshape, then ``body``."""

    def __init__(self, latent: int, start: tuple[int, int, int], body: nn.Module, norm: bool = False) -> None:
        super().__init__()
        self.start = start
        self.l1 = nn.Sequential(nn.Linear(latent, int(np.prod(start))))
        if norm:
            self.l1.append(nn.BatchNorm1d(int(np.prod(start))))
            self.l1.append(nn.ReLU())
        self.conv_blocks = body

    def forward(self, z: torch.Tensor) -> torch.Tensor:
        return self.conv_blocks(self.l1(z).view(len(z), *self.start))


class Labelled(nn.Module):
    """A label's vector times the latents, or beside them (first or last), then a DCGAN."""

    def __init__(self, how: str, latent: int = 20, classes: int = 5, features: int = 8) -> None:
        super().__init__()
        self.classes, self.how = classes, how
        self.label_emb = nn.Embedding(classes, latent if how == "times" else features)
        self.net = stack(latent if how == "times" else latent + features)

    def forward(self, z: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
        vector = self.label_emb(labels)[:, :, None, None]
        if self.how == "times":
            return self.net(z * vector)
        return self.net(torch.cat([vector, z] if self.how == "first" else [z, vector], 1))


class Discriminator(nn.Module):
    """Of a kind that mxgan can't convert: spectral norm, InstanceNorm, a Linear end."""

    def __init__(self, channels: int = 3, size: int = 32) -> None:
        super().__init__()
        self.features = nn.Sequential(
            nn.utils.spectral_norm(nn.Conv2d(channels, 8, 4, 2, 1)),
            nn.LeakyReLU(0.2),
            nn.Conv2d(8, 12, 4, 2, 1),
            nn.InstanceNorm2d(12, affine=True),
            nn.LeakyReLU(0.2),
        )
        self.classifier = nn.Linear(12 * (size // 4) ** 2, 1)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.classifier(self.features(x).flatten(1))
