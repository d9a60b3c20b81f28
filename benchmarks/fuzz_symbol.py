"""Feed damaged symbols to the -symbol.json reader: each must give a graph or a one-line ParamsError, fast.

    python benchmarks/fuzz_symbol.py [--mutations 100000] [--seed 0]   random; the same files for the same seed

Half of the mutations change bytes, half change the JSON's values, so that they get past its parser. A graph that comes
out is computed once, if it is small. Any other outcome is a finding: the file is written to `fuzz-findings/`, and the
exit status is 1. Linux only, because the process limits its own memory.
"""

from __future__ import annotations

import argparse
import collections
import json
import random
import resource
import sys
import tempfile
import time
from math import prod
from pathlib import Path
from typing import Any

import numpy as np

TESTS = Path(__file__).resolve().parent.parent / "tests" / "architecture"
sys.path[:0] = [str(TESTS), str(TESTS.parent.parent)]

SLOW = 5.0  # seconds
MEMORY = 2 * 2**30
SMALL = 2**14  # numbers after every layer of a graph that is computed too
TRICKY: list[Any] = [
    None, True, 0, -1, 1, 2, 3, 4, 7, 2**31, 2**63, 2**200, 1e308, float("nan"), "", "None", "nan", "inf",
    "-1", "0", "1", "2", "3", "(2, 2)", "[4L,4L]", "(1, 1, 1)", "(0, -1)", "(0, -3, -2)", "(0, -4, 2, -1)",
    "(-1, 4, 1, 1)", "(0, 0, 1, 1)", "True", "False", "9" * 30, "1000000", "1e-30", "x" * 2000, "a\nb", [],
    {}, [[0, 0]], "tanh", "sigmoid", "leaky", "bilinear", "nearest", "concat", "sum", "reflect", "edge",
    "channel", "always",
]  # fmt: skip
WORDS = [
    "null", "Deconvolution", "Convolution", "FullyConnected", "BatchNorm", "InstanceNorm", "Activation",
    "LeakyReLU", "UpSampling", "Reshape", "Flatten", "Concat", "Crop", "Pad", "slice", "slice_axis",
    "transpose", "SwapAxis", "squeeze", "expand_dims", "Embedding", "one_hot", "elemwise_add",
    "broadcast_mul", "_minus", "_rminus_scalar", "_div_scalar", "depth_to_space", "broadcast_to",
    "broadcast_axis", "Dropout", "Cast", "BlockGrad", "tanh", "sigmoid", "Pooling",
    "LogisticRegressionOutput", "SoftmaxOutput", "_contrib_BilinearResize2D", "_npx_reshape",
]  # fmt: skip
KEYS = [
    "kernel", "stride", "pad", "adj", "dilate", "num_filter", "num_group", "num_hidden", "no_bias",
    "target_shape", "shape", "scale", "sample_type", "axis", "axes", "dim", "dim1", "dim2", "begin", "end",
    "scalar", "act_type", "eps", "fix_gamma", "pad_width", "mode", "height", "width", "block_size", "depth",
    "input_dim", "output_dim", "newshape", "h_w", "offset", "reverse", "keep_highest", "flatten", "layout",
    "dtype", "multi_input_mode", "size", "__shape__", "scalar_on_left",
]  # fmt: skip


def sound() -> list[tuple[dict, dict[str, np.ndarray]]]:
    """Sound symbols with their arrays: deconvolutions, in the forms of 1.x and 0.8, and a conditional one with more."""
    import test_symbol_hostile as hostile

    plain = hostile.small()
    old = json.loads(json.dumps(plain).replace('"attrs"', '"param"'))
    node = hostile.node
    nodes = [node("null", "z"), node("null", "label"), node("null", "e_weight"), node("null", "f_weight")]
    nodes += [node("Embedding", "e", (1, 2), input_dim="3", output_dim="2"), node("Concat", "join", (0, 4), dim="1")]
    nodes += [node("FullyConnected", "f", (5, 3), num_hidden="32", no_bias="True")]
    nodes += [node("Reshape", "r", (6,), shape="(0, 8, 2, -1)"), node("LeakyReLU", "leaky", (7,), slope="0.2")]
    nodes += [node("UpSampling", "up", (8,), scale="2", sample_type="nearest", num_args="1"), node("null", "c_weight")]
    nodes += [node("Convolution", "c", (9, 10), kernel="(3, 3)", pad="(1, 1)", num_filter="8", no_bias="True")]
    nodes += [node("elemwise_add", "add", (9, 11)), node("depth_to_space", "deep", (12,), block_size="2")]
    nodes += [node("Pad", "pad", (13,), mode="reflect", pad_width="(0,0,0,0,1,1,1,1)")]
    nodes += [
        node("Crop", "crop", (14,), offset="(1, 1)", h_w="(8, 8)"),
        node("_mul_scalar", "half", (15,), scalar="0.5"),
    ]
    nodes += [node("sigmoid", "end", (16,))]
    arrays = {"e_weight": np.ones((3, 2)), "f_weight": np.ones((32, 6)), "c_weight": np.ones((8, 8, 3, 3))}
    rich = {"nodes": nodes, "heads": [[17, 0, 0]], "attrs": {"mxnet_version": ["int", 10901]}}
    return [(plain, hostile.ARRAYS), (old, hostile.ARRAYS), (rich, arrays)]


def mutate_bytes(data: bytes, choose: random.Random) -> bytes:
    """1 to 4 bytes or runs changed, doubled, cut or turned over."""
    data = bytearray(data)
    for _ in range(choose.choice((1, 1, 2, 4))):
        at, length = choose.randrange(len(data) + 1), choose.choice((1, 2, 8, 100))
        kind = choose.randrange(5)
        if kind == 0:
            data[at : at + 1] = bytes([choose.choice((choose.randrange(256), *b'0123456789[]{}",:-'))])
        elif kind == 1:
            del data[at : at + length]
        elif kind == 2:
            data[at:at] = data[at : at + length] * choose.choice((1, 2, 1000))
        elif kind == 3 and at < len(data):
            data[at] ^= 1 << choose.randrange(8)
        else:
            other = choose.randrange(len(data) + 1)
            data[at : at + length] = data[other : other + length]
    return bytes(data)


def mutate_values(said: dict, choose: random.Random) -> bytes:
    """1 to 4 nodes with another operator, setting, input or place."""
    said = json.loads(json.dumps(said))
    for _ in range(choose.choice((1, 1, 2, 4))):
        change = choose.choice(
            (other_setting, other_setting, other_operator, other_input, other_inputs, one_more, other_head)
        )
        change(said, choose.choice(said["nodes"]), choose)
    if choose.random() < 0.2:  # last, as the changes above need a sound form
        choose.choice(said["nodes"])[choose.choice(("name", "op", "inputs", "attrs"))] = choose.choice(TRICKY)
    return json.dumps(said).encode()


def other_setting(said: dict, row: dict, choose: random.Random) -> None:
    settings = row.setdefault(choose.choice([key for key in ("attrs", "param") if key in row] or ["attr"]), {})
    settings[choose.choice([*settings, *choose.sample(KEYS, 2)])] = choose.choice(TRICKY)


def other_operator(said: dict, row: dict, choose: random.Random) -> None:
    row["op"] = choose.choice(WORDS)


def other_input(said: dict, row: dict, choose: random.Random) -> None:
    for one in row["inputs"][: choose.choice((1, 3))]:
        one[choose.randrange(2)] = choose.randrange(-1, len(said["nodes"]) + 1)


def other_inputs(said: dict, row: dict, choose: random.Random) -> None:
    row["inputs"] = choose.choice(([], row["inputs"] * 2, row["inputs"][:1], row["inputs"][::-1]))


def other_head(said: dict, row: dict, choose: random.Random) -> None:
    head = [choose.randrange(len(said["nodes"])), choose.choice((0, 0, 1))]
    said["heads"] = [head, *said["heads"][choose.randrange(2) :]]


def one_more(said: dict, row: dict, choose: random.Random) -> None:
    """A copy of some node before the last, which then takes it."""
    nodes = said["nodes"]
    nodes[-1:-1] = [{**json.loads(json.dumps(row)), "inputs": [[len(nodes) - 2, 0], *row["inputs"][1:]]}]
    nodes[-1]["inputs"] = [[len(nodes) - 2, 0]]
    said["heads"] = [[len(nodes) - 1, 0]]


def check(path: Path, arrays: dict[str, np.ndarray], params_error: type[Exception]) -> str:
    """Read a file: "graph", "computed" or "refused". Raises if the outcome is any other, or too slow."""
    from mxgan.architecture import symbol
    from mxgan.graph import forward, shapes

    began = time.perf_counter()
    try:
        reading = symbol.read(path, arrays, "damaged.params")
    except params_error as error:
        assert str(error).startswith(f"{path}: ") and str(error).isprintable(), f"not one line: {error!r}"
        outcome = "refused"
    else:
        outcome = "graph"
        graph = reading.graph
        assert set(reading.names) == set(graph.arrays)
        if max(prod(shape) for shape in shapes(graph).values()) < SMALL and len(graph.nodes) < 50:
            given = {
                name: np.ones((2, *shape), int if name == "label" else float) for name, shape in graph.inputs.items()
            }
            for node, y in forward.steps(graph, given):
                assert y.shape == (2, *shapes(graph)[node.name]), node.name
            outcome = "computed"
    assert time.perf_counter() - began < SLOW, "too slow"
    return outcome


def run_mutations(count: int, seed: int) -> int:
    """Try ``count`` mutations; returns the number of findings."""
    from mxgan import ParamsError, machine

    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    outcomes, findings, began = collections.Counter(), 0, time.perf_counter()
    small, path = sound(), Path(tempfile.mkdtemp(prefix="fuzz-symbol-")) / "damaged-symbol.json"
    for number in range(count):
        choose = random.Random(f"{seed} {number}")
        said, arrays = choose.choice(small)
        data = json.dumps(said).encode()
        data = mutate_bytes(data, choose) if choose.random() < 0.5 else mutate_values(said, choose)
        path.write_bytes(data)
        try:
            outcomes[check(path, arrays, ParamsError)] += 1
        except Exception as error:
            findings += 1
            kept = Path("fuzz-findings")
            kept.mkdir(exist_ok=True)
            (kept / f"seed{seed}-{number}-symbol.json").write_bytes(data)
            print(f"mutation {number}: {type(error).__name__}: {error}")
    spent = time.perf_counter() - began
    print(f"{count} mutations (seed {seed}) in {spent:.0f} s: {dict(outcomes)}, {findings} findings")
    print(f"peak memory of the process {machine.peak_memory() / 2**20:.0f} MiB")
    return findings


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--mutations", type=int, default=100_000)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    sys.exit(1 if run_mutations(options.mutations, options.seed) else 0)


if __name__ == "__main__":
    main()
