"""How writes share transactions in SQLite, and what a transaction that fails does to those who share it."""

from __future__ import annotations

import asyncio
import sqlite3
from pathlib import Path

import pytest

from event_store import Appended, ConcurrencyError, EventStoreError
from event_store.testing import Faults

from .conftest import OpenLog
from .samples import owed, step


async def test_what_waits_goes_together(tmp_path: Path, open_log: OpenLog) -> None:
    faults = Faults()
    store = await open_log(tmp_path / "events.db", faults=faults)
    await asyncio.gather(*(store.append(step(f"s{n}", 0)) for n in range(300)), store.settle(["o"]))
    assert faults.passed["after_commit"] == 2  # 256 and the rest
    assert faults.passed["after_events"] == 300
    await store.append(step("alone", 0))
    assert faults.passed["after_commit"] == 3


async def test_every_transaction_is_told_with_its_writes_and_the_longest_wait(
    tmp_path: Path, open_log: OpenLog
) -> None:
    told: list[tuple[int, float]] = []
    store = await open_log(tmp_path / "events.db", on_commit=lambda *figures: told.append(figures))
    began = asyncio.get_running_loop().time()
    await asyncio.gather(*(store.append(step(f"s{n}", 0)) for n in range(300)))
    took = asyncio.get_running_loop().time() - began
    assert [writes for writes, _ in told] == [256, 44]
    assert 0 < told[0][1] < told[1][1] <= took  # all came at once, and the rest waited for the first transaction too
    with pytest.raises(ConcurrencyError):
        await store.append(step("s0", 0))
    assert [writes for writes, _ in told] == [256, 44, 1]


@pytest.mark.parametrize("point", ["before_begin", "before_commit"])
async def test_a_failing_transaction_fails_all_that_share_it(tmp_path: Path, point: str, open_log: OpenLog) -> None:
    faults = Faults()
    store = await open_log(tmp_path / "events.db", faults=faults)
    await store.append(step("taken", 0))
    faults.arm(point, sqlite3.OperationalError("disk I/O error"))  # type: ignore[arg-type]
    outcomes = await asyncio.gather(
        store.append(step("a", 0)),
        store.append(step("taken", 0)),
        store.put_owed(owed("o")),
        store.append(step("b", 0)),
        return_exceptions=True,
    )
    assert [str(outcome) for outcome in outcomes] == ["the event log failed: disk I/O error"] * 4
    assert len({id(outcome) for outcome in outcomes}) == 4
    assert await store.streams() == [("taken", 1)]
    assert isinstance(await store.append(step("a", 0)), Appended)


async def test_another_writer_that_holds_the_file(tmp_path: Path, open_log: OpenLog) -> None:
    path = tmp_path / "events.db"
    store = await open_log(path, busy_timeout_s=0.05)
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    with pytest.raises(EventStoreError, match="the event log failed: database is locked"):
        await store.append(step("a", 0))
    assert await store.read("a") == []
    other.execute("ROLLBACK")
    other.close()
    await store.append(step("a", 0))


async def test_a_caller_cancelled_while_the_thread_is_busy(tmp_path: Path, open_log: OpenLog) -> None:
    path = tmp_path / "events.db"
    store = await open_log(path)
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    begun = [asyncio.create_task(store.append(step(f"begun{n}", 0))) for n in range(3)]
    for _ in range(3):
        await asyncio.sleep(0)
    waiting = [asyncio.create_task(store.append(step(f"waiting{n}", 0))) for n in range(3)]
    await asyncio.sleep(0)
    begun[1].cancel()
    waiting[1].cancel()
    await asyncio.sleep(0)
    other.execute("ROLLBACK")
    other.close()
    outcomes = await asyncio.gather(*begun, *waiting, return_exceptions=True)
    assert [isinstance(outcome, Appended) for outcome in outcomes] == [True, False, True] * 2
    # What had begun was carried out for nobody; what had not is not written.
    assert [name for name, _ in await store.streams()] == ["begun0", "begun1", "begun2", "waiting0", "waiting2"]


async def test_a_transaction_that_sqlite_gave_up_fails_all_that_share_it(tmp_path: Path, open_log: OpenLog) -> None:
    def give_up(connection: sqlite3.Connection) -> None:
        connection.execute("ROLLBACK")  # as SQLite does by itself on some I/O errors
        raise sqlite3.OperationalError("disk I/O error")

    store = await open_log(tmp_path / "events.db")
    assert store._writing is not None
    outcomes = await asyncio.gather(
        store.append(step("a", 0)), store._writing.lane.run(give_up), store.append(step("b", 0)), return_exceptions=True
    )
    assert [str(outcome) for outcome in outcomes] == ["the event log failed: disk I/O error"] * 3
    assert await store.streams() == []
    assert (await store.append(step("a", 0))).version == 1
