"""Rows of read models in memory, with the same checks as SQLite's, and a way back."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from event_store._tables import checked_key, checked_row
from event_store.errors import EventStoreError
from event_store.types import Row, Table

__all__ = ["MemoryRows"]

_Place = tuple[str, tuple[Any, ...]]


class MemoryRows:
    """`Rows` of one projection. What was done since `begin()` can be taken back."""

    def __init__(self, tables: Iterable[Table]) -> None:
        self._shapes = {table.name: table for table in tables}
        self.tables: dict[str, dict[tuple[Any, ...], Row]] = {name: {} for name in self._shapes}
        self._undo: list[tuple[_Place, Row | None]] = []

    def begin(self) -> None:
        self._undo.clear()

    def undo(self) -> None:
        for (table, key), row in reversed(self._undo):
            self._set(table, key, row)
        self._undo.clear()

    def get(self, table: str, key: Sequence[Any]) -> Row | None:
        shape = self._shape(table)
        row = self.tables[table].get(checked_key(shape, key))
        return None if row is None else dict(row)

    def put(self, table: str, row: Row) -> None:
        shape = self._shape(table)
        stored = dict(zip(shape.columns, checked_row(shape, row), strict=True))
        self._change(table, tuple(stored[column] for column in shape.key), stored)

    def delete(self, table: str, key: Sequence[Any]) -> None:
        self._change(table, checked_key(self._shape(table), key), None)

    def differing(self, replayed: MemoryRows) -> dict[str, int]:
        """Table -> keys whose row is not the same in both, or is in one of them only."""
        return {
            name: sum(live.get(key) != replayed.tables[name].get(key) for key in live.keys() | replayed.tables[name])
            for name, live in self.tables.items()
        }

    def _shape(self, table: str) -> Table:
        shape = self._shapes.get(table)
        if shape is None:
            raise EventStoreError(f"the projection has no table {table!r}")
        return shape

    def _change(self, table: str, key: tuple[Any, ...], row: Row | None) -> None:
        self._undo.append(((table, key), self.tables[table].get(key)))
        self._set(table, key, row)

    def _set(self, table: str, key: tuple[Any, ...], row: Row | None) -> None:
        if row is None:
            self.tables[table].pop(key, None)
        else:
            self.tables[table][key] = row
