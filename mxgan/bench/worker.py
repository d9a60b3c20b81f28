"""What a job's process does: warm up once, then make as many steps as it is told and time them."""

from __future__ import annotations

import importlib
import importlib.metadata
import sys
import time
from collections.abc import Callable
from typing import Any

import numpy as np

from mxgan import config, engines, rng
from mxgan.bench.jobs import GENERATED, generator_shapes
from mxgan.engines.protocol import Batch, Stats
from mxgan.recipe import initial
from mxgan.weights import recognise
from mxgan.weights.dcgan import graph_of

WARM = 3  # steps that aren't timed: they generate code, plan memory and fill caches
PEERS_FACES = 640  # the tutorial holds its faces in memory as floats; their number doesn't change a step
NETS = {"pytorch": "torch", "mxnet": "mxnet", "onnx": "onnxruntime"}

Steps = Callable[[int], dict[str, float]]  # make so many, return the seconds of one and what else is measured


class Worker:
    """A job, warmed up. It lives in a `mxgan.child.Child`."""

    def __init__(self, kind: str, values: dict[str, Any]) -> None:
        """See `mxgan.bench.jobs.Job`."""
        self._steps = {"engine": engine, "peer": peer, "generator": generator}[kind](values)
        for _ in range(WARM):
            self._steps(1)

    def versions(self) -> dict[str, str]:
        """The version of each framework that the job has imported."""
        return {name: importlib.metadata.version(package) for name, package in NETS.items() if package in sys.modules}

    def measure(self, count: int) -> dict[str, float]:
        """Make ``count`` steps: the seconds of one, its processor time of all threads, and what the job adds."""
        before = time.process_time()
        measured = self._steps(count)
        return {**measured, "processor": (time.process_time() - before) / count}


def engine(values: dict[str, Any]) -> Steps:
    """Training as the program does it: inputs are made ahead, and the numbers of a step are read after the next."""
    from mxgan.faces import open_faces
    from mxgan.training import batches

    wanted = config.resolve(config.TrainConfig(data="painted", ctx="cpu", **values))
    images = open_faces("painted", wanted.size, progress=False).images
    built = engines.build(engines.choose(values["engine"], "cpu", values["threads"]), wanted)

    def inputs(place: tuple[int, np.ndarray]) -> Batch:
        step, picks = place
        return batches.inputs(wanted, step, sys.maxsize, images[picks])

    order = batches.indices(wanted.seed, len(images), values["batch_size"], 0, sys.maxsize)
    read = batches.ahead(inputs, enumerate(order, start=1))

    def steps(count: int) -> dict[str, float]:
        waited, start = 0.0, time.perf_counter()
        behind: list[Stats] = []  # of the step before
        for _ in range(count):
            asked = time.perf_counter()
            _, batch = next(read)
            waited += time.perf_counter() - asked
            behind.append(built.train_step(batch))
            if len(behind) > 1:
                behind.pop(0).read()
        behind.pop().read()
        built.wait()
        seconds = time.perf_counter() - start
        return {"seconds": seconds / count, "waiting": waited / seconds}

    return steps


def peer(values: dict[str, Any]) -> Steps:
    """A loop of `mxgan.bench.peers`, which is a generator: each ``next()`` is one step."""
    threads = values["threads"]
    module = importlib.import_module(values["module"])
    if "torch" in sys.modules and threads:
        sys.modules["torch"].set_num_threads(threads)
    call = getattr(module, values["call"])
    if values["call"] == "train":
        from mxgan.faces import open_faces

        loop = call(open_faces("painted", progress=False).images[:PEERS_FACES], values["batch_size"])
    elif values["call"] == "generate":
        loop = call(rng.samples(0, 0, GENERATED, module.LATENT), values["batch_size"])
    else:
        loop = call()

    def steps(count: int) -> dict[str, float]:
        start = time.perf_counter()
        for _ in range(count):
            next(loop)
        module.wait()
        return {"seconds": (time.perf_counter() - start) / count}

    return steps


def generator(values: dict[str, Any]) -> Steps:
    """Pictures by one of the engines, from freshly drawn weights of the tutorial's netG."""
    recipe = "gluon-tutorial"
    latent = config.RECIPES[recipe].latent
    arrays = initial.draw(config.resolve(config.TrainConfig(recipe=recipe)), "netG", generator_shapes(latent))
    choice = engines.choose_generator(values["engine"], "cpu")
    built = engines.forward_of(choice, graph_of(recognise(arrays, "netG")))
    engines.prepare(values["engine"])
    z = rng.samples(0, 0, GENERATED, latent)

    def steps(count: int) -> dict[str, float]:
        start = time.perf_counter()
        for _ in range(count):
            for first in range(0, GENERATED, values["batch_size"]):
                built(z[first : first + values["batch_size"]])
        return {"seconds": (time.perf_counter() - start) / count}

    return steps
