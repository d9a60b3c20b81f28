"""One node of an ONNX model, with its attributes looked at by name and type."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Optional

import numpy as np

from mxgan.onnx.file import array_of, text

FLOAT, INT, STRING, TENSOR, GRAPH, FLOATS, INTS, GRAPHS = 1, 2, 3, 4, 5, 6, 7, 10  # AttributeProto.AttributeType
MOST = 64  # integers in an attribute: strides, axes, pads have less


class Op:
    """A node: ``kind`` is its operator, with the domain before it where it isn't a standard one."""

    def __init__(self, proto: Any, where: str) -> None:
        domain, kind = text(proto.domain), text(proto.op_type)
        self.kind: str = kind if domain in ("", "ai.onnx") else f"{domain}::{kind}"
        self.inputs: tuple[str, ...] = tuple(map(text, proto.input))
        self.outputs: tuple[str, ...] = tuple(map(text, proto.output))
        self.name: str = text(proto.name) or next(filter(None, self.outputs), "") or self.kind
        self.where = where
        self.attributes = {text(item.name): item for item in proto.attribute}

    @property
    def holds_graphs(self) -> bool:
        """Whether it is a loop or a condition: its attributes are graphs."""
        return any(item.type in (GRAPH, GRAPHS) or item.HasField("g") for item in self.attributes.values())

    def whole(self, word: str, default: int) -> int:
        """An integer attribute."""
        item = self._item(word, INT)
        return default if item is None else item.i

    def number(self, word: str, default: float) -> float:
        """A float attribute. Raises ValueError where it isn't finite."""
        item = self._item(word, FLOAT)
        return default if item is None else short(np.float32(item.f))

    def said(self, word: str, default: str) -> str:
        """A text attribute."""
        item = self._item(word, STRING)
        return default if item is None else item.s.decode("utf-8")

    def wholes(self, word: str, default: tuple[int, ...]) -> tuple[int, ...]:
        """A short list of integers."""
        return self._several(word, INTS, default, lambda item: item.ints)

    def numbers(self, word: str) -> tuple[float, ...]:
        """A short list of floats."""
        return self._several(word, FLOATS, (), lambda item: item.floats)

    def array(self, word: str) -> Optional[np.ndarray]:
        """A tensor attribute, None where it isn't there."""
        item = self._item(word, TENSOR)
        return None if item is None else array_of(item.t, self.where)

    def _several(self, word: str, kind: int, default: tuple, field: Callable[[Any], Any]) -> tuple:
        item = self._item(word, kind)
        if item is not None and len(field(item)) > MOST:
            raise ValueError(f"{word} has {len(field(item))} numbers")
        return default if item is None else tuple(field(item))

    def _item(self, word: str, kind: int) -> Any:
        item = self.attributes.get(word)
        if item is not None and item.type not in (0, kind):  # 0: the first writers left it out
            raise ValueError(f"{word} is an attribute of type {item.type}; {kind} wanted")
        return item


def short(value: np.generic) -> float:
    """The shortest decimal number that is this float: 1e-05, not 9.999999747378752e-06 for a float32."""
    if not np.isfinite(value):
        raise ValueError(f"a setting is {value}")
    return float(str(value))


def axes_of(op: Op, given: Optional[np.ndarray], rank: int) -> Optional[tuple[int, ...]]:
    """The axes that a node names as an input (opset 13) or an attribute, from 0 on; None where it names none."""
    axes = op.wholes("axes", ()) if given is None else tuple(given.reshape(-1)[:MOST].tolist())
    if any(not isinstance(axis, int) or not -rank <= axis < rank for axis in axes):
        raise ValueError(f"axes {axes} of {rank}")
    return tuple(axis % rank for axis in axes) or None
