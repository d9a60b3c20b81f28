"""A model's numbers out and in again, in no framework's own format: weights, and all that a resume needs."""

from __future__ import annotations

import numpy as np

from mxgan.engines.protocol import State, Weights
from mxgan.errors import ParamsError
from mxgan.pytorch.adam import Adam, gradient_of
from mxgan.pytorch.model import Model
from mxgan.pytorch.tensors import arrays, to_array, to_tensor, trainable, write
from mxgan.weights import fit


def weights(model: Model) -> dict[str, dict[str, np.ndarray]]:
    """The arrays of netG, netD and, where there is an average, netG-ema; waits for the work in flight."""
    found = {"netG": model.netG, "netD": model.netD}
    if model.ema:
        found["netG-ema"] = model.ema.settled()
    return {name: arrays(net) for name, net in found.items()}


def load_weights(model: Model, values: Weights) -> None:
    """Set the networks that ``values`` names. Raises ParamsError if one doesn't fit or isn't there.

    The average begins anew with netG, unless it is named too, and spectral norm with netD.
    """
    unknown = set(values) - {"netG", "netD", *(["netG-ema"] if model.ema else [])}
    if unknown:
        raise ParamsError(f"{', '.join(sorted(unknown))}: this model has no such network")
    for name, net in (("netG", model.netG), ("netD", model.netD)):
        if name in values:
            write(net, values[name], name)
    if "netD" in values:
        model.spectral.restart()
    if model.ema and "netG-ema" in values:
        model.ema.write(values["netG-ema"], "netG-ema")
    elif model.ema and "netG" in values:
        model.ema.restart()


def snapshot(model: Model) -> State:
    """All that a resume needs: weights, Adam's moments and its counts; waits for the work in flight."""
    found, counts = weights(model), {}
    if model.spectral:
        found["spectral"] = model.spectral.state()
    for key, adam in _optimizers(model):
        found[key] = {
            f"{name}.{moment}": to_array(values[name])
            for name in (adam.parameters if adam.count else ())
            for moment, values in (("m", adam.m), ("v", adam.v))
        }
        counts[key] = adam.count
    return State(found, counts)


def restore(model: Model, state: State) -> None:
    """Go on from a `snapshot` of this engine or another. Raises ParamsError where an array doesn't fit."""
    nets = ("netG", "netD", "netG-ema") if model.ema else ("netG", "netD")
    load_weights(model, {name: state.arrays.get(name, {}) for name in nets})
    if model.spectral:
        model.spectral.load_state(state.arrays.get("spectral", {}))
    for key, adam in _optimizers(model):
        moments, count = state.arrays[key], state.counts[key]
        wanted = {f"{name}.{moment}": tuple(w.shape) for name, w in adam.parameters.items() for moment in "mv"}
        fit.check(moments, wanted if count else {}, key)
        for moment, values in (("m", adam.m), ("v", adam.v)):
            for name, tensor in values.items():
                if moments:
                    tensor.copy_(to_tensor(moments[f"{name}.{moment}"], tensor.device, tensor.dtype))
                else:  # of a run that hasn't made a step
                    tensor.zero_()
        adam.count = count


def gradients(model: Model, name: str) -> dict[str, np.ndarray]:
    """The gradients of netG or netD by canonical name."""
    net = {"netG": model.netG, "netD": model.netD}[name]
    return {f"{name}.{key}": to_array(gradient_of(parameter)) for key, parameter in trainable(net).items()}


def _optimizers(model: Model) -> list[tuple[str, Adam]]:
    return [("adamG", model.trainerG), ("adamD", model.trainerD)]
