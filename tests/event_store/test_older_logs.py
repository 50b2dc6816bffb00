"""A log that an older version wrote becomes one of today, whole or not at all."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from event_store import EventStoreError, SqliteEventStore
from event_store._schema import SCHEMA_VERSION

from .conftest import OpenLog

GOLDEN = sorted(Path(__file__).with_name("golden").glob("log_v*.sql"))
"""Logs as the versions wrote them, dumped: a user and a job of two photos, one delivered, one owed; one dead tell."""


def test_every_older_version_is_there() -> None:
    assert [path.stem for path in GOLDEN] == [f"log_v{version}" for version in range(1, SCHEMA_VERSION)]


@pytest.fixture(params=GOLDEN, ids=lambda path: path.stem)
def older(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    path = tmp_path / "log.sqlite3"
    with closing(sqlite3.connect(path)) as log:
        log.executescript("PRAGMA journal_mode = WAL;" + request.param.read_text())
    return path


def tables(path: Path) -> set[str]:
    """The store's own tables, triggers and indexes, as they were declared."""
    with closing(sqlite3.connect(path)) as log:
        return {sql for (sql,) in log.execute("SELECT sql FROM sqlite_master WHERE sql NOT LIKE '% \"%'")}


async def test_it_is_upgraded_in_place(older: Path, tmp_path: Path, open_log: OpenLog) -> None:
    store = await open_log(older)
    assert await store.verify() == 10
    assert [(row.kind, row.owed_at) for row in await store.owed()] == [
        ("task", 1795452556.894808),
        ("alarm", 1795453456.896422),
    ]
    (dead,) = await store.dead()
    assert (dead.id, dead.error, dead.attempts, dead.dead_at) == ("user-u_1:9:0", "command Gone", 1, 1790000000.0)
    await store.close()
    await (await open_log(tmp_path / "new.sqlite3")).close()
    assert tables(older) == tables(tmp_path / "new.sqlite3")
    assert await (await open_log(older, read_only=True)).verify() == 10


async def test_a_reader_leaves_it_alone(older: Path, open_log: OpenLog) -> None:
    before = tables(older)
    with pytest.raises(EventStoreError, match=r"has schema 1, this program reads 2: open it for writing once"):
        await open_log(older, read_only=True)
    assert tables(older) == before


async def test_an_upgrade_that_fails_leaves_it_as_it_was(older: Path) -> None:
    with closing(sqlite3.connect(older, isolation_level=None)) as log:
        log.execute("CREATE TABLE outbox_of_schema_1 (id)")
    before = tables(older)
    with pytest.raises(EventStoreError, match="cannot be opened as an event log"):
        await SqliteEventStore.open(older)
    assert tables(older) == before
    with closing(sqlite3.connect(older)) as log:
        assert log.execute("PRAGMA user_version").fetchone() == (1,)
