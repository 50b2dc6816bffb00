"""Delivery of the outbox: what a committed step owes is done, again and again until it is done.

The rows themselves are the truth and live in the event store. This class only holds the timers: rows of new steps are
handed to it after their commit, rows of a former life are read at the start.

A row is given up when its handler says so (DeadLetter: refused for good, unreadable) or when ATTEMPTS of them failed.
It is then dead: kept in the log, shown by `s3palette dead list`, delivered again after `s3palette dead retry`. While
the log itself cannot be written to no row dies, because that could not be noted: it is tried on and on.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from event_store import EventStore, OutboxRow
from s3palette import logs

__all__ = ["DeadLetter", "Handler", "Outbox", "Owed", "TryLater"]

log = logging.getLogger(__name__)

Handler = Callable[[OutboxRow], Awaitable[None]]
"""Does what a row asks for and sees that it is settled.

Raises DeadLetter to give up, TryLater to retry at a time of its own, anything else to retry with backoff.
"""

FIRST_RETRY_S = 0.2
LONGEST_RETRY_S = 60.0
ATTEMPTS = 100
"""About an hour and a half: 0.2 s doubled up to a minute, then every minute."""


class DeadLetter(Exception):
    """This row can never be delivered; it is kept for the operator with this reason."""


class TryLater(Exception):
    """The receiver was reached and said when to come again, in seconds from now."""

    def __init__(self, reason: str, after_s: float) -> None:
        super().__init__(reason)
        self.after_s = after_s


@dataclass(frozen=True, slots=True)
class Owed:
    """What one kind of row adds up to."""

    rows: int
    """Waiting, due or being delivered."""
    late_s: float
    """For how long the oldest that is due has been; 0: none is."""


class Outbox:
    """At-least-once delivery with exponential backoff."""

    def __init__(self, store: EventStore, handlers: Mapping[str, Handler], now: Callable[[], float]) -> None:
        self._store = store
        self._handlers = handlers
        self._now = now
        self._timers: dict[str, asyncio.TimerHandle] = {}
        self._running: set[asyncio.Task[None]] = set()
        self._due: dict[str, tuple[str, float]] = {}
        """Row id -> (kind, when it was due first: a retry is due later and no younger)."""
        self._closed = False

    @property
    def depth(self) -> int:
        """Rows that wait or are being delivered."""
        return len(self._timers) + len(self._running)

    async def revive(self, ids: Sequence[str]) -> int:
        """Deliver dead rows again, as if they were new; how many of these were dead."""
        rows = await self._store.revive(ids, self._now())
        self.accept(rows)
        return len(rows)

    def owed(self) -> dict[str, Owed]:
        """What is owed, by kind of row; kinds that were never owed here are there with 0."""
        now = self._now()
        rows, late = dict.fromkeys(self._handlers, 0), dict.fromkeys(self._handlers, 0.0)
        for kind, due in self._due.values():
            rows[kind] = rows.get(kind, 0) + 1
            late[kind] = max(late.get(kind, 0.0), now - due)
        return {kind: Owed(rows[kind], late[kind]) for kind in rows}

    async def recover(self, shards: Sequence[int]) -> int:
        """Take up every row that a former life of these shards still owes; how many."""
        rows = await self._store.owed(shards)
        self.accept(rows)
        return len(rows)

    def accept(self, rows: Iterable[OutboxRow]) -> list[asyncio.Task[None]]:
        """Schedule rows that are committed. Returns the deliveries that began at once, in order."""
        return [task for row in rows if (task := self._schedule(row)) is not None]

    def forget(self, ids: Iterable[str]) -> None:
        """The rows are gone from the store: their timers go too. A delivery that runs is left alone."""
        for row_id in ids:
            if (timer := self._timers.pop(row_id, None)) is not None:
                timer.cancel()
                self._due.pop(row_id, None)

    async def close(self, patience_s: float) -> None:
        """Start nothing new; let what runs end within `patience_s` seconds, then cancel it (it stays owed)."""
        self._closed = True
        self.forget(list(self._timers))
        if self._running:
            _, late = await asyncio.wait(self._running, timeout=patience_s)
            for task in late:
                task.cancel()
            await asyncio.gather(*late, return_exceptions=True)

    def _schedule(self, row: OutboxRow) -> asyncio.Task[None] | None:
        if self._closed:
            return None
        first_due = self._due[row.id][1] if row.attempts and row.id in self._due else row.due_at
        self.forget([row.id])
        self._due[row.id] = (row.kind, first_due)
        wait = row.due_at - self._now()
        if wait <= 0:
            return self._start(row)
        loop = asyncio.get_running_loop()
        self._timers[row.id] = loop.call_later(wait, self._start, row)
        return None

    def _start(self, row: OutboxRow) -> asyncio.Task[None]:
        self._timers.pop(row.id, None)
        task = asyncio.create_task(self._deliver(row))
        self._running.add(task)
        task.add_done_callback(self._running.discard)
        return task

    async def _deliver(self, row: OutboxRow) -> None:
        logs.begin(stream=row.stream)
        try:
            await self._attempt(row)
        finally:
            if row.id not in self._timers:  # it is not to be tried again
                self._due.pop(row.id, None)

    async def _attempt(self, row: OutboxRow) -> None:
        try:
            handler = self._handlers.get(row.kind)
            if handler is None:
                raise DeadLetter(f"nobody knows what a {row.kind} is")
            await handler(row)
        except DeadLetter as reason:
            await self._give_up(replace(row, attempts=row.attempts + 1, error=str(reason)))
        except TryLater as later:
            # Not counted out: a receiver that answers is not broken, and whoever owes the row ends it in time.
            await self._try_again(replace(row, attempts=row.attempts + 1, error=str(later)), later.after_s)
        except Exception as error:
            again = replace(row, attempts=row.attempts + 1, error=repr(error))
            if again.attempts >= ATTEMPTS:
                await self._give_up(again)
            else:
                await self._try_again(again)

    async def _try_again(self, row: OutboxRow, wait: float | None = None) -> None:
        if wait is None:
            wait = min(FIRST_RETRY_S * 2.0 ** min(row.attempts - 1, 10), LONGEST_RETRY_S)
        log.warning("outbox row %s failed (%s), again in %.1f s", row.id, row.error, wait)
        again = replace(row, due_at=self._now() + wait)
        await self._keep(again)
        self._schedule(again)

    async def _give_up(self, row: OutboxRow) -> None:
        if await self._keep(replace(row, dead_at=self._now())):
            log.error("outbox row %s is dead after %d attempts: %s", row.id, row.attempts, row.error)
        else:
            await self._try_again(row)

    async def _keep(self, row: OutboxRow) -> bool:
        try:
            await self._store.put_owed(row)
        except Exception as error:  # the row is still owed as it stands; only the count of attempts is lost
            log.warning("outbox row %s could not be updated: %r", row.id, error)
            return False
        return True
