"""A bound on what all answers hold in memory together; whoever doesn't fit waits for their turn."""

from __future__ import annotations

import asyncio
from collections import deque


class Budget:
    """So many pixels may be held at once. Requests wait in the order in which they came."""

    def __init__(self, most: int) -> None:
        self._most = self._free = most
        self._waiting: deque[tuple[int, asyncio.Future]] = deque()

    async def take(self, amount: int) -> int:
        """Wait until ``amount`` is free, and take it; returns what is to be given back. One may take it all."""
        amount = min(amount, self._most)
        if not self._waiting and amount <= self._free:
            self._free -= amount
            return amount
        turn = asyncio.get_running_loop().create_future()
        self._waiting.append((amount, turn))
        try:
            await turn
        except asyncio.CancelledError:
            if turn.done() and not turn.cancelled():  # its turn had just come
                self.give_back(amount)
            raise
        return amount

    def give_back(self, amount: int) -> None:
        """Free what `take` returned, and let those in whose turn it is."""
        self._free += amount
        while self._waiting and (self._waiting[0][1].done() or self._waiting[0][0] <= self._free):
            amount, turn = self._waiting.popleft()
            if not turn.done():  # else it has been cancelled
                self._free -= amount
                turn.set_result(None)
