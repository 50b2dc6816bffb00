"""The event store in memory: the same behaviour without a file, for tests and trials."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from event_store._clock import Clock, normalised, stamp
from event_store._faults import FaultHook, no_faults
from event_store._memory_rows import MemoryRows
from event_store._projections import apply_all
from event_store._query import answered, counted, query
from event_store._record import (
    EMPTY,
    Head,
    StoredEvent,
    StoredSnapshot,
    restore,
    restore_snapshot,
    seal,
    seal_snapshot,
    verify_chains,
)
from event_store._tables import known_tables
from event_store.errors import CommandRepeated, ConcurrencyError, EventStoreError, StoreClosed
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

__all__ = ["MemoryEventStore"]


class MemoryEventStore(EventStore):
    """`EventStore` over dicts. A step is written without a pause, so no two can interleave."""

    def __init__(
        self,
        projections: Sequence[Projection] = (),
        codec: PayloadCodec | None = None,
        clock: Clock | None = None,
        *,
        faults: FaultHook = no_faults,
    ) -> None:
        """Raises EventStoreError when two projections claim one table."""
        self._tables = known_tables(projections)
        self._codec = codec
        self._clock = clock or time.time
        self._faults = faults
        self._hands = [(projection, MemoryRows(projection.tables)) for projection in projections]
        self._log: list[StoredEvent] = []
        self._streams: dict[str, list[StoredEvent]] = {}
        self._heads: dict[str, Head] = {}
        self._snapshots: dict[str, StoredSnapshot] = {}
        self._commands: dict[str, tuple[bytes, str]] = {}
        self._outbox: dict[str, OutboxRow] = {}
        self._closed = False

    async def append(self, step: Append) -> Appended:
        self._check_open()
        self._faults("before_begin")
        known = None if step.command_id is None else self._commands.get(step.command_id)
        if step.command_id is not None and known is not None:
            raise CommandRepeated(step.command_id, known[0])
        head = self._heads.get(step.stream, EMPTY)
        if head.version != step.expected_version:
            raise ConcurrencyError(step.stream, step.expected_version, head.version)
        now = stamp(self._clock())
        stored, events, head = seal(step.stream, head, len(self._log), step.events, now, self._codec)
        self._faults("after_events")
        snapshot = seal_snapshot(step, head.version, self._codec)
        self._project(events)
        if stored:
            self._log += stored
            self._streams.setdefault(step.stream, []).extend(stored)
            self._heads[step.stream] = head
        self._write_rest(step, snapshot, now)
        self._faults("after_commit")
        return Appended(head.version, events)

    async def load(self, stream: str) -> Loaded:
        self._check_open()
        stored = self._snapshots.get(stream)
        snapshot = None if stored is None else restore_snapshot(stored, self._codec)
        after = 0 if snapshot is None else snapshot.version
        return Loaded(snapshot, tuple(await self.read(stream, after)))

    async def read(
        self, stream: str, after: int = 0, upto: int | None = None, until: str | None = None
    ) -> list[RecordedEvent]:
        self._check_open()
        rows = self._streams.get(stream, [])[max(after, 0) : None if upto is None else max(upto, 0)]
        events = [restore(row, self._codec) for row in rows]
        if until is None:
            return events
        last = normalised(until)
        return [event for event in events if event.recorded_at <= last]

    async def read_all(self, after: int = 0, limit: int = 1000) -> list[RecordedEvent]:
        self._check_open()
        start = max(after, 0)
        return [restore(row, self._codec) for row in self._log[start : start + limit]]

    async def streams(self, prefix: str = "") -> list[tuple[str, int]]:
        self._check_open()
        return sorted((name, head.version) for name, head in self._heads.items() if name.startswith(prefix))

    async def command_answer(self, command_id: str) -> bytes | None:
        self._check_open()
        known = self._commands.get(command_id)
        return None if known is None else known[0]

    async def prune_commands(self, before: str) -> int:
        self._check_open()
        bound = normalised(before)
        old = [command_id for command_id, (_, recorded_at) in self._commands.items() if recorded_at < bound]
        for command_id in old:
            del self._commands[command_id]
        return len(old)

    async def owed(self, shards: Sequence[int] | None = None) -> list[OutboxRow]:
        self._check_open()
        rows = (row for row in self._outbox.values() if row.dead_at is None)
        chosen = (row for row in rows if shards is None or row.shard in shards)
        return sorted(chosen, key=lambda row: (row.due_at, row.id))

    async def dead(self) -> list[OutboxRow]:
        self._check_open()
        rows = (row for row in self._outbox.values() if row.dead_at is not None)
        return sorted(rows, key=lambda row: (row.dead_at, row.id))

    async def put_owed(self, row: OutboxRow) -> None:
        self._check_open()
        if row.id in self._outbox:
            self._outbox[row.id] = row

    async def revive(self, ids: Sequence[str], due_at: float) -> list[OutboxRow]:
        self._check_open()
        found = [row for id_ in ids if (row := self._outbox.get(id_)) is not None and row.dead_at is not None]
        revived = [replace(row, dead_at=None, attempts=0, due_at=due_at) for row in found]
        self._outbox |= {row.id: row for row in revived}
        return revived

    async def settle(self, ids: Sequence[str]) -> None:
        self._check_open()
        for id_ in ids:
            self._outbox.pop(id_, None)

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
        self._check_open()
        question = query(self._tables, table, where, order, descending, before, limit)
        return answered(question, self._rows_of(table))

    async def count(self, table: str, by: str) -> dict[Any, int]:
        self._check_open()
        counted(self._tables, table, by)
        return dict(Counter(row[by] for row in self._rows_of(table)))

    async def rebuild(self, projection: str | None = None) -> int:
        self._check_open()
        chosen = [known for known, _ in self._hands if projection in (None, known.name)]
        if projection is not None and not chosen:
            raise EventStoreError(f"there is no projection {projection!r}")
        anew = {known.name: rows for known, rows in self._replayed(chosen)}
        self._hands = [(known, anew.get(known.name, rows)) for known, rows in self._hands]
        return len(self._log)

    async def drift(self) -> dict[str, int]:
        self._check_open()
        replayed = self._replayed([known for known, _ in self._hands])
        found: dict[str, int] = {}
        for (_, live), (_, anew) in zip(self._hands, replayed, strict=True):
            found |= live.differing(anew)
        return found

    async def verify(self, stream: str | None = None) -> int:
        self._check_open()
        chosen = sorted(self._heads) if stream is None else [name for name in (stream,) if name in self._heads]
        heads = ((name, self._heads[name].version, self._heads[name].hash) for name in chosen)
        return verify_chains((row for name in chosen for row in self._streams[name]), heads)

    async def close(self) -> None:
        self._closed = True

    def _check_open(self) -> None:
        if self._closed:
            raise StoreClosed("the event store is closed")

    def _rows_of(self, table: str) -> Iterable[Row]:
        return next(rows for _, rows in self._hands if table in rows.tables).tables[table].values()

    def _project(self, events: Sequence[RecordedEvent]) -> None:
        """The rows that the events make, or none of them. The last moment at which a step can fail."""
        for _, rows in self._hands:
            rows.begin()
        try:
            apply_all(events, self._hands)
            self._faults("before_commit")
        except BaseException:
            for _, rows in self._hands:
                rows.undo()
            raise

    def _write_rest(self, step: Append, snapshot: StoredSnapshot | None, now: str) -> None:
        if step.command_id is not None:
            self._commands[step.command_id] = (step.answer, now)
        # Settled before put: a step may settle an alarm and set it anew under the same id.
        for id_ in step.done:
            self._outbox.pop(id_, None)
        self._outbox |= {row.id: row for row in step.put}
        if snapshot is not None:
            former = self._snapshots.get(step.stream)
            if former is None or snapshot[1] >= former[1]:
                self._snapshots[step.stream] = snapshot

    def _replayed(self, projections: Sequence[Projection]) -> list[tuple[Projection, MemoryRows]]:
        anew = [(known, MemoryRows(known.tables)) for known in projections]
        apply_all((restore(row, self._codec) for row in self._log), anew)
        return anew
