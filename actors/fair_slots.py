"""A bounded number of slots, handed out in turn among the jobs that wait."""

from __future__ import annotations

import asyncio
from collections import OrderedDict, deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

__all__ = ["FairSlots"]


class FairSlots:
    """A semaphore that serves its keys round robin, so a job of 200 photos does not stand before a job of one."""

    def __init__(self, slots: int) -> None:
        if slots < 1:
            raise ValueError("there must be at least one slot")
        self._free = slots
        self._waiting: OrderedDict[str, deque[asyncio.Future[None]]] = OrderedDict()

    @property
    def waiting(self) -> int:
        """How many callers wait for a slot."""
        return sum(len(queue) for queue in self._waiting.values())

    @asynccontextmanager
    async def of(self, key: str) -> AsyncIterator[None]:
        """Hold one slot on behalf of `key`."""
        await self._acquire(key)
        try:
            yield
        finally:
            self._release()

    async def _acquire(self, key: str) -> None:
        if self._free and not self._waiting:
            self._free -= 1
            return
        turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.setdefault(key, deque()).append(turn)
        try:
            await turn
        except asyncio.CancelledError:
            if turn.done() and not turn.cancelled():
                self._release()  # the slot was handed over in the same tick
            raise

    def _release(self) -> None:
        while self._waiting:
            key, queue = self._waiting.popitem(last=False)
            turn = queue.popleft()
            if queue:
                self._waiting[key] = queue  # to the back of the round
            if not turn.done():
                turn.set_result(None)
                return
        self._free += 1
