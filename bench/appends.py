"""Durable appends a second at 1, 8 and 32 writers, beside plain aiosqlite with one event a transaction.

    python bench/appends.py [--seconds 2] [--directory DIR]

Each writer appends one event of 200 bytes to a stream of its own and waits for the answer before the next. Both sides
keep the same durability (WAL, synchronous=FULL) on the same disk and run by turns, so that a busy machine slows both.
The peer does only the insert: no hash chain, no head, no version check.
"""

from __future__ import annotations

import argparse
import asyncio
import statistics
import sys
import tempfile
import time
import uuid
from collections.abc import Awaitable, Callable
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import aiosqlite

from event_store import Append, NewEvent, SqliteEventStore

WRITERS = (1, 8, 32)
ROUNDS = 3
DATA = b"x" * 200
METADATA = b'{"correlation":"c","causation":"d","writer":"w","epoch":1}'

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


async def peer(path: Path, writers: int, seconds: float) -> float:
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


async def compare(directory: Path, seconds: float) -> None:
    print(f"{'writers':>8} {'event store':>14} {'aiosqlite':>14} {'ratio':>7}   events/s, median of {ROUNDS}")
    for writers in WRITERS:
        mine, theirs = [], []
        for turn in range(ROUNDS):
            mine.append(await ours(directory / f"ours-{writers}-{turn}.db", writers, seconds))
            theirs.append(await peer(directory / f"peer-{writers}-{turn}.db", writers, seconds))
        a, b = statistics.median(mine), statistics.median(theirs)
        print(f"{writers:>8} {a:>14,.0f} {b:>14,.0f} {a / b:>6.2f}x")


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--seconds", type=float, default=2.0, help="length of one round")
    arguments.add_argument("--directory", type=Path, help="a folder on the disk to measure; the system's by default")
    chosen = arguments.parse_args()
    with tempfile.TemporaryDirectory(dir=chosen.directory) as directory:
        asyncio.run(compare(Path(directory), chosen.seconds))


if __name__ == "__main__":
    main()
