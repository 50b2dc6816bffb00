"""The contract on the store in SQLite."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import pytest

from event_store import EventStore, SqliteEventStore

from .contract import EventStoreContract, Make


class TestSqliteEventStore(EventStoreContract):
    @pytest.fixture
    async def make(self, tmp_path: Path) -> AsyncIterator[Make]:
        async with AsyncExitStack() as opened:

            async def make(**options: Any) -> EventStore:
                store = await SqliteEventStore.open(tmp_path / "events.db", **options)
                opened.push_async_callback(store.close)
                return store

            yield make
