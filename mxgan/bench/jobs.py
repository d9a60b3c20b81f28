"""What is timed: jobs, each in a process of its own, in groups that take turns."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Optional

from mxgan.config import RECIPES
from mxgan.recipe.initial import BATCHNORM
from mxgan.weights.net import canonical

GENERATED, GENERATED_BATCH = 1000, 64
GEMMS = ("pytorch", "mxnet_blas", "mxnet_onednn")  # functions of `mxgan.bench.peers.gemm`


@dataclass(frozen=True)
class Job:
    """One piece of work for a `Worker`: in each round, ``count`` steps of it are timed together."""

    kind: str  # a function of `mxgan.bench.worker`
    values: dict[str, Any] = field(default_factory=dict)
    count: int = 1
    threads_set: bool = True  # False: no thread variable is set, which is how most people start a tutorial


@dataclass(frozen=True)
class Row:
    """A comparison: the fastest of the jobs ``ours`` should be ``target`` times as fast as ``theirs``."""

    work: str
    against: str
    ours: tuple[str, ...]
    theirs: str
    target: float


@dataclass(frozen=True)
class Group:
    """Jobs that take turns, so that other work on the machine slows all of them alike."""

    jobs: dict[str, Job]
    rows: tuple[Row, ...]


def groups(batch: int, threads: int) -> list[Group]:
    """The table for batches of ``batch`` and of twice as many."""
    double = 2 * batch

    def engine(name: str, recipe: str, size: int, count: int) -> Job:
        values = {"engine": name, "recipe": recipe, "batch_size": size, "threads": threads}
        return Job("engine", values, count)

    def peer(module: str, size: Optional[int], count: int, call: str = "train", threads_set: bool = True) -> Job:
        values = {"module": f"mxgan.bench.peers.{module}", "call": call, "batch_size": size}
        return Job("peer", {**values, "threads": threads if threads_set else None}, count, threads_set)

    tutorial, anime = "gluon-tutorial", "pytorch-anime"
    loop = "the tutorial's loop as written"
    return [
        Group(
            {
                "tutorial": peer("tutorial_loop", batch, 4),
                "mxnet": engine("mxnet", tutorial, batch, 4),
                "tutorial, threads unset": peer("tutorial_loop", batch, 2, threads_set=False),
                **{f"gemm, {name}": peer("gemm", None, 3, name) for name in GEMMS},
            },
            (
                Row(f"step, {tutorial}, batch {batch}, MXNet engine", loop, ("mxnet",), "tutorial", 1.25),
                Row(
                    f"step, {tutorial}, batch {batch}, MXNet engine",
                    f"{loop}, no thread variable set",
                    ("mxnet",),
                    "tutorial, threads unset",
                    2.0,
                ),
            ),
        ),
        Group(
            {
                "tutorial, double": peer("tutorial_loop", double, 2),
                "mxnet, double": engine("mxnet", tutorial, double, 2),
            },
            (
                Row(
                    f"step, {tutorial}, batch {double}, MXNet engine",
                    loop,
                    ("mxnet, double",),
                    "tutorial, double",
                    1.5,
                ),
            ),
        ),
        Group(
            {
                "notebook": peer("notebook_loop", double, 2),
                "mxnet, anime": engine("mxnet", anime, double, 2),
                "pytorch, anime": engine("pytorch", anime, double, 2),
            },
            (
                Row(
                    f"step, {anime}, batch {double}, best engine",
                    "the notebooks' loop as written in PyTorch",
                    ("mxnet, anime", "pytorch, anime"),
                    "notebook",
                    1.5,
                ),
            ),
        ),
        Group(
            {
                "plain pytorch": peer("plain_pytorch", batch, 4),
                "pytorch": engine("pytorch", tutorial, batch, 4),
            },
            (
                Row(
                    f"step, {tutorial}, batch {batch}, PyTorch engine, float32",
                    "the same written plainly in PyTorch eager",
                    ("pytorch",),
                    "plain pytorch",
                    1.25,
                ),
            ),
        ),
        Group(
            {
                "eager": peer("plain_pytorch", GENERATED_BATCH, 1, "generate"),
                **{
                    f"{name}, generating": Job("generator", {"engine": name, "batch_size": GENERATED_BATCH})
                    for name in ("onnx", "mxnet", "pytorch")
                },
            },
            (
                Row(
                    f"{GENERATED} images in batches of {GENERATED_BATCH}, best engine",
                    "PyTorch eager in eval mode",
                    ("onnx, generating", "mxnet, generating", "pytorch, generating"),
                    "eager",
                    1.4,
                ),
            ),
        ),
    ]


def gflop_of_step(batch: int, recipe: str = "gluon-tutorial", ngf: int = 64, ndf: int = 64) -> float:
    """The arithmetic of one step at 64×64 pixels as the engines do it, in GFLOP; a multiply-add counts as two.

    netG's layers run forward once, or twice where the G step draws its own latents, and backward once: by their weights
    and, except in the first layer, by their input. netD's layers run forward on three batches, backward by their input
    three times (the first layer only in netG's step), and by their weights twice. Taps on the padding count, as usual.
    """
    settings = RECIPES[recipe]
    g, d = _multiply_adds(settings.latent, ngf), _multiply_adds(1, ndf)
    forward_g = 2 if settings.fresh_latents else 1
    total = (forward_g + 2) * sum(g) - g[0] + 8 * sum(d) - 2 * d[-1]
    return 2 * batch * total / 1e9


def generator_shapes(latent: int, ngf: int = 64) -> dict[str, tuple[int, ...]]:
    """The arrays of a netG for 64×64 pixels whose convolutions have biases: shapes by canonical name."""
    channels = _channels(latent, ngf)
    convs, norms = canonical("generator", len(channels) - 1)
    shapes: dict[str, tuple[int, ...]] = {}
    for conv, before, after in zip(convs, channels, channels[1:]):
        shapes[f"{conv}.weight"], shapes[f"{conv}.bias"] = (before, after, 4, 4), (after,)
        if conv + 1 in norms:
            shapes.update({f"{conv + 1}.{name}": (after,) for name in BATCHNORM})
    return shapes


def _channels(first: int, width: int) -> list[int]:
    """Channels between the layers at 64×64 pixels, the image's 3 last: netG's from its latent on, netD's backwards."""
    return [first, *(width * multiple for multiple in (8, 4, 2, 1)), 3]


def _multiply_adds(first: int, width: int) -> list[int]:
    """Of each layer for one image, in the order of `_channels`; a 4×4 kernel at each pixel of the smaller side."""
    channels = _channels(first, width)
    return [side**2 * before * after * 4 * 4 for side, before, after in zip((1, 4, 8, 16, 32), channels, channels[1:])]
