"""What several commands' options share, and how they print."""

from __future__ import annotations

import json
import os
import shlex
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Optional

import click

from mxgan import config
from mxgan.cli.help import CHOICES, by_recipe
from mxgan.errors import MxganError

if TYPE_CHECKING:
    from mxgan.architecture.wishes import Wishes


class Place(click.Path):
    """A path. An empty one, as of a variable that isn't set, is refused: to Python it is the current folder."""

    def convert(self, value: Any, param: Optional[click.Parameter], ctx: Optional[click.Context]) -> Any:
        if not os.fspath(value).strip() and param is not None:
            called = param.opts[0] if isinstance(param, click.Option) else param.human_readable_name
            raise MxganError(f"{called} {shlex.quote(os.fspath(value))}: the path is empty; name a file or a folder")
        return super().convert(value, param, ctx)


PATH, PATH_TEXT = Place(path_type=Path), Place()  # as a Path; as a string
DEFAULTS = config.TrainConfig()
SAID = ("activation", "output_", "eps", "size", "latent_normal", "layout", "symbol")  # the values of network_options


size_option = click.option(
    "--size", type=int, default=DEFAULTS.size, show_default=True, metavar=CHOICES["size"], help="Pixels on a side."
)
fit_option = click.option(
    "--fit",
    default=DEFAULTS.fit,
    show_default=True,
    metavar=CHOICES["fit"],
    help="Crop to the middle, or squash to a square.",
)


def model_options(recipe: str) -> Callable[[Callable], Callable]:
    """What is trained and from which numbers, for `train` and `compare`; ``recipe`` is the command's default."""

    def usual(option: str) -> str:
        return by_recipe(option, recipe)

    options = (
        click.option(
            "--recipe", default=recipe, show_default=True, metavar=CHOICES["recipe"], help="Which build's settings."
        ),
        size_option,
        click.option("--ngf", type=int, metavar="N", help=f"Width of netG.  {usual('ngf')}"),
        click.option("--ndf", type=int, metavar="N", help=f"Width of netD.  {usual('ndf')}"),
        click.option("--latent", type=int, metavar="N", help=f"Numbers in a latent.  {usual('latent')}"),
        click.option("--init", metavar=CHOICES["init"], help=f"How weights start.  {usual('init')}"),
        click.option("--batch-size", type=int, metavar="N", help=f"Faces a step.  {usual('batch_size')}"),
        click.option("--lr-g", type=float, metavar="RATE", help=f"Adam's learning rate of netG.  {usual('lr_g')}"),
        click.option("--lr-d", type=float, metavar="RATE", help=f"Adam's learning rate of netD.  {usual('lr_d')}"),
        click.option("--loss", metavar=CHOICES["loss"], help=f"What the networks minimise.  {usual('loss')}"),
        click.option(
            "--label-smoothing",
            type=float,
            metavar="SHARE",
            help=f"Label real faces 1 minus this. For --loss bce.  {usual('label_smoothing')}",
        ),
        click.option(
            "--spectral-norm/--no-spectral-norm",
            default=None,
            help=f"Normalise netD's convolutions.  {usual('spectral_norm')}",
        ),
        click.option(
            "--augment",
            callback=_none_is_empty,
            metavar=CHOICES["augment"],
            help=f"How netD's pictures are changed: any of the three.  {usual('augment')}",
        ),
        click.option("--flip/--no-flip", default=None, help=f"Mirror real faces with probability ½.  {usual('flip')}"),
        click.option(
            "--ema", type=float, metavar="IMAGES", help=f"Half-life of netG's average; 0: none.  {usual('ema')}"
        ),
        click.option(
            "--ema-rampup",
            type=float,
            metavar="SHARE",
            help=f"Limit the half-life to this share of the images seen so far.  {usual('ema_rampup')}",
        ),
        click.option(
            "--finish",
            type=float,
            metavar="SHARE",
            help=f"End with this share of steps, without color, at falling rates.  {usual('finish')}",
        ),
        fit_option,
        click.option(
            "--threads",
            type=int,
            metavar="N",
            help="Threads to compute with.  [default: all cores it may use]",
        ),
        click.option(
            "--seed",
            type=int,
            default=DEFAULTS.seed,
            show_default=True,
            metavar="N",
            help="Decides every random number.",
        ),
    )

    def add(command: Callable) -> Callable:
        for option in reversed(options):
            command = option(command)
        return command

    return add


def network_options(command: Callable) -> Callable:
    """What a user may say of a network where its file doesn't; `wishes` gathers them."""
    layout = click.option(
        "--layout", type=PATH, metavar="FILE", help="A file that describes the whole network: docs/weights.md."
    )
    return layout(said_options(command))


def said_options(command: Callable) -> Callable:
    """`network_options` without --layout, which means something else for some commands."""
    options = (
        click.option("--activation", metavar=CHOICES["activation"], help="Between layers.  [default: found out]"),
        click.option(
            "--output",
            "output_",
            callback=_no_file,
            metavar=CHOICES["output"],
            help="After the last layer.  [default: tanh]",
        ),
        click.option("--eps", type=float, metavar="E", help="Of BatchNorm and InstanceNorm.  [default: found out]"),
        click.option("--size", type=int, metavar="N", help="Pixels on a side.  [default: found out]"),
        click.option(
            "--latent-normal/--latent-uniform",
            default=None,
            help="Latents from N(0, 1), or from U(-1, 1).  [default: found out]",
        ),
        click.option(
            "--symbol",
            type=PATH,
            metavar="FILE",
            help="MXNet's -symbol.json.  [default: the one beside the weights]",
        ),
    )
    for option in reversed(options):
        command = option(command)
    return command


def machine_options(engines: str, ctx: str = "auto") -> Callable[[Callable], Callable]:
    """--engine, of ``engines`` in `CHOICES`, and --ctx."""

    def add(command: Callable) -> Callable:
        place = click.option("--ctx", default=ctx, show_default=True, metavar=CHOICES["ctx"], help="Where it computes.")
        engine = click.option(
            "--engine", default="auto", show_default=True, metavar=CHOICES[engines], help="What computes."
        )
        return engine(place(command))

    return add


def wishes(said: dict[str, Any]) -> Wishes:
    """The values of `network_options` as one."""
    from mxgan.architecture.wishes import Wishes  # not above: NumPy takes longer than the rest of the program's start

    normal = said["latent_normal"]
    return Wishes(
        activation=said["activation"],
        output=said["output_"],
        eps=said["eps"],
        size=said["size"],
        uniform=None if normal is None else not normal,
        layout=said["layout"],
        symbol=said["symbol"],
    )


DESCRIBED = "What a weights file doesn't say", (*SAID[:-2], "symbol", "layout")  # a group of a command's help
verbose_option = click.option("--verbose", is_flag=True, help="Say why this engine computes, and why there.")


@contextmanager
def noting(*paths: Optional[Path]) -> Iterator[None]:
    """Say of the files that this block writes which ones were there before, and which folders were not."""
    files = [path for path in paths if path is not None]
    there = [path for path in files if path.is_file()]
    missing = [path.parent for path in files if not path.parent.exists()]
    yield
    for path in there:
        click.echo(f"note: replaced {path}, which was there", err=True)
    for folder in missing:
        if folder.exists():
            click.echo(f"note: made the folder {folder}", err=True)


def given(name: str) -> bool:
    """Did the user write this option, or is it a default?"""
    return click.get_current_context().get_parameter_source(name) is not click.core.ParameterSource.DEFAULT


def print_json(value: object) -> None:
    """On stdout, to be read by people too."""
    click.echo(json.dumps(value, indent=2))


def _none_is_empty(ctx: click.Context, parameter: click.Parameter, value: str | None) -> str | None:
    return "" if value == "none" else value


def _no_file(ctx: click.Context, parameter: click.Parameter, value: str | None) -> str | None:
    """Refuse a file for --output, of a command that has --out."""
    choices = CHOICES["output"].split("|")
    if value and value not in choices and Path(value).suffix and any(one.name == "out" for one in ctx.command.params):
        file = shlex.quote(value)
        raise MxganError(f"--output {file}: one of {', '.join(choices)}; did you mean --out {file}, the file to write?")
    return value
