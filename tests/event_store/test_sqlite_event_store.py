"""The contract on the store in SQLite."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from event_store import EventStore

from .conftest import OpenLog
from .contract import EventStoreContract
from .contract_rows import Make


class TestSqliteEventStore(EventStoreContract):
    @pytest.fixture
    async def make(self, tmp_path: Path, open_log: OpenLog) -> Make:
        async def make(**options: Any) -> EventStore:
            return await open_log(tmp_path / "events.db", **options)

        return make
