"""Pages to look at a generator with."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Optional

import click

from mxgan import pretrained
from mxgan.cli.help import Command, described, examples
from mxgan.cli.options import DESCRIBED, PATH, given, machine_options, network_options, wishes


@described(
    groups=(
        ("Daily options", ("weights", "port", "host")),
        DESCRIBED,
        ("Machine options", ("engine", "ctx")),
    )
)
@click.command(
    cls=Command,
    short_help="Show faces in a browser, and runs while they train.",
    epilog=examples(
        "mxgan serve                   # with the generator that comes with mxgan",
        "mxgan serve --weights last    # with your newest run's",
        "mxgan serve runs/             # and watch the runs there, at /runs",
        "mxgan serve my-run            # watch this run, and see its faces",
        "mxgan serve --host 0.0.0.0    # for others on your network too",
    ),
)
@click.argument("folder", type=PATH, required=False)
@click.option(
    "--weights",
    type=PATH,
    default=Path(pretrained.PAINTED),
    show_default=True,
    metavar="FILE|RUN",
    help="A weights file of any kind, a run, or painted: the generator that comes with mxgan.",
)
@click.option(
    "--port", type=click.IntRange(0, 65535), default=8000, show_default=True, metavar="N", help="0 is any free one."
)
@click.option(
    "--host", default="127.0.0.1", show_default=True, metavar="ADDRESS", help="127.0.0.1: for this machine alone."
)
@machine_options("generator")
@network_options
def serve(
    folder: Optional[Path],
    weights: Path,
    port: int,
    host: str,
    engine: str,
    ctx: str,
    **said: Any,
) -> None:
    """Show faces in a browser, and the runs of FOLDER while they train.

    The page's address is the one line on stdout. FOLDER is where runs are, as `mxgan runs` takes it: runs/ if it is
    left out. If it is itself a run, and has weights, the faces are that run's. It serves this machine alone, unless
    --host says otherwise. Ctrl-C ends it. docs/page.md lists the addresses for programs.
    """
    from mxgan.page.server import start

    start.serve(
        folder,
        weights if given("weights") else None,
        host,
        port,
        engine,
        ctx,
        wishes(said),
        lambda line: click.echo(line, err=True),
        click.echo,
    )


@described(groups=(("Daily options", ("weights", "out", "dtype", "runtime")), DESCRIBED))
@click.command(
    cls=Command,
    short_help="Write the page of faces for any web host: it needs no server of ours.",
    epilog=examples(
        "mxgan page                             # site/, with mxgan's own generator",
        "mxgan page --weights last --out faces  # with your newest run's",
    ),
)
@click.option(
    "--weights",
    type=PATH,
    default=Path(pretrained.PAINTED),
    show_default=True,
    metavar="FILE|RUN",
    help="A weights file of any kind, a run, or painted: the generator that comes with mxgan.",
)
@click.option(
    "--out", type=PATH, default=Path("site"), show_default=True, metavar="FOLDER", help="A new folder, or an empty one."
)
@click.option(
    "--dtype",
    default="auto",
    show_default=True,
    metavar="auto|float16|float32",
    help="Of the weights that a visitor fetches. auto: float16, unless a face would move by two grey levels.",
)
@click.option(
    "--runtime",
    type=PATH,
    metavar="FOLDER|FILE",
    help="npm's onnxruntime-web, unpacked or its tarball.  [default: npm fetches it, once]",
)
@network_options
def page(weights: Path, out: Path, dtype: str, runtime: Optional[Path], **said: Any) -> None:
    """Write a folder of static files: the page of `mxgan serve`, whose generator runs in the visitor's browser.

    Any web host can have it, under any path; `python -m http.server -d site` shows it. A seed and index are the picture
    that `mxgan generate` makes of them, to one grey level. The folder's path is the one line on stdout. The runtime is
    onnxruntime-web, from the npm registry by npm's own client, checked by its digests and kept in mxgan's cache.
    """
    from mxgan.page import static

    site = static.build(weights, out, dtype, runtime, wishes(said))
    for line in site.lines():
        click.echo(line, err=True)
    click.echo(site.path)
