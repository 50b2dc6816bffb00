"""Group commit: all writes that wait while the thread is busy share its next transaction, and so its one fsync."""

from __future__ import annotations

import asyncio
import sqlite3
from collections import deque
from collections.abc import Callable, Sequence
from typing import Any, Concatenate, ParamSpec, TypeVar

from event_store._connection import ThreadedConnection, transaction
from event_store._faults import FaultHook
from event_store.errors import EventStoreError, StoreClosed

__all__ = ["Lane", "OnCommit"]

P = ParamSpec("P")
T = TypeVar("T")
Job = Callable[[sqlite3.Connection], Any]
_Asked = tuple["asyncio.Future[Any]", Job, float]
"""(who waits, what for, since when by the loop's clock)"""
OnCommit = Callable[[int, float], None]
"""(writes, seconds) of a transaction that ended: how many shared it, and how long the first of them had waited."""

_MAX_BATCH = 256
"""Jobs a transaction: far past where one fsync more or less is felt, and a bound on how long a caller waits."""


class Lane:
    """One writer. A job is a function of the connection; it runs in a savepoint, so its failure is only its caller's.

    There is no timer: a batch is what has gathered when the thread is free, and a lone job goes at once.
    """

    def __init__(
        self,
        connection: ThreadedConnection,
        *,
        begin: Callable[[sqlite3.Connection], None],
        end: Callable[[sqlite3.Connection], None],
        faults: FaultHook,
        on_commit: OnCommit | None = None,
    ) -> None:
        """`begin` and `end` run first and last in every transaction; what they raise fails the batch. `on_commit` is
        called in the event loop, also where the transaction failed, and must not raise."""
        self._connection = connection
        self._begin = begin
        self._end = end
        self._faults = faults
        self._on_commit = on_commit
        self._waiting: deque[_Asked] = deque()
        self._pump: asyncio.Task[None] | None = None
        self._closed = False

    async def run(self, work: Callable[Concatenate[sqlite3.Connection, P], T], *args: P.args, **kwargs: P.kwargs) -> T:
        """What `work(connection, *args)` returned, once it is durable.

        Raises what the job raised; EventStoreError when the transaction failed as a whole and was rolled back;
        StoreClosed. A caller cancelled before its batch began has written nothing; later, its job is done all the same.
        """
        if self._closed:
            raise StoreClosed("the event store is closed")
        loop = asyncio.get_running_loop()
        future: asyncio.Future[T] = loop.create_future()

        def job(connection: sqlite3.Connection) -> T:
            return work(connection, *args, **kwargs)

        self._waiting.append((future, job, loop.time()))
        if self._pump is None:
            self._pump = asyncio.create_task(self._run_batches(), name="event-store-lane")
        return await future

    async def close(self) -> None:
        """Take no more jobs and finish those taken."""
        self._closed = True
        if self._pump is not None:
            await asyncio.shield(self._pump)

    async def _run_batches(self) -> None:
        batch: list[_Asked] = []
        try:
            while self._waiting:
                batch = self._next_batch()
                outcomes = await self._transact([job for _, job, _ in batch])
                if batch and self._on_commit is not None:
                    self._on_commit(len(batch), asyncio.get_running_loop().time() - batch[0][2])
                for (future, _, _), outcome in zip(batch, outcomes, strict=True):
                    # Its caller may have been cancelled meanwhile; setting a result then would end the lane.
                    if future.done():
                        continue
                    if isinstance(outcome, Exception):
                        future.set_exception(outcome)
                    else:
                        future.set_result(outcome)
        finally:
            # Reached with futures open only when the loop is being shut down.
            for future, _, _ in (*batch, *self._waiting):
                future.cancel()
            self._waiting.clear()
            self._pump = None

    def _next_batch(self) -> list[_Asked]:
        batch: list[_Asked] = []
        while self._waiting and len(batch) < _MAX_BATCH:
            asked = self._waiting.popleft()
            if not asked[0].done():
                batch.append(asked)
        return batch

    async def _transact(self, jobs: Sequence[Job]) -> list[Any]:
        """An outcome a job: its result, or the exception that its caller gets."""
        if not jobs:
            return []
        try:
            return await self._connection.run(self._commit, jobs)
        except Exception as error:
            # An exception a caller: one object raised in many tasks would mix their tracebacks.
            return [_for_caller(error) for _ in jobs]

    def _commit(self, connection: sqlite3.Connection, jobs: Sequence[Job]) -> list[Any]:
        self._faults("before_begin")
        with transaction(connection):
            self._begin(connection)
            outcomes = [self._attempt(connection, job) for job in jobs]
            self._end(connection)
            self._faults("before_commit")
        self._faults("after_commit")
        return outcomes

    def _attempt(self, connection: sqlite3.Connection, job: Job) -> Any:
        connection.execute("SAVEPOINT job")
        try:
            outcome = job(connection)
        except Exception as error:
            # A full disk or an I/O error may make SQLite give up the whole transaction, not only this job.
            if not connection.in_transaction:
                raise
            connection.execute("ROLLBACK TO job")
            outcome = _for_caller(error) if isinstance(error, sqlite3.Error) else error
        connection.execute("RELEASE job")
        return outcome


def _for_caller(error: Exception) -> Exception:
    if not isinstance(error, (sqlite3.Error, EventStoreError)):
        return error
    failure = (
        EventStoreError(str(error))
        if isinstance(error, EventStoreError)
        else EventStoreError(f"the event log failed: {error}")
    )
    failure.__cause__ = error
    return failure
