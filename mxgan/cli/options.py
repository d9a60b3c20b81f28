"""What several commands' options share, and how they print."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import click

from mxgan import config

PATH = click.Path(path_type=Path)
DEFAULTS = config.TrainConfig()


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


verbose_option = click.option("--verbose", is_flag=True, help="Say why this engine computes, and why there.")


def given(name: str) -> bool:
    """Did the user write this option, or is it a default?"""
    return click.get_current_context().get_parameter_source(name) is not click.core.ParameterSource.DEFAULT


def print_json(value: object) -> None:
    """On stdout, to be read by people too."""
    click.echo(json.dumps(value, indent=2))


def _none_is_empty(ctx: click.Context, parameter: click.Parameter, value: str | None) -> str | None:
    return "" if value == "none" else value
