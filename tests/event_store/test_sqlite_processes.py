"""Several processes on one SQLite log, and processes that are killed while they write."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from pathlib import Path

import pytest

from .conftest import OpenLog
from .samples import Balances

HERE = Path(__file__).resolve().parent


async def start(*arguments: object) -> asyncio.subprocess.Process:
    return await asyncio.create_subprocess_exec(
        sys.executable,
        str(HERE / "store_process.py"),
        *map(str, arguments),
        env={**os.environ, "PYTHONPATH": str(HERE.parents[1])},
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )


async def test_two_processes_share_a_new_log(tmp_path: Path, open_log: OpenLog) -> None:
    path = tmp_path / "events.db"
    processes = [await start("race", path, 100) for _ in range(2)]
    for process in processes:
        assert process.stdout is not None
        assert await process.stdout.readline() == b"ready\n"
    for process in processes:
        assert process.stdin is not None
        process.stdin.close()
    for process in processes:
        _, errors = await process.communicate()
        assert (process.returncode, errors) == (0, b"")
    store = await open_log(path, [Balances()])
    assert await store.streams() == [("shared", 200)]
    assert await store.verify() == 200
    assert await store.drift() == {"balances": 0, "deposits": 0}


@pytest.mark.parametrize(
    ("point", "nth"), [("before_begin", 5), ("after_events", 30), ("before_commit", 5), ("after_commit", 5)]
)
async def test_a_killed_process_leaves_whole_steps(tmp_path: Path, point: str, nth: int, open_log: OpenLog) -> None:
    path = tmp_path / "events.db"
    process = await start("crash", path, point, nth)
    output, errors = await process.communicate()
    assert (process.returncode, errors) == (-signal.SIGKILL, b"")
    acknowledged = set(output.decode().split())
    assert acknowledged

    store = await open_log(path, [Balances()])
    streams = await store.streams()
    written = {f"{stream}@{version}" for stream, last in streams for version in range(2, last + 1, 2)}
    assert all(last % 2 == 0 for _, last in streams)
    assert acknowledged <= written
    # A step killed after its commit is there although nobody was told; one killed before is not.
    assert bool(written - acknowledged) == (point == "after_commit")
    assert {row.id for row in await store.owed()} == written
    assert all([await store.command_answer(name) == b"null" for name in written])
    assert await store.verify() == 2 * len(written)
    assert len(await store.select("deposits", {})) == 2 * len(written)
    assert await store.drift() == {"balances": 0, "deposits": 0}


async def test_a_full_disk_loses_nothing_and_ends_nothing(tmp_path: Path, open_log: OpenLog) -> None:
    path = tmp_path / "events.db"
    process = await start("full", path)
    output, errors = await process.communicate()
    assert (process.returncode, errors) == (0, b"")
    taken, ours, failed, why = output.decode().strip().split(" ", 3)
    assert (ours, int(failed) > 0) == ("True", True)
    assert why.startswith("the event log failed: ")
    store = await open_log(path, [Balances()])
    assert await store.verify() == 2 * int(taken)
    assert await store.drift() == {"balances": 0, "deposits": 0}
