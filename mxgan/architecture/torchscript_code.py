"""TorchScript's source, evaluated symbolically. It has Python's syntax, so ``ast`` parses it; nothing is ever executed.

A tiny interpreter of the subset that PyTorch's serializer prints (torch/csrc/jit/serialization/python_print.cpp):
assignments, calls, if, for and while, returns. What an operation does is not known here: each is handed to a function.
Steps and calls inside calls are bounded.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from mxgan.architecture.torchscript_source import Failed, parse
from mxgan.weights.pickled import Made
from mxgan.weights.pickled_numbers import Tensor

MOST_STEPS = 2_000_000  # statements and expressions, of all attempts together
DEEPEST = 40  # calls inside calls
LONGEST = 4096  # items of a list in the text


@dataclass(frozen=True)
class Object:
    """A module of the archive, and its dotted path."""

    made: Made
    path: str


@dataclass(frozen=True)
class Reference:
    """A function or class by its dotted name: "torch.relu", "__torch__.torch.nn.functional.relu"."""

    name: str


Scope = dict[str, Any]


class Program:
    """The code of an archive, and what it works with."""

    def __init__(
        self,
        sources: Mapping[str, str],
        constants: Sequence[Any],
        tensor: Callable[[Tensor, str], Any],
    ) -> None:
        """``tensor`` gives the value that stands for a tensor of this dotted name."""
        self.sources = sources
        self.constants = constants
        self.tensor = tensor
        self.parsed: dict[str, dict[str, Any]] = {}
        self.steps = 0
        self.depth = 0
        self.operate: Callable[[str, list, dict], Any] = _nothing

    def forward_arguments(self, made: Made) -> list[str]:
        """The arguments without a default that ``forward`` takes."""
        arguments = self._method(Object(made, ""), "forward").args
        names = [argument.arg for argument in arguments.args]
        return names[1 : len(names) - len(arguments.defaults)]

    def forward(self, made: Made, args: Sequence[Any]) -> Any:
        """What the module's ``forward`` returns. Raises Failed where it can't be followed."""
        self.depth = 0
        return self._call_method(Object(made, ""), "forward", list(args), {})

    def _definition(self, dotted: str) -> Any:
        module, _, name = dotted.rpartition(".")
        if module not in self.sources:
            raise Failed(f"{dotted} isn't in its code")
        if module not in self.parsed:
            self.parsed[module] = parse(self.sources[module], module)
        return self.parsed[module].get(name)

    def _class(self, thing: Object) -> ast.ClassDef:
        found = self._definition(thing.made.kind)
        if not isinstance(found, ast.ClassDef):
            raise Failed(f"{thing.made.kind} isn't in its code")
        return found

    def _method(self, thing: Object, name: str) -> ast.FunctionDef:
        for node in self._class(thing).body:
            if isinstance(node, ast.FunctionDef) and node.name == name:
                return node
        raise Failed(f"{thing.made.kind} has no {name}()")

    def _call_method(self, thing: Object, name: str, args: list, named: dict) -> Any:
        return self._call_function(self._method(thing, name), [thing, *args], named)

    def _call_function(self, node: ast.FunctionDef, args: list, named: dict) -> Any:
        names = [argument.arg for argument in node.args.args]
        defaults = dict(zip(reversed(names), reversed(node.args.defaults)))
        if len(args) > len(names) or not set(named) <= set(names):
            raise Failed(f"{node.name}() is called with other arguments than it has")
        scope: Scope = {**dict(zip(names, args)), **named}
        for name in names:
            if name not in scope:
                if name not in defaults:
                    raise Failed(f"{node.name}() is called without {name}")
                scope[name] = self._value(defaults[name], {})
        self.depth += 1
        if self.depth > DEEPEST:
            raise Failed("its calls are nested too deeply")
        _, value = self._block(node.body, scope)
        self.depth -= 1
        return value

    def _step(self) -> None:
        self.steps += 1
        if self.steps > MOST_STEPS:
            raise Failed(f"it takes more than {MOST_STEPS:,} steps")

    # Statements: each gives whether the function returned, and what

    def _block(self, body: Sequence[ast.stmt], scope: Scope) -> tuple[bool, Any]:
        for node in body:
            self._step()
            rule = _STATEMENTS.get(type(node))
            if rule is None:
                raise Failed(f"line {node.lineno}: the statement {type(node).__name__} isn't read")
            returned, value = rule(self, node, scope)
            if returned:
                return True, value
        return False, None

    def _assign(self, node: Any, scope: Scope) -> tuple[bool, Any]:
        targets = node.targets if isinstance(node, ast.Assign) else [node.target]
        if node.value is not None:
            self._store(targets[0], self._value(node.value, scope), scope)
        return False, None

    def _store(self, target: ast.expr, value: Any, scope: Scope) -> None:
        if isinstance(target, ast.Name):
            scope[target.id] = value
        elif isinstance(target, (ast.Tuple, ast.List)):
            if not isinstance(value, (tuple, list)) or len(value) != len(target.elts):
                raise Failed(f"line {target.lineno}: {len(target.elts)} values wanted")
            for one, part in zip(target.elts, value):
                self._store(one, part, scope)
        else:
            raise Failed(f"line {target.lineno}: it changes a module while it runs")

    def _return(self, node: ast.Return, scope: Scope) -> tuple[bool, Any]:
        return True, None if node.value is None else self._value(node.value, scope)

    def _if(self, node: ast.If, scope: Scope) -> tuple[bool, Any]:
        return self._block(node.body if self._truth(node.test, scope) else node.orelse, scope)

    def _for(self, node: ast.For, scope: Scope) -> tuple[bool, Any]:
        items = self._value(node.iter, scope)
        if not isinstance(items, (list, tuple, range)):
            raise Failed(f"line {node.lineno}: it loops over something else than a list")
        for item in items:
            self._step()
            self._store(node.target, item, scope)
            returned, value = self._block(node.body, scope)
            if returned:
                return True, value
        return False, None

    def _while(self, node: ast.While, scope: Scope) -> tuple[bool, Any]:
        while self._truth(node.test, scope):
            self._step()
            returned, value = self._block(node.body, scope)
            if returned:
                return True, value
        return False, None

    def _expression(self, node: ast.Expr, scope: Scope) -> tuple[bool, Any]:
        self._value(node.value, scope)
        return False, None

    def _truth(self, node: ast.expr, scope: Scope) -> bool:
        value = self._value(node, scope)
        if not isinstance(value, (bool, int, float)):
            raise Failed(f"line {node.lineno}: which way it goes depends on numbers in a tensor or on the batch")
        return bool(value)

    # Expressions

    def _value(self, node: ast.expr, scope: Scope) -> Any:
        self._step()
        rule = _EXPRESSIONS.get(type(node))
        if rule is None:
            raise Failed(f"line {node.lineno}: the expression {type(node).__name__} isn't read")
        return rule(self, node, scope)

    def _name(self, node: ast.Name, scope: Scope) -> Any:
        if node.id in scope:
            return scope[node.id]
        return {"inf": float("inf"), "nan": float("nan")}.get(node.id, Reference(node.id))

    def _attribute(self, node: ast.Attribute, scope: Scope) -> Any:
        base = self._value(node.value, scope)
        if isinstance(base, Reference):
            if base.name == "CONSTANTS":
                return self._constant(node.attr)
            return Reference(f"{base.name}.{node.attr}"[:1000])
        return self._member(base, node.attr)

    def _constant(self, name: str) -> Any:
        place = int(name[1:]) if re.fullmatch(r"c\d{1,6}", name) else -1
        if not 0 <= place < len(self.constants):
            raise Failed(f"CONSTANTS.{name} isn't in the archive")
        value = self.constants[place]
        return self.tensor(value, f"CONSTANTS.{name}") if isinstance(value, Tensor) else value

    def _member(self, thing: Any, name: str) -> Any:
        if not isinstance(thing, Object) or not isinstance(thing.made.state, dict):
            raise Failed(f"{name} of something that has no attributes")
        if name == "training":
            return False
        state = thing.made.state
        if name in state:
            path = f"{thing.path}.{name}" if thing.path else name
            value = state[name]
            if isinstance(value, Tensor):
                return self.tensor(value, path)
            return Object(value, path) if isinstance(value, Made) else value
        for node in self._class(thing).body:
            target = node.target if isinstance(node, ast.AnnAssign) else None
            if isinstance(node, ast.AnnAssign) and isinstance(target, ast.Name) and target.id == name and node.value:
                return self._value(node.value, {})
        raise Failed(f"{thing.made.kind} has no {name}")

    def _call(self, node: ast.Call, scope: Scope) -> Any:
        owner = self._value(node.func.value, scope) if isinstance(node.func, ast.Attribute) else None
        called = owner if isinstance(owner, Object) else self._value(node.func, scope)
        args = [self._value(argument, scope) for argument in node.args]
        named = {keyword.arg: self._value(keyword.value, scope) for keyword in node.keywords if keyword.arg}
        if isinstance(node.func, ast.Attribute) and isinstance(called, Object):
            return self._call_method(called, node.func.attr, args, named)
        if not isinstance(called, Reference):
            raise Failed(f"line {node.lineno}: it calls something else than a function")
        if called.name == "getattr" and len(args) == 2 and isinstance(args[1], str):
            return self._member(args[0], args[1])
        if not called.name.startswith("__torch__."):
            return self.operate(called.name, args, named)
        found = self._definition(called.name)
        if not isinstance(found, ast.FunctionDef):
            raise Failed(f"{called.name} is not a function in its code")
        return self._call_function(found, args, named)

    def _list(self, node: Any, scope: Scope) -> list:
        if len(node.elts) > LONGEST:
            raise Failed(f"line {node.lineno}: a list of more than {LONGEST} items")
        return [self._value(item, scope) for item in node.elts]

    def _subscript(self, node: ast.Subscript, scope: Scope) -> Any:
        value = self._value(node.value, scope)
        if isinstance(value, Reference):  # a type: List[int]
            return value
        place = self._value(node.slice, scope)
        if not isinstance(value, (list, tuple)) or not isinstance(place, int) or not -len(value) <= place < len(value):
            raise Failed(f"line {node.lineno}: an item that isn't there")
        return value[place]

    def _unary(self, node: ast.UnaryOp, scope: Scope) -> Any:
        name = {ast.USub: "torch.neg", ast.Not: "torch.__not__"}.get(type(node.op))
        if name is None:
            raise Failed(f"line {node.lineno}: the operator {type(node.op).__name__} isn't read")
        return self.operate(name, [self._value(node.operand, scope)], {})


def _nothing(name: str, args: list, named: dict) -> Any:
    raise Failed(f"{name} isn't known")


_STATEMENTS: dict[type, Callable[..., tuple[bool, Any]]] = {
    ast.Assign: Program._assign,
    ast.AnnAssign: Program._assign,
    ast.Return: Program._return,
    ast.If: Program._if,
    ast.For: Program._for,
    ast.While: Program._while,
    ast.Expr: Program._expression,
    ast.Pass: lambda program, node, scope: (False, None),
}
_EXPRESSIONS: dict[type, Callable[..., Any]] = {
    ast.Name: Program._name,
    ast.Attribute: Program._attribute,
    ast.Call: Program._call,
    ast.Constant: lambda program, node, scope: node.value,
    ast.List: Program._list,
    ast.Tuple: lambda program, node, scope: tuple(program._list(node, scope)),
    ast.Subscript: Program._subscript,
    ast.UnaryOp: Program._unary,
    ast.IfExp: lambda program, node, scope: program._value(
        node.body if program._truth(node.test, scope) else node.orelse, scope
    ),
}
