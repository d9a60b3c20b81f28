"""A run whose netG starts from a weights file: the file says how wide it is, and what else must agree."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import Any, NamedTuple

from mxgan.config import RECIPES, SIZES, TrainConfig, resolve
from mxgan.engines.protocol import Weights
from mxgan.errors import SettingError, as_option
from mxgan.weights import Net, check_finite, load_net
from mxgan.weights.of_run import weights_file


class Beginning(NamedTuple):
    """What a run begins with."""

    config: TrainConfig  # with what the weights say of netG
    weights: Weights  # empty: they are drawn
    notes: tuple[str, ...]  # lines for the user


def read(config: TrainConfig) -> Beginning:
    """The weights that ``config`` names, and the configuration with their width and latent where it leaves these open.

    They may be those of a run, which is then named by its file. Raises SettingError where the file's netG can't be the
    run's, with the setting to change; ParamsError where the file can't be read.
    """
    if config.weights is None:
        return Beginning(config, {}, ())
    file = str(weights_file(config.weights))
    net = load_net(file, "generator")
    check_finite(net, file)
    if net.image_size != config.size or net.channels != 3 or net.bias != resolve(config).bias:
        raise SettingError("weights", file, *(_cannot_be(net, config, spelled) for spelled in (str, as_option)))
    found: dict[str, Any] = {"ngf": net.width, "latent": net.latent}
    for name, value in found.items():
        if getattr(config, name) not in (None, value):
            problem = f"its netG has {name} {value}; take {{}} {value}, or leave it out".format
            raise SettingError("weights", file, problem(name), problem(as_option(name)))
    usual = resolve(config)
    read_off = [f"{name} {value}" for name, value in found.items() if value != getattr(usual, name)]
    notes = (f"{' and '.join(read_off)}, as in {file}",) if read_off else ()
    return Beginning(dataclasses.replace(config, weights=file, **found), {"netG": net.arrays}, notes)


def _cannot_be(net: Net, config: TrainConfig, spelled: Callable[[str], str]) -> str:
    """Why netG can't begin with ``net``, and what to give instead."""
    if net.channels != 3:
        return "its pictures are grey, and runs are in colour; take other weights"
    if net.image_size not in SIZES:
        return f"its pictures have {net.image_size} pixels, and runs {', '.join(map(str, SIZES))}; take other weights"
    if net.image_size != config.size:
        size = f"{spelled('size')} {net.image_size}"
        return f"its pictures have {net.image_size} pixels, the run's {config.size}; give {size}"
    others = " or ".join(name for name, recipe in RECIPES.items() if recipe.bias == net.bias)
    has = "a bias, unlike" if net.bias else "no bias, unlike"
    return f"its convolutions have {has} the recipe {config.recipe}'s; give {spelled('recipe')} {others}"
