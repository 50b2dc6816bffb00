"""A host takes up a log that an older version wrote: what was owed is done, nothing twice."""

from __future__ import annotations

import asyncio
import sqlite3
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from actors.entity_host import EntityHost
from event_store import OutboxRow, SqliteEventStore
from s3palette.domain.job import GetJob, JobBehaviour, RecordResult, StartPhoto
from s3palette.domain.model import Address, RunPhoto
from s3palette.domain.user import GetUser, UserBehaviour
from s3palette.read_models import PROJECTIONS

from .conftest import until

LOG_V1 = Path(__file__).parents[1] / "event_store" / "golden" / "log_v1.sql"
USER, JOB = Address("user", "u_1"), Address("job", "j_1")


def then() -> datetime:
    """A minute after the log was left."""
    return datetime(2026, 11, 23, 16, 50, tzinfo=UTC)


async def test_the_job_of_an_older_log_ends(tmp_path: Path) -> None:
    path = tmp_path / "log.sqlite3"
    with closing(sqlite3.connect(path)) as older:
        older.executescript("PRAGMA journal_mode = WAL;" + LOG_V1.read_text())
    ran: list[int] = []

    async def run(job: Address, task: RunPhoto, row: OutboxRow, correlation: str) -> None:
        ran.append(task.idx)
        assert (await host.ask(job, StartPhoto(at=then(), idx=task.idx, attempt=task.attempt)))["start"]
        result = RecordResult(
            at=then(),
            idx=task.idx,
            attempt=task.attempt,
            status="done",
            output_key="outputs/u_1/j_1/1_result.png",
            idempotency_key=row.id,
        )
        await host.ask(job, result, command_id=row.id, settles=(row.id,))

    store = await SqliteEventStore.open(path, projections=PROJECTIONS)
    host = EntityHost(store, (UserBehaviour(), JobBehaviour()), now=then, run_photo=run)
    try:
        assert await host.start() == 2  # the photo and the alarm

        async def ended() -> Any:
            job = await host.ask(JOB, GetJob())
            return job if job["status"] == "done" else None

        job = await until(ended)
        assert (ran, job["done_items"]) == ([1], 2)
        user = await host.ask(USER, GetUser())
        assert (user["credits"], user["reserved"], user["spent"], user["granted"]) == (8, 0, 2, 10)
        assert set((await store.drift()).values()) == {0}
        assert await host.revive() == 1  # a command that this version does not know either …
        await until(store.dead)  # … and so it dies again
    finally:
        await host.close(0.1)
        await asyncio.shield(store.close())
