"""Commands that look at sets of faces, and make them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import click

from mxgan import config
from mxgan.cli.help import Command, examples
from mxgan.cli.options import PATH, fit_option, noting, print_json, size_option
from mxgan.cli.room import Room

SHOWN = 20  # members that were left out and are named


@click.group(
    cls=Room,
    short_help="Look at sets of faces before training, and make them.",
    epilog=examples(
        "mxgan faces check photos/",
        "mxgan faces show archive.zip --out sheet.png",
        "mxgan faces download anime",
    ),
)
def faces() -> None:
    """Look at sets of faces before training on them, and make such sets.

    SOURCE is what train --data takes: a folder, a .zip, .tar or .tar.gz, MXNet's .rec, a .npz or .npy, Parquet, or
    painted[:N].
    """


@faces.command(
    cls=Command,
    short_help="Find pictures that can't be used, and duplicates.",
    epilog=examples("mxgan faces check photos/", "mxgan faces check archive.zip --json"),
)
@click.argument("source", type=PATH)
@size_option
@fit_option
@click.option("--json", "as_json", is_flag=True, help="One JSON object.")
def check(source: Path, size: int, fit: str, as_json: bool) -> None:
    """Find the pictures that training can't use, with the reason, and those that are there twice.

    SOURCE is a folder, archive or other file of pictures. Near duplicates are the same picture in another size or
    compression, or shifted by a pixel.

    JSON keys: folder, files, usable, skipped (path, reason), duplicates and near (groups of paths).
    """
    from mxgan.faces.check import check as check_faces

    config.TrainConfig(size=size, fit=fit)  # refuse now what train would refuse later
    report = check_faces(source, size, fit)
    if as_json:
        print_json(report.to_json())
    else:
        click.echo("\n".join(report.lines()))


@faces.command(
    cls=Command,
    short_help="Draw a sheet of faces, and name what is odd.",
    epilog=examples("mxgan faces show photos/ --out sheet.png", "mxgan faces show faces.rec --n 256 --json"),
)
@click.argument("source", type=PATH)
@click.option("--out", type=PATH, default=Path("sheet.png"), show_default=True, metavar="FILE", help="The sheet.")
@click.option(
    "--n", type=click.IntRange(1, 1024), default=64, show_default=True, metavar="N", help="How many faces at random."
)
@click.option("--seed", type=click.IntRange(min=0), default=0, show_default=True, metavar="N", help="Decides which.")
@size_option
@fit_option
@click.option("--json", "as_json", is_flag=True, help="One JSON object.")
def show(source: Path, out: Path, n: int, seed: int, size: int, fit: str, as_json: bool) -> None:
    """Draw a sheet of faces as the network will see them, and say how large, grey and blurred they are.

    Below the faces at random are the blurriest, the smallest, and, with the extra metrics, the ten oddest of at most
    2,000: those farthest from their fifth nearest neighbour in the features of evaluate.

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
    with noting(out):
        survey = show_faces(source, out, n, seed, size, fit, oddest)
    if as_json:
        print_json({**survey.to_json(), "sheet": str(out)})
    else:
        click.echo("\n".join([*survey.lines(), str(out)]))


@faces.command(
    cls=Command,
    short_help="Pack faces into one file, to take elsewhere.",
    epilog=examples(
        "mxgan faces pack photos/ faces.npy",
        "mxgan faces pack archive.zip faces.rec --unique      # for MXNet",
        "mxgan train --data faces.npy",
    ),
)
@click.argument("source", type=PATH)
@click.argument("file", type=PATH)
@size_option
@fit_option
@click.option("--unique", is_flag=True, help="Leave out duplicates and near duplicates.")
def pack(source: Path, file: Path, size: int, fit: str, unique: bool) -> None:
    """Pack the faces of a folder or archive into one file, for another machine or another program.

    FILE is a .npy of uint8 (N, size, size, 3), RGB, or a .rec with its .idx, which MXNet's ImageIter reads. train
    --data takes both.
    """
    from mxgan.faces.cache import pack as pack_faces

    config.TrainConfig(size=size, fit=fit)  # refuse now what train would refuse later
    with noting(file):
        packed = pack_faces(source, file, size, fit, unique=unique)
    click.echo(packed)


@faces.command(
    cls=Command,
    short_help="Cut the faces out of whole photographs.",
    epilog=examples("mxgan faces crop photos/ faces/"),
)
@click.argument("source", type=PATH)
@click.argument("out", type=PATH)
@click.option(
    "--least",
    type=click.IntRange(min=24),
    default=48,
    show_default=True,
    metavar="N",
    help="Smallest faces, in pixels.",
)
def crop(source: Path, out: Path, least: int) -> None:
    """Cut the faces out of whole photographs, each into a picture of its own in the new folder OUT.

    It finds people who look at the camera. Drawn faces it doesn't find.
    """
    from mxgan.faces.crop import crop as crop_faces

    done = crop_faces(source, out, least)
    click.echo(f"{done.faces:,} faces in {done.pictures:,} pictures; {len(done.without):,} without one", err=True)
    _name_skipped([(one.path, one.reason) for one in done.skipped])
    click.echo(out)


@faces.command(
    cls=Command,
    short_help="Download a set from Kaggle, the hub or a URL.",
    epilog=examples(
        "mxgan faces download anime",
        "mxgan faces download --from kaggle:OWNER/NAME --to data/mine",
    ),
)
@click.argument("name", metavar="[anime|celeba]", required=False)
@click.option("--from", "place", metavar="PLACE", help="Another set: kaggle:OWNER/NAME, hf:OWNER/NAME, or a URL.")
@click.option("--to", type=PATH, metavar="FOLDER", help="A new folder.  [default: one below data/]")
def download(name: str | None, place: str | None, to: Path | None) -> None:
    """Download a set of faces; print its terms first, and the command that trains on it last.

    Kaggle's key is found as Kaggle's own client finds it (KAGGLE_API_TOKEN, kaggle.json, ...), or asked for at a
    terminal. The hub's token is HF_TOKEN, or what `hf auth login` has kept. A download that broke off goes on where it
    was. The extra is called download.
    """
    from mxgan.faces.download import download as download_faces

    done = download_faces(name, place, to)
    _name_skipped([(one.path, one.reason) for one in done.skipped])
    if done.pictures is not None:
        click.echo(f"{done.pictures:,} pictures in {done.data}", err=True)
    click.echo(f"train on it: {done.command}", err=True)
    click.echo(done.data)


def _name_skipped(skipped: Sequence[tuple[str, str]]) -> None:
    for path, reason in skipped[:SHOWN]:
        click.echo(f"skipped: {path}: {reason}", err=True)
    if len(skipped) > SHOWN:
        click.echo(f"… and {len(skipped) - SHOWN:,} more", err=True)
