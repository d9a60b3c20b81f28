"""What `generate` and `walk` share: which generator they open, how its pictures are drawn, and what is said of it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from mxgan import checks, pretrained, run_names
from mxgan.cli.options import PATH, machine_options, network_options, verbose_option, wishes

if TYPE_CHECKING:
    from mxgan.sampling import Generator

LABELLED = "Of a conditional generator", ("label", "by_label")
MACHINE = "Machine options", ("engine", "ctx", "verbose")


def generator_options(command: Callable) -> Callable:
    """--weights and all that says how they are opened, --truncation and the labels."""
    options = (
        click.option(
            "--weights",
            type=PATH,
            default=Path(pretrained.PAINTED),
            show_default=True,
            metavar="FILE|RUN",
            help="A weights file of any kind, a run, or painted: the generator that comes with mxgan.",
        ),
        click.option(
            "--truncation",
            type=float,
            default=1,
            show_default=True,
            callback=_in_range,
            metavar="T",
            help="Draw latents towards their middle: below 1, more usual faces that differ less.",
        ),
        machine_options("generator"),
        click.option("--allow-nonfinite", is_flag=True, help="Generate even if weights are NaN or infinite."),
        click.option("--label", type=int, metavar="N", help="What all pictures show.  [default: all labels in turn]"),
        click.option("--labels", "by_label", is_flag=True, help="A row of the grid for each label."),
        network_options,
        verbose_option,
    )
    for option in reversed(options):
        command = option(command)
    return command


def _in_range(ctx: click.Context, parameter: click.Parameter, value: float) -> float:
    """Refuse a truncation that can't be before a network is read, or a folder made."""
    checks.truncation(value)
    return value


def opened(
    weights: Path, n: int, engine: str, ctx: str, allow_nonfinite: bool, verbose: bool, **said: Any
) -> tuple[Generator, list[str]]:
    """The generator, ready, and the lines for its user once it has worked.

    ``n``: how many pictures are wanted of it. ``said``: of `network_options`.
    """
    from mxgan import engines, sampling

    generator = sampling.load_generator(weights, engine, ctx, allow_nonfinite, wishes(said), n)
    engines.prepare(generator.engine)
    short = f"{generator.engine} on {generator.ctx}"
    ships = generator.file is not None and generator.file.parent == pretrained.FOLDER
    source = f"{pretrained.PAINTED}, which comes with mxgan" if ships else generator.file
    told = [f"{generator.why if verbose or ctx.startswith(('gpu', 'mps')) else short}; weights {source}"]
    if generator.read is not None and not (ships or run_names.meant(weights).is_dir()):  # those networks are mxgan's
        told += [line for line in generator.read.told if line not in generator.read.cautions]  # these were warned of
    return generator, told
