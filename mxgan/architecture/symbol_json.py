"""MXNet's symbol JSON of every version as a plain list of operations. Nothing is interpreted here.

A node's settings are strings. They lie under ``param`` in 0.8 and before (``attr`` then holds the user's attributes),
under ``attr`` from 0.9 and under ``attrs`` from 1.0; an input is [node, output] or [node, output, version]. Learnt from
MXNet's src/nnvm/legacy_json_util.cc and its test file save_000800.json.
"""

from __future__ import annotations

import json
import math
import os
import stat
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Optional

from mxgan.errors import ParamsError
from mxgan.graph.shapes import Unfit

LARGEST_FILE = 4 * 2**20  # bytes: JSON takes some 30 times that in memory; ResNet-152's symbol has 0.2 MiB
MOST_OPERATIONS = 10_000
MOST_INPUTS = 2_000  # of one operation
MOST_EDGES = 50_000  # inputs of all operations
LONGEST_NAME, LONGEST_SETTING = 500, 200  # characters
VARIABLE = "null"  # the operator of a variable
_DIGITS = 10  # of a whole number

Output = tuple[int, int]  # an operation's number, and which of its outputs


@dataclass(frozen=True)
class Operation:
    """One node. A variable (an array or an input) has the operator ``null``."""

    operator: str
    name: str
    settings: Mapping[str, str]
    inputs: tuple[Output, ...]

    def text(self, key: str, default: Optional[str] = None) -> str:
        """A setting as it stands. Raises Unfit where it is missing and has no default."""
        value = self.settings.get(key, "None")
        if value not in ("None", ""):
            return value
        if default is None:
            raise Unfit(f"has no {key}")
        return default

    def flag(self, key: str, default: bool) -> bool:
        """True, true, 1 or False, false, 0."""
        value = self.text(key, str(default)).lower()
        if value not in ("true", "false", "1", "0"):
            raise Unfit(f"{key} is {value!r}; True or False wanted")
        return value in ("true", "1")

    def number(self, key: str, default: Optional[float] = None) -> float:
        """A finite number."""
        value = self.text(key, None if default is None else repr(default))
        try:
            found = float(value)
        except ValueError:
            found = math.nan
        if not math.isfinite(found):
            raise Unfit(f"{key} is {value!r}; a number wanted")
        return found

    def whole(self, key: str, default: Optional[int] = None) -> int:
        """A whole number."""
        found = self.wholes(key, None if default is None else (default,))
        if len(found) != 1:
            raise Unfit(f"{key} is {self.settings.get(key)!r}; a whole number wanted")
        return found[0]

    def wholes(self, key: str, default: Optional[tuple[int, ...]] = None) -> tuple[int, ...]:
        """Whole numbers: "(4, 4)", "[4,4]", "(4L, 4L)", "4"; the default where there are none."""
        found = self.maybe_wholes(key, default)
        if None in found:
            raise Unfit(f"{key} is {self.settings.get(key)!r}; whole numbers wanted")
        return tuple(item for item in found if item is not None)

    def maybe_wholes(self, key: str, default: Optional[tuple[int, ...]] = None) -> tuple[Optional[int], ...]:
        """As `wholes`, but one may be None: "(None, None, 1, 1)"."""
        value = self.text(key, None if default is None else "()")
        inside = value.strip()
        inside = inside[1:-1] if inside[:1] + inside[-1:] in ("()", "[]") else inside
        found: list[Optional[int]] = []
        for item in inside.split(",") if inside.strip() else ():
            item = item.strip().rstrip("Ll")
            if item in ("None", ""):
                found += [None] if item else []
            elif item.lstrip("-").isdecimal() and item.isascii() and len(item) <= _DIGITS and item.rfind("-") <= 0:
                found.append(int(item))
            else:
                raise Unfit(f"{key} is {value[:50]!r}; whole numbers of at most {_DIGITS} digits wanted")
        return tuple(found) or default or ()

    def pair(self, key: str, default: Optional[tuple[int, int]] = None) -> tuple[int, int]:
        """Two whole numbers: (height, width)."""
        found = self.wholes(key, default)
        if len(found) != 2:
            raise Unfit(f"{key} is {self.settings.get(key)!r}; (height, width) wanted")
        return found[0], found[1]


@dataclass(frozen=True)
class Symbol:
    """Operations in an order in which they can be computed, and the outputs of the whole."""

    operations: tuple[Operation, ...]
    heads: tuple[Output, ...]


def load(path: str | os.PathLike) -> Symbol:
    """Read a symbol file. Raises ParamsError for a file that is missing, too large, damaged or something else."""
    path = Path(path)
    try:
        found = path.stat()
        if not stat.S_ISREG(found.st_mode):
            raise ParamsError(f"{path}: not a regular file; a symbol's JSON wanted")
        with open(path, "rb") as file:
            data = file.read(LARGEST_FILE + 1)
    except FileNotFoundError as error:
        raise ParamsError(f"{path}: there is no such file") from error
    except OSError as error:
        raise ParamsError(f"{path}: the symbol can't be read ({error.strerror})") from error
    return parse(data, str(path))


def parse(data: bytes, where: str) -> Symbol:
    """A symbol from its JSON. Raises ParamsError naming ``where`` for anything that isn't one."""
    if len(data) > LARGEST_FILE:
        raise ParamsError(f"{where}: more than {LARGEST_FILE:,} bytes; a symbol is a small JSON file")
    try:
        said = json.loads(data.decode("utf-8"))
    except (ValueError, RecursionError) as error:
        reason = str(error).splitlines()[0][:200]
        raise ParamsError(f"{where}: no JSON: {reason!r}; fetch the symbol file again") from None
    if not is_symbol(said):
        raise ParamsError(f'{where}: not a symbol of MXNet: {{"nodes": [...], "heads": [...]}} wanted')
    rows = said["nodes"]
    if not 0 < len(rows) <= MOST_OPERATIONS:
        raise ParamsError(f"{where}: {len(rows)} nodes; 1 to {MOST_OPERATIONS} wanted")
    operations = tuple(_operation(row, number, f"{where}: node {number}") for number, row in enumerate(rows))
    edges = sum(len(operation.inputs) for operation in operations)
    if edges > MOST_EDGES:
        raise ParamsError(f"{where}: {edges} inputs of nodes; at most {MOST_EDGES} can be read")
    heads = tuple(_output(item, len(rows), f"{where}: heads") for item in said["heads"][:MOST_INPUTS])
    if not heads:
        raise ParamsError(f"{where}: no heads, so nothing is computed; fetch the symbol file again")
    return Symbol(operations, tuple(dict.fromkeys(heads)))


def is_symbol(said: Any) -> bool:
    """Whether decoded JSON has a symbol's form."""
    return isinstance(said, dict) and isinstance(said.get("nodes"), list) and isinstance(said.get("heads"), list)


def _operation(row: Any, number: int, where: str) -> Operation:
    if not isinstance(row, dict) or not isinstance(row.get("inputs", []), list):
        raise ParamsError(f"{where}: an object with op, name and inputs wanted; fetch the symbol file again")
    operator, name = _plain(row.get("op"), f"{where}: op"), _plain(row.get("name", ""), f"{where}: name")
    settings: dict[str, str] = {}
    for key in ("attr", "attrs", "param"):  # an operator's own settings win over a user's attributes
        found = row.get(key) or {}
        if not isinstance(found, dict):
            raise ParamsError(f"{where}: {key} is not an object; fetch the symbol file again")
        settings.update({str(mine): _setting(value) for mine, value in found.items()})
    inputs = row.get("inputs", [])
    if len(inputs) > MOST_INPUTS:
        raise ParamsError(f"{where}: {len(inputs)} inputs; at most {MOST_INPUTS} can be read")
    return Operation(operator, name or f"{operator}{number}", settings,
                     tuple(_output(item, number, f"{where}: inputs") for item in inputs))  # fmt: skip


def _output(item: Any, before: int, where: str) -> Output:
    """[node, output] or [node, output, version]; a node takes only from those before it, so nothing goes in circles."""
    sound = isinstance(item, list) and len(item) in (2, 3) and all(type(part) is int for part in item[:2])
    if not sound or not 0 <= item[0] < before or not 0 <= item[1] < MOST_INPUTS:
        raise ParamsError(f"{where}: {repr(item)[:100]}; [node, output] with a node from 0 to {before - 1} wanted")
    return item[0], item[1]


def _plain(value: Any, where: str) -> str:
    if not isinstance(value, str) or len(value) > LONGEST_NAME or not value.isprintable():
        raise ParamsError(f"{where}: {repr(value)[:100]}; a line of text wanted")
    return value


def _setting(value: Any) -> str:
    """Files made by hand have numbers and lists where MXNet writes strings. A long one is cut: it fits no rule."""
    if not isinstance(value, str):
        value = repr(value) if _small(value) else "?"
    value = value[:LONGEST_SETTING]
    return value if value.isprintable() else repr(value)


def _small(value: Any) -> bool:
    """Whether printing a value is cheap: a whole number of few digits, None, or a short list of such."""
    if isinstance(value, list):
        return len(value) <= 16 and all(type(item) is int and abs(item) < 10**_DIGITS for item in value)
    return value is None or isinstance(value, (bool, float)) or (type(value) is int and abs(value) <= 2**63)
