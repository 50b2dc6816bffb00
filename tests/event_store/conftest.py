"""Logs that are closed when a test ends, also a failing one: an open connection keeps the process alive."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import pytest

from event_store import SqliteEventStore

# The contract's assertions are explained like those of any test module.
pytest.register_assert_rewrite(f"{__package__}.contract", f"{__package__}.contract_rows")

OpenLog = Callable[..., Awaitable[SqliteEventStore]]


@pytest.fixture
async def open_log() -> AsyncIterator[OpenLog]:
    """`SqliteEventStore.open`, with the closing."""
    async with AsyncExitStack() as opened:

        async def open_log(path: Path, *arguments: Any, **options: Any) -> SqliteEventStore:
            store = await SqliteEventStore.open(path, *arguments, **options)
            opened.push_async_callback(store.close)
            return store

        yield open_log
