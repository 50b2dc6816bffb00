"""The file: its tables, its marks, what is refused at the door, and how an older file becomes one of today."""

from __future__ import annotations

import sqlite3
import time
from contextlib import closing
from pathlib import Path

from event_store._connection import transaction
from event_store.errors import EventStoreError, SchemaTooNew

__all__ = ["SCHEMA_VERSION", "connect_reader", "connect_writer", "empty_journal", "schema_of", "schema_version"]

SCHEMA_VERSION = 2
_APPLICATION_ID = 0x45565354
"""Says in the file's header that it is an event log: "EVST"."""

_WAL_PAGES = 4000
"""Pages (16 MB) after which a commit moves the WAL into the file: fewer, larger moves cost fewer fsyncs."""

_TABLES = """
CREATE TABLE events (
    global_position INTEGER PRIMARY KEY,
    stream          TEXT NOT NULL,
    version         INTEGER NOT NULL,
    event_id        TEXT NOT NULL,
    type            TEXT NOT NULL,
    schema_version  INTEGER NOT NULL,
    data            BLOB NOT NULL,
    key_id          TEXT,
    metadata        BLOB NOT NULL,
    recorded_at     TEXT NOT NULL,
    prev_hash       BLOB NOT NULL,
    hash            BLOB NOT NULL,
    UNIQUE (stream, version)
) STRICT;

CREATE TABLE chain_heads (
    stream      TEXT PRIMARY KEY,
    version     INTEGER NOT NULL,
    hash        BLOB NOT NULL,
    recorded_at TEXT NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE snapshots (
    stream  TEXT PRIMARY KEY REFERENCES chain_heads (stream),
    version INTEGER NOT NULL,
    data    BLOB NOT NULL,
    key_id  TEXT
) STRICT;

CREATE TABLE outbox (
    id       TEXT PRIMARY KEY,
    stream   TEXT NOT NULL,
    shard    INTEGER NOT NULL,
    kind     TEXT NOT NULL,
    payload  BLOB NOT NULL,
    due_at   REAL NOT NULL,
    attempts INTEGER NOT NULL,
    error    TEXT,
    owed_at  REAL NOT NULL,
    dead_at  REAL
) STRICT;

CREATE TABLE commands (
    id          TEXT PRIMARY KEY,
    answer      BLOB NOT NULL,
    recorded_at TEXT NOT NULL
) STRICT;
CREATE INDEX commands_by_time ON commands (recorded_at);

CREATE TABLE checkpoints (
    projection TEXT PRIMARY KEY,
    version    INTEGER NOT NULL,
    tables     TEXT NOT NULL,
    position   INTEGER NOT NULL
) STRICT;

CREATE TRIGGER events_are_not_updated BEFORE UPDATE ON events
BEGIN SELECT RAISE(ABORT, 'events are never changed'); END;

CREATE TRIGGER events_are_not_deleted BEFORE DELETE ON events
BEGIN SELECT RAISE(ABORT, 'events are never deleted'); END;

-- A connection without recursive_triggers would let REPLACE pass the trigger above.
CREATE TRIGGER events_are_not_replaced BEFORE INSERT ON events
WHEN EXISTS (SELECT 1 FROM events WHERE global_position = NEW.global_position)
  OR EXISTS (SELECT 1 FROM events WHERE stream = NEW.stream AND version = NEW.version)
BEGIN SELECT RAISE(ABORT, 'events are never replaced'); END;
"""

_UPGRADES = {
    # Version 1 kept a flag where it now keeps since when.
    1: """
ALTER TABLE outbox RENAME TO outbox_of_schema_1;
CREATE TABLE outbox (
    id       TEXT PRIMARY KEY,
    stream   TEXT NOT NULL,
    shard    INTEGER NOT NULL,
    kind     TEXT NOT NULL,
    payload  BLOB NOT NULL,
    due_at   REAL NOT NULL,
    attempts INTEGER NOT NULL,
    error    TEXT,
    owed_at  REAL NOT NULL,
    dead_at  REAL
) STRICT;
INSERT INTO outbox
SELECT id, stream, shard, kind, payload, due_at, attempts, error, due_at, iif(dead, due_at, NULL)
FROM outbox_of_schema_1;
DROP TABLE outbox_of_schema_1;
""",
}
"""Schema version -> statements that make the next one of it. What a version was is for good: these never change."""


def connect_writer(path: Path, busy_timeout_s: float) -> sqlite3.Connection:
    """Open the log for writing, and make it where there is none.

    Raises SchemaTooNew, or EventStoreError in one sentence, when the file is not a log of ours; it is not touched then.
    """
    try:
        connection = sqlite3.connect(path, timeout=busy_timeout_s, isolation_level=None, cached_statements=256)
        try:
            if schema_of(connection, path) is None:
                _make(connection, path, busy_timeout_s)
            connection.execute("PRAGMA synchronous = FULL")
            _upgrade(connection, path)
            connection.execute("PRAGMA foreign_keys = ON")
            connection.execute("PRAGMA recursive_triggers = ON")
            connection.execute(f"PRAGMA wal_autocheckpoint = {_WAL_PAGES}")
        except BaseException:
            connection.close()
            raise
    except sqlite3.Error as error:
        raise EventStoreError(f"{path} cannot be opened as an event log: {error}") from error
    return connection


def empty_journal(connection: sqlite3.Connection) -> None:
    """Bring what is only in the write-ahead log into the file. SQLite does it by itself where the last connection
    closes, and other processes read on. Waits for one that is in the middle, as long as for its lock."""
    connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")


def connect_reader(path: Path, busy_timeout_s: float) -> sqlite3.Connection:
    """Open the log for reading only; it must be there. Raises as `connect_writer`."""
    try:
        uri = f"{path.absolute().as_uri()}?mode=ro"
        connection = sqlite3.connect(uri, uri=True, timeout=busy_timeout_s, isolation_level=None)
        try:
            schema = schema_of(connection, path)
            if schema != SCHEMA_VERSION:
                what = "is empty" if schema is None else f"has schema {schema}, this program reads {SCHEMA_VERSION}"
                raise EventStoreError(f"{path} {what}: open it for writing once")
        except BaseException:
            connection.close()
            raise
    except sqlite3.Error as error:
        raise EventStoreError(f"{path} cannot be opened as an event log: {error}") from error
    return connection


def schema_version(path: Path) -> int | None:
    """Schema version of the log at `path`, which is left as it is; None: it is empty. Raises as `connect_writer`."""
    try:
        with closing(sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True)) as connection:
            return schema_of(connection, path)
    except sqlite3.Error as error:
        raise EventStoreError(f"{path} cannot be opened as an event log: {error}") from error


def schema_of(connection: sqlite3.Connection, path: Path) -> int | None:
    """Schema version of a log; None for an empty file. Raises as `connect_writer`."""
    # One statement, so that another process making the file is seen before or after, not halfway.
    application, version, tables = connection.execute(
        "SELECT (SELECT application_id FROM pragma_application_id), (SELECT user_version FROM pragma_user_version),"
        " (SELECT count(*) FROM sqlite_master)"
    ).fetchone()
    if application == 0 and version == 0 and tables == 0:
        return None
    if application != _APPLICATION_ID:
        raise EventStoreError(f"{path} is a database of something else, not an event log")
    if version > SCHEMA_VERSION:
        raise SchemaTooNew(
            f"{path} has schema {version}, this program knows up to {SCHEMA_VERSION}: update the program"
        )
    return int(version)


def _make(connection: sqlite3.Connection, path: Path, busy_timeout_s: float) -> None:
    _switch_to_wal(connection, busy_timeout_s)
    with transaction(connection):
        # Another process may have made it between our look and our turn.
        if schema_of(connection, path) is None:
            for statement in _statements(_TABLES):
                connection.execute(statement)
            connection.execute(f"PRAGMA application_id = {_APPLICATION_ID}")
            connection.execute(f"PRAGMA user_version = {SCHEMA_VERSION}")


def _upgrade(connection: sqlite3.Connection, path: Path) -> None:
    """Bring an older log to today's schema, in one transaction: it is upgraded whole or left as it was."""
    if schema_of(connection, path) == SCHEMA_VERSION:
        return
    with transaction(connection):
        # Read again: another process may have upgraded it between our look and our turn.
        for older in range(schema_of(connection, path) or SCHEMA_VERSION, SCHEMA_VERSION):
            for statement in _statements(_UPGRADES[older]):
                connection.execute(statement)
        connection.execute(f"PRAGMA user_version = {SCHEMA_VERSION}")


def _switch_to_wal(connection: sqlite3.Connection, busy_timeout_s: float) -> None:
    deadline = time.monotonic() + busy_timeout_s
    while True:
        try:
            connection.execute("PRAGMA journal_mode = WAL")
            return
        except sqlite3.OperationalError as error:
            # SQLite does not run its busy handler for this switch, so two first starts would meet here.
            if error.sqlite_errorcode != sqlite3.SQLITE_BUSY or time.monotonic() > deadline:
                raise
            time.sleep(0.01)


def _statements(script: str) -> list[str]:
    """The script cut where a statement is complete: `executescript` would commit the transaction it is called in."""
    found, current = [], ""
    for line in script.splitlines(keepends=True):
        current += line
        if sqlite3.complete_statement(current) and current.strip():
            found.append(current)
            current = ""
    return found
