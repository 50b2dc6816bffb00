"""Gathers what waits at the same moment into one call on a thread of its own."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Generic, TypeVar

__all__ = ["Batcher"]

T = TypeVar("T")
R = TypeVar("R")


class Batcher(Generic[T, R]):
    """Hands items to `work` in parts, one part at a time; while one part is worked on, the next one gathers.

    Nothing waits for company: an item that comes alone goes alone. A part that fails is tried item by item, so that one
    bad item fails by itself. For one event loop.
    """

    def __init__(self, work: Callable[[Sequence[T]], Sequence[R]], limit: Callable[[], int], name: str) -> None:
        """`work` answers a part in order, on one thread; `limit` says how many items a part may have now."""
        self._work = work
        self._limit = limit
        self._waiting: deque[tuple[T, asyncio.Future[R]]] = deque()
        self._drain: asyncio.Task[None] | None = None
        self._thread = ThreadPoolExecutor(1, thread_name_prefix=name)

    async def ask(self, item: T) -> R:
        """The answer to one item; raises what `work` raises for this item alone."""
        future: asyncio.Future[R] = asyncio.get_running_loop().create_future()
        self._waiting.append((item, future))
        if self._drain is None or self._drain.done():
            self._drain = asyncio.create_task(self._run())
        return await future

    def close(self) -> None:
        """Let the part under way end; take no more."""
        self._thread.shutdown()

    async def _run(self) -> None:
        while self._waiting:
            part: list[tuple[T, asyncio.Future[R]]] = []
            limit = max(1, self._limit())
            while self._waiting and len(part) < limit:
                item, future = self._waiting.popleft()
                if not future.done():  # whoever asked has gone
                    part.append((item, future))
            if part:
                await self._answer(part)

    async def _answer(self, part: Sequence[tuple[T, asyncio.Future[R]]]) -> None:
        loop = asyncio.get_running_loop()
        try:
            answers = await loop.run_in_executor(self._thread, self._work, [item for item, _ in part])
        except Exception as error:
            if len(part) == 1:
                if not part[0][1].done():
                    part[0][1].set_exception(error)
                return
        else:
            for (_, future), answer in zip(part, answers, strict=True):
                if not future.done():
                    future.set_result(answer)
            return
        for one in part:
            await self._answer([one])
