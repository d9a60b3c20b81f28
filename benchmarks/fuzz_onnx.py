"""Feed damaged .onnx files to the reader: each must give a graph, a program, or a one-line ParamsError, within bounds.

    python benchmarks/fuzz_onnx.py [--mutations 20000] [--seed 0] [--run 0.05]

The same files for the same seed. Half of the damage is to bytes, half to the model's fields: sizes, attributes, names,
edges. ``--run``: the share of files without a graph that onnxruntime then tries. Any other outcome is a finding: the
file is written to `fuzz-findings/`, and the exit status is 1. Linux only, because the process limits its own memory.
"""

from __future__ import annotations

import argparse
import collections
import random
import resource
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [
    str(Path(__file__).parent),
    str(ROOT),
    str(ROOT / "tests" / "onnx_room"),
    str(ROOT / "tests" / "weights"),
]

TRICKY = [
    -(2**63),
    -(2**31),
    -7,
    -2,
    -1,
    0,
    1,
    2,
    3,
    5,
    17,
    255,
    7919,
    2**16,
    2**31 - 1,
    2**31,
    2**40,
    2**62,
    2**63 - 1,
]
SLOW = 5.0  # seconds of reading; a run may take longer
MEMORY = 6 * 2**30


def models() -> list:
    """Undamaged models with every operator that the reader knows, a few kilobytes each."""
    from onnx import TensorProto
    from reader_models import model, node, numbers, start

    first, held = start(channels=4)
    held |= {"W": numbers(4, 4, 3, 3), "v": np.abs(numbers(4)), "one": np.float32(0.5), "c": numbers(1, 4, 1, 1)}
    held |= {"scales": np.array([1, 1, 2, 2], np.float32), "pads": np.array([0, 0, 1, 1, 0, 0, 1, 1])}
    held |= {"i": np.array([0]), "j": np.array([3]), "axis": np.array([1]), "S": np.array([0, 4, -1])}
    chains = [
        [("ConvTranspose", ["W", "v"], {"strides": [2, 2], "pads": [1, 0, 0, 1]}),
         ("BatchNormalization", ["v", "v", "v", "v"], {"epsilon": 0.8}), ("LeakyRelu", [], {"alpha": 0.2})],
        [("Conv", ["W"], {"pads": [1, 0, 1, 2]}), ("Add", ["c"], {}), ("Relu", [], {}),
         ("InstanceNormalization", ["v", "v"], {})],
        [("Resize", ["", "scales"], {"mode": "linear"}), ("Clip", ["one"], {}), ("Mul", ["c"], {}),
         ("Elu", [], {"alpha": 0.5})],
        [("Pad", ["pads"], {"mode": "reflect"}), ("Slice", ["i", "j", "axis"], {}),
         ("Transpose", [], {"perm": [0, 2, 3, 1]})],
        [("DepthToSpace", [], {"blocksize": 2}), ("Sub", ["one"], {}), ("HardSigmoid", [], {}),
         ("Cast", [], {"to": 1})],
        [("Flatten", [], {}), ("Unsqueeze", ["axis"], {}), ("Squeeze", ["axis"], {}), ("Selu", [], {})],
        [("ConvTranspose", ["W"], {"auto_pad": "SAME_UPPER", "strides": [2, 2]}), ("Softplus", [], {})],
    ]  # fmt: skip
    made = []
    for chain in chains:
        nodes, x = list(first), "x"
        for place, (kind, more, settings) in enumerate(chain):
            nodes.append(node(kind, [x, *more], f"n{place}", **settings))
            x = f"n{place}"
        made.append(model([*nodes, node("Tanh", [x], "images")], held))
    nodes = [node("Gather", ["table", "label"], "e"), node("Mul", ["z", "e"], "ze"), node("Shape", ["ze"], "s")]
    nodes += [node("Slice", ["s", "i", "axis"], "s1"), node("Concat", ["s1", "rest"], "to", axis=0)]
    nodes += [node("Gemm", ["ze", "G"], "g"), node("Reshape", ["g", "to"], "r"), node("Sigmoid", ["r"], "images")]
    held = {
        "table": numbers(5, 6),
        "G": numbers(6, 48),
        "rest": np.array([3, 4, 4]),
        "i": np.array([0]),
        "axis": np.array([1]),
    }
    made.append(model(nodes, held, label=TensorProto.INT64))
    return made


def shaken(made, choose: random.Random) -> bytes:
    """The model with 1 to 3 of its fields changed."""
    copy = type(made)()
    copy.CopyFrom(made)
    for _ in range(choose.choice((1, 1, 2, 3))):
        choose.choice((_shake_attribute, _shake_array, _shake_edge, _shake_model))(copy, choose)
    return copy.SerializeToString()


def _shake_attribute(copy, choose: random.Random) -> None:
    node = choose.choice(copy.graph.node)
    if node.attribute:
        item = choose.choice(node.attribute)
        if choose.random() < 0.3:
            item.type = choose.randrange(13)
        item.i = choose.choice(TRICKY)
        item.f = choose.choice((0.0, -1.0, 1e-30, 1e30, float("nan"), float("inf"), 2.5))
        if item.ints:
            item.ints[choose.randrange(len(item.ints))] = choose.choice(TRICKY)
        if choose.random() < 0.3:
            item.name = choose.choice([other.name for one in copy.graph.node for other in one.attribute])


def _shake_array(copy, choose: random.Random) -> None:
    tensor, kind = choose.choice(copy.graph.initializer), choose.randrange(3)
    if kind == 0 and tensor.dims:
        tensor.dims[choose.randrange(len(tensor.dims))] = choose.choice(TRICKY)
    elif kind == 1:
        tensor.data_type = choose.randrange(20)
    elif len(tensor.raw_data) in (8, 16, 24, 32, 64):
        values = np.frombuffer(tensor.raw_data, "<i8").copy()
        values[choose.randrange(len(values))] = choose.choice(TRICKY)
        tensor.raw_data = values.tobytes()


def _shake_edge(copy, choose: random.Random) -> None:
    node = choose.choice(copy.graph.node)
    if node.input:
        names = [name for one in copy.graph.node for name in (*one.input, *one.output)]
        node.input[choose.randrange(len(node.input))] = choose.choice([*names, "", "nowhere", "\n"])


def _shake_model(copy, choose: random.Random) -> None:
    node, kind = choose.choice(copy.graph.node), choose.randrange(4)
    if kind == 0:
        node.op_type = choose.choice([*KINDS, choose.choice(copy.graph.node).op_type])
    elif kind == 1:
        dims = choose.choice(copy.graph.input).type.tensor_type.shape.dim
        if dims:
            choose.choice(dims).dim_value = choose.choice(TRICKY)
    elif kind == 2:
        copy.graph.node.add().CopyFrom(node)
    else:
        copy.opset_import[0].version = choose.randrange(30)


KINDS = (
    "Expand", "Range", "ConstantOfShape", "Tile", "Where", "MatMul", "Split", "Concat", "OneHot", "PRelu", "Max", "Pow",
    "Upsample", "Resize", "Loop", "If", "Identity", "Dropout", "Div", "Sum", "Constant", "Gather", "ReduceSum",
    "Transpose",
)  # fmt: skip


def check(path: Path, run: bool) -> str:
    """Read the file: "graph", "program", "no graph" or "refused". Raises if the outcome is any other, or too slow."""
    from mxgan import ParamsError
    from mxgan.graph import shapes
    from mxgan.onnx import reader

    began, outcome = time.perf_counter(), "refused"
    try:
        reading = reader.read(path)
        outcome = "graph"
        shapes(reading.graph)
        assert all(isinstance(name, str) and name.isprintable() for name in reading.names)
        held = sum(array.nbytes for array in reading.graph.arrays.values())
        assert held <= 2**26 + 16 * path.stat().st_size, f"{held} bytes of arrays from {path.stat().st_size}"
    except reader.NoGraph as error:
        outcome = "no graph"
        _one_line(error, path)
    except ParamsError as error:
        _one_line(error, path)
    assert time.perf_counter() - began < SLOW, "too slow"
    if outcome == "no graph" and run:
        try:
            reader.program(path)
            outcome = "program"
        except ParamsError as error:
            outcome = "not run"
            _one_line(error, path)
    return outcome


def _one_line(error: Exception, path: Path) -> None:
    assert str(error).startswith(f"{path}: ") and str(error).isprintable(), f"not one line: {error}"


def run_mutations(count: int, seed: int, share: float) -> int:
    """Try ``count`` mutations; returns the number of findings."""
    from fuzz_params import mutate

    from mxgan import machine

    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    whole = models()
    bytes_of = [made.SerializeToString() for made in whole]
    path = Path(tempfile.mkdtemp(prefix="fuzz-onnx-")) / "damaged.onnx"
    for data in bytes_of:
        path.write_bytes(data)
        print(f"undamaged: {check(path, True)}")
    outcomes, findings, longest, began = collections.Counter(), 0, 0.0, time.perf_counter()
    for number in range(count):
        choose = random.Random(f"{seed} {number}")
        data = (
            shaken(choose.choice(whole), choose)
            if choose.random() < 0.5
            else mutate(choose.choice(bytes_of), bytes_of, choose)
        )
        path.write_bytes(data)
        start = time.perf_counter()
        try:
            outcomes[check(path, choose.random() < share)] += 1
        except Exception as error:
            findings += 1
            kept = Path("fuzz-findings")
            kept.mkdir(exist_ok=True)
            (kept / f"seed{seed}-{number}.onnx").write_bytes(data)
            print(f"mutation {number}: {type(error).__name__}: {error}", flush=True)
        longest = max(longest, time.perf_counter() - start)
    spent = time.perf_counter() - began
    print(f"{count} mutations (seed {seed}) in {spent:.0f} s: {dict(outcomes)}, {findings} findings")
    print(f"longest {longest:.2f} s, peak memory of the process {machine.peak_memory() / 2**20:.0f} MiB")
    return findings


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--mutations", type=int, default=20_000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--run", type=float, default=0.05)
    options = parser.parse_args()
    sys.exit(1 if run_mutations(options.mutations, options.seed, options.run) else 0)


if __name__ == "__main__":
    main()
