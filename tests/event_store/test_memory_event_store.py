"""The contract on the store in memory."""

from __future__ import annotations

from typing import Any

import pytest

from event_store import EventStore, MemoryEventStore

from .contract import EventStoreContract
from .contract_rows import Make


class TestMemoryEventStore(EventStoreContract):
    @pytest.fixture
    async def make(self) -> Make:
        async def make(**options: Any) -> EventStore:
            return MemoryEventStore(**options)

        return make
