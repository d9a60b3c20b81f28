"""Commands that look at weights files."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from mxgan.cli.options import PATH, Room, print_json, said_options, wishes
from mxgan.errors import MxganError


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
    done = convert_weights(src, dst, names, "plain" if described else layout, dtype, kind, wish)
    for note in done.notes:
        click.echo(f"note: {note}", err=True)
    click.echo(done.path)
