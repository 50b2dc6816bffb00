"""The batching ref: what waits in one tick of the loop travels to a host in one remote call.

One hop costs about 1 ms of Python whatever it carries; 100 messages in one call cost little more than one.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Any

from s3palette.domain.errors import Overloaded
from s3palette.domain.model import Address, Command, Query

__all__ = ["Envelope", "Lane", "Outcome"]

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Envelope:
    """A message on its way to an entity."""

    to: Address
    message: Command | Query
    command_id: str | None = None
    correlation: str = ""
    settles: tuple[str, ...] = ()


Outcome = tuple[bool, Any]
"""(True, reply) or (False, exception)."""
Send = Callable[[Sequence[Envelope]], Awaitable[Sequence[Outcome]]]


class Lane:
    """Messages from this loop to one host. While a call is under way, what comes waits for its return and travels
    together, but no longer than `gather_s`: one slow turn must not hold up the others. At most `calls` calls run at
    once, and more than `limit` waiting messages are refused with `Overloaded`, never piled up.
    """

    def __init__(
        self, send: Send, *, gather_s: float = 0.004, calls: int = 16, batch: int = 128, limit: int = 2000
    ) -> None:
        self._send = send
        self._gather_s = gather_s
        self._calls = calls
        self._batch = batch
        self._limit = limit
        self._waiting: list[tuple[Envelope, asyncio.Future[Any]]] = []
        self._running: set[asyncio.Task[None]] = set()
        self._scheduled = False
        self._sent_at = 0.0

    async def ask(self, envelope: Envelope) -> Any:
        """The reply to one message, or the error the entity raised."""
        if len(self._waiting) >= self._limit:
            raise Overloaded("The system is busy; try again in a moment.", retry_after=1)
        loop = asyncio.get_running_loop()
        future: asyncio.Future[Any] = loop.create_future()
        self._waiting.append((envelope, future))
        if not self._scheduled:
            self._scheduled = True
            if self._running:
                loop.call_at(self._sent_at + self._gather_s, self._flush)
            else:
                loop.call_soon(self._flush)
        return await future

    def _flush(self) -> None:
        self._scheduled = False
        while self._waiting and len(self._running) < self._calls:
            batch, self._waiting = self._waiting[: self._batch], self._waiting[self._batch :]
            # Who hung up before the message left is not sent; who hangs up later is only not answered.
            batch = [(envelope, future) for envelope, future in batch if not future.done()]
            if batch:
                self._sent_at = asyncio.get_running_loop().time()
                task = asyncio.create_task(self._carry(batch))
                self._running.add(task)
                task.add_done_callback(self._landed)

    def _landed(self, task: asyncio.Task[None]) -> None:
        self._running.discard(task)
        self._flush()

    async def _carry(self, batch: list[tuple[Envelope, asyncio.Future[Any]]]) -> None:
        try:
            outcomes = await self._send([envelope for envelope, _ in batch])
        except Exception as error:
            log.warning("a call to a host failed: %r", error)
            busy = Overloaded("The system is restarting; try again in a moment.", retry_after=1)
            outcomes = [(False, busy)] * len(batch)
        for (_, future), (ok, value) in zip(batch, outcomes, strict=True):
            if future.done():  # the caller hung up; setting a result would kill the lane
                continue
            if ok:
                future.set_result(value)
            else:
                future.set_exception(value)
