"""What is written for each request: functions of the connection, run by the lane inside its transaction."""

from __future__ import annotations

import sqlite3

from event_store import _outbox
from event_store._clock import Clock, stamp
from event_store._faults import FaultHook
from event_store._projector import Projector, last_position
from event_store._record import COLUMNS, EMPTY, Head, StoredSnapshot, seal, seal_snapshot
from event_store.errors import CommandRepeated, ConcurrencyError
from event_store.types import Append, Appended, PayloadCodec

__all__ = ["Writer", "prune_commands"]

_INSERT_EVENT = f"INSERT INTO events ({', '.join(COLUMNS)}) VALUES ({', '.join('?' * len(COLUMNS))})"
_INSERT_HEAD = "INSERT INTO chain_heads (version, hash, recorded_at, stream) VALUES (?, ?, ?, ?)"
_UPDATE_HEAD = "UPDATE chain_heads SET version = ?, hash = ?, recorded_at = ? WHERE stream = ?"
_PUT_SNAPSHOT = (
    "INSERT INTO snapshots (stream, version, data, key_id) VALUES (?, ?, ?, ?)"
    " ON CONFLICT (stream) DO UPDATE SET version = excluded.version, data = excluded.data, key_id = excluded.key_id"
    " WHERE excluded.version >= snapshots.version"
)
_PRUNE = "DELETE FROM commands WHERE id IN (SELECT id FROM commands WHERE recorded_at < ? LIMIT ?)"


class Writer:
    """The writing side of one file. Lives on the writer connection's thread but for its making."""

    def __init__(self, projector: Projector, codec: PayloadCodec | None, clock: Clock, faults: FaultHook) -> None:
        self._projector = projector
        self._codec = codec
        self._clock = clock
        self._faults = faults
        self._begun_at = self._position = 0

    def begin(self, connection: sqlite3.Connection) -> None:
        """First in a transaction: see where the log ends now; another process may have written since the last one."""
        self._begun_at = self._position = last_position(connection)
        self._projector.catch_up(self._position)

    def end(self, connection: sqlite3.Connection) -> None:
        """Last in a transaction."""
        if self._position > self._begun_at:
            self._projector.reached(self._position)

    def append(self, connection: sqlite3.Connection, step: Append) -> Appended:
        """All of a step. Raises CommandRepeated before ConcurrencyError; EventStoreError when a projection fails."""
        if step.command_id is not None:
            answer = connection.execute("SELECT answer FROM commands WHERE id = ?", (step.command_id,)).fetchone()
            if answer is not None:
                raise CommandRepeated(step.command_id, answer[0])
        found = connection.execute(
            "SELECT version, hash, recorded_at FROM chain_heads WHERE stream = ?", (step.stream,)
        ).fetchone()
        head = EMPTY if found is None else Head(*found)
        if head.version != step.expected_version:
            raise ConcurrencyError(step.stream, step.expected_version, head.version)
        now = stamp(self._clock())
        rows, events, head = seal(step.stream, head, self._position, step.events, now, self._codec)
        if rows:
            connection.executemany(_INSERT_EVENT, rows)
            connection.execute(_INSERT_HEAD if found is None else _UPDATE_HEAD, (*head, step.stream))
        self._faults("after_events")
        self._write_rest(connection, step, seal_snapshot(step, head.version, self._codec), now)
        self._projector.apply(events)
        self._position += len(rows)
        return Appended(head.version, events)

    def rebuild(self, connection: sqlite3.Connection, projection: str | None) -> int:
        return self._projector.rebuild(projection)

    def _write_rest(
        self, connection: sqlite3.Connection, step: Append, snapshot: StoredSnapshot | None, now: str
    ) -> None:
        if step.command_id is not None:
            connection.execute(
                "INSERT INTO commands (id, answer, recorded_at) VALUES (?, ?, ?)", (step.command_id, step.answer, now)
            )
        # Settled before put: a step may settle an alarm and set it anew under the same id.
        if step.done:
            _outbox.delete(connection, step.done)
        if step.put:
            _outbox.put(connection, step.put)
        if snapshot is not None:
            connection.execute(_PUT_SNAPSHOT, snapshot)


def prune_commands(connection: sqlite3.Connection, before: str, limit: int) -> int:
    """Forget at most `limit` answers; how many."""
    return connection.execute(_PRUNE, (before, limit)).rowcount
