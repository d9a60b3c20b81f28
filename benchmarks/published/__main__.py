"""The command: see the package's docstring."""

from __future__ import annotations

import argparse
import json
import sys
import time
from dataclasses import fields
from pathlib import Path

import numpy as np

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parent), str(HERE.parent.parent)]

import published  # noqa: E402
from published.kinds import Published  # noqa: E402


def chosen(only: str | None, held_out: bool) -> list[tuple[int, Published, str]]:
    """(number, net, framework) of what was asked for: one that is called so, or all whose names contain it."""
    torch_nets, mx_nets = (
        published.held_out() if held_out else (published.architectures(), published.mxnet_architectures())
    )
    nets = [*((net, "pytorch") for net in torch_nets), *((net, "mxnet") for net in mx_nets)]
    numbered = [(i, net, framework) for i, (net, framework) in enumerate(nets)]
    exact = [one for one in numbered if one[1].name == only]
    return exact or [one for one in numbered if only is None or only in one[1].name]


def make(number: int, net: Published, framework: str, steps: int, folder: Path) -> dict[str, str]:
    """Train one net and write its folder; returns its forms."""
    folder.mkdir(parents=True, exist_ok=True)
    if framework == "pytorch":
        from published import saving, training

        netG, netD, adams = training.train(net, steps)
        arrays = saving.expected(net, netG)
        forms = saving.save(net, saving.Trained(netG, netD, adams, steps), number, folder)
    else:
        from published import mx_training

        made = mx_training.train(net, steps)
        arrays = mx_training.expected(net, made)
        forms = made.save(folder, steps)
    size = (8, net.channels, net.size, net.size)
    if arrays["images"].shape != size or not np.isfinite(arrays["images"]).all():
        raise SystemExit(f"{net.name}: images are {arrays['images'].shape}, expected finite {size}")
    np.savez(folder / "expected.npz", **arrays)
    about = {f.name: getattr(net, f.name) for f in fields(net) if f.name not in ("build", "work", "known")}
    about.update(framework=framework, known=net.known or None, steps=steps, forms=forms)
    (folder / "about.json").write_text(json.dumps(about, indent=1) + "\n")
    return forms


def check(args: argparse.Namespace) -> int:
    """Print what came of it; 1 where a picture is wrong without a word or something else than an error came."""
    from published import checking

    def progress(row: checking.Opened) -> None:
        print(f"{row.net:24} {row.form:18} {row.verdict:8} {row.seconds:6.1f} s", file=sys.stderr, flush=True)

    result = checking.check(args.folder, args.forms, args.only, args.engine, progress)
    if not result["files"]:
        raise SystemExit(f"{args.folder}: no such net here; make it first")
    print(json.dumps(result, indent=1) if args.json else checking.table(result))
    return int(any(row["verdict"] in ("silent", "crash", "slow") for row in result["files"]))


def main() -> None:
    parser = argparse.ArgumentParser(
        prog="published", description=published.__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("list", help="what there is").add_argument("--held-out", action="store_true")
    asked = commands.add_parser("make", help="train and save")
    asked.add_argument("folder", type=Path, metavar="FOLDER")
    asked.add_argument("--steps", type=int, default=150, help="training steps (150)")
    asked.add_argument("--only", metavar="NAME", help="one net, or all whose names contain NAME")
    asked.add_argument("--held-out", action="store_true", help="the nets kept apart, instead")
    asked = commands.add_parser("check", help="open every file with no option and compare the pictures")
    asked.add_argument("folder", type=Path, metavar="FOLDER")
    asked.add_argument("--forms", nargs="+", default=[], metavar="FORM", help="netG.pth, module.pth, ... (all)")
    asked.add_argument("--only", metavar="NAME", help="one net, or all whose names contain NAME")
    asked.add_argument("--engine", default="auto", help="mxnet, pytorch or onnx (the first that is installed)")
    asked.add_argument("--json", action="store_true", help="all of it as JSON, instead of a table")
    args = parser.parse_args()
    if args.command == "check":
        raise SystemExit(check(args))
    nets = chosen(getattr(args, "only", None), args.held_out)
    if not nets:
        raise SystemExit(f"no net is called {args.only}: see `list`")
    for number, net, framework in nets:
        if args.command == "list":
            print(f"{net.name:22} {framework:8} {net.size:4} px  {net.special}")
            continue
        start = time.perf_counter()
        forms = make(number, net, framework, max(1, round(args.steps * net.work)), args.folder / net.name)
        missing = ", ".join(f"no {name}: {why}" for name, why in forms.items() if why != "ok")
        print(f"{net.name:22} {time.perf_counter() - start:5.1f} s  {missing}", flush=True)


if __name__ == "__main__":
    main()
