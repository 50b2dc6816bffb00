"""Read model tables: which there are, and which values fit. Shared by every store, so that all refuse the same."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from event_store.errors import EventStoreError
from event_store.types import Projection, Row, Table

__all__ = ["RESERVED", "checked_key", "checked_row", "checked_value", "known_tables", "signature"]

RESERVED = frozenset({"events", "snapshots", "outbox", "commands", "checkpoints", "chain_heads"})
"""Names of the store's own tables."""

_IDENTIFIER = re.compile(r"[a-z][a-z0-9_]{0,62}")
_ACCEPTED: Mapping[str, Any] = {"TEXT": str, "INTEGER": int, "REAL": (float, int)}


def known_tables(projections: Iterable[Projection]) -> dict[str, Table]:
    """Tables by name.

    Raises EventStoreError for a name that is taken, reserved or no identifier, for an unknown column in a key or index.
    """
    tables: dict[str, Table] = {}
    names: set[str] = set()
    for projection in projections:
        if projection.name in names:
            raise EventStoreError(f"two projections are called {projection.name!r}")
        names.add(projection.name)
        for table in projection.tables:
            if table.name in tables:
                raise EventStoreError(f"two projections keep a table {table.name!r}")
            _check_table(table)
            tables[table.name] = table
    return tables


def _check_table(table: Table) -> None:
    for name in (table.name, *table.columns):
        if not _IDENTIFIER.fullmatch(name) or name.startswith("sqlite_"):
            raise EventStoreError(f"{name!r} cannot name a table or a column: lower-case letters, digits, _")
    if table.name in RESERVED:
        raise EventStoreError(f"{table.name!r} is one of the store's own tables")
    if not table.key:
        raise EventStoreError(f"table {table.name} has no key")
    for columns in (table.key, *table.indexes):
        unknown = [column for column in columns if column not in table.columns]
        if unknown:
            raise EventStoreError(f"table {table.name} has no column {unknown[0]!r}")


def signature(tables: Iterable[Table]) -> str:
    """What the tables look like, as text: when it changes, they are made anew."""
    shapes = {t.name: [list(t.columns.items()), list(t.key), [list(i) for i in t.indexes]] for t in tables}
    return json.dumps(shapes, sort_keys=True)


def checked_value(table: Table, column: str, value: Any) -> Any:
    """The value as the column keeps it (bool -> int, an int of a REAL column -> float). None is kept.

    Raises EventStoreError for an unknown column or a value of another type.
    """
    kind = table.columns.get(column)
    if kind is None:
        raise EventStoreError(f"table {table.name} has no column {column!r}")
    if value is None:
        return None
    if not isinstance(value, _ACCEPTED[kind]):
        raise EventStoreError(f"{table.name}.{column} is {kind}, not {type(value).__name__}")
    if kind == "REAL":
        return float(value)
    return int(value) if kind == "INTEGER" else value


def checked_key(table: Table, key: Sequence[Any]) -> tuple[Any, ...]:
    """The values of the key columns, in order. Raises EventStoreError when one is absent or there are more."""
    if len(key) != len(table.key) or any(value is None for value in key):
        raise EventStoreError(f"the key of {table.name} is ({', '.join(table.key)}), not {tuple(key)!r}")
    return tuple(checked_value(table, column, value) for column, value in zip(table.key, key, strict=True))


def checked_row(table: Table, row: Row) -> tuple[Any, ...]:
    """The values of every column, in order. Raises EventStoreError when the row names other columns than the table."""
    if row.keys() != table.columns.keys():
        wrong = sorted(row.keys() ^ table.columns.keys())
        raise EventStoreError(f"a row of {table.name} names every column once; wrong: {', '.join(wrong)}")
    checked_key(table, [row[column] for column in table.key])
    return tuple(checked_value(table, column, row[column]) for column in table.columns)
