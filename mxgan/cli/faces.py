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


@faces.command()
@click.argument("source", type=PATH)
@click.option("--out", type=PATH, default=Path("sheet.png"), show_default=True, help="The sheet.")
@click.option("--n", type=click.IntRange(1, 1024), default=64, show_default=True, help="How many faces at random.")
@click.option("--seed", type=click.IntRange(min=0), default=0, show_default=True, help="Decides which.")
@_read_as
@click.option("--json", "as_json", is_flag=True, help="One JSON object.")
def show(source: Path, out: Path, n: int, seed: int, size: int, fit: str, as_json: bool) -> None:
    """What is in SOURCE: a sheet of its faces as the network will see them, their sizes, and which are odd.

    The sheet has n faces at random, the blurriest, the smallest, and, with the extra metrics, the ten oddest of at most
    2,000: those farthest from their fifth nearest neighbour in the features of `mxgan evaluate`.

    JSON keys: folder, files, usable, skipped, width and height (min, median, max), enlarged, colour, grey, blurry,
    blurriest (path, blur), smallest (path, width, height), oddest (path, distance; or null), sheet.
    """
    from mxgan.faces.show import show as show_faces
    from mxgan.metrics import oddest as odd

    config.TrainConfig(size=size, fit=fit)  # refuse now what train would refuse later
    try:
        odd.check()
        oddest: Callable | None = odd.oddest
    except ImportError as error:
        oddest = None
        click.echo(f"note: the oddest faces are left out: {error}", err=True)
    survey = show_faces(source, out, n, seed, size, fit, oddest)
    if as_json:
        print_json({**survey.to_json(), "sheet": str(out)})
    else:
        click.echo("\n".join([*survey.lines(), str(out)]))


@faces.command()
@click.argument("name", metavar="[anime|celeba]", required=False)
@click.option("--from", "place", help="Another set: kaggle:OWNER/NAME, hf:OWNER/NAME, or a URL.")
@click.option("--to", type=PATH, help="The folder.  [default: one below data/]")
def download(name: str | None, place: str | None, to: Path | None) -> None:
    """Download a set of faces; print its terms, and the command that trains on it.

    Kaggle's key is found as Kaggle's own client finds it (KAGGLE_API_TOKEN, kaggle.json, ...), or asked for at a
    terminal. The hub's token is HF_TOKEN, or what `hf auth login` has kept. A download that broke off goes on where it
    was. The extra is called download.
    """
    from mxgan.faces.download import download as download_faces

    done = download_faces(name, place, to)
    for one in done.skipped[:20]:
        click.echo(f"skipped: {one.path}: {one.reason}", err=True)
    if len(done.skipped) > 20:
        click.echo(f"… and {len(done.skipped) - 20} more", err=True)
    if done.pictures is not None:
        click.echo(f"{done.pictures} pictures in {done.data}", err=True)
    click.echo(f"train on it: {done.command}", err=True)
    click.echo(done.data)


@faces.command()
@click.argument("source", type=PATH)
@click.argument("out", type=PATH)
@click.option(
    "--least", type=click.IntRange(min=24), default=48, show_default=True, help="The smallest faces, in pixels."
)
def crop(source: Path, out: Path, least: int) -> None:
    """Cut the faces out of the photographs in SOURCE, each into a PNG in the new folder OUT.

    It finds people who look at the camera. Drawn faces it doesn't find.
    """
    from mxgan.faces.crop import crop as crop_faces

    done = crop_faces(source, out, least)
    click.echo(f"{done.faces} faces in {done.pictures} pictures; {len(done.without)} without one", err=True)
    for one in done.skipped[:20]:
        click.echo(f"skipped: {one.path}: {one.reason}", err=True)
    if len(done.skipped) > 20:
        click.echo(f"… and {len(done.skipped) - 20} more", err=True)
    click.echo(out)
