"""One question to a read model table: checked once, then answered by SQL or by walking rows in memory."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from event_store._tables import checked_value
from event_store.errors import EventStoreError
from event_store.types import Row, Table

__all__ = ["Query", "answered", "as_sql", "counted", "query"]


@dataclass(frozen=True, slots=True)
class Query:
    """Only known columns and fitting values; `order` ends with the key, so that it is total."""

    table: Table
    where: Mapping[str, Any]
    order: tuple[str, ...]
    descending: bool
    before: tuple[Any, ...] | None
    """Values of the first columns of `order`."""
    limit: int | None


def query(
    tables: Mapping[str, Table],
    name: str,
    where: Mapping[str, Any],
    order: Sequence[str],
    descending: bool,
    before: Sequence[Any] | None,
    limit: int | None,
) -> Query:
    """Raises EventStoreError for an unknown table or column, a value that does not fit, an impossible page."""
    table = _known(tables, name, order)
    if limit is not None and limit < 0:
        raise EventStoreError(f"limit is {limit}, not 0 or more")
    if before is not None:
        if not order or len(before) != len(order):
            raise EventStoreError(f"`before` needs a value for each column of `order`: {tuple(order)!r}")
        if any(value is None for value in before):
            raise EventStoreError("a page cannot begin after an absent value")
        before = tuple(checked_value(table, column, value) for column, value in zip(order, before, strict=True))
    checked = {column: checked_value(table, column, value) for column, value in where.items()}
    total = (*order, *(column for column in table.key if column not in order))
    return Query(table, checked, total, descending, before, limit)


def counted(tables: Mapping[str, Table], name: str, by: str) -> tuple[str, str]:
    """Table and column, both known. Raises EventStoreError."""
    return _known(tables, name, [by]).name, by


def _known(tables: Mapping[str, Table], name: str, columns: Sequence[str]) -> Table:
    table = tables.get(name)
    if table is None:
        raise EventStoreError(f"no read model has a table {name!r}")
    unknown = [column for column in columns if column not in table.columns]
    if unknown:
        raise EventStoreError(f"table {name} has no column {unknown[0]!r}")
    return table


def as_sql(q: Query) -> tuple[str, list[Any]]:
    """The statement and its parameters; identifiers were checked against the table, values are bound."""
    clauses = [f"{_quoted([column])} IS ?" for column in q.where]
    parameters = list(q.where.values())
    if q.before is not None:
        marks = ", ".join("?" * len(q.before))
        clauses.append(f"({_quoted(q.order[: len(q.before)])}) {'<' if q.descending else '>'} ({marks})")
        parameters += q.before
    sql = f"SELECT {_quoted(q.table.columns)} FROM {_quoted([q.table.name])}"
    if clauses:
        sql += f" WHERE {' AND '.join(clauses)}"
    sql += f" ORDER BY {_quoted(q.order, ' DESC' if q.descending else '')}"
    if q.limit is not None:
        sql += " LIMIT ?"
        parameters.append(q.limit)
    return sql, parameters


def _quoted(names: Iterable[str], suffix: str = "") -> str:
    return ", ".join(f'"{name}"{suffix}' for name in names)


def answered(q: Query, rows: Iterable[Row]) -> list[Row]:
    """What the statement of `as_sql` answers over these rows: an absent value sorts first and never follows a page."""
    found = [row for row in rows if all(row[column] == value for column, value in q.where.items())]
    if q.before is not None:
        found = [row for row in found if _follows(row, q.order, q.before, q.descending)]
    found.sort(key=lambda row: [(row[c] is not None, row[c]) for c in q.order], reverse=q.descending)
    return [dict(row) for row in found[: q.limit]]


def _follows(row: Row, order: Sequence[str], before: Sequence[Any], descending: bool) -> bool:
    for column, value in zip(order, before, strict=False):
        if row[column] is None:
            return False
        if row[column] != value:
            return bool(row[column] < value) if descending else bool(row[column] > value)
    return False
