"""Pickles read without running anything: classes and functions become inert stand-ins, and nothing in a file is called.

A pickle is a small program for a stack machine (CPython's Lib/pickletools.py describes each instruction; protocols 0 to
5). This machine knows the instructions that make values. Where a pickle names a class or function, a `Global` stands
for it; where it calls one, a `Made` remembers with what. A table that the caller gives decides which few constructors
have a meaning; they are our own functions, and all they get is inert values.

Work and memory are linear in the pickle's length: instructions are counted, values are shared and never copied but
within a bound, nothing recurses, and no key of a dict is hashed that a file could make slow.
"""

from __future__ import annotations

import pickletools
import struct
import warnings
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, BinaryIO, Optional

MOST_OPCODES = 2**21  # instructions; a checkpoint has about 40 for a tensor
MOST_COPIED = 2**20  # items that constructors may copy
LARGEST_KEY = 2**60  # whole numbers up to here hash to themselves, so a file can't choose collisions


@dataclass(frozen=True)
class Global:
    """A class or function that a pickle names. It is never imported."""

    module: str
    name: str

    def __str__(self) -> str:
        return f"{self.module}.{self.name}"


class Made:
    """What a pickle calls a class or function for: the call, and what was put into its result. Nothing was called."""

    __slots__ = ("args", "callable", "entries", "items", "state")

    def __init__(self, callable: object, args: object) -> None:
        self.callable = callable
        self.args = args
        self.state: object = None  # from BUILD: an object's attributes, mostly
        self.items: list = []  # of a list's or set's subclass
        self.entries: dict = {}  # of a dict's subclass

    @property
    def kind(self) -> str:
        """The dotted name of what was called."""
        return str(self.callable) if isinstance(self.callable, Global) else "an unnamed object"


class Opaque:
    """A dict's key of a kind that nobody looks for: a tuple, a tensor, an object."""

    __slots__ = ("value",)

    def __init__(self, value: object) -> None:
        self.value = value

    def __str__(self) -> str:
        return "an object"


Known = Mapping[tuple[str, str], Callable[[tuple], Any]]


def load(file: BinaryIO, known: Known, persistent: Optional[Callable[[Any], Any]] = None) -> Any:
    """The value of the pickle at the file's place, which moves to its end.

    ``known`` maps (module, name) to our function of the arguments, for calls that have a meaning; it raises ValueError
    for arguments that it can't take. ``persistent`` gives the value for a persistent id. Raises ValueError, with the
    reason, for a pickle that is damaged, too long, or holds instructions that aren't read.
    """
    machine = _Machine(known, persistent)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # damaged strings warn of their escapes
            for count, (opcode, arg, _) in enumerate(pickletools.genops(file)):
                if count >= MOST_OPCODES:
                    raise ValueError(f"more than {MOST_OPCODES:,} pickle instructions")
                if opcode.name == "STOP":
                    return machine.stack.pop()
                step = _STEPS.get(opcode.name)
                if step is None:
                    raise ValueError(f"the pickle instruction {opcode.name}, which isn't read")
                step(machine, arg)
    except (IndexError, KeyError, TypeError, AttributeError, OverflowError, struct.error) as error:
        raise ValueError(f"{type(error).__name__} in its pickle") from error
    raise ValueError("its pickle has no end")


class _Machine:
    def __init__(self, known: Known, persistent: Optional[Callable[[Any], Any]]) -> None:
        self.known = known
        self.persistent = persistent
        self.stack: list = []
        self.marks: list[int] = []  # how high the stack was
        self.memo: dict[int, Any] = {}
        self.copied = 0

    def push(self, value: object) -> None:
        self.stack.append(value)

    def since_mark(self) -> list:
        """Take off all that lies above the last mark."""
        at = self.marks.pop()
        items = self.stack[at:]
        del self.stack[at:]
        return items

    def call(self, target: object, args: object) -> None:
        """Push what a call gives: a known constructor's value, or a stand-in."""
        known = self.known.get((target.module, target.name)) if isinstance(target, Global) else None
        if known is None or not isinstance(args, tuple):
            self.push(Made(target, args))
            return
        self.copied += sum(len(arg) for arg in args if isinstance(arg, (list, dict)))
        if self.copied > MOST_COPIED:
            raise ValueError("its pickle copies the same values again and again")
        self.push(known(args))


def key_of(key: object) -> Any:
    """A dict's key as it is, or opaque where hashing or comparing it could take long."""
    if key is None or isinstance(key, (str, bytes, Global)):
        return key
    return key if isinstance(key, int) and abs(key) < LARGEST_KEY else Opaque(key)


def _mark(machine: _Machine, arg: Any) -> None:
    machine.marks.append(len(machine.stack))


def _pop(machine: _Machine, arg: Any) -> None:
    if machine.marks and machine.marks[-1] == len(machine.stack):
        machine.marks.pop()
    else:
        machine.stack.pop()


def _get(machine: _Machine, arg: int) -> None:
    machine.push(machine.memo[arg])


def _put(machine: _Machine, arg: int) -> None:
    if not 0 <= arg < 2**32:
        raise ValueError("its pickle numbers values beyond 32 bits")
    machine.memo[arg] = machine.stack[-1]


def _memoize(machine: _Machine, arg: Any) -> None:
    machine.memo[len(machine.memo)] = machine.stack[-1]


def _tuple_of(count: int) -> Callable[[_Machine, Any], None]:
    def step(machine: _Machine, arg: Any) -> None:
        if len(machine.stack) < count:
            raise IndexError
        items = machine.stack[-count:]
        del machine.stack[-count:]
        machine.push(tuple(items))

    return step


def _add_items(machine: _Machine, items: list) -> None:
    target = machine.stack[-1]
    if isinstance(target, Made):
        target = target.items
    if not isinstance(target, list):
        raise TypeError
    target.extend(items)


def _append(machine: _Machine, arg: Any) -> None:
    _add_items(machine, [machine.stack.pop()])


def _appends(machine: _Machine, arg: Any) -> None:
    _add_items(machine, machine.since_mark())


def _add_entries(machine: _Machine, flat: list) -> None:
    target = machine.stack[-1]
    if isinstance(target, Made):
        target = target.entries
    if not isinstance(target, dict) or len(flat) % 2:
        raise TypeError
    for key, value in zip(flat[::2], flat[1::2]):
        target[key_of(key)] = value


def _set_item(machine: _Machine, arg: Any) -> None:
    value, key = machine.stack.pop(), machine.stack.pop()
    _add_entries(machine, [key, value])


def _set_items(machine: _Machine, arg: Any) -> None:
    _add_entries(machine, machine.since_mark())


def _dict(machine: _Machine, arg: Any) -> None:
    flat = machine.since_mark()
    machine.push({})
    _add_entries(machine, flat)


def _global(machine: _Machine, arg: str) -> None:
    module, _, name = arg.partition(" ")
    machine.push(Global(module, name))


def _stack_global(machine: _Machine, arg: Any) -> None:
    name, module = machine.stack.pop(), machine.stack.pop()
    if not isinstance(name, str) or not isinstance(module, str):
        raise TypeError
    machine.push(Global(module, name))


def _call(machine: _Machine, arg: Any) -> None:  # REDUCE and NEWOBJ
    args, target = machine.stack.pop(), machine.stack.pop()
    machine.call(target, args)


def _call_with_names(machine: _Machine, arg: Any) -> None:  # NEWOBJ_EX: the names are dropped
    _, args, target = machine.stack.pop(), machine.stack.pop(), machine.stack.pop()
    machine.push(Made(target, args))


def _inst(machine: _Machine, arg: str) -> None:
    args = tuple(machine.since_mark())
    _global(machine, arg)
    machine.call(machine.stack.pop(), args)


def _obj(machine: _Machine, arg: Any) -> None:
    target, *args = machine.since_mark()
    machine.call(target, tuple(args))


def _build(machine: _Machine, arg: Any) -> None:
    state = machine.stack.pop()
    if isinstance(machine.stack[-1], Made):
        machine.stack[-1].state = state  # what is no stand-in needs none: a state dict's _metadata, say


def _persistent(machine: _Machine, arg: Any) -> None:
    pid = machine.stack.pop()
    if machine.persistent is None:
        raise ValueError("its pickle refers to something outside it")
    machine.push(machine.persistent(pid))


_VALUES = (
    "INT BININT BININT1 BININT2 LONG LONG1 LONG4 FLOAT BINFLOAT STRING BINSTRING SHORT_BINSTRING BINBYTES "
    "SHORT_BINBYTES BINBYTES8 BYTEARRAY8 UNICODE SHORT_BINUNICODE BINUNICODE BINUNICODE8"
)
_STEPS: dict[str, Callable[[_Machine, Any], object]] = {
    **dict.fromkeys(("PROTO", "FRAME"), lambda machine, arg: None),
    **dict.fromkeys(_VALUES.split(), _Machine.push),
    **dict.fromkeys(("GET", "BINGET", "LONG_BINGET"), _get),
    **dict.fromkeys(("PUT", "BINPUT", "LONG_BINPUT"), _put),
    "NONE": lambda machine, arg: machine.push(None),
    "NEWTRUE": lambda machine, arg: machine.push(True),
    "NEWFALSE": lambda machine, arg: machine.push(False),
    "EMPTY_LIST": lambda machine, arg: machine.push([]),
    "EMPTY_SET": lambda machine, arg: machine.push([]),  # a set's items are only looked at
    "EMPTY_TUPLE": lambda machine, arg: machine.push(()),
    "EMPTY_DICT": lambda machine, arg: machine.push({}),
    "LIST": lambda machine, arg: machine.push(machine.since_mark()),
    "FROZENSET": lambda machine, arg: machine.push(machine.since_mark()),
    "TUPLE": lambda machine, arg: machine.push(tuple(machine.since_mark())),
    "TUPLE1": _tuple_of(1),
    "TUPLE2": _tuple_of(2),
    "TUPLE3": _tuple_of(3),
    "DICT": _dict,
    "APPEND": _append,
    "APPENDS": _appends,
    "ADDITEMS": _appends,
    "SETITEM": _set_item,
    "SETITEMS": _set_items,
    "MARK": _mark,
    "POP": _pop,
    "POP_MARK": lambda machine, arg: machine.since_mark(),
    "DUP": lambda machine, arg: machine.push(machine.stack[-1]),
    "MEMOIZE": _memoize,
    "GLOBAL": _global,
    "STACK_GLOBAL": _stack_global,
    "REDUCE": _call,
    "NEWOBJ": _call,
    "NEWOBJ_EX": _call_with_names,
    "INST": _inst,
    "OBJ": _obj,
    "BUILD": _build,
    "BINPERSID": _persistent,
}
