"""What a run is: `TrainConfig` is what was asked for, `RunConfig` what it comes to with the recipe's values."""

from __future__ import annotations

import dataclasses
import json
import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Optional

from mxgan import checks
from mxgan.errors import MxganError, SettingError
from mxgan.recipes import DEFAULT_RECIPE, RECIPES

ENGINES = ("auto", "mxnet", "pytorch")
FITS = ("crop", "squash")
SIZES = (32, 64, 128)
PRECISIONS = ("float32", "tf32", "bfloat16")
INITS = ("normal", "uniform", "smooth")
LOSSES = ("bce", "hinge")
AUGMENTS = ("color", "translation", "cutout")  # in the order that they are applied in
OPTIONS = (  # of training, beyond what the published builds have; a recipe may set them, and the user
    "init", "lr_g", "lr_d", "loss", "label_smoothing", "spectral_norm", "augment", "flip", "ema", "ema_rampup",
    "finish",
)  # fmt: skip
LIMITS = {  # far above what is of use, below what a slip of the finger would ask of the memory
    "epochs": 10**9, "steps": 10**12, "batch_size": 65536, "ngf": 1024, "ndf": 1024, "latent": 65536, "threads": 1024,
}  # fmt: skip


@dataclass(frozen=True)
class TrainConfig:
    """A training run as it is asked for. ``None`` leaves a value to the recipe.

    - ``data``: painted[:N], a folder, an archive or another file of images (see `mxgan.faces.sources`)
    - ``recipe``: the build of the DCGAN whose values hold where none is given
    - ``engine``: auto, mxnet or pytorch; ``ctx``: where it computes: auto, cpu, gpu, gpu:N or mps
    - ``epochs``: passes over the data; or ``steps``: updates of each network
    - ``batch_size``: faces in a step; ``size``: pixels on a side, 32, 64 or 128
    - ``ngf``: netG's channels before the last layer; ``ndf``: netD's channels after the first
    - ``latent``: how many numbers a latent has
    - ``fit``: pictures that aren't square are cut (crop) or pressed (squash)
    - ``unique``: leave out duplicates and near duplicates
    - ``threads``: None is every core that this process may use
    - ``seed``: of every random number
    - ``out``: the run directory; None is a new one under runs/
    - ``checkpoint_minutes``: at most so long between two checkpoints; one is made at each epoch anyway
    - ``evaluate_every``: steps; the first end of an epoch from there on is scored, as a finish's is; 0 is never
    - ``tensorboard``: write the log's numbers and the samples for TensorBoard too
    - ``weights``: start netG from this file instead of drawing its weights
    - ``plain``: compute every step as the tutorial writes it: the same mathematics, slower
    - ``precision``: of PyTorch's convolutions in training: float32, bfloat16, or tf32 on CUDA (float32 elsewhere)
    - ``deterministic``: PyTorch on CUDA gives the same bits in every run, slower; the CPU always does
    - ``sync_batchnorm``: under torchrun, BatchNorm counts the faces of all processes as one batch
    - ``init``: how weights start: normal, uniform or smooth
    - ``lr_g``, ``lr_d``: Adam's learning rates for netG and netD
    - ``loss``: bce (binary cross entropy) or hinge (Lim & Ye 2017, arXiv:1705.02894)
    - ``label_smoothing``: netD is told that real faces are real by 1 minus this; bce alone
    - ``spectral_norm``: of netD's convolutions (Miyato et al. 2018, arXiv:1802.05957)
    - ``augment``: DiffAugment's parts, of color,translation,cutout; "" is none (see `mxgan.recipe.augment`)
    - ``flip``: is every second real face mirrored, by chance?
    - ``ema``: half-life of netG's moving average, in images; 0 is none
    - ``ema_rampup``: that half-life is at most this share of the images seen so far
    - ``finish``: the share of the steps that are the run's end, where it comes to rest; 0 is none (see
      `mxgan.recipe.finish`)

    NumPy's numbers are taken as Python's, and 2.0 as 2.
    Raises MxganError, naming the setting and what it may be, when a value makes no sense.
    """

    data: str = "painted"
    recipe: str = DEFAULT_RECIPE
    engine: str = "auto"
    ctx: str = "auto"
    epochs: Optional[int] = None
    steps: Optional[int] = None
    batch_size: Optional[int] = None
    size: int = 64
    ngf: Optional[int] = None
    ndf: Optional[int] = None
    latent: Optional[int] = None
    fit: str = "crop"
    unique: bool = False
    threads: Optional[int] = None
    seed: int = 0
    out: Optional[str] = None
    checkpoint_minutes: float = 10.0
    evaluate_every: int = 100
    tensorboard: bool = False
    weights: Optional[str] = None
    plain: bool = False
    precision: str = "tf32"
    deterministic: bool = False
    sync_batchnorm: bool = False
    init: Optional[str] = None
    lr_g: Optional[float] = None
    lr_d: Optional[float] = None
    loss: Optional[str] = None
    label_smoothing: Optional[float] = None
    spectral_norm: Optional[bool] = None
    augment: Optional[str] = None
    flip: Optional[bool] = None
    ema: Optional[float] = None
    ema_rampup: Optional[float] = None
    finish: Optional[float] = None

    def __post_init__(self) -> None:
        for field in dataclasses.fields(self):
            object.__setattr__(self, field.name, checks.plain(getattr(self, field.name)))
        for name in (*LIMITS, "evaluate_every", "seed"):
            object.__setattr__(self, name, checks.as_whole(getattr(self, name)))
        object.__setattr__(self, "data", checks.as_path("data", self.data))  # a pathlib.Path will do too
        for name in ("out", "weights"):
            object.__setattr__(self, name, checks.as_path_or_none(name, getattr(self, name)))
        checks.one_of("recipe", self.recipe, RECIPES)
        checks.one_of("engine", self.engine, ENGINES)
        checks.one_of("fit", self.fit, FITS)
        checks.one_of("size", self.size, SIZES)
        checks.one_of("precision", self.precision, PRECISIONS)
        parse_ctx(self.ctx)
        for name, most in LIMITS.items():
            value = getattr(self, name)
            if value is not None and (type(value) is not int or not 1 <= value <= most):
                raise SettingError(name, value, f"a whole number from 1 to {most}")
        if self.epochs is not None and self.steps is not None:
            raise SettingError("epochs", self.epochs, f"beside steps {self.steps}; give one of the two")
        minutes = self.checkpoint_minutes
        if type(minutes) not in (int, float) or not 0 < minutes < math.inf:
            raise SettingError("checkpoint_minutes", minutes, "a number above 0")
        every, most = self.evaluate_every, LIMITS["steps"]
        if type(every) is not int or not 0 <= every <= most:
            raise SettingError("evaluate_every", every, f"a whole number of steps up to {most}, 0 for never")
        if type(self.seed) is not int or not 0 <= self.seed < 2**63:
            raise SettingError("seed", self.seed, f"a whole number from 0 to {2**63 - 1}")
        self._check_options()

    def _check_options(self) -> None:
        """What a recipe supplies and the user may change."""
        for name in ("lr_g", "lr_d"):
            checks.number(name, getattr(self, name), "a number above 0, at most 1", lambda x: 0 < x <= 1)
        checks.number("label_smoothing", self.label_smoothing, "a number from 0 to below 0.5", lambda x: 0 <= x < 0.5)
        checks.number("ema", self.ema, "a half-life in images, 0 for none", lambda x: 0 <= x <= 1e12)
        checks.number("ema_rampup", self.ema_rampup, "a share of the images seen, above 0", lambda x: 0 < x <= 1e12)
        checks.number("finish", self.finish, "a share of the run's steps, from 0 to 1", lambda x: 0 <= x <= 1)
        checks.one_of("unique", self.unique, (False, True))
        checks.one_of("sync_batchnorm", self.sync_batchnorm, (False, True))
        checks.one_of("tensorboard", self.tensorboard, (False, True))
        for name, known in (
            ("init", INITS),
            ("loss", LOSSES),
            ("spectral_norm", (False, True)),
            ("flip", (False, True)),
        ):
            if getattr(self, name) is not None:
                checks.one_of(name, getattr(self, name), known)
        if self.augment is not None:
            object.__setattr__(self, "augment", checks.in_order("augment", self.augment, AUGMENTS))
        loss, smoothing = (self._or_recipes(name) for name in ("loss", "label_smoothing"))
        if loss == "hinge" and smoothing:
            raise SettingError("label_smoothing", smoothing, "the hinge loss has no labels; take the loss bce, or 0")

    @property
    def passes(self) -> int:
        """How many passes over the data to make; not used when ``steps`` is given."""
        return self._or_recipes("epochs")

    def _or_recipes(self, name: str) -> Any:
        value = getattr(self, name)
        return getattr(RECIPES[self.recipe], name) if value is None else value


@dataclass(frozen=True)
class RunConfig:
    """The settings of a run, none left open: `resolve` makes them from a `TrainConfig` and its recipe.

    Where the faces come from, how long the run is and which engine computes it are not part of it.
    """

    recipe: str
    seed: int
    size: int  # pixels on a side
    batch_size: int
    latent: int
    ngf: int
    ndf: int
    bias: bool  # of the convolutions
    first_norm: bool  # BatchNorm after netD's first convolution
    init: str
    fresh_latents: bool  # netG's step draws its own latents
    lr_g: float
    lr_d: float
    beta1: float
    beta2: float
    loss: str
    label_smoothing: float
    spectral_norm: bool
    augment: str
    flip: bool
    ema: float
    ema_rampup: float
    finish: float
    evaluate_every: int
    checkpoint_minutes: float
    tensorboard: bool
    plain: bool
    precision: str
    deterministic: bool
    sync_batchnorm: bool


def resolve(config: TrainConfig) -> RunConfig:
    """The run that ``config`` asks for: its own values, and its recipe's where it leaves them open."""
    names = [field.name for field in dataclasses.fields(RunConfig)]
    recipe = RECIPES[config.recipe]
    # What a TrainConfig doesn't have, only the recipe fixes: bias, first_norm, fresh_latents, beta1, beta2
    return RunConfig(
        **{name: config._or_recipes(name) if hasattr(config, name) else getattr(recipe, name) for name in names}
    )


def filled(config: TrainConfig) -> TrainConfig:
    """The same request with the recipe's values written out, as config.json has it."""
    values = {name: config._or_recipes(name) for name in ("latent", "batch_size", "ngf", "ndf", *OPTIONS)}
    if config.epochs is None and config.steps is None:
        values["epochs"] = RECIPES[config.recipe].epochs
    return dataclasses.replace(config, **values)


def parse_ctx(ctx: str) -> tuple[str, int]:
    """``auto``, ``cpu``, ``gpu``, ``gpu:N`` or ``mps`` as (kind, number). Raises MxganError for anything else."""
    kind, colon, number = ctx.partition(":") if isinstance(ctx, str) else ("", "", "")
    if kind in ("auto", "cpu", "mps") and not colon:
        return kind, 0
    if kind == "gpu" and (not colon or (number.isascii() and number.isdigit())):
        return kind, int(number or 0)
    raise SettingError("ctx", ctx, "one of auto, cpu, gpu, gpu:N, mps")


def to_json(config: TrainConfig) -> dict[str, Any]:
    """The configuration, with its recipe's values filled in and, beside it, what the recipe fixes, as JSON values."""
    return {**dataclasses.asdict(filled(config)), "recipe_settings": dataclasses.asdict(RECIPES[config.recipe])}


def load(path: Path) -> TrainConfig:
    """Read back what `to_json` gave, from a run's config.json. Raises MxganError if it isn't one."""
    try:
        return from_json(json.loads(Path(path).read_text(encoding="utf-8")))
    except (OSError, ValueError, RecursionError) as error:
        raise MxganError(f"{path}: not a run's configuration ({error})") from error


def from_json(values: dict[str, Any]) -> TrainConfig:
    """What `to_json` was given. A setting that an older version of mxgan didn't have is at its default.

    Where that version's recipe fixed what is an option now, the option is what the recipe said then.

    Raises MxganError where the values are not a configuration's.
    """
    known = {field.name for field in dataclasses.fields(TrainConfig)}
    try:
        recipes = values.get("recipe_settings") or {}
        was_fixed = {name: recipes[name] for name in OPTIONS if name in recipes}
        return filled(TrainConfig(**{name: value for name, value in {**was_fixed, **values}.items() if name in known}))
    except (TypeError, AttributeError) as error:
        raise MxganError(str(error)) from error


def trained_on(path: Path) -> Optional[str]:
    """The fingerprint of the faces in a run's config.json, if it says one."""
    faces = json.loads(Path(path).read_text(encoding="utf-8")).get("faces")
    return faces.get("fingerprint") if isinstance(faces, dict) else None
