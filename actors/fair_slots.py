"""A bounded number of slots, handed out in turn among the jobs that wait."""

from __future__ import annotations

import asyncio
from collections import OrderedDict, deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

__all__ = ["FairSlots", "SlotsClosed"]


class SlotsClosed(Exception):
    """No slot is handed out any more."""


class FairSlots:
    """A semaphore that serves its keys round robin, so a job of 200 photos does not stand before a job of one."""

    def __init__(self, slots: int) -> None:
        if slots < 1:
            raise ValueError("there must be at least one slot")
        self._slots = self._free = slots
        self._closed = False
        self._emptied = asyncio.Event()
        self._waiting: OrderedDict[str, deque[asyncio.Future[None]]] = OrderedDict()

    @property
    def waiting(self) -> int:
        """How many callers wait for a slot."""
        return sum(len(queue) for queue in self._waiting.values())

    @property
    def taken(self) -> int:
        """How many slots are in use."""
        return self._slots - self._free

    async def close(self) -> None:
        """Hand out no more slots; returns when none is in use. Whoever waits for one gets SlotsClosed."""
        self._closed = True
        for queue in self._waiting.values():
            for turn in queue:
                if not turn.done():
                    turn.set_exception(SlotsClosed())
        self._waiting.clear()
        if self.taken:
            await self._emptied.wait()

    @asynccontextmanager
    async def of(self, key: str) -> AsyncIterator[None]:
        """Hold one slot on behalf of `key`. Raises SlotsClosed."""
        await self._acquire(key)
        try:
            yield
        finally:
            self._release()

    async def _acquire(self, key: str) -> None:
        if self._closed:
            raise SlotsClosed
        if self._free and not self._waiting:
            self._free -= 1
            return
        turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.setdefault(key, deque()).append(turn)
        try:
            await turn
        except asyncio.CancelledError:
            if turn.done() and not turn.cancelled() and turn.exception() is None:
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
        if self._closed and not self.taken:
            self._emptied.set()
