"""Groups of commands that look at files: of weights, and of faces."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from mxgan import config
from mxgan.cli.hints import Group
from mxgan.cli.options import DEFAULTS, PATH, print_json, replacing, said_options, wishes
from mxgan.errors import MxganError


class Room(Group):
    """A group that names its commands if none is given."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        if not args:
            raise click.UsageError(f"{ctx.command_path}: give one of {', '.join(self.commands)}, or --help", ctx)
        return super().parse_args(ctx, args)


@click.group(cls=Room)
def weights() -> None:
    """Look into weights files of any era and framework, and convert them."""


@weights.command()
@click.argument("file", type=PATH)
@click.option("--json", "as_json", is_flag=True, help="One JSON object.")
@click.option("--layout", "as_layout", is_flag=True, help="Print the generator's layout, for generate --layout.")
@said_options
def inspect(file: Path, as_json: bool, as_layout: bool, **said: Any) -> None:
    """What is in a weights file, or a run directory's best: each network, layer by layer, and each array.

    The options from --activation on say what the file doesn't, as for generate; see what they change.

    JSON keys: file, bytes, container, era, scheme, arrays (name, canonical, net, shape, dtype, finite, min, mean, max),
    net or null, nets (kind, latent, width, channels, image_size, bias, first_norm, prefix, shape, latents, classes,
    parameters, source, assumed, known (name, source), layers (name, kind, inputs, kernel, stride, padding, in, out,
    parameters, settings, arrays, read_from, assumed)), unknown (prefix, why), usable_for, warnings.
    """
    from mxgan.architecture import draft, networks, table
    from mxgan.architecture.inspect import inspect as inspected
    from mxgan.weights.of_run import weights_file

    wish = wishes({**said, "layout": None})
    if as_layout and as_json:
        raise MxganError("--layout and --json: give one of them")
    if as_layout:
        text, notes = draft.describe(networks.load(weights_file(file)), wish)
        click.echo(text, nl=False)
        for note in notes:
            click.echo(note, err=True)
        return
    report = inspected(file, wish)
    if as_json:
        print_json(report)
    else:
        click.echo("\n".join(table.lines(report)))


@weights.command()
@click.argument("src", type=PATH)
@click.argument("dst", type=PATH)
@click.option("--names", default="canonical", show_default=True, help="canonical (0.weight, ...), or keep the file's.")
@click.option(
    "--layout",
    default="plain",
    show_default=True,
    help="Of a .pth: plain (0.weight) or main (main.0.weight). Or a file that describes the network.",
)
@click.option("--dtype", help="float16, float32 or float64.  [default: as in the file]")
@click.option("--kind", help="Of a file with both networks: generator or discriminator.")
@said_options
def convert(src: Path, dst: Path, names: str, layout: str, dtype: str | None, kind: str | None, **said: Any) -> None:
    """Write SRC's weights to DST in the format of its suffix: .params .npz .safetensors .pth .onnx.

    SRC is a weights file of any kind, or a run directory. An .onnx is the generator itself; the options from
    --activation on say of it what SRC doesn't. The other formats hold arrays alone.
    """
    from mxgan.convert import LAYOUTS
    from mxgan.convert import convert as convert_weights

    described = None if layout in LAYOUTS else Path(layout)
    wish = wishes({**said, "layout": described})
    with replacing(dst):
        done = convert_weights(src, dst, names, "plain" if described else layout, dtype, kind, wish)
    for note in done.notes:
        click.echo(f"note: {note}", err=True)
    click.echo(done.path)


def _read_as(command: Callable) -> Callable:
    """The options for reading faces as training does."""
    fit = click.option("--fit", default=DEFAULTS.fit, show_default=True, help="crop the middle, or squash to a square.")
    size = click.option("--size", type=int, default=DEFAULTS.size, show_default=True, help="Pixels: 32, 64 or 128.")
    return size(fit(command))


@click.group(cls=Room)
def faces() -> None:
    """Look at a folder of faces before training on it."""


@faces.command()
@click.argument("folder", type=PATH)
@_read_as
@click.option("--json", "as_json", is_flag=True, help="One JSON object.")
def check(folder: Path, size: int, fit: str, as_json: bool) -> None:
    """Which images are bad or duplicates, and why. JSON keys: folder, files, usable, skipped, duplicates."""
    from mxgan.faces.check import check as check_faces

    config.TrainConfig(size=size, fit=fit)  # refuse now what train would refuse later
    report = check_faces(folder, size, fit)
    if as_json:
        print_json(report.to_json())
    else:
        click.echo("\n".join(report.lines()))


@faces.command()
@click.argument("folder", type=PATH)
@click.argument("file", type=PATH)
@_read_as
def pack(folder: Path, file: Path, size: int, fit: str) -> None:
    """Pack a folder's faces into one file that --data takes (a .npy of uint8 images)."""
    from mxgan.faces.cache import pack as pack_faces

    config.TrainConfig(size=size, fit=fit)  # refuse now what train would refuse later
    with replacing(file):
        packed = pack_faces(folder, file, size, fit)
    click.echo(packed)
