"""One frozen dataclass says what a run is; a recipe fills in what the user left open."""

from __future__ import annotations

import dataclasses
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Optional

from mxgan.errors import MxganError

ENGINES = ("auto", "mxnet", "pytorch")
FITS = ("crop", "squash")
SIZES = (32, 64, 128)
PRECISIONS = ("float32", "tf32", "bfloat16")
LIMITS = {  # far above what is of use, below what a slip of the finger would ask of the memory
    "epochs": 10**9, "steps": 10**12, "batch_size": 65536, "ngf": 1024, "ndf": 1024, "latent": 65536, "threads": 1024,
}  # fmt: skip


@dataclass(frozen=True)
class Recipe:
    """What one published build of the DCGAN fixes. Adam's settings and the losses are common to all."""

    source: str
    latent: int
    bias: bool  # do the convolutions have one?
    first_norm: bool  # BatchNorm after netD's first convolution?
    init: str  # "normal": Normal(0.02); "uniform": PyTorch's default, ±1/√fan
    fresh_latents: bool  # does the G step draw its own latents, or use the D step's?
    batch_size: int
    epochs: int
    lr: float = 2e-4
    beta1: float = 0.5
    beta2: float = 0.999


RECIPES = {
    "gluon-tutorial": Recipe(
        "the MXNet Gluon DCGAN tutorial",
        latent=150, bias=True, first_norm=False, init="normal", fresh_latents=False, batch_size=64, epochs=10,
    ),
    "pytorch-anime": Recipe(
        "the PyTorch anime-face notebooks",
        latent=128, bias=False, first_norm=True, init="uniform", fresh_latents=True, batch_size=128, epochs=25,
    ),
    "pytorch-celeba": Recipe(
        "the PyTorch CelebA notebook",
        latent=128, bias=False, first_norm=True, init="uniform", fresh_latents=True, batch_size=128, epochs=25,
    ),
}  # fmt: skip
DEFAULT_RECIPE = "gluon-tutorial"


@dataclass(frozen=True)
class TrainConfig:
    """A training run. ``None`` means the recipe's value (`resolve` fills it in).

    Raises MxganError, naming the setting and what it may be, when a value makes no sense.
    """

    data: str = "painted"  # painted[:N], a folder of images, or a packed file
    recipe: str = DEFAULT_RECIPE
    engine: str = "auto"
    ctx: str = "auto"
    epochs: Optional[int] = None  # passes over the data; or
    steps: Optional[int] = None  # updates of each network
    batch_size: Optional[int] = None
    size: int = 64  # pixels on a side
    ngf: int = 64  # netG's channels before the last layer
    ndf: int = 64  # netD's channels after the first
    latent: Optional[int] = None
    fit: str = "crop"
    threads: Optional[int] = None  # None: every core this process may use
    seed: int = 0
    out: Optional[str] = None  # the run directory; None: a new one under runs/
    checkpoint_minutes: float = 10.0  # at most so long between two checkpoints; one is made at each epoch anyway
    weights: Optional[str] = None  # start netG from this file instead of drawing its weights
    plain: bool = False  # compute every step as the tutorial writes it: the same mathematics, slower
    precision: str = "tf32"  # of PyTorch's convolutions in training; tf32 is CUDA's alone, float32 elsewhere
    deterministic: bool = False  # PyTorch on CUDA: the same bits in every run, slower; the CPU always is so

    def __post_init__(self) -> None:
        _one_of("recipe", self.recipe, RECIPES)
        _one_of("engine", self.engine, ENGINES)
        _one_of("fit", self.fit, FITS)
        _one_of("size", self.size, SIZES)
        _one_of("precision", self.precision, PRECISIONS)
        parse_ctx(self.ctx)
        for name, most in LIMITS.items():
            value = getattr(self, name)
            if value is not None and (not isinstance(value, int) or not 1 <= value <= most):
                raise MxganError(f"{name} {value!r}: a whole number from 1 to {most}")
        if self.epochs is not None and self.steps is not None:
            raise MxganError(f"epochs {self.epochs} and steps {self.steps}: give one of the two")
        if not isinstance(self.checkpoint_minutes, (int, float)) or not self.checkpoint_minutes > 0:
            raise MxganError(f"checkpoint_minutes {self.checkpoint_minutes!r}: a number above 0")
        if not 0 <= self.seed < 2**63:
            raise MxganError(f"seed {self.seed}: a whole number from 0 to {2**63 - 1}")

    @property
    def settings(self) -> Recipe:
        """What the recipe fixes."""
        return RECIPES[self.recipe]


def resolve(config: TrainConfig) -> TrainConfig:
    """The same run with every value that the recipe supplies written out."""
    recipe = config.settings
    return dataclasses.replace(
        config,
        epochs=recipe.epochs if config.epochs is None and config.steps is None else config.epochs,
        batch_size=recipe.batch_size if config.batch_size is None else config.batch_size,
        latent=recipe.latent if config.latent is None else config.latent,
    )


def parse_ctx(ctx: str) -> tuple[str, int]:
    """``auto``, ``cpu``, ``gpu`` or ``gpu:N`` as (kind, number). Raises MxganError for anything else."""
    kind, colon, number = ctx.partition(":")
    if kind in ("auto", "cpu") and not colon:
        return kind, 0
    if kind == "gpu" and (not colon or (number.isascii() and number.isdigit())):
        return kind, int(number or 0)
    raise MxganError(f"ctx {ctx!r}: one of auto, cpu, gpu, gpu:N")


def to_json(config: TrainConfig) -> dict[str, Any]:
    """The configuration and, beside it, what its recipe fixes, as JSON values."""
    return {**dataclasses.asdict(config), "recipe_settings": dataclasses.asdict(config.settings)}


def load(path: Path) -> TrainConfig:
    """Read back what `to_json` gave, from a run's config.json. Raises MxganError if it isn't one."""
    try:
        values = json.loads(Path(path).read_text(encoding="utf-8"))
        known = {field.name for field in dataclasses.fields(TrainConfig)}
        return TrainConfig(**{name: value for name, value in values.items() if name in known})
    except (OSError, UnicodeDecodeError, ValueError, TypeError, AttributeError) as error:
        raise MxganError(f"{path}: not a run's configuration ({error})") from error


def _one_of(name: str, value: Any, known: Any) -> None:
    if value not in known:
        raise MxganError(f"{name} {value!r}: one of {', '.join(map(str, known))}")
