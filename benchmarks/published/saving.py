"""A PyTorch generator in each form in which people publish one."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import onnxruntime
import torch
from torch import nn

from .kinds import Published
from .training import inputs


class Trained(NamedTuple):
    """What training leaves."""

    netG: nn.Module
    netD: nn.Module
    adams: list[torch.optim.Adam]  # netG's, netD's
    steps: int


def _plain(it: Trained) -> dict[str, Any]:
    nets = {"generator": it.netG.state_dict(), "discriminator": it.netD.state_dict()}
    return {"epoch": 1, **nets, "optimizer": it.adams[0].state_dict()}


def _netG_netD(it: Trained) -> dict[str, Any]:
    nets = {"netG_state_dict": it.netG.state_dict(), "netD_state_dict": it.netD.state_dict()}
    adams = {"optG": it.adams[0].state_dict(), "optD": it.adams[1].state_dict()}
    return {"iteration": it.steps, **nets, **adams, "losses": [0.5, 1.5]}


def _short(it: Trained) -> dict[str, Any]:
    nets = {"D": it.netD.state_dict(), "G": it.netG.state_dict()}
    return {**nets, "D_optimizer": it.adams[1].state_dict(), "ep": 1, "it_g": it.steps}


def _lightning(it: Trained) -> dict[str, Any]:
    state = {**_prefixed("generator.", it.netG), **_prefixed("discriminator.", it.netD)}
    states = [adam.state_dict() for adam in it.adams]
    about = {"epoch": 1, "global_step": it.steps, "pytorch-lightning_version": "1.9.0"}
    return {**about, "state_dict": state, "optimizer_states": states}


def _parallel(it: Trained) -> dict[str, Any]:
    return {"g": _prefixed("module.", it.netG), "d": _prefixed("module.", it.netD)}


def _prefixed(prefix: str, net: nn.Module) -> dict[str, Any]:
    return {f"{prefix}{name}": array for name, array in net.state_dict().items()}


STYLES: list[Callable[[Trained], dict[str, Any]]] = [_plain, _netG_netD, _short, _lightning, _parallel]


def save(net: Published, it: Trained, number: int, folder: Path) -> dict[str, str]:
    """Write every form that works into ``folder``. Gives for each file "ok" or what is wrong with it.

    Tracing may fix the batch of 2 that it saw, where forward asks for a length; so may ONNX, which is made by tracing.
    """
    netG = it.netG
    example = batch(net, 2)
    torch.save(netG.state_dict(), folder / "netG.pth")
    torch.save(STYLES[number % len(STYLES)](it), folder / "checkpoint.pth")
    torch.save(netG, folder / "module.pth")
    forms = dict.fromkeys(("netG.pth", "checkpoint.pth", "module.pth"), "ok")
    makers: dict[str, Callable[[Path], Any]] = {
        "traced.pt": lambda path: torch.jit.trace(netG, example).save(str(path)),
        "scripted.pt": lambda path: torch.jit.script(netG).save(str(path)),
        "netG.onnx": lambda path: export_onnx(netG, example, path),
    }
    for name, make in makers.items():
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            try:
                make(folder / name)
                forms[name] = "ok" if takes(folder / name, batch(net, 3)) else "a batch of 2 only"
            except Exception as error:  # which forms work is what is asked
                (folder / name).unlink(missing_ok=True)
                forms[name] = (str(error).strip() or type(error).__name__).splitlines()[0][:200]
    return forms


def batch(net: Published, n: int) -> tuple[torch.Tensor, ...]:
    """Some latents, and labels where the net takes them."""
    return inputs(net, net.draw(np.random.default_rng(0), n), np.arange(n) % max(net.classes, 1))


def takes(path: Path, example: tuple[torch.Tensor, ...]) -> bool:
    """Whether a TorchScript or ONNX file runs on this."""
    try:
        if path.suffix == ".pt":
            return torch.jit.load(str(path))(*example).shape[0] == len(example[0])
        session = onnxruntime.InferenceSession(path)
        return len(session.run(None, dict(zip(("z", "labels"), (x.numpy() for x in example))))[0]) == len(example[0])
    except Exception:  # each says it in a class of its own
        return False


def export_onnx(netG: nn.Module, example: tuple[torch.Tensor, ...], path: Path) -> None:
    names = ["z", "labels"][: len(example)]
    axes = {name: {0: "n"} for name in (*names, "images")}
    torch.onnx.export(
        netG,
        example,
        str(path),
        input_names=names,
        output_names=["images"],
        dynamic_axes=axes,
        opset_version=17,
        dynamo=False,
    )


def expected(net: Published, netG: nn.Module) -> dict[str, np.ndarray]:
    """Latents, labels and the images that the framework makes of them."""
    rng = np.random.default_rng(net.seed + 1)
    z, labels = net.draw(rng, 8), np.arange(8, dtype=np.int64) % max(net.classes, 1)
    with torch.no_grad():
        images = netG(*inputs(net, z, labels)).numpy()
    arrays = {"z": z, "images": images, "range": np.array(net.end)}
    return {**arrays, "labels": labels} if net.classes else arrays
