"""What a PyTorch file's value holds: state dicts, checkpoints of them, and whole modules as inert trees."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from mxgan.errors import ParamsError
from mxgan.weights.names import printable
from mxgan.weights.pickled import Global, Made
from mxgan.weights.pickled_numbers import SPARSE, Tensor, is_unreadable
from mxgan.weights.pickled_torch import TorchFile

MAX_DEPTH = 8  # dicts inside dicts of a checkpoint
DEEPEST = 64  # modules inside modules
MOST_MODULES = 10_000  # with those that are there twice
MOST_LEFT_OUT, LONGEST = 50, 200  # names that are told, and characters of one
MOST_WORK = 2**25  # characters of all names, and entries of all modules: shared ones count as often as they are there


@dataclass(frozen=True)
class Module:
    """A module of a file, with all that decides what it computes but its code."""

    kind: str  # its class: "torch.nn.modules.conv.ConvTranspose2d", "__main__.Generator"; "__torch__...." in a program
    name: str  # its dotted path, as in the arrays' names: "netG.main.0"; "" for a file's only module
    settings: dict[str, Any]  # plain attributes: stride, padding, eps, training, ...; a program's are in its code
    arrays: dict[str, np.ndarray]  # its own parameters and buffers
    children: tuple[Module, ...]

    @property
    def bare(self) -> str:
        """The class's name alone."""
        return self.kind.rpartition(".")[2]


class Contents:
    """The tensors of dicts in dicts and of modules, under dotted names, and the names of everything else."""

    def __init__(self, file: TorchFile) -> None:
        self.file = file
        self.arrays: dict[str, np.ndarray] = {}
        self.dtypes: dict[str, str] = {}
        self.modules: list[Module] = []
        self.left_out: list[str] = []
        self.seen: set[int] = set()  # ids of dicts, so that a dict inside itself doesn't recurse for ever
        self.count = 0
        self.work = 0

    def collect(self, value: Mapping, prefix: str = "", depth: int = 0) -> None:
        """Gather a dict's tensors. Beside dicts of tensors, single ones (a fixed noise, say) are left out."""
        self.seen.add(id(value))
        loose, before = {}, len(self.arrays)
        for key, item in value.items():
            name = self._name(prefix, key)
            if isinstance(key, str) and is_tensor(item):
                loose[name] = item
            elif isinstance(key, str) and is_module(item):
                self.collect_module(item, name)
            elif self._is_block(key, item) and depth < MAX_DEPTH:
                self.collect(item, name + ".", depth + 1)
            else:
                self.left_out.append(name)
        if len(self.arrays) > before:
            self.left_out.extend(loose)
        else:
            for name, item in loose.items():
                self._add(name, item)

    def collect_module(self, made: Made, name: str) -> None:
        """Gather a whole module's arrays as its ``state_dict()`` would name them, and its tree."""
        self.modules.append(self._module(made, name, 0))

    def told(self) -> tuple[str, ...]:
        """What is left out, in few words."""
        names = [name if len(name) <= LONGEST else f"{name[:LONGEST]}…" for name in self.left_out[:MOST_LEFT_OUT]]
        more = len(self.left_out) - MOST_LEFT_OUT
        return (*names, *([f"and {more} more"] if more > 0 else []))

    def _name(self, prefix: str, key: object) -> str:
        name = f"{prefix}{key}"
        self._spend(len(name) + 1)
        return name

    def _spend(self, work: int) -> None:
        self.work += work
        if self.work > MOST_WORK:
            raise ParamsError(f"{self.file.where}: too many or too long names in it; save net.state_dict() alone")

    def _is_block(self, key: object, item: object) -> bool:
        """Whether to look inside: a dict that isn't an optimizer's and hasn't been seen."""
        return (
            isinstance(key, str) and isinstance(item, dict) and "param_groups" not in item and id(item) not in self.seen
        )

    def _add(self, name: str, tensor: Any) -> np.ndarray:
        if not isinstance(tensor, Tensor):
            raise ParamsError(printable(f"{self.file.where}: {name}: {SPARSE}"))
        if name in self.arrays:
            raise ParamsError(printable(f"{self.file.where}: {name}: two tensors have this name; rename one"))
        self.arrays[name] = self.file.array(tensor, name)
        self.dtypes[name] = tensor.dtype
        return self.arrays[name]

    def _module(self, made: Made, name: str, depth: int) -> Module:
        self.count += 1
        if depth > DEEPEST or self.count > MOST_MODULES:
            raise ParamsError(f"{self.file.where}: more than {MOST_MODULES} modules, or {DEEPEST} inside each other")
        state: Any = made.state
        self._spend(len(state) + sum(len(item) for item in state.values() if isinstance(item, (dict, list, tuple))))
        own, hidden, children = _parts(made)
        prefix = f"{name}." if name else ""
        arrays = {key: self._add(self._name(prefix, key), tensor) for key, tensor in own.items()}
        for key, tensor in hidden.items():
            if isinstance(tensor, Tensor):
                arrays[key] = self.file.array(tensor, self._name(prefix, key))
        settings = {key: plain(item) for key, item in state.items() if _is_setting(key, item)}
        tree = tuple(self._module(child, self._name(prefix, key), depth + 1) for key, child in children.items())
        return Module(kind_of(made), name, settings, arrays, tree)


def is_tensor(value: object) -> bool:
    """Whether this is a tensor, readable or not."""
    return isinstance(value, Tensor) or is_unreadable(value)


def is_module(value: object) -> bool:
    """Whether this is a stand-in for an ``nn.Module``, pickled whole or in a TorchScript archive."""
    if not isinstance(value, Made) or not isinstance(value.state, dict):
        return False
    state = value.state
    return _is_script(value) or (isinstance(state.get("_modules"), dict) and isinstance(state.get("_parameters"), dict))


def kind_of(made: Made) -> str:
    """A module's class, without the number that TorchScript puts into it."""
    return re.sub(r"___torch_mangle_\d+\.", "", made.kind)


def plain(value: Any) -> Any:
    """A setting as Python's own values: numbers, text, None, a class's name, or a short tuple of these."""
    if isinstance(value, (list, tuple)):
        return tuple(plain(item) for item in value)
    return str(value) if isinstance(value, Global) else value


def _is_script(made: Made) -> bool:
    return isinstance(made.callable, Global) and made.callable.module.startswith("__torch__")


def _is_setting(key: object, value: object) -> bool:
    if not isinstance(key, str) or key.startswith("_"):
        return False
    many = isinstance(value, (list, tuple))
    items: Any = value if many else (value,)
    return len(items) <= 16 and all(_is_plain(item) for item in items)


def _is_plain(value: object) -> bool:
    if isinstance(value, int):
        return abs(value) < 2**62
    return value is None or isinstance(value, (float, Global)) or (isinstance(value, str) and len(value) <= LONGEST)


def _parts(made: Made) -> tuple[dict[str, Any], dict[str, Any], dict[str, Made]]:
    """A module's tensors that its state dict has, those that it hasn't, and its children, in their order."""
    state: Any = made.state
    if _is_script(made):
        own = {key: item for key, item in state.items() if isinstance(key, str) and is_tensor(item)}
        return own, {}, {key: item for key, item in state.items() if isinstance(key, str) and is_module(item)}
    buffers = state.get("_buffers")
    quiet = state.get("_non_persistent_buffers_set")
    unsaved = {name for name in quiet if isinstance(name, str)} if isinstance(quiet, list) else set()
    both = [*state["_parameters"].items(), *(buffers.items() if isinstance(buffers, dict) else ())]
    tensors = {key: item for key, item in both if isinstance(key, str) and is_tensor(item)}
    own = {key: item for key, item in tensors.items() if key not in unsaved}
    hidden = {key: item for key, item in tensors.items() if key in unsaved}
    children = {key: item for key, item in state["_modules"].items() if isinstance(key, str) and is_module(item)}
    return own, hidden, children
