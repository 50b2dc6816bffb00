"""The edge's eyes: read models straight from the event log, without waking an actor."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from event_store import Row, SqliteEventStore
from s3palette.read_models import PROJECTIONS

__all__ = ["LogReads"]

LEAST_ROOM: Final = 64 * 2**20
"""Bytes. About one photo of the largest size: with less, requests that write are about to fail."""


class LogReads:
    """Read-only view of the event log of this node; opened by the first question."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._store: SqliteEventStore | None = None
        self._opening = asyncio.Lock()

    async def select(
        self,
        table: str,
        where: Mapping[str, Any],
        *,
        order: Sequence[str] = (),
        descending: bool = False,
        before: Sequence[Any] | None = None,
        limit: int | None = None,
    ) -> list[Row]:
        """As `event_store.EventStore.select`."""
        store = self._store or await self._open()
        return await store.select(table, where, order=order, descending=descending, before=before, limit=limit)

    async def check(self) -> None:
        """Raises where the log cannot be read, or its disk has too little room for it to be written to."""
        await self.select("users", {"user_id": ""}, limit=1)
        room = shutil.disk_usage(self._path.parent).free
        if room < LEAST_ROOM:
            raise OSError(f"only {room} bytes are free beside {self._path}")

    async def close(self) -> None:
        """End the connection's thread; a later question opens another."""
        async with self._opening:
            store, self._store = self._store, None
        if store is not None:
            await store.close()

    async def _open(self) -> SqliteEventStore:
        async with self._opening:
            if self._store is None:
                self._store = await SqliteEventStore.open(self._path, projections=PROJECTIONS, read_only=True)
            return self._store
