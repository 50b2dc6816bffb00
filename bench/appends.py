"""Durable appends a second at 1, 8 and 32 writers, beside the library eventsourcing and plain aiosqlite.

    pip install '.[bench]'
    python bench/appends.py [--seconds 2] [--directory DIR]

Each writer appends one event of 200 bytes to a stream of its own and waits for the answer before the next. All three
keep the same durability (SQLite, WAL, synchronous=FULL) on the same disk and run by turns, so that a busy machine
slows all. What each does for an event:

ours           version check, hash chain and its head, metadata, global position; an asyncio task a writer
eventsourcing  its SQLite recorder alone (no aggregate, no mapper): version check by key, global position; a thread a
               writer, for its recorder is synchronous
aiosqlite      only the insert: no check, no chain; an asyncio task a writer, an event a transaction
"""

from __future__ import annotations

import argparse
import asyncio
import sqlite3
import statistics
import tempfile
import time
import uuid
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import aiosqlite
from _system import machine
from eventsourcing.persistence import StoredEvent
from eventsourcing.sqlite import SQLiteApplicationRecorder, SQLiteDatastore

from event_store import Append, NewEvent, SqliteEventStore

WRITERS = (1, 8, 32)
ROUNDS = 3
DATA = b"x" * 200
METADATA = b'{"correlation":"c","causation":"d","writer":"w","epoch":1}'
FULL = 2

AppendOne = Callable[[str, int], Awaitable[None]]
"""Append one event to that stream, which is at that version, durably."""


async def rate(append: AppendOne, writers: int, seconds: float) -> float:
    """Events a second of that many writers."""
    deadline = time.perf_counter() + seconds

    async def write(stream: str) -> int:
        version = 0
        while time.perf_counter() < deadline:
            await append(stream, version)
            version += 1
        return version

    begun = time.perf_counter()
    counts = await asyncio.gather(*(write(f"bench/{uuid.uuid4().hex}") for _ in range(writers)))
    return sum(counts) / (time.perf_counter() - begun)


async def ours(path: Path, writers: int, seconds: float) -> float:
    store = await SqliteEventStore.open(path)

    async def append(stream: str, version: int) -> None:
        event = NewEvent(uuid.uuid4().hex, "Happened", 1, DATA, METADATA)
        await store.append(Append(stream, version, (event,)))

    try:
        return await rate(append, writers, seconds)
    finally:
        await store.close()


async def plain(path: Path, writers: int, seconds: float) -> float:
    async with aiosqlite.connect(path, isolation_level=None) as connection:
        await connection.execute("PRAGMA journal_mode = WAL")
        await connection.execute("PRAGMA synchronous = FULL")
        await connection.execute(
            "CREATE TABLE events (position INTEGER PRIMARY KEY, stream TEXT, version INTEGER, event_id TEXT, type TEXT,"
            " data BLOB, metadata BLOB, recorded_at REAL, UNIQUE (stream, version))"
        )

        async def append(stream: str, version: int) -> None:
            row = (stream, version, uuid.uuid4().hex, "Happened", DATA, METADATA, time.time())
            # Outside an explicit transaction a statement is a transaction.
            await connection.execute("INSERT INTO events VALUES (NULL, ?, ?, ?, ?, ?, ?, ?)", row)

        return await rate(append, writers, seconds)


async def library(path: Path, writers: int, seconds: float) -> float:
    # A connection a writer: with fewer they would wait for one another before they wait for the disk.
    datastore = SQLiteDatastore(str(path), pool_size=writers, lock_timeout=60, pool_timeout=60)
    recorder = SQLiteApplicationRecorder(datastore)
    recorder.create_table()
    check_durability(datastore)
    deadline = time.perf_counter() + seconds

    def write(writer: int) -> int:
        stream, version = uuid.uuid4(), 0
        while time.perf_counter() < deadline:
            recorder.insert_events([StoredEvent(stream, version, "bench:Happened", DATA)])
            version += 1
        return version

    with ThreadPoolExecutor(writers) as threads:
        begun = time.perf_counter()
        counts = await asyncio.gather(*(asyncio.wrap_future(threads.submit(write, k)) for k in range(writers)))
        took = time.perf_counter() - begun
    datastore.close()
    return sum(counts) / took


def check_durability(datastore: SQLiteDatastore) -> None:
    """The library sets WAL and leaves `synchronous` as SQLite was built; the comparison rests on both."""
    with datastore.transaction(commit=False) as cursor:
        cursor.execute("PRAGMA journal_mode")
        journal = cursor.fetchone()[0]
        cursor.execute("PRAGMA synchronous")
        synchronous = cursor.fetchone()[0]
    if (journal, synchronous) != ("wal", FULL):
        raise SystemExit(f"eventsourcing runs with journal {journal}, synchronous {synchronous}: no fair comparison")


PEERS = {"ours": ours, "eventsourcing": library, "aiosqlite": plain}


async def compare(directory: Path, seconds: float) -> None:
    print(f"{machine()}, SQLite {sqlite3.sqlite_version}; events/s, median of {ROUNDS}")
    print(f"{'writers':>8} {'ours':>9} {'eventsourcing':>15} {'ratio':>7} {'aiosqlite':>11} {'ratio':>7}")
    for writers in WRITERS:
        rates: dict[str, list[float]] = {name: [] for name in PEERS}
        for turn in range(ROUNDS):
            for name, run in PEERS.items():
                rates[name].append(await run(directory / f"{name}-{writers}-{turn}.db", writers, seconds))
        mine, theirs, bare = (statistics.median(rates[name]) for name in PEERS)
        print(f"{writers:>8} {mine:>9,.0f} {theirs:>15,.0f} {mine / theirs:>6.2f}x {bare:>11,.0f} {mine / bare:>6.2f}x")


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--seconds", type=float, default=2.0, help="length of one round")
    arguments.add_argument("--directory", type=Path, help="a folder on the disk to measure; the system's by default")
    chosen = arguments.parse_args()
    with tempfile.TemporaryDirectory(dir=chosen.directory) as directory:
        asyncio.run(compare(Path(directory), chosen.seconds))


if __name__ == "__main__":
    main()
