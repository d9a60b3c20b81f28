"""The networks in a weights file, each as a graph.

Where a file says its graph, it decides: MXNet's symbol beside it, a whole module, a TorchScript program, an .onnx
model. A file of arrays alone is recognised, looked up among published architectures, or worked out.
"""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Optional

from mxgan.architecture import wishes
from mxgan.architecture.flow import FEWEST
from mxgan.architecture.from_arrays import of_arrays
from mxgan.architecture.members import chosen, prefix
from mxgan.architecture.parts import Network, Unknown, parts
from mxgan.architecture.wishes import NONE, Wishes
from mxgan.errors import ParamsError, SettingError
from mxgan.graph.reading import Reading
from mxgan.weights import files
from mxgan.weights.names import printable

SHOWN = 6  # arrays of a file that is no network's


def generator(path: str | os.PathLike, wish: Wishes = NONE) -> Reading:
    """The generator in a weights file; of several, the moving average, which is said.

    Raises ParamsError where there is none, or several that nothing tells apart, with what to type.
    """
    file = load(path)
    found = networks(file, wish)
    makers = [one for one in found if isinstance(one, Reading) and one.graph.kind == "generator"]
    if not makers:
        raise ParamsError(_no_generator(file, found))
    best = chosen(found)
    if best is None:
        said = ", ".join(prefix(one) or one.source for one in makers)
        raise ParamsError(f"{file.path}: holds {len(makers)} generators, {said}: save the one you want by itself")
    if len(makers) > 1:
        others = ", ".join(prefix(one) for one in makers if one is not best)
        note = f"{prefix(best)} is used, a moving average; the file holds {others} too"
        best = replace(best, assumed=(*best.assumed, note))
    return best


def load(path: str | os.PathLike) -> files.WeightsFile:
    """Any weights file, .onnx too. Raises ParamsError, or MissingPackage where its extra isn't installed."""
    if Path(path).suffix.lower() != ".onnx":
        return files.load(path)
    from mxgan.onnx import file as onnx_file

    said = onnx_file.contents(path)
    size = Path(path).stat().st_size
    return files.WeightsFile(os.fspath(path), size, "onnx", said.writer, said.arrays, said.dtypes, ())


def networks(file: files.WeightsFile, wish: Wishes = NONE) -> list[Network]:
    """Every network in a file, in its order. Raises ParamsError where what the file or the user says can't be read."""
    path = Path(file.path)
    if wish.layout is not None:
        from mxgan.graph import layout

        for option in (*wishes.SETTINGS, "symbol"):
            if getattr(wish, option) is not None:
                raise SettingError(option, ..., f"{wish.layout} says it; leave the option out, or change the layout")
        said = layout.read(wish.layout, file.arrays)
        return [Reading(said.graph, f"{wish.layout}", said.names, uniform=wish.uniform_or(said.uniform))]
    beside = wish.symbol or symbol_of(path)
    if beside is not None:
        from mxgan.architecture import symbol, told

        return [told.decided(symbol.read(beside, file.arrays, file.path), wish)]
    if file.container == "onnx":
        from mxgan.architecture import told
        from mxgan.onnx import reader

        return [told.decided(reader.read(path), wish)]
    if file.script:
        from mxgan.architecture import told, torchscript

        return [told.decided(torchscript.read(path), wish)]
    if file.layout is not None:
        from mxgan.architecture import told
        from mxgan.graph import layout

        said = layout.decoded(file.layout, file.arrays, f"{path}: the layout in it")
        return [told.decided(Reading(said.graph, f"{path.name}'s own layout", said.names, uniform=said.uniform), wish)]
    if file.modules:
        from mxgan.architecture.from_module import of_module

        found: list[Network] = [of_module(module, file.arrays, wish, file.path) for module in file.modules]
    else:
        found = of_arrays(file.arrays, wish, file.path)
    return found if any(isinstance(one, Reading) for one in found) else _if_any(found, file)


def symbol_of(path: Path) -> Optional[Path]:
    """The symbol that lies beside a .params file, or None."""
    stem = re.sub(r"-\d{4,}$", "", path.stem)
    near = (f"{stem}-symbol.json", f"{path.stem}-symbol.json", f"{path.stem}.json")
    if path.suffix.lower() != ".params" or not any(path.with_name(name).is_file() for name in near):
        return None
    from mxgan.architecture import symbol

    return symbol.beside(path)


def _if_any(found: list[Network], file: files.WeightsFile) -> list[Network]:
    """What is in the way of networks that aren't known; or that the file holds too little to be one at all."""
    layers, _ = parts(file.arrays)
    if sum(part.kind in ("conv", "linear") for part in layers) >= FEWEST:
        return found
    held = [f"{printable(name)} {array.shape}" for name, array in list(file.arrays.items())[:SHOWN]]
    more = [f"{len(file.arrays) - SHOWN} more"] if len(file.arrays) > SHOWN else []
    what = ", ".join([*held, *more]) or "no arrays"
    why = f"{file.path}: no network's weights: it holds {what}; a network has {FEWEST} layers with weights, or more"
    return [Unknown("", why, tuple(layers))]


def _no_generator(file: files.WeightsFile, found: Sequence[Network]) -> str:
    whys = [one.why for one in found if isinstance(one, Unknown)]
    if whys:
        return whys[0] if len(found) == 1 else f"{file.path}: no generator: {'; '.join(whys)}"
    return f"{file.path}: holds a discriminator; a generator is wanted"
