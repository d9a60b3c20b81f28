"""The processes that make a step together on PyTorch: gloo between processors, NCCL between GPUs.

Every process computes the gradients of its share of the batch; their mean is what one process would compute of the
whole. Each network's gradients travel as one flat array, since that is simpler than DistributedDataParallel with two
networks, a shared fake batch and a frozen netD (`docs/scale.md`).
"""

from __future__ import annotations

import atexit
import datetime
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import torch
import torch.distributed as dist

from mxgan.errors import Deserted, MxganError
from mxgan.processes import Place
from mxgan.pytorch.adam import gradient_of

JOINING = datetime.timedelta(seconds=30)  # to wait for a process that doesn't come
PATIENCE = datetime.timedelta(hours=2)  # the others wait while the first scores and saves; one that is gone is noticed


class Team:
    """This process and the others of its run, connected."""

    def __init__(self, place: Place) -> None:
        """Raises MxganError where the others can't be reached."""
        self.place = place
        backend = "cpu:gloo,cuda:nccl" if torch.cuda.is_available() else "gloo"
        try:
            if not dist.is_initialized():  # it is where a script trains one run after another
                store = _met(place)
                dist.init_process_group(backend, store=store, rank=place.rank, world_size=place.count, timeout=PATIENCE)
                atexit.register(_leave)
        except (RuntimeError, ValueError) as error:  # torch's own are many lines
            problem = str(error).partition("\n")[0][:200]
            raise MxganError(f"torchrun's other processes can't be reached: {problem}") from error
        self._buckets: dict[int, tuple[torch.Tensor, list[torch.Tensor]]] = {}

    def average(self, parameters: Mapping[str, torch.Tensor]) -> None:
        """Replace the gradients of a network's parameters by their means over the processes."""
        gradients = [gradient_of(parameter) for parameter in parameters.values()]
        flat, views = self._bucket(gradients)
        torch._foreach_copy_(views, gradients)
        self.summed(flat).div_(self.place.count)
        for parameter, view in zip(parameters.values(), views):
            parameter.grad = view

    def _bucket(self, gradients: list[torch.Tensor]) -> tuple[torch.Tensor, list[torch.Tensor]]:
        """One array with room for all of them, and views of it that lie as they do: a copy is then a plain one."""
        size = sum(map(torch.numel, gradients))  # netG's differs from netD's
        if size not in self._buckets:
            flat = gradients[0].new_empty(size)
            views, start = [], 0
            for gradient in gradients:
                views.append(flat[start:].as_strided(gradient.shape, _dense(gradient)))
                start += gradient.numel()
            self._buckets[size] = flat, views
        return self._buckets[size]

    def mean(self, values: torch.Tensor) -> torch.Tensor:
        """The mean over the processes, in place."""
        return self.summed(values).div_(self.place.count)

    def gathered(self, values: torch.Tensor) -> torch.Tensor:
        """Every process's values, (count, ...)."""
        found = [torch.empty_like(values) for _ in range(self.place.count)]
        with _all_here():
            dist.all_gather(found, values)
        return torch.stack(found)

    def summed(self, values: torch.Tensor) -> torch.Tensor:
        """The sum over the processes, in place."""
        with _all_here():
            dist.all_reduce(values)
        return values

    def agreed(self, number: int) -> int:
        """The largest of the processes' numbers: a wish to stop that one of them has is all's."""
        found = torch.tensor(number)
        with _all_here():
            dist.all_reduce(found, dist.ReduceOp.MAX)
        return int(found)

    def told(self, value: Any) -> list[Any]:
        """What each process says, by rank."""
        found: list[Any] = [None] * self.place.count
        with _all_here():
            dist.all_gather_object(found, value)
        return found

    def from_first(self, value: Any) -> Any:
        """What the first process says; the others' ``value`` isn't used."""
        said = [value]
        with _all_here():
            dist.broadcast_object_list(said, 0)
        return said[0]


def _met(place: Place) -> dist.Store:
    """A store of key and value that all processes have come to; raises RuntimeError where one hasn't, in `JOINING`.

    After a restart torchrun may offer the store of before, with the addresses of processes that are gone: so the keys
    of each meeting are apart, by how often this rank has come.
    """
    store, _, _ = next(dist.rendezvous("env://", place.rank, place.count, timeout=JOINING))
    meeting = store.add(f"mxgan/{place.rank}", 1)
    apart = dist.PrefixStore(f"mxgan/meeting {meeting}", store)
    apart.set(f"rank {place.rank}", "here")
    apart.wait([f"rank {rank}" for rank in range(place.count)], JOINING)
    return apart


def _leave() -> None:
    """End the backends' threads: one that outlives the interpreter aborts the process."""
    if dist.is_initialized():
        dist.destroy_process_group()


@contextmanager
def _all_here() -> Iterator[None]:
    """What the backends raise where a process is gone becomes Deserted."""
    try:
        yield
    except RuntimeError as error:
        raise Deserted("another process of this run has ended") from error


def _dense(tensor: torch.Tensor) -> tuple[int, ...]:
    """The strides of a tensor without gaps that lies as this one does."""
    return torch.empty_like(tensor, memory_format=torch.preserve_format).stride()
