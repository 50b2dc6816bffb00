"""The outbox in SQLite: its statements, and its rows to and fro."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Sequence

from event_store.types import OutboxRow

__all__ = ["delete", "put", "revive", "select_dead", "select_owed", "update"]

_COLUMNS = "id, stream, shard, kind, payload, due_at, attempts, error, owed_at, dead_at"
_PUT = f"INSERT OR REPLACE INTO outbox ({_COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
_UPDATE = (
    "UPDATE outbox SET stream = ?2, shard = ?3, kind = ?4, payload = ?5, due_at = ?6, attempts = ?7, error = ?8,"
    " owed_at = ?9, dead_at = ?10 WHERE id = ?1"
)
_REVIVE = (
    "UPDATE outbox SET dead_at = NULL, attempts = 0, due_at = ? WHERE id = ? AND dead_at IS NOT NULL"
    f" RETURNING {_COLUMNS}"
)


def put(connection: sqlite3.Connection, rows: Iterable[OutboxRow]) -> None:
    """Insert, or replace the row of the same id."""
    connection.executemany(_PUT, [_values(row) for row in rows])


def update(connection: sqlite3.Connection, row: OutboxRow) -> None:
    """Replace the row if it is there."""
    connection.execute(_UPDATE, _values(row))


def delete(connection: sqlite3.Connection, ids: Iterable[str]) -> None:
    connection.executemany("DELETE FROM outbox WHERE id = ?", [(id_,) for id_ in ids])


def revive(connection: sqlite3.Connection, ids: Iterable[str], due_at: float) -> list[OutboxRow]:
    """The rows of these that were dead until now."""
    found = (connection.execute(_REVIVE, (due_at, id_)).fetchone() for id_ in ids)
    return [OutboxRow(*row) for row in found if row is not None]


def select_owed(connection: sqlite3.Connection, shards: Sequence[int] | None) -> list[OutboxRow]:
    """Rows that are not dead, of these shards or all, by due time."""
    among = "" if shards is None else f" AND shard IN ({', '.join('?' * len(shards))})"
    return _select(connection, f"dead_at IS NULL{among} ORDER BY due_at, id", shards or ())


def select_dead(connection: sqlite3.Connection) -> list[OutboxRow]:
    return _select(connection, "dead_at IS NOT NULL ORDER BY dead_at, id", ())


def _select(connection: sqlite3.Connection, where: str, parameters: Sequence[int]) -> list[OutboxRow]:
    # Read whole when a host starts and shown to operators: what is owed is little, an index would cost every write.
    rows = connection.execute(f"SELECT {_COLUMNS} FROM outbox WHERE {where}", parameters).fetchall()
    return [OutboxRow(*row) for row in rows]


def _values(row: OutboxRow) -> tuple[object, ...]:
    return (
        row.id,
        row.stream,
        row.shard,
        row.kind,
        row.payload,
        row.due_at,
        row.attempts,
        row.error,
        row.owed_at,
        row.dead_at,
    )
