"""What several commands' options share, and how they print."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from mxgan import config

if TYPE_CHECKING:
    from mxgan.architecture.wishes import Wishes

PATH = click.Path(path_type=Path)
DEFAULTS = config.TrainConfig()
SAID = ("activation", "output_", "eps", "size", "latent_normal", "layout", "symbol")  # the values of network_options


class Room(click.Group):
    """A group that names its commands if none is given."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        if not args:
            raise click.UsageError(f"{ctx.command_path}: give one of {', '.join(self.commands)}, or --help", ctx)
        return super().parse_args(ctx, args)


def model_options(command: Callable) -> Callable:
    """What is trained and from which numbers: options of both `train` and `compare`."""
    size, fit, seed = DEFAULTS.size, DEFAULTS.fit, DEFAULTS.seed
    recipes = "[default: the recipe's]"
    options = (
        click.option("--batch-size", type=int, help=f"Faces a step.  {recipes}"),
        click.option("--size", type=int, default=size, show_default=True, help="Pixels on a side: 32, 64 or 128."),
        click.option("--ngf", type=int, help=f"Width of netG.  {recipes}"),
        click.option("--ndf", type=int, help=f"Width of netD.  {recipes}"),
        click.option("--latent", type=int, help=f"Numbers in a latent.  {recipes}"),
        click.option("--init", help=f"Initial weights: normal, uniform or smooth.  {recipes}"),
        click.option("--lr-g", type=float, help=f"Adam's learning rate of netG.  {recipes}"),
        click.option("--lr-d", type=float, help=f"Adam's learning rate of netD.  {recipes}"),
        click.option("--loss", help=f"bce or hinge.  {recipes}"),
        click.option("--label-smoothing", type=float, help="Label real faces 1 minus this. For --loss bce."),
        click.option("--spectral-norm/--no-spectral-norm", default=None, help="Normalise netD's convolutions."),
        click.option("--augment", callback=_none_is_empty, help=f"color,translation,cutout: any, or none.  {recipes}"),
        click.option("--flip/--no-flip", default=None, help="Mirror real faces with probability ½."),
        click.option("--ema", type=float, help=f"Half-life of netG's average in images; 0: none.  {recipes}"),
        click.option("--ema-rampup", type=float, help="Limit the half-life to this share of the images seen so far."),
        click.option("--finish", type=float, help="End with this share of steps, without color, at falling rates."),
        click.option("--fit", default=fit, show_default=True, help="crop to the middle, or squash to a square."),
        click.option("--threads", type=int, help="Threads to compute with.  [default: the cores this process may use]"),
        click.option("--seed", type=int, default=seed, show_default=True, help="Determines every random number."),
    )
    for option in reversed(options):
        command = option(command)
    return command


def network_options(command: Callable) -> Callable:
    """What a user may say of a network where its file doesn't; `wishes` gathers them."""
    layout = click.option("--layout", type=PATH, help="A file that describes the network: docs/weights.md.")
    return layout(said_options(command))


def said_options(command: Callable) -> Callable:
    """`network_options` without --layout, which means something else for some commands."""
    options = (
        click.option("--activation", help="Between layers: relu, leaky:0.2, elu, selu, none.  [default: found out]"),
        click.option("--output", "output_", help="After the last layer: tanh, sigmoid or none.  [default: tanh]"),
        click.option("--eps", type=float, help="Of BatchNorm and InstanceNorm.  [default: found out]"),
        click.option("--size", type=int, help="Pixels on a side.  [default: found out]"),
        click.option("--latent-normal/--latent-uniform", default=None, help="Latents from N(0, 1) or from U(-1, 1)."),
        click.option("--symbol", type=PATH, help="MXNet's -symbol.json.  [default: the one beside the weights]"),
    )
    for option in reversed(options):
        command = option(command)
    return command


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


verbose_option = click.option("--verbose", is_flag=True, help="Say why this engine computes, and why there.")


def given(name: str) -> bool:
    """Did the user write this option, or is it a default?"""
    return click.get_current_context().get_parameter_source(name) is not click.core.ParameterSource.DEFAULT


def print_json(value: object) -> None:
    """On stdout, to be read by people too."""
    click.echo(json.dumps(value, indent=2))


def _none_is_empty(ctx: click.Context, parameter: click.Parameter, value: str | None) -> str | None:
    return "" if value == "none" else value
