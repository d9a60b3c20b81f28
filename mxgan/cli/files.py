"""Commands that look at weights files."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from mxgan.cli.help import CHOICES, Command, described, examples
from mxgan.cli.options import DESCRIBED, PATH, noting, print_json, said_options, wishes
from mxgan.cli.room import Room
from mxgan.errors import MxganError

SAID_ALONE = DESCRIBED[0], tuple(name for name in DESCRIBED[1] if name != "layout")


@click.group(
    cls=Room,
    short_help="Look into weights files, and convert them.",
    epilog=examples(
        "mxgan weights inspect GAN_t2.params",
        "mxgan weights convert GAN_t2.params netG.onnx",
    ),
)
def weights() -> None:
    """Look into weights files of any age and framework, and convert them."""


@described(groups=(("Daily options", ("as_json", "as_layout")), SAID_ALONE))
@weights.command(
    cls=Command,
    short_help="Show what is in a weights file: networks, layers, arrays.",
    epilog=examples(
        "mxgan weights inspect GAN_t2.params",
        "mxgan weights inspect netG.pth --layout > net.json    # for generate --layout",
    ),
)
@click.argument("file", type=PATH)
@click.option("--json", "as_json", is_flag=True, help="One JSON object.")
@click.option("--layout", "as_layout", is_flag=True, help="Print the generator's layout, for generate --layout.")
@said_options
def inspect(file: Path, as_json: bool, as_layout: bool, **said: Any) -> None:
    """Show what is in a weights file: each network, layer by layer, and each array.

    FILE may be a run, whose best netG is shown. The options from --activation on say what the file doesn't, as for
    generate; see what they change.

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
        raise MxganError("--layout and --json: give only one of them")
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


@described(groups=(("Daily options", ("names", "layout", "dtype", "kind")), SAID_ALONE))
@weights.command(
    cls=Command,
    short_help="Convert weights: .params .pth .safetensors .npz .onnx.",
    epilog=examples(
        "mxgan weights convert GAN_t2.params netG.onnx",
        "mxgan weights convert last netG.pth --layout main     # your newest run",
        "mxgan weights convert netG.pth netG.onnx --output sigmoid",
    ),
)
@click.argument("src", type=PATH)
@click.argument("dst", type=PATH)
@click.option(
    "--names",
    default="canonical",
    show_default=True,
    metavar="canonical|keep",
    help="Gluon's own names (0.weight, ...), or the file's.",
)
@click.option(
    "--layout",
    default="plain",
    show_default=True,
    metavar="plain|main|FILE",
    help="Names in a .pth: 0.weight, or main.0.weight. Or a file that describes the network.",
)
@click.option("--dtype", metavar=CHOICES["dtype"], help="Of the numbers.  [default: as in the file]")
@click.option("--kind", metavar="generator|discriminator", help="Of a file with both, which one.")
@said_options
def convert(src: Path, dst: Path, names: str, layout: str, dtype: str | None, kind: str | None, **said: Any) -> None:
    """Convert a weights file to another format, without loss.

    SRC is a weights file of any kind, or a run. The suffix of DST decides the format: .params, .npz, .safetensors,
    .pth (or .pt), .onnx. An .onnx is the generator itself; the options from --activation on say of it what SRC doesn't.
    The other formats hold arrays alone.
    """
    from mxgan.convert import LAYOUTS, convert_weights

    described = None if layout in LAYOUTS else Path(layout)
    wish = wishes({**said, "layout": described})
    with noting(dst):
        done = convert_weights(src, dst, names, "plain" if described else layout, dtype, kind, wish)
    for note in done.notes:
        click.echo(f"note: {note}", err=True)
    click.echo(done.path)
