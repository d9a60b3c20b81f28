"""Requests at the same time become one batch for the engine."""

from __future__ import annotations

import asyncio
import threading
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Optional

import numpy as np

from mxgan.sampling import Generator

SHARE = 8  # pictures of one request in a batch, so that a grid leaves room for those that want a single face


@dataclass
class _Job:
    z: np.ndarray
    labels: Optional[np.ndarray]
    finish: Callable[[np.ndarray], Any]
    loop: asyncio.AbstractEventLoop
    future: asyncio.Future
    images: list[np.ndarray] = field(default_factory=list)  # what has been drawn so far
    drawn: int = 0


class Batcher:
    """One thread draws for all requests: whatever waits when a batch is done is the next one.

    A request that comes alone is drawn at once: nothing waits for company. Each batch takes at most `SHARE` pictures of
    a request, in turn, so a large one can't keep the others waiting.
    """

    def __init__(self, generator: Generator, most: Optional[int] = None) -> None:
        """``most``: pictures in a batch; 1 is a server without batching. Default: what its memory allows."""
        self._generator, self._most = generator, most or generator.batch
        self._jobs: deque[_Job] = deque()
        self._wake = threading.Condition()
        self._closed = False
        self._thread = threading.Thread(target=self._work, name="faces", daemon=True)
        self._thread.start()

    async def draw(self, z: np.ndarray, labels: Optional[np.ndarray], finish: Callable[[np.ndarray], Any]) -> Any:
        """``finish``, called in the batcher's thread, of the pictures uint8 (n, H, W, 3) of latents float (n, latent).

        ``labels``: int (n,) of a conditional generator. Raises what the generator raises.
        """
        loop = asyncio.get_running_loop()
        job = _Job(z, labels, finish, loop, loop.create_future())
        with self._wake:
            self._jobs.append(job)
            self._wake.notify()
        return await job.future

    def close(self) -> None:
        """End the thread, once the batch at work is done."""
        with self._wake:
            self._closed = True
            self._wake.notify()
        self._thread.join()

    def _work(self) -> None:
        while True:
            with self._wake:
                while not self._jobs and not self._closed:
                    self._wake.wait()
                if self._closed:
                    return
                parts = self._next()
            self._draw(parts)

    def _next(self) -> list[tuple[_Job, int]]:
        """The next batch: jobs, and how many pictures of each. What they have left goes to the end of the queue."""
        parts: list[tuple[_Job, int]] = []
        room, waiting = self._most, len(self._jobs)
        while room and waiting:
            job, waiting = self._jobs.popleft(), waiting - 1
            if job.future.cancelled():  # nobody waits for it any more
                continue
            count = min(SHARE, room, len(job.z) - job.drawn)
            parts.append((job, count))
            room -= count
            if job.drawn + count < len(job.z):
                self._jobs.append(job)
        return parts

    def _draw(self, parts: list[tuple[_Job, int]]) -> None:
        if not parts:
            return
        try:
            slices = [(job, slice(job.drawn, job.drawn + count)) for job, count in parts]
            z = np.concatenate([job.z[part] for job, part in slices])
            given = [job.labels[part] for job, part in slices if job.labels is not None]
            images = self._generator.generate(z, np.concatenate(given) if given else None)
        except Exception as error:  # whatever it is, those who wait are told, and the next batch is drawn
            with self._wake:
                for job, _ in parts:
                    if job in self._jobs:
                        self._jobs.remove(job)
            _settle([(job, None, error) for job, _ in parts])
            return
        first, done = 0, []
        for job, count in parts:
            job.images.append(images[first : first + count])
            job.drawn += count
            first += count
            if job.drawn == len(job.z):
                done.append(_finished(job))
        _settle(done)


def _finished(job: _Job) -> tuple[_Job, Any, Optional[Exception]]:
    try:
        return job, job.finish(job.images[0] if len(job.images) == 1 else np.concatenate(job.images)), None
    except Exception as error:
        return job, None, error


def _settle(done: list[tuple[_Job, Any, Optional[Exception]]]) -> None:
    """Wake those who wait: one call for each event loop, not one for each job."""
    for loop in {job.loop for job, _, _ in done}:
        loop.call_soon_threadsafe(_resolve, [one for one in done if one[0].loop is loop])


def _resolve(done: list[tuple[_Job, Any, Optional[Exception]]]) -> None:
    for job, result, error in done:
        if job.future.done():
            continue
        if error is not None:
            job.future.set_exception(error)
        else:
            job.future.set_result(result)
