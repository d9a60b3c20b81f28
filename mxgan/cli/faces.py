"""Commands that look at faces, and make sets of them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import click

from mxgan import config
from mxgan.cli.options import DEFAULTS, PATH, Room, print_json


def _read_as(command: Callable) -> Callable:
    """The options for reading faces as training does."""
    fit = click.option("--fit", default=DEFAULTS.fit, show_default=True, help="crop the middle, or squash to a square.")
    size = click.option("--size", type=int, default=DEFAULTS.size, show_default=True, help="Pixels: 32, 64 or 128.")
    return size(fit(command))


@click.group(cls=Room)
def faces() -> None:
    """Look at faces before training on them, and pack them.

    SOURCE is what --data takes: a folder, a .zip, .tar or .tar.gz, MXNet's .rec, a .npz or .npy, Parquet, painted[:N].
    """


@faces.command()
@click.argument("source", type=PATH)
@_read_as
@click.option("--json", "as_json", is_flag=True, help="One JSON object.")
def check(source: Path, size: int, fit: str, as_json: bool) -> None:
    """Which images are bad or duplicates, and why.

    Near duplicates are the same picture in another size or compression, or shifted by a pixel.

    JSON keys: folder, files, usable, skipped (path, reason), duplicates and near (groups of paths).
    """
    from mxgan.faces.check import check as check_faces

    config.TrainConfig(size=size, fit=fit)  # refuse now what train would refuse later
    report = check_faces(source, size, fit)
    if as_json:
        print_json(report.to_json())
    else:
        click.echo("\n".join(report.lines()))


@faces.command()
@click.argument("source", type=PATH)
@click.argument("file", type=PATH)
@_read_as
@click.option("--unique", is_flag=True, help="Leave out duplicates and near duplicates.")
def pack(source: Path, file: Path, size: int, fit: str, unique: bool) -> None:
    """Pack the faces of SOURCE into one FILE that --data takes.

    A .npy holds uint8 images. A .rec, with its .idx, is MXNet's own: mx.image.ImageIter reads it.
    """
    from mxgan.faces.cache import pack as pack_faces

    config.TrainConfig(size=size, fit=fit)  # refuse now what train would refuse later
    click.echo(pack_faces(source, file, size, fit, unique=unique))
