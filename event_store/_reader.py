"""What is read: plain functions of a connection."""

from __future__ import annotations

import sqlite3
from typing import Any

from event_store._query import Query, as_sql
from event_store._record import COLUMNS, StoredSnapshot, restore, restore_snapshot, verify_chains
from event_store.types import Loaded, PayloadCodec, RecordedEvent, Row

__all__ = ["command_answer", "count", "load", "select", "stream_events", "streams", "verify"]

_COLUMNS = ", ".join(COLUMNS)
_LAST_CHARACTER = chr(0x10FFFF)


def load(connection: sqlite3.Connection, stream: str, codec: PayloadCodec | None) -> Loaded:
    found: StoredSnapshot | None = connection.execute(
        "SELECT stream, version, data, key_id FROM snapshots WHERE stream = ?", (stream,)
    ).fetchone()
    snapshot = None if found is None else restore_snapshot(found, codec)
    after = 0 if snapshot is None else snapshot.version
    return Loaded(snapshot, tuple(stream_events(connection, stream, after, None, None, codec)))


def stream_events(
    connection: sqlite3.Connection,
    stream: str,
    after: int,
    upto: int | None,
    until: str | None,
    codec: PayloadCodec | None,
) -> list[RecordedEvent]:
    clauses, parameters = ["stream = ?", "version > ?"], [stream, after]
    for clause, bound in (("version <= ?", upto), ("recorded_at <= ?", until)):
        if bound is not None:
            clauses.append(clause)
            parameters.append(bound)
    sql = f"SELECT {_COLUMNS} FROM events WHERE {' AND '.join(clauses)} ORDER BY version"
    return [restore(row, codec) for row in connection.execute(sql, parameters).fetchall()]


def streams(connection: sqlite3.Connection, prefix: str) -> list[tuple[str, int]]:
    # A range rather than LIKE: it uses the key, and no character of the prefix has a meaning.
    return connection.execute(
        "SELECT stream, version FROM chain_heads WHERE stream >= ? AND stream < ? ORDER BY stream",
        (prefix, prefix + _LAST_CHARACTER),
    ).fetchall()


def command_answer(connection: sqlite3.Connection, command_id: str) -> bytes | None:
    found: tuple[bytes] | None = connection.execute(
        "SELECT answer FROM commands WHERE id = ?", (command_id,)
    ).fetchone()
    return None if found is None else found[0]


def select(connection: sqlite3.Connection, question: Query) -> list[Row]:
    sql, parameters = as_sql(question)
    columns = tuple(question.table.columns)
    return [dict(zip(columns, row, strict=True)) for row in connection.execute(sql, parameters).fetchall()]


def count(connection: sqlite3.Connection, table: str, by: str) -> dict[Any, int]:
    return dict(connection.execute(f'SELECT "{by}", count(*) FROM "{table}" GROUP BY "{by}"').fetchall())


def verify(connection: sqlite3.Connection, stream: str | None) -> int:
    """Check the chains as of one moment, a row at a time."""
    where, parameters = ("", ()) if stream is None else (" WHERE stream = ?", (stream,))
    connection.execute("BEGIN")
    try:
        rows = connection.execute(f"SELECT {_COLUMNS} FROM events{where} ORDER BY stream, version", parameters)
        heads = connection.execute(f"SELECT stream, version, hash FROM chain_heads{where} ORDER BY stream", parameters)
        return verify_chains(rows, heads)
    finally:
        connection.execute("ROLLBACK")
