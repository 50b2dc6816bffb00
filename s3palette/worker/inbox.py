"""What the worker has taken and not answered yet: bounded, fair among jobs, each photo once.

All of it is in memory. What dies with the process is offered again when its deadline passes: the system keeps the
truth, and a worker that kept it too would only add a second one.
"""

from __future__ import annotations

import asyncio
import logging
from collections import Counter, OrderedDict
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass

from actors.fair_slots import FairSlots
from s3palette import logs
from s3palette.external import JobMessage, PhotoItem
from s3palette.photo_outcome import PhotoOutcome

__all__ = ["Inbox", "Report", "Work"]

log = logging.getLogger(__name__)

Work = Callable[[JobMessage, PhotoItem], Awaitable[PhotoOutcome]]
"""Runs one photo while it holds a place at the engine. Raises what a later offer may mend."""
Report = Callable[[JobMessage, PhotoItem, PhotoOutcome], Awaitable[None]]
"""Calls back with what came out, without holding a place."""

_REMEMBERED = 10_000
"""Answered photos that are known again when an offer is repeated."""

_Key = tuple[str, int]


@dataclass(slots=True)
class _Photo:
    """The newest offer of a photo: its addresses live longest."""

    message: JobMessage
    item: PhotoItem


class Inbox:
    """Works on `slots` photos at a time, and on as many of one job as its message allows.

    `capacity` bounds the photos that are here; only an empty inbox takes a job that is larger.
    """

    def __init__(self, work: Work, report: Report, *, slots: int, capacity: int) -> None:
        self._work = work
        self._report = report
        self._slots = FairSlots(slots)
        self._capacity = capacity
        self._photos: dict[_Key, _Photo] = {}
        self._answered: OrderedDict[_Key, int] = OrderedDict()
        self._jobs: dict[str, asyncio.Semaphore] = {}
        self._photos_of: Counter[str] = Counter()
        self._tasks: set[asyncio.Task[None]] = set()
        self._running = 0

    @property
    def running(self) -> int:
        """Photos that hold a place at the engine."""
        return self._running

    @property
    def waiting(self) -> int:
        """Photos that wait for the engine, or whose answer is on its way back."""
        return len(self._photos) - self._running

    def offer(self, message: JobMessage, request_id: str = "") -> bool:
        """Take the photos of a message; those that are here or answered already are not taken twice. False: full."""
        fresh = [item for item in message.items if not self._is_known(message, item)]
        if self._photos and len(self._photos) + len(fresh) > self._capacity:
            return False
        for item in fresh:
            self._photos[message.idempotency_prefix, item.idx] = _Photo(message, item)
            task = asyncio.create_task(self._run((message.idempotency_prefix, item.idx), request_id))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)
        return True

    async def close(self, patience_s: float) -> None:
        """Work off what is here for up to `patience_s` seconds, then drop the rest: it is offered again."""
        if not self._tasks:
            return
        _, late = await asyncio.wait(self._tasks, timeout=patience_s)
        if late:
            log.warning("stopped with %d photos undone; they are offered again when their time is over", len(late))
        for task in late:
            task.cancel()
        await asyncio.gather(*late, return_exceptions=True)

    def _is_known(self, message: JobMessage, item: PhotoItem) -> bool:
        key = (message.idempotency_prefix, item.idx)
        here = self._photos.get(key)
        if here is None:
            return message.attempt <= self._answered.get(key, 0)
        if message.attempt > here.message.attempt:
            here.message, here.item = message, item
        return True

    async def _run(self, key: _Key, request_id: str) -> None:
        photo = self._photos[key]
        about = {"request_id": request_id, "user": photo.message.user, "job": photo.message.job, "photo": key[1]}
        try:
            while True:
                tried = photo.message.attempt
                try:
                    async with self._place(key[0], photo.message.concurrency):
                        message, item = photo.message, photo.item
                        tried = message.attempt
                        logs.begin(**about, attempt=tried)
                        outcome = await self._work(message, item)
                    await self._report(message, item, outcome)
                except Exception as error:
                    log.warning("given up for now: %r", error)
                    if photo.message.attempt == tried:
                        return  # no newer offer came meanwhile; the deadline brings one
                else:
                    self._remember(key, tried)
                    return
        finally:
            del self._photos[key]

    @asynccontextmanager
    async def _place(self, job: str, limit: int) -> AsyncIterator[None]:
        """A place at the engine, and one among those that the job may have."""
        turns = self._jobs.setdefault(job, asyncio.Semaphore(limit))
        self._photos_of[job] += 1
        try:
            async with turns, self._slots.of(job):
                self._running += 1
                try:
                    yield
                finally:
                    self._running -= 1
        finally:
            self._photos_of[job] -= 1
            if not self._photos_of[job]:
                del self._jobs[job], self._photos_of[job]

    def _remember(self, key: _Key, attempt: int) -> None:
        self._answered[key] = attempt
        self._answered.move_to_end(key)
        if len(self._answered) > _REMEMBERED:
            self._answered.popitem(last=False)
