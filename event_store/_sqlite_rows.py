"""Rows of read models in SQLite: the statements of a table, and a projection's hands on them."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Sequence
from typing import Any, Literal

from event_store._tables import checked_key, checked_row
from event_store.errors import EventStoreError
from event_store.types import Row, Table

__all__ = ["Schema", "SqliteRows", "create_table", "differing_rows"]

Schema = Literal["main", "temp"]
"""Where the rows live: the read model itself, or a replay beside it that nobody else sees."""


def create_table(connection: sqlite3.Connection, table: Table, schema: Schema = "main") -> None:
    """Make the table anew, empty, with its indexes (a replay needs none)."""
    target = f'{schema}."{table.name}"'
    key = _quoted(table.key)
    columns = [f'"{name}" {kind}{" NOT NULL" if name in table.key else ""}' for name, kind in table.columns.items()]
    connection.execute(f"DROP TABLE IF EXISTS {target}")
    connection.execute(f"CREATE TABLE {target} ({', '.join(columns)}, PRIMARY KEY ({key})) STRICT, WITHOUT ROWID")
    if schema == "main":
        for index in table.indexes:
            name = "_".join((table.name, "by", *index))
            connection.execute(f'CREATE INDEX "{name}" ON "{table.name}" ({_quoted(index)})')


def differing_rows(connection: sqlite3.Connection, table: Table) -> int:
    """Keys whose row is not the same in `main` and `temp`, or is in one of them only."""
    keys, columns = _quoted(table.key), _quoted(table.columns)
    live, replayed = f'main."{table.name}"', f'temp."{table.name}"'
    (count,) = connection.execute(
        f"SELECT (SELECT count(*) FROM (SELECT {keys} FROM {live} UNION SELECT {keys} FROM {replayed}))"
        f" - (SELECT count(*) FROM (SELECT {columns} FROM {live} INTERSECT SELECT {columns} FROM {replayed}))"
    ).fetchone()
    return int(count)


class SqliteRows:
    """`Rows` of one projection over one connection; it reaches its own tables only."""

    def __init__(self, connection: sqlite3.Connection, tables: Iterable[Table], schema: Schema = "main") -> None:
        self._connection = connection
        self._statements = {table.name: _Statements(table, schema) for table in tables}

    def get(self, table: str, key: Sequence[Any]) -> Row | None:
        known = self._known(table)
        found = self._connection.execute(known.get, checked_key(known.table, key)).fetchone()
        return None if found is None else dict(zip(known.table.columns, found, strict=True))

    def put(self, table: str, row: Row) -> None:
        known = self._known(table)
        self._connection.execute(known.put, checked_row(known.table, row))

    def delete(self, table: str, key: Sequence[Any]) -> None:
        known = self._known(table)
        self._connection.execute(known.delete, checked_key(known.table, key))

    def _known(self, table: str) -> _Statements:
        known = self._statements.get(table)
        if known is None:
            raise EventStoreError(f"the projection has no table {table!r}")
        return known


class _Statements:
    __slots__ = ("delete", "get", "put", "table")

    def __init__(self, table: Table, schema: Schema) -> None:
        target = f'{schema}."{table.name}"'
        columns = _quoted(table.columns)
        by_key = " AND ".join(f'"{column}" = ?' for column in table.key)
        self.table = table
        self.get = f"SELECT {columns} FROM {target} WHERE {by_key}"
        self.put = f"INSERT OR REPLACE INTO {target} ({columns}) VALUES ({', '.join('?' * len(table.columns))})"
        self.delete = f"DELETE FROM {target} WHERE {by_key}"


def _quoted(names: Iterable[str]) -> str:
    return ", ".join(f'"{name}"' for name in names)
