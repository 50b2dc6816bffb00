"""Read models over SQLite: made, kept up to date in the writer's transaction, rebuilt, compared with a replay.

`checkpoints` holds for each projection its version, what its tables look like, and the position up to which they are
right. A process that writes without knowing a projection leaves that position behind; the next one that knows it
catches up first.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator, Sequence

from event_store._projections import apply_all
from event_store._record import COLUMNS, restore
from event_store._sqlite_rows import SqliteRows, create_table, differing_rows
from event_store._tables import known_tables, signature
from event_store.errors import EventStoreError, SchemaTooNew
from event_store.types import PayloadCodec, Projection, RecordedEvent, Rows

__all__ = ["Projector", "check_read_models", "drift", "last_position", "log_after"]

_PAGE = 1000
_SELECT = f"SELECT {', '.join(COLUMNS)} FROM events WHERE global_position > ? ORDER BY global_position LIMIT ?"


def log_after(
    connection: sqlite3.Connection, position: int, limit: int, codec: PayloadCodec | None
) -> list[RecordedEvent]:
    """The next events of the log in global order."""
    return [restore(row, codec) for row in connection.execute(_SELECT, (position, limit)).fetchall()]


class Projector:
    """The projections of one writer connection. Every method runs on its thread, inside its transaction."""

    def __init__(
        self, connection: sqlite3.Connection, projections: Sequence[Projection], codec: PayloadCodec | None
    ) -> None:
        known_tables(projections)
        self._connection = connection
        self._codec = codec
        self._hands = [(projection, SqliteRows(connection, projection.tables)) for projection in projections]

    def prepare(self) -> None:
        """Bring every read model up to date; make anew those whose version or tables changed.

        Raises SchemaTooNew when the file's read model is of a later version than this program's.
        """
        for projection, rows in self._hands:
            found = _checkpoint(self._connection, projection)
            if found is None or found != (projection.version, signature(projection.tables)):
                self._make_anew(projection, rows)
        self.catch_up(last_position(self._connection))

    def catch_up(self, last: int) -> None:
        """Replay what other writers left to be done up to the position `last`; usually nothing."""
        if not self._hands:
            return
        positions = dict(self._connection.execute("SELECT projection, position FROM checkpoints").fetchall())
        for projection, rows in self._hands:
            if positions[projection.name] < last:
                self._replay(projection, rows, positions[projection.name])

    def apply(self, events: Sequence[RecordedEvent]) -> None:
        apply_all(events, self._hands)

    def reached(self, position: int) -> None:
        """The read models contain everything up to that position."""
        self._connection.executemany(
            "UPDATE checkpoints SET position = ? WHERE projection = ?", [(position, p.name) for p, _ in self._hands]
        )

    def rebuild(self, name: str | None) -> int:
        """Replay one read model or all from zero; number of events of the log."""
        chosen = [(projection, rows) for projection, rows in self._hands if name in (None, projection.name)]
        if name is not None and not chosen:
            raise EventStoreError(f"there is no projection {name!r}")
        for projection, rows in chosen:
            self._make_anew(projection, rows)
        (count,) = self._connection.execute("SELECT count(*) FROM events").fetchone()
        return int(count)

    def _make_anew(self, projection: Projection, rows: Rows) -> None:
        self._drop_former_tables(projection)
        for table in projection.tables:
            create_table(self._connection, table)
        self._connection.execute(
            "INSERT OR REPLACE INTO checkpoints VALUES (?, ?, ?, 0)",
            (projection.name, projection.version, signature(projection.tables)),
        )
        self._replay(projection, rows, 0)

    def _drop_former_tables(self, projection: Projection) -> None:
        shapes = dict(self._connection.execute("SELECT projection, tables FROM checkpoints").fetchall())
        former = set(json.loads(shapes.pop(projection.name, "{}")))
        # A table that moved to another projection is that one's now.
        for table in former.difference(*map(json.loads, shapes.values())):
            self._connection.execute(f'DROP TABLE IF EXISTS "{table}"')

    def _replay(self, projection: Projection, rows: Rows, position: int) -> None:
        for events in _pages(self._connection, position, self._codec):
            apply_all(events, [(projection, rows)])
            position = events[-1].global_position
        self._connection.execute(
            "UPDATE checkpoints SET position = ? WHERE projection = ?", (position, projection.name)
        )


def last_position(connection: sqlite3.Connection) -> int:
    """Global position of the newest event, 0 for an empty log."""
    (position,) = connection.execute("SELECT max(global_position) FROM events").fetchone()
    return position or 0


def check_read_models(connection: sqlite3.Connection, projections: Sequence[Projection]) -> None:
    """For a reader, which cannot mend them. Raises EventStoreError when one is not as this program knows it."""
    known_tables(projections)
    for projection in projections:
        if _checkpoint(connection, projection) != (projection.version, signature(projection.tables)):
            raise EventStoreError(f"read model {projection.name} is out of date: open the log for writing once")


def drift(
    connection: sqlite3.Connection, projections: Sequence[Projection], codec: PayloadCodec | None
) -> dict[str, int]:
    """Replay the log into temporary tables and count the keys whose rows differ, all as of one moment."""
    connection.execute("BEGIN")
    try:
        hands: list[tuple[Projection, Rows]] = []
        for projection in projections:
            for table in projection.tables:
                create_table(connection, table, "temp")
            hands.append((projection, SqliteRows(connection, projection.tables, "temp")))
        for events in _pages(connection, 0, codec):
            apply_all(events, hands)
        return {table.name: differing_rows(connection, table) for p in projections for table in p.tables}
    finally:
        connection.execute("ROLLBACK")


def _checkpoint(connection: sqlite3.Connection, projection: Projection) -> tuple[int, str] | None:
    found: tuple[int, str] | None = connection.execute(
        "SELECT version, tables FROM checkpoints WHERE projection = ?", (projection.name,)
    ).fetchone()
    if found is not None and found[0] > projection.version:
        raise SchemaTooNew(
            f"read model {projection.name} has version {found[0]}, this program knows {projection.version}: update it"
        )
    return found


def _pages(connection: sqlite3.Connection, position: int, codec: PayloadCodec | None) -> Iterator[list[RecordedEvent]]:
    while events := log_after(connection, position, _PAGE, codec):
        yield events
        position = events[-1].global_position
