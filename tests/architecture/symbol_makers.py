"""MXNet generators with random arrays, saved as MXNet saves them, and what MXNet's own Module makes of them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np

from mxgan.architecture import symbol
from mxgan.graph import forward
from mxgan.weights import params_file


def filled(net: Any, seed: int = 0, **shapes: tuple[int, ...]) -> dict[str, np.ndarray]:
    """Arrays for a symbol's variables, with arg: and aux:. Variances are so small that an epsilon shows."""
    random = np.random.default_rng(seed)
    arguments, _, states = net.infer_shape(**shapes)
    found = {}
    for kind, names, sizes in (("arg", net.list_arguments(), arguments), ("aux", net.list_auxiliary_states(), states)):
        for name, size in zip(names, sizes):
            if name not in shapes:
                values = random.normal(0, 0.1, size)
                if "gamma" in name:
                    values = random.uniform(0.5, 2, size)
                if name.endswith("var"):
                    values = random.uniform(5e-4, 2e-2, size)
                found[f"{kind}:{name}"] = values.astype(np.float32)
    return found


def save(mx, folder: Path, net: Any, arrays: dict[str, np.ndarray]) -> Path:
    """``net-0010.params`` and ``net-symbol.json``, as Module.save_checkpoint writes them. Returns the first."""
    parts: dict[str, dict] = {"arg": {}, "aux": {}}
    for name, array in arrays.items():
        parts[name[:3]][name[4:]] = mx.nd.array(array)
    mx.model.save_checkpoint(str(folder / "net"), 10, net, parts["arg"], parts["aux"])
    return folder / "net-0010.params"


def in_mxnet(mx, params: Path, feeds: dict[str, np.ndarray]) -> np.ndarray:
    """What MXNet's Module makes of a saved checkpoint in inference mode."""
    net, arguments, states = mx.model.load_checkpoint(str(params.parent / "net"), 10)
    module = mx.mod.Module(net, data_names=list(feeds), label_names=None, context=mx.cpu())
    module.bind([(name, array.shape) for name, array in feeds.items()], for_training=False)
    module.set_params(arguments, states, allow_missing=False)
    module.forward(mx.io.DataBatch([mx.nd.array(array) for array in feeds.values()]), is_train=False)
    return module.get_outputs()[0].asnumpy()


def read(params: Path):
    """The reading of the symbol that lies beside."""
    found = symbol.beside(params)
    assert found is not None
    return symbol.read(found, params_file.read(params).arrays, str(params))


def compared(mx, folder: Path, net: Any, z: np.ndarray, label=None, shape=(), names=("rand", "label"), arrays=None):
    """(reading, MXNet's images, ours) for a generator whose variable ``rand`` is (n, latent, *shape)."""
    feeds = {names[0]: z.reshape(*z.shape, *shape)}
    if label is not None:
        feeds[names[1]] = np.asarray(label, np.float32)
    arrays = arrays or filled(net, **{name: array.shape for name, array in feeds.items()})
    params = save(mx, folder, net, arrays)
    reading = read(params)
    return reading, in_mxnet(mx, params, feeds), forward.generate(reading.graph, z, label)


def latents(n: int = 2, size: int = 10) -> np.ndarray:
    return np.random.default_rng(5).normal(size=(n, size)).astype(np.float32)


def as_0_8(text: str) -> str:
    """A 1.9.1 symbol in the form of MXNet 0.5 to 0.8: settings under param, no running statistics among the inputs."""
    said = json.loads(text)
    states = {place for row in said["nodes"] if row["op"] == "BatchNorm" for place, _, _ in row["inputs"][3:]}
    kept = [number for number in range(len(said["nodes"])) if number not in states]
    new = {number: place for place, number in enumerate(kept)}
    nodes = []
    for number in kept:
        row = said["nodes"][number]
        settings = row.get("attrs", {}) if row["op"] != "null" else {}
        inputs = [[new[place], index] for place, index, _ in row["inputs"] if place in new]
        nodes.append({
            "op": row["op"], "param": settings, "name": row["name"], "inputs": inputs, "backward_source_id": -1,
            "attr": {"ctx_group": "stage1", "lr_mult": "0.2"},
        })  # fmt: skip
    arguments = [place for place, row in enumerate(nodes) if row["op"] == "null"]
    heads = [[new[place], index] for place, index, _ in said["heads"]]
    return json.dumps({"nodes": nodes, "arg_nodes": arguments, "heads": heads}, indent=2)


def as_0_9(text: str) -> str:
    """A 1.9.1 symbol in the form of MXNet 0.9 to 0.12: settings under attr."""
    said = json.loads(text)
    for row in said["nodes"]:
        if "attrs" in row:
            row["attr"] = {key: value for key, value in row.pop("attrs").items() if row["op"] != "null"}
    said["attrs"] = {"mxnet_version": ["int", 904]}
    return json.dumps(said, indent=2)


def read_text(folder: Path, text: str, arrays: dict[str, np.ndarray]):
    """The reading of a symbol's JSON, with these arrays."""
    path = folder / "net-symbol.json"
    path.write_text(text)
    return symbol.read(path, arrays, "net-0010.params")
