"""From latents to pictures, with the generator in any weights file or run directory."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from mxgan import engines, pixels, plots, rng
from mxgan.errors import MxganError
from mxgan.weights import check_finite, load_net

GRID = 1024  # pictures in a grid at most: nobody can look at more, and the grid must fit into memory
BATCH = 64  # pictures made at once, so that memory doesn't grow with n
RUN_WEIGHTS = (
    "netG-best.params",
    "netG-ema.params",
    "netG.params",
)  # in a run directory; the first that exists is used


@dataclass(frozen=True)
class Generator:
    """A trained netG in inference mode: a latent gives the same picture in any batch."""

    forward: Callable[[np.ndarray], np.ndarray]  # float32 (n, latent) to float32 (n, 3, H, W) in [-1, 1]
    latent: int
    image_size: int
    engine: str
    why: str = ""  # which engine, where, and why that one, in a line
    file: Path | None = None  # the weights file
    ctx: str = "cpu"  # where the engine computes

    def generate(self, z: np.ndarray) -> np.ndarray:
        """Latents, float (n, latent), to images, uint8 (n, H, W, 3). Raises MxganError for another shape."""
        z = np.asarray(z, np.float32)
        if z.ndim != 2 or z.shape[1] != self.latent:
            raise MxganError(f"latents of shape {z.shape}: this generator takes (n, {self.latent})")
        images = np.empty((len(z), self.image_size, self.image_size, 3), np.uint8)
        for first in range(0, len(z), BATCH):
            images[first : first + BATCH] = pixels.to_uint8(self.forward(z[first : first + BATCH]))  # grey fills all 3
        return images

    def sample(self, n: int, seed: int = 0) -> np.ndarray:
        """The first n pictures of ``seed``, uint8 (n, H, W, 3): those of ``mxgan generate --n n --seed seed``."""
        return np.concatenate([*self.batches(n, seed), self.generate(np.empty((0, self.latent)))])

    def batches(self, n: int, seed: int = 0) -> Iterator[np.ndarray]:
        """The pictures of `sample`, at most `BATCH` at a time."""
        for first in range(0, n, BATCH):
            yield self.generate(rng.samples(seed, first, min(BATCH, n - first), self.latent))


def load_generator(
    path: str | Path, engine: str = "auto", ctx: str = "auto", allow_nonfinite: bool = False
) -> Generator:
    """The generator in a weights file (.params of any era, .npz, .safetensors, .pth) or a run directory.

    ``engine``: auto (the first installed of mxnet, pytorch, onnx that runs on ctx), or one of these.
    Raises ParamsError if the file isn't a generator or (unless ``allow_nonfinite``) holds NaN or infinity; MxganError
    or ImportError if the engine can't run here or not on this ctx.
    """
    file = weights_file(path)
    net = load_net(file, "generator")
    if not allow_nonfinite:
        check_finite(net, file)
    choice = engines.choose_generator(engine, ctx)
    why = f"engine {choice.engine} on {choice.ctx}: {choice.why}"
    assert net.latent is not None  # a generator has it
    return Generator(engines.forward_of(choice, net), net.latent, net.image_size, choice.engine, why, file, choice.ctx)


def weights_file(path: str | Path) -> Path:
    """``path`` itself; for a run directory its best generator, else the EMA, else the newest.

    Raises MxganError for a folder without any.
    """
    path = Path(path)
    if not path.is_dir():
        return path
    for name in RUN_WEIGHTS:
        if (path / name).exists():
            return path / name
    if (path / "config.json").exists():
        raise MxganError(f"{path}: this run has no weights yet; they come with the end of its first epoch")
    raise MxganError(f"{path}: no netG.params in this folder; give a weights file or a run directory")


def save(generator: Generator, n: int, seed: int, out: str | Path, each: str | Path | None = None) -> None:
    """Write a grid of n pictures (the first `GRID` of them) to ``out``, and each picture into the folder ``each``.

    The single files are named by seed and index: seed0000-000000.png. Raises MxganError if they can't be written.
    """
    out = Path(out)
    if out.suffix.lower() != ".png":
        raise MxganError(f"--out {out}: pictures are written as .png; give a name that ends so")
    if out.is_dir():
        raise MxganError(f"--out {out}: a folder is there; give a file's name")
    if not out.parent.is_dir():
        raise MxganError(f"--out {out}: there is no folder {out.parent}; make it first")
    if each is not None:
        try:
            Path(each).mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise MxganError(f"--each {each}: can't be made ({error.strerror})") from error
    shown: list[np.ndarray] = []
    for batch, images in enumerate(generator.batches(n, seed)):
        if batch * BATCH < GRID:
            shown.append(images)
        if each is not None:
            for index, image in enumerate(images, batch * BATCH):
                plots.save_png(Path(each) / f"seed{seed:04d}-{index:06d}.png", image)
    plots.save_png(out, plots.grid(np.concatenate(shown)))
