"""One SQLite connection on a thread of its own, and a function run there in one hop."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Concatenate, ParamSpec, TypeVar, cast

import aiosqlite

from event_store.errors import EventStoreError, StoreClosed

__all__ = ["ThreadedConnection", "transaction"]

P = ParamSpec("P")
T = TypeVar("T")


class ThreadedConnection:
    """aiosqlite's thread and queue under whole functions: its public calls cost a hop a statement."""

    def __init__(self, inner: aiosqlite.Connection, raw: sqlite3.Connection) -> None:
        self._inner = inner
        self._raw = raw
        self._closed = False

    @classmethod
    async def open(cls, connect: Callable[[], sqlite3.Connection]) -> ThreadedConnection:
        """`connect` runs on the new thread; what it raises is raised here and the thread ends."""
        made: list[sqlite3.Connection] = []
        failures: list[Exception] = []

        def connector() -> sqlite3.Connection:
            try:
                made.append(connect())
            except Exception as error:
                # Raised here, it would leave a thread that may still answer when the loop is closed already.
                failures.append(error)
                made.append(sqlite3.connect(":memory:"))
            return made[0]

        inner = await aiosqlite.Connection(connector, iter_chunk_size=64)
        if failures:
            await inner.close()
            raise failures[0]
        return cls(inner, made[0])

    async def run(self, work: Callable[Concatenate[sqlite3.Connection, P], T], *args: P.args, **kwargs: P.kwargs) -> T:
        """`work(connection, *args)`; calls are carried out in order.

        Raises what `work` raises, with SQLite's errors as EventStoreError; StoreClosed.
        """
        if self._closed:
            raise StoreClosed("the event store is closed")
        try:
            # Private, hence aiosqlite's exact pin: it queues any function for the connection's thread.
            return cast(T, await self._inner._execute(work, self._raw, *args, **kwargs))
        except sqlite3.Error as error:
            raise EventStoreError(f"the event log failed: {error}") from error

    async def close(self) -> None:
        """Ends what is queued first. A cancelled close still closes."""
        if not self._closed:
            self._closed = True
            await asyncio.shield(asyncio.ensure_future(self._inner.close()))


@contextmanager
def transaction(connection: sqlite3.Connection) -> Iterator[None]:
    """BEGIN IMMEDIATE, then COMMIT; whatever is raised, the failing COMMIT too, rolls back."""
    connection.execute("BEGIN IMMEDIATE")
    try:
        yield
        connection.execute("COMMIT")
    except BaseException:
        # SQLite may have rolled back by itself: a full disk, an I/O error.
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        raise
