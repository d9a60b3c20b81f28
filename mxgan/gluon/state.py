"""A model's numbers out and in again, in no framework's own format: weights, and all that a resume needs."""

from __future__ import annotations

from typing import Any

import numpy as np
from mxnet import nd

from mxgan.engines.protocol import State, Weights
from mxgan.errors import ParamsError
from mxgan.gluon.model import Model
from mxgan.gluon.tensors import arrays, tensors, to_array, to_tensor, trainable, write
from mxgan.weights import fit


def weights(model: Model) -> dict[str, dict[str, np.ndarray]]:
    """The arrays of netG, netD and, where there is an average, netG-ema; waits for the work in flight."""
    found = {"netG": model.netG, "netD": model.netD}
    if model.ema:
        found["netG-ema"] = model.ema.settled()
    nd.waitall()  # running statistics move in a backward pass, which reading an array alone doesn't wait for
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
    if "netG" in values:
        model.choose_forms()
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
    for key, net, trainer in _optimizers(model):
        moments = trainer._updaters[0].states  # Trainer's only public way out is a pickle
        found[key] = {
            f"{name}.{moment}": to_array(value)
            for name, index in _indices(net).items()
            for moment, value in zip("mv", moments.get(index, ()))
        }
        counts[key] = trainer._optimizer.num_update
    return State(found, counts)


def restore(model: Model, state: State) -> None:
    """Go on from a `snapshot` of this engine or another. Raises ParamsError where an array doesn't fit."""
    nets = ("netG", "netD", "netG-ema") if model.ema else ("netG", "netD")
    load_weights(model, {name: state.arrays.get(name, {}) for name in nets})
    if model.spectral:
        model.spectral.load_state(state.arrays.get("spectral", {}))
    for key, net, trainer in _optimizers(model):
        updater, moments, count = trainer._updaters[0], state.arrays[key], state.counts[key]
        wanted = {f"{name}.{moment}": tensor.shape for name, tensor in trainable(net).items() for moment in "mv"}
        fit.check(moments, wanted if count else {}, key)
        updater.states.clear()
        updater.states_synced.clear()
        for name, index in _indices(net).items() if moments else ():
            pair = (to_tensor(moments[f"{name}.{moment}"], model.device, model.dtype) for moment in "mv")
            updater.states[index] = tuple(pair)
            updater.states_synced[index] = True
        trainer._optimizer.begin_num_update = trainer._optimizer.num_update = count
        trainer._optimizer._index_update_count.clear()


def gradients(model: Model, name: str) -> dict[str, np.ndarray]:
    """The gradients of netG or netD by canonical name: sums over the batch, which Trainer divides."""
    net = {"netG": model.netG, "netD": model.netD}[name]
    return {f"{name}.{key}": to_array(parameter.grad()) for key, parameter in trainable(net).items()}


def _optimizers(model: Model) -> list[tuple[str, Any, Any]]:
    return [("adamG", model.netG, model.trainerG), ("adamD", model.netD, model.trainerD)]


def _indices(net: Any) -> dict[str, int]:
    """Canonical name to the index that the Trainer knows a Parameter by."""
    places = {name: index for index, name in enumerate(tensors(net))}
    return {name: places[name] for name in trainable(net)}
