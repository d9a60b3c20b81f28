"""Who asks while a batch is drawn is in the next one; none waits for a large request, and none for one that failed."""

import asyncio
import threading

import numpy as np
import pytest

from mxgan.page.server.batcher import SHARE, Batcher
from mxgan.page.server.budget import Budget
from mxgan.sampling import Generator


class Slow:
    """A generator of 1×1 pictures of the latent's value. It draws when it is let, and notes each batch."""

    def __init__(self):
        self.batches, self.may, self.begun = [], threading.Semaphore(0), threading.Semaphore(0)

    def forward(self, z, labels=None):
        self.batches.append(len(z))
        self.begun.release()
        assert self.may.acquire(timeout=60)
        if (z == 99).any():
            raise MemoryError("too much")
        return np.repeat(z / 127.5 - 1, 3, axis=1)[:, :, None, None]

    def batcher(self, most=None):
        return Batcher(Generator(self.forward, latent=1, shape=(1, 1, 3), engine="slow"), most)


def values(images):
    return images[:, 0, 0, 0].tolist()


async def asked(batcher, *numbers):
    return await batcher.draw(np.array(numbers, np.float32)[:, None], None, values)


async def begun(slow):
    await asyncio.to_thread(slow.begun.acquire, timeout=60)


def test_what_comes_meanwhile_is_one_batch():
    async def scene(slow, batcher):
        first = asyncio.create_task(asked(batcher, 1))
        await begun(slow)
        others = [asyncio.create_task(asked(batcher, number)) for number in (2, 3, 4)]
        await asyncio.sleep(0)  # they are in the queue
        slow.may.release(2)
        return await asyncio.gather(first, *others)

    slow = Slow()
    batcher = slow.batcher()
    assert asyncio.run(scene(slow, batcher)) == [[1], [2], [3], [4]]
    assert slow.batches == [1, 3]
    batcher.close()


def test_without_batching_each_is_drawn_by_itself():
    async def scene(slow, batcher):
        slow.may.release(3)
        return await asyncio.gather(*(asked(batcher, number) for number in (1, 2, 3)))

    slow = Slow()
    batcher = slow.batcher(1)
    assert asyncio.run(scene(slow, batcher)) == [[1], [2], [3]]
    assert slow.batches == [1, 1, 1]
    batcher.close()


def test_a_large_request_leaves_room_for_single_faces():
    async def scene(slow, batcher):
        first = asyncio.create_task(asked(batcher, 0))
        await begun(slow)
        large = asyncio.create_task(asked(batcher, *range(3 * SHARE)))
        await asyncio.sleep(0)
        single = asyncio.create_task(asked(batcher, 50))
        await asyncio.sleep(0)
        slow.may.release(2)
        assert await single == [50] and not large.done()
        slow.may.release(2)
        return await large, await first

    slow = Slow()
    batcher = slow.batcher()
    assert asyncio.run(scene(slow, batcher)) == (list(range(3 * SHARE)), [0])
    assert slow.batches == [1, SHARE + 1, SHARE, SHARE]
    batcher.close()


def test_a_failure_reaches_those_of_its_batch_alone():
    async def scene(slow, batcher):
        slow.may.release(2)
        with pytest.raises(MemoryError, match="too much"):
            await asked(batcher, *[1] * SHARE, 99, 99)  # in its second part
        slow.may.release(2)
        with pytest.raises(MemoryError):
            await asked(batcher, *[99] * (2 * SHARE))  # what is left of it isn't drawn
        return await asked(batcher, 7)

    slow = Slow()
    batcher = slow.batcher()
    assert asyncio.run(scene(slow, batcher)) == [7]
    assert slow.batches == [SHARE, 2, SHARE, 1]
    batcher.close()


def test_nothing_is_drawn_for_one_who_has_gone():
    async def scene(slow, batcher):
        first = asyncio.create_task(asked(batcher, 1))
        await begun(slow)
        gone, stays = (asyncio.create_task(asked(batcher, number)) for number in (2, 3))
        await asyncio.sleep(0)
        gone.cancel()
        await asyncio.sleep(0)
        slow.may.release(2)
        return await first, await stays

    slow = Slow()
    batcher = slow.batcher()
    assert asyncio.run(scene(slow, batcher)) == ([1], [3])
    assert slow.batches == [1, 1]
    batcher.close()


def test_a_budget_is_shared_in_order():
    async def scene():
        budget, order = Budget(10), []

        async def hold(name, amount):
            held = await budget.take(amount)
            order.append(name)
            return held

        first = await hold("a", 7)
        waiting = [asyncio.create_task(hold(name, amount)) for name, amount in (("b", 8), ("c", 1), ("d", 99))]
        await asyncio.sleep(0)
        assert order == ["a"]  # c would fit, but b came before it
        waiting[0].cancel()
        await asyncio.sleep(0)
        budget.give_back(first)
        await asyncio.sleep(0)
        assert order == ["a", "c"]
        budget.give_back(await waiting[1])
        assert await waiting[2] == 10  # all of it: more can't be had
        return order

    assert asyncio.run(scene()) == ["a", "c", "d"]
