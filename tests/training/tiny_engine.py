"""An engine in a few lines of NumPy, which learns and keeps Adam's moments: what a run does shows in its bytes, fast.

A face is 12 numbers, the mean colours of its quarters. netG is one matrix and a tanh; netD one matrix, of those numbers
and a 1.
"""

from __future__ import annotations

import json
import os
import types

import numpy as np

from mxgan import atomic, engines, plots, rng
from mxgan.config import TrainConfig
from mxgan.engines import Choice
from mxgan.engines.protocol import State

HALF = 16  # pixels: the images are 32×32


class TinyEngine:
    """See `mxgan.engines`. ``rates``: netG's and netD's learning rates."""

    name, package, version, ctx, threads = "mxnet", "tiny", "1.0", "cpu", "1"  # config.json takes known names only

    def __init__(self, config: TrainConfig, rates: tuple[float, float] = (0.02, 0.02)) -> None:
        self.weights = {
            "netG": {"0.weight": rng.normal(config.seed, "netG", (config.latent, 12)) / 4},
            "netD": {"0.weight": rng.normal(config.seed, "netD", (13, 1)) / 4},
        }
        self.rates = dict(zip(self.weights, rates))
        self.moments = {
            f"adam{net[-1]}": {f"0.weight.{moment}": np.zeros_like(arrays["0.weight"]) for moment in "mv"}
            for net, arrays in self.weights.items()
        }
        self.counts = dict.fromkeys(self.moments, 0)

    def train_step(self, batch):
        images, z, _, _, rate = batch
        netG, netD = (self.weights[net]["0.weight"] for net in ("netG", "netD"))
        real, fake = features(images), np.tanh(z @ netG)
        score_real, score_fake = (sigmoid(with_one(x) @ netD) for x in (real, fake))
        self._update("netD", rate, (with_one(real).T @ (score_real - 1) + with_one(fake).T @ score_fake) / len(z))
        score = sigmoid(with_one(fake) @ netD)
        self._update("netG", rate, z.T @ ((score - 1) @ netD[:12].T * (1 - fake**2)) / len(z))
        tiny = np.float32(1e-12)
        numbers = {
            "loss_d": -np.log(score_real + tiny).mean() - np.log(1 - score_fake + tiny).mean(),
            "loss_g": -np.log(score + tiny).mean(),
            "score_real": score_real.mean(),
            "score_fake": score_fake.mean(),
        }
        numbers = {name: float(value) for name, value in numbers.items()}
        return types.SimpleNamespace(read=lambda: numbers)

    def generate(self, z):
        quarters = np.tanh(z @ self.weights["netG"]["0.weight"]).reshape(-1, 2, 2, 3)
        return np.rint((quarters + 1) * 127.5).astype(np.uint8).repeat(HALF, 1).repeat(HALF, 2)

    def load_weights(self, weights):
        for net, arrays in weights.items():
            self.weights[net] = {name: array.copy() for name, array in arrays.items()}

    def state(self):
        both = {**self.weights, **self.moments}
        arrays = {key: {name: array.copy() for name, array in arrays.items()} for key, arrays in both.items()}
        return State(arrays, dict(self.counts))

    def load_state(self, state):
        self.load_weights({net: state.arrays[net] for net in ("netG", "netD")})
        self.moments = {
            key: {name: array.copy() for name, array in state.arrays[key].items()} for key in ("adamG", "adamD")
        }
        self.counts = dict(state.counts)

    def _update(self, net, rate, gradient):
        key = f"adam{net[-1]}"
        m, v = (self.moments[key][f"0.weight.{moment}"] for moment in "mv")
        self.counts[key] += 1
        m += (gradient - m) * np.float32(0.5)
        v += (gradient**2 - v) * np.float32(0.001)
        m_hat, v_hat = m / (1 - 0.5 ** self.counts[key]), v / (1 - 0.999 ** self.counts[key])
        self.weights[net]["0.weight"] -= np.float32(rate * self.rates[net]) * (m_hat / (np.sqrt(v_hat) + 1e-8)).astype(
            "f4"
        )


def features(images):
    """Images uint8 (n, 32, 32, 3) as float32 (n, 12)."""
    quarters = images.reshape(-1, 2, HALF, 2, HALF, 3).mean((2, 4), dtype=np.float32)
    return quarters.reshape(-1, 12) / np.float32(127.5) - 1


def with_one(x):
    """Another column, of ones."""
    return np.concatenate([x, np.ones((len(x), 1), x.dtype)], 1)


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


def install(patch, engine=TinyEngine) -> None:
    """Let every run use ``engine``, called with the configuration. ``patch`` is pytest's monkeypatch."""
    patch.setattr(engines, "choose", lambda *wish: Choice("mxnet", "cpu", "it is a test"))
    patch.setattr(engines, "build", lambda choice, config, team=None: engine(config))
    # no test pulls the plug; and drawing takes a hundred times as long as all the rest
    patch.setattr(os, "fsync", lambda descriptor: None)
    patch.setattr(plots, "save_curves", lambda path, log, best: atomic.write(path, json.dumps(log[-1]).encode()))
