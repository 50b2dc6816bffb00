"""The event log as commands read it, whether a system runs on it or not."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

from event_store import Projection, SqliteEventStore
from s3palette.cli._fail import fail
from s3palette.settings import Settings

__all__ = ["reading"]


@asynccontextmanager
async def reading(settings: Settings, projections: Sequence[Projection] = ()) -> AsyncIterator[SqliteEventStore]:
    """The log of a data dir, for reading only; ends the command where there is none. Raises EventStoreError."""
    path = settings.log_path
    if not path.exists():
        raise fail(f"There is no event log in {path.parent}; 's3palette up' makes one.")
    log = await SqliteEventStore.open(path, projections, read_only=True)
    try:
        yield log
    finally:
        await log.close()
