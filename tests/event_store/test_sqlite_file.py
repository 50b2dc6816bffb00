"""The SQLite file: its guards, what tampering leaves behind, who may open it, and its read models over time."""

from __future__ import annotations

import asyncio
import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from event_store import (
    Append,
    ChainBroken,
    ConcurrencyError,
    EventStoreError,
    SchemaTooNew,
    Table,
)

from .conftest import OpenLog
from .samples import Balances, Xor, event, owed, step


@pytest.fixture
async def path(tmp_path: Path, open_log: OpenLog) -> Path:
    """A log of two streams, a: 4 events and b: 2, each with a row in the read model."""
    file = tmp_path / "events.db"
    store = await open_log(file, [Balances()])
    await store.append(step("a", 0, 2, put=[owed("o")], command_id="c"))
    await store.append(step("b", 0, 2))
    await store.append(step("a", 2, 2))
    await store.close()
    return file


def change(path: Path, *statements: str) -> None:
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        for statement in statements:
            connection.execute(statement)


async def test_a_closed_log_is_one_file_while_others_still_read(tmp_path: Path, open_log: OpenLog) -> None:
    file = tmp_path / "events.db"
    store = await open_log(file)
    with closing(sqlite3.connect(file)) as reader:  # the entrance's, killed a moment later
        await store.append(step("a", 0, 2))
        assert reader.execute("SELECT count(*) FROM events").fetchone() == (2,)
        await store.close()
        alone = shutil.copy(file, tmp_path / "copy.db")
    assert [each.version for each in (await (await open_log(Path(alone))).load("a")).events] == [1, 2]


VALUES = "stream, version, event_id, type, schema_version, data, key_id, metadata, recorded_at, prev_hash, hash"


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE events SET data = x'00' WHERE version = 1",
        "UPDATE events SET global_position = 99 WHERE global_position = 1",
        "DELETE FROM events",
        "DELETE FROM events WHERE stream = 'a' AND version = 4",
        f"INSERT OR REPLACE INTO events SELECT 1, {VALUES} FROM events WHERE global_position = 1",
        f"INSERT OR REPLACE INTO events SELECT 99, {VALUES} FROM events WHERE global_position = 1",
        f"REPLACE INTO events ({VALUES}) SELECT {VALUES} FROM events WHERE stream = 'a'",
        f"INSERT OR REPLACE INTO events SELECT 1, 'new', {VALUES[8:]} FROM events WHERE global_position = 2",
    ],
)
def test_events_are_guarded_also_from_others(path: Path, statement: str) -> None:
    with pytest.raises(sqlite3.IntegrityError, match="events are never"):
        change(path, statement)


UNGUARD = [f"DROP TRIGGER events_are_not_{what}" for what in ("updated", "deleted", "replaced")]


@pytest.mark.parametrize(
    ("statements", "stream", "version"),
    [
        (["UPDATE events SET data = x'7b7d' WHERE stream = 'a' AND version = 3"], "a", 3),
        (["UPDATE events SET metadata = x'7b7d' WHERE stream = 'b' AND version = 1"], "b", 1),
        (["UPDATE events SET recorded_at = '2020-01-01T00:00:00.000000Z' WHERE version = 4"], "a", 4),
        (["UPDATE events SET key_id = '' WHERE stream = 'b' AND version = 2"], "b", 2),
        (["UPDATE events SET type = 'Withdrawn' WHERE stream = 'a' AND version = 1"], "a", 1),
        (["DELETE FROM events WHERE stream = 'a' AND version = 4"], "a", 4),
        (["DELETE FROM events WHERE stream = 'a' AND version = 2"], "a", 2),
        (["DELETE FROM events WHERE stream = 'a' AND version = 1"], "a", 1),
        (["DELETE FROM events WHERE stream = 'b'"], "b", 1),
        (
            [
                "DELETE FROM events WHERE stream = 'a' AND version = 2",
                "UPDATE events SET version = version - 1 WHERE stream = 'a' AND version > 2",
            ],
            "a",
            2,
        ),
        (
            [
                "UPDATE events SET version = -3 WHERE stream = 'a' AND version = 3",
                "UPDATE events SET version = 3 WHERE stream = 'a' AND version = 2",
                "UPDATE events SET version = 2 WHERE stream = 'a' AND version = -3",
            ],
            "a",
            2,
        ),
        (
            [
                "UPDATE events SET global_position = 99 WHERE stream = 'a' AND version = 2",
            ],
            "a",
            3,
        ),
        (
            [
                "UPDATE events SET stream = 'swap' WHERE stream = 'a' AND version = 1",
                "UPDATE events SET stream = 'a' WHERE stream = 'b' AND version = 1",
                "UPDATE events SET stream = 'b' WHERE stream = 'swap'",
            ],
            "a",
            1,
        ),
        ([f"INSERT INTO events SELECT 99, 'a', 5, {VALUES[17:]} FROM events WHERE global_position = 1"], "a", 5),
        ([f"INSERT INTO events SELECT 99, 'c', 1, {VALUES[17:]} FROM events WHERE global_position = 1"], "c", 1),
        (["UPDATE chain_heads SET hash = zeroblob(32) WHERE stream = 'b'"], "b", 2),
        (["DELETE FROM snapshots", "DELETE FROM chain_heads WHERE stream = 'a'"], "a", 1),
    ],
)
async def test_tampering_is_found(
    path: Path, statements: list[str], stream: str, version: int, open_log: OpenLog
) -> None:
    change(path, *UNGUARD, *statements)
    store = await open_log(path)
    for chosen in (None, stream):
        with pytest.raises(ChainBroken, match=f"stream {stream}: event {version} ") as caught:
            await store.verify(chosen)
        assert (caught.value.stream, caught.value.version) == (stream, version)


async def test_stored_bytes_are_the_codecs(tmp_path: Path, open_log: OpenLog) -> None:
    file = tmp_path / "events.db"
    store = await open_log(file, codec=Xor())
    secret = event(note="secret")
    await store.append(Append("a", 0, (secret,)))
    await store.close()
    with closing(sqlite3.connect(file)) as connection:
        assert connection.execute("SELECT data, key_id FROM events").fetchone() == Xor().encode("a", secret.data)
    assert b"secret" not in file.read_bytes()
    change(file, *UNGUARD, "UPDATE events SET key_id = NULL")
    store = await open_log(file, codec=Xor())
    with pytest.raises(ChainBroken):
        await store.verify()


async def test_the_file_is_durable_and_append_only(path: Path, open_log: OpenLog) -> None:
    store = await open_log(path)
    assert store._writing is not None
    settings = {
        name: await store._writing.connection.run(lambda c, name: c.execute(f"PRAGMA {name}").fetchone()[0], name)
        for name in ("journal_mode", "synchronous", "foreign_keys", "recursive_triggers", "busy_timeout")
    }
    assert settings == {
        "journal_mode": "wal",
        "synchronous": 2,
        "foreign_keys": 1,
        "recursive_triggers": 1,
        "busy_timeout": 5000,
    }


# Who may open it


@pytest.mark.parametrize("read_only", [False, True])
async def test_a_newer_schema_is_refused(path: Path, read_only: bool, open_log: OpenLog) -> None:
    change(path, "PRAGMA user_version = 9")
    with pytest.raises(SchemaTooNew, match=r"events\.db has schema 9, this program knows up to 2: update the program"):
        await open_log(path, read_only=read_only)


@pytest.mark.parametrize("read_only", [False, True])
async def test_something_else_is_refused_and_left_alone(tmp_path: Path, read_only: bool, open_log: OpenLog) -> None:
    foreign, text = tmp_path / "foreign.db", tmp_path / "text.db"
    change(foreign, "CREATE TABLE events (id)")
    text.write_text("not a database, but long enough to have a header " * 20)
    for file, why in ((foreign, "a database of something else"), (text, "file is not a database")):
        before = file.read_bytes()
        with pytest.raises(EventStoreError, match=why):
            await open_log(file, read_only=read_only)
        assert file.read_bytes() == before


async def test_nothing_to_read(tmp_path: Path, open_log: OpenLog) -> None:
    with pytest.raises(EventStoreError, match="cannot be opened as an event log"):
        await open_log(tmp_path / "absent.db", read_only=True)
    (tmp_path / "empty.db").touch()
    with pytest.raises(EventStoreError, match="is empty: open it for writing once"):
        await open_log(tmp_path / "empty.db", read_only=True)
    with pytest.raises(EventStoreError, match="cannot be opened as an event log"):
        await open_log(tmp_path / "no" / "such" / "folder.db")


async def test_a_reader_reads_and_refuses_writes(path: Path, open_log: OpenLog) -> None:
    reader = await open_log(path, [Balances()], read_only=True)
    writer = await open_log(path, [Balances()])
    await writer.append(step("a", 4))
    assert len(await reader.read("a")) == 5
    assert (await reader.select("balances", {"stream": "a"}))[0]["total"] == 7
    assert [row.id for row in await reader.owed()] == ["o"]
    assert (await reader.verify(), await reader.drift()) == (7, {"balances": 0, "deposits": 0})
    for write in (
        reader.append(step("a", 5)),
        reader.put_owed(owed("o")),
        reader.settle(["o"]),
        reader.revive(["o"], 1.0),
        reader.prune_commands("2100-01-01"),
        reader.rebuild(),
    ):
        with pytest.raises(EventStoreError, match=r"events\.db was opened for reading only"):
            await write
    await writer.close()
    assert len(await reader.read("a")) == 5


async def test_a_reader_does_not_wait_for_the_writer(path: Path, open_log: OpenLog) -> None:
    store = await open_log(path, [Balances()])
    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        other.execute("DELETE FROM commands")
        appending = asyncio.create_task(store.append(step("a", 4)))
        assert len((await store.load("a")).events) == 4
        assert await store.verify() == 6
        assert not appending.done()
        other.execute("ROLLBACK")
    assert (await appending).version == 5


async def test_two_stores_on_one_file_are_fenced(path: Path, open_log: OpenLog) -> None:
    one, other = [await open_log(path, [Balances()]) for _ in range(2)]
    await one.append(step("a", 4))
    with pytest.raises(ConcurrencyError) as caught:
        await other.append(step("a", 4))
    assert caught.value.actual == 5
    await other.append(step("a", 5))
    outcomes = await asyncio.gather(*(store.append(step("a", 6)) for store in (one, other)), return_exceptions=True)
    assert sorted(type(o).__name__ for o in outcomes) == ["Appended", "ConcurrencyError"]
    assert (await one.verify(), await other.drift()) == (9, {"balances": 0, "deposits": 0})


# Read models over time


async def test_a_raised_version_is_rebuilt_and_a_lower_one_refused(path: Path, open_log: OpenLog) -> None:
    store = await open_log(path, [Balances(version=2, factor=10)])
    assert (await store.select("balances", {"stream": "b"}))[0]["total"] == 30
    await store.close()
    with pytest.raises(SchemaTooNew, match="read model balances has version 2, this program knows 1"):
        await open_log(path, [Balances()])
    with pytest.raises(EventStoreError, match="read model balances is out of date: open the log for writing once"):
        await open_log(path, [Balances(version=3)], read_only=True)


async def test_the_same_version_is_kept_as_it_is(path: Path, open_log: OpenLog) -> None:
    change(path, "UPDATE balances SET total = 77 WHERE stream = 'b'")
    store = await open_log(path, [Balances()])
    assert (await store.select("balances", {"stream": "b"}))[0]["total"] == 77
    assert await store.drift() == {"balances": 1, "deposits": 0}
    change(path, "DELETE FROM deposits WHERE version = 1", "INSERT INTO deposits VALUES ('zz', 1, 1)")
    assert await store.drift() == {"balances": 1, "deposits": 3}
    await store.rebuild()
    assert await store.drift() == {"balances": 0, "deposits": 0}


async def test_changed_tables_are_made_anew_and_former_ones_dropped(path: Path, open_log: OpenLog) -> None:
    class Fewer(Balances):
        def __init__(self) -> None:
            super().__init__()
            self.tables = (Table("totals", {"stream": "TEXT", "last": "INTEGER"}, ("stream",)),)

        def apply(self, event: object, rows: object) -> None:
            rows.put("totals", {"stream": event.stream, "last": event.version})  # type: ignore[attr-defined]

    store = await open_log(path, [Fewer()])
    assert await store.select("totals", {}) == [{"stream": "a", "last": 4}, {"stream": "b", "last": 2}]
    await store.close()
    with closing(sqlite3.connect(path)) as connection:
        names = {name for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
    assert "totals" in names
    assert not {"balances", "deposits"} & names


async def test_what_others_wrote_is_caught_up(path: Path, open_log: OpenLog) -> None:
    knowing = await open_log(path, [Balances()])
    unknowing = await open_log(path)
    await unknowing.append(step("a", 4))
    # In the transaction of its own next write …
    await knowing.append(step("b", 2))
    assert await knowing.drift() == {"balances": 0, "deposits": 0}
    await unknowing.append(step("a", 5))
    await knowing.close()
    await unknowing.close()
    # … or when it is opened.
    knowing = await open_log(path, [Balances()])
    assert await knowing.drift() == {"balances": 0, "deposits": 0}


async def test_a_projection_that_fails_at_the_start_leaves_the_file_as_it_was(path: Path, open_log: OpenLog) -> None:
    class Broken(Balances):
        def apply(self, event: object, rows: object) -> None:
            raise RuntimeError("not today")

    with pytest.raises(EventStoreError, match=r"projection balances failed on Deposited of a .* not today"):
        await open_log(path, [Broken(version=2)])
    store = await open_log(path, [Balances()])
    assert await store.drift() == {"balances": 0, "deposits": 0}
