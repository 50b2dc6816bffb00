"""The event store in one SQLite file.

One writer connection with group commit, one connection for short reads, and a connection of its own for each long read
(`verify`, `drift`), each on its own thread: with WAL none of them waits for another. Several processes may open one
file; their writes take turns, and the expected version is the fence between them.
"""

from __future__ import annotations

import os
import sqlite3
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, Concatenate, ParamSpec, TypeVar

from event_store import _outbox, _projector, _reader, _writer
from event_store._clock import Clock, normalised
from event_store._connection import ThreadedConnection, transaction
from event_store._faults import FaultHook, no_faults
from event_store._lane import Lane, OnCommit
from event_store._query import counted, query
from event_store._schema import connect_reader, connect_writer, empty_journal
from event_store._tables import known_tables
from event_store.errors import EventStoreError, StoreClosed
from event_store.types import (
    Append,
    Appended,
    EventStore,
    Loaded,
    OutboxRow,
    PayloadCodec,
    Projection,
    RecordedEvent,
    Row,
)

__all__ = ["SqliteEventStore"]

P = ParamSpec("P")
T = TypeVar("T")

_PRUNED_AT_ONCE = 1000
"""Answers a transaction: appends pass between two of them."""


@dataclass(frozen=True, slots=True)
class _WritingSide:
    connection: ThreadedConnection
    lane: Lane
    writer: _writer.Writer


class SqliteEventStore(EventStore):
    """`EventStore` over SQLite; made by `open`. Belongs to the event loop that it was opened in."""

    def __init__(
        self,
        path: Path,
        projections: Sequence[Projection],
        codec: PayloadCodec | None,
        reader: ThreadedConnection,
        writing: _WritingSide | None,
        connect: Callable[[], sqlite3.Connection],
    ) -> None:
        self._path = path
        self._projections = projections
        self._tables = known_tables(projections)
        self._codec = codec
        self._reader = reader
        self._writing = writing
        self._connect = connect
        self._closed = False

    @classmethod
    async def open(
        cls,
        path: str | os.PathLike[str],
        projections: Sequence[Projection] = (),
        codec: PayloadCodec | None = None,
        read_only: bool = False,
        clock: Clock | None = None,
        *,
        faults: FaultHook = no_faults,
        busy_timeout_s: float = 5.0,
        on_commit: OnCommit | None = None,
    ) -> SqliteEventStore:
        """Open the log at `path`, made where there is none, and bring its read models up to date.

        `read_only` opens reading connections only: the log and its read models must be there, writes are refused.
        `clock` gives seconds since the epoch. `busy_timeout_s` bounds the wait for another process's write.
        `on_commit` is told (writes, seconds) of every transaction: how many shared it, how long the first waited.

        Raises SchemaTooNew when the file or a read model was written by a newer version; EventStoreError, in one
        sentence, when the file is something else or cannot be opened, when two projections claim one table, or when one
        fails.
        """
        path, projections = Path(path), tuple(projections)
        connect = partial(connect_reader, path, busy_timeout_s)
        writing = None
        if not read_only:
            writing = await _open_writing_side(
                path, projections, codec, clock or time.time, faults, busy_timeout_s, on_commit
            )
        try:
            reader = await ThreadedConnection.open(connect)
            try:
                if read_only:
                    await reader.run(_projector.check_read_models, projections)
                return cls(path, projections, codec, reader, writing, connect)
            except BaseException:
                await reader.close()
                raise
        except BaseException:
            if writing is not None:
                await writing.connection.close()
            raise

    async def append(self, step: Append) -> Appended:
        writing = self._for_writing()
        return await writing.lane.run(writing.writer.append, step)

    async def load(self, stream: str) -> Loaded:
        return await self._reader.run(_reader.load, stream, self._codec)

    async def read(
        self, stream: str, after: int = 0, upto: int | None = None, until: str | None = None
    ) -> list[RecordedEvent]:
        until = None if until is None else normalised(until)
        return await self._reader.run(_reader.stream_events, stream, after, upto, until, self._codec)

    async def read_all(self, after: int = 0, limit: int = 1000) -> list[RecordedEvent]:
        return await self._reader.run(_projector.log_after, after, limit, self._codec)

    async def streams(self, prefix: str = "") -> list[tuple[str, int]]:
        return await self._reader.run(_reader.streams, prefix)

    async def command_answer(self, command_id: str) -> bytes | None:
        return await self._reader.run(_reader.command_answer, command_id)

    async def prune_commands(self, before: str) -> int:
        lane, pruned = self._for_writing().lane, 0
        while count := await lane.run(_writer.prune_commands, normalised(before), _PRUNED_AT_ONCE):
            pruned += count
        return pruned

    async def owed(self, shards: Sequence[int] | None = None) -> list[OutboxRow]:
        return await self._reader.run(_outbox.select_owed, shards)

    async def dead(self) -> list[OutboxRow]:
        return await self._reader.run(_outbox.select_dead)

    async def put_owed(self, row: OutboxRow) -> None:
        await self._for_writing().lane.run(_outbox.update, row)

    async def revive(self, ids: Sequence[str], due_at: float) -> list[OutboxRow]:
        return await self._for_writing().lane.run(_outbox.revive, ids, due_at)

    async def settle(self, ids: Sequence[str]) -> None:
        await self._for_writing().lane.run(_outbox.delete, ids)

    async def select(
        self,
        table: str,
        where: Mapping[str, Any],
        *,
        order: Sequence[str] = (),
        descending: bool = False,
        before: Sequence[Any] | None = None,
        limit: int | None = None,
    ) -> list[Row]:
        question = query(self._tables, table, where, order, descending, before, limit)
        return await self._reader.run(_reader.select, question)

    async def count(self, table: str, by: str) -> dict[Any, int]:
        return await self._reader.run(_reader.count, *counted(self._tables, table, by))

    async def rebuild(self, projection: str | None = None) -> int:
        writing = self._for_writing()
        return await writing.lane.run(writing.writer.rebuild, projection)

    async def drift(self) -> dict[str, int]:
        return await self._scan(_projector.drift, self._projections, self._codec)

    async def verify(self, stream: str | None = None) -> int:
        return await self._scan(_reader.verify, stream)

    async def close(self) -> None:
        """What is under way is committed first. After it the file is whole without its journal, whoever still reads."""
        self._closed = True
        if self._writing is not None:
            await self._writing.lane.close()
            with suppress(EventStoreError):  # a full disk, say: the journal keeps what it has
                await self._writing.connection.run(empty_journal)
            await self._writing.connection.close()
        await self._reader.close()

    def _for_writing(self) -> _WritingSide:
        if self._writing is None:
            raise EventStoreError(f"{self._path} was opened for reading only")
        return self._writing

    async def _scan(
        self, work: Callable[Concatenate[sqlite3.Connection, P], T], *args: P.args, **kwargs: P.kwargs
    ) -> T:
        if self._closed:
            raise StoreClosed("the event store is closed")
        connection = await ThreadedConnection.open(self._connect)
        try:
            return await connection.run(work, *args, **kwargs)
        finally:
            await connection.close()


async def _open_writing_side(
    path: Path,
    projections: Sequence[Projection],
    codec: PayloadCodec | None,
    clock: Clock,
    faults: FaultHook,
    busy_timeout_s: float,
    on_commit: OnCommit | None,
) -> _WritingSide:
    def prepare(connection: sqlite3.Connection) -> _projector.Projector:
        projector = _projector.Projector(connection, projections, codec)
        with transaction(connection):
            projector.prepare()
        return projector

    connection = await ThreadedConnection.open(partial(connect_writer, path, busy_timeout_s))
    try:
        writer = _writer.Writer(await connection.run(prepare), codec, clock, faults)
    except BaseException:
        await connection.close()
        raise
    lane = Lane(connection, begin=writer.begin, end=writer.end, faults=faults, on_commit=on_commit)
    return _WritingSide(connection, lane, writer)
