"""The house as docs/how-it-is-built.md draws it: who imports whom, and twins that are twins."""

import ast
import importlib
import inspect
import re
from pathlib import Path

import needs
import pytest
from processes import ROOT

PACKAGE = ROOT / "mxgan"
TWINS = ("augment", "ema", "graph", "losses", "spectral", "state", "step", "tensors")
ONLY_IN = {"mxnet": ("gluon",), "torch": ("pytorch",), "onnx": ("onnx",), "onnxruntime": ("onnx",)}
# torch is imported inside a function, once a .pth file or a network of features is asked for; the peers are other
# people's loops
LAZILY = {"torch": ("weights/pth.py", "metrics/extractors.py"), "mxnet": ()}
PEERS = "bench/peers/"


def floors() -> list[list[str]]:
    """The floors that docs/how-it-is-built.md lists, the top one first."""
    text = (ROOT / "docs" / "how-it-is-built.md").read_text(encoding="utf-8")
    (block,) = re.findall(r"```(?:text)?\n(run_gan\.py\n.+?)```", text, re.S)
    return [[name.strip() for name in line.split(",")] for line in block.strip().splitlines()]


def imports(path: Path) -> list[tuple[str, bool]]:
    """What a file of the package imports, with full names, and whether at its top."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    top = {id(node) for node in tree.body}
    package = ".".join(path.relative_to(ROOT).parent.parts)
    found = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            found += [(alias.name, id(node) in top) for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            up = package.split(".")[: len(package.split(".")) - node.level + 1] if node.level else []
            base = ".".join([*up, *([node.module] if node.module else [])])
            # `from mxgan import rng` imports mxgan.rng; a name that is no module belongs to the base
            found += [(f"{base}.{alias.name}", id(node) in top) for alias in node.names]
    return found


def module_of(name: str) -> str:
    """The file or package that a full name lies in."""
    parts = name.split(".")
    while parts and not (ROOT.joinpath(*parts).is_dir() or ROOT.joinpath(*parts).with_suffix(".py").is_file()):
        parts.pop()
    return ".".join(parts)


def room(module: str, known: set[str]) -> str:
    """The longest name of a floor that the module belongs to: ``engines.protocol`` before ``engines``."""
    inside = module.removeprefix("mxgan").lstrip(".")
    fitting = [name for name in known if inside == name or inside.startswith(f"{name}.")]
    return max(fitting, key=len, default="")


def edges() -> list[tuple[str, str]]:
    """(file, module): all that files of the package import of it."""
    found = []
    for path in sorted(PACKAGE.rglob("*.py")):
        for name, _ in imports(path):
            if name.split(".")[0] == "mxgan":
                found.append((path.relative_to(PACKAGE).as_posix(), module_of(name)))
    return found


def test_nothing_imports_from_a_floor_above_its_own():
    height = {name: -number for number, names in enumerate(floors()) for name in names}
    known = set(height)
    wrong = []
    for file, module in edges():
        mine = room("mxgan." + file.removesuffix(".py").removesuffix("/__init__").replace("/", "."), known)
        theirs = room(module, known)
        if mine and theirs and mine != theirs and height[theirs] >= height[mine]:
            wrong.append(f"{file} imports {module}")
    assert wrong == []


def test_every_file_has_a_floor():
    known = {name for names in floors() for name in names}
    files = [path.relative_to(PACKAGE) for path in PACKAGE.rglob("*.py")]
    modules = {"mxgan." + ".".join(file.with_suffix("").parts).removesuffix(".__init__") for file in files}
    assert {one for one in modules if not room(one, known)} == {"mxgan.__init__", "mxgan.__main__"}


def test_no_two_files_import_each_other():
    """By any way round, at the top of a file or inside a function."""
    graph: dict[str, set[str]] = {}
    for file, module in edges():
        mine = "mxgan." + file.removesuffix(".py").removesuffix("/__init__").replace("/", ".")
        graph.setdefault(mine, set()).add(module)
    done: set[str] = set()

    def walk(module: str, way: tuple[str, ...]) -> None:
        assert module not in way, " imports ".join([*way[way.index(module) :], module])
        if module not in done:
            for following in sorted(graph.get(module, set()) - {module}):
                walk(following, (*way, module))
            done.add(module)

    for module in sorted(graph):
        walk(module, ())


@pytest.mark.parametrize("framework", ONLY_IN)
def test_engines_know_frameworks_and_nothing_else_does(framework):
    for path in PACKAGE.rglob("*.py"):
        file = path.relative_to(PACKAGE).as_posix()
        for name, at_top in imports(path):
            if name.split(".")[0] != framework or file.startswith(PEERS) or file.split("/")[0] in ONLY_IN[framework]:
                continue
            assert file in LAZILY.get(framework, ()) and not at_top, f"{file} imports {name}"


def public(module) -> dict[str, list[str]]:
    """The functions of a module and the methods of its classes, with the names of their parameters in order."""
    found = {}
    for name, value in vars(module).items():
        if name.startswith("_") or getattr(value, "__module__", None) != module.__name__:
            continue
        if inspect.isclass(value) and not issubclass(value, tuple):
            for method, function in vars(value).items():
                if inspect.isfunction(function) and (not method.startswith("_") or method == "__init__"):
                    found[f"{name}.{method}"] = list(inspect.signature(function).parameters)
        elif inspect.isfunction(value):
            found[name] = list(inspect.signature(value).parameters)
    return found


@pytest.mark.parametrize("name", TWINS)
def test_the_engines_rooms_are_twins(name):
    """The same functions, classes, methods and parameters, in the same order."""
    needs.mxnet()
    pytest.importorskip("torch")
    ours, theirs = (public(importlib.import_module(f"mxgan.{room}.{name}")) for room in ("gluon", "pytorch"))
    assert list(ours.items()) == list(theirs.items())


def test_the_step_is_one_screen():
    for engine in ("gluon", "pytorch"):
        lines = (PACKAGE / engine / "step.py").read_text(encoding="utf-8").splitlines()
        assert len(lines) <= 80, engine
        assert [line.split("(")[0] for line in lines if line.startswith("def ")] == [
            "def train_step", "def update_netD", "def update_netG",
        ]  # fmt: skip
