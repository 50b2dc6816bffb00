"""A host over a memory log, and the words to talk to it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import UTC, datetime
from typing import Any

import pytest

from actors.entity_host import EntityHost
from event_store import MemoryEventStore
from s3palette.domain.job import JobBehaviour, JobPolicy
from s3palette.domain.user import UserBehaviour
from s3palette.read_models import PROJECTIONS

HostMaker = Callable[..., Awaitable[EntityHost]]


def now() -> datetime:
    return datetime.now(UTC)


async def until(condition: Callable[[], Awaitable[Any]], seconds: float = 5.0) -> Any:
    """The first true answer; fails when none comes in time."""
    async with asyncio.timeout(seconds):
        while not (answer := await condition()):  # noqa: ASYNC110 - any condition, no event to wait for
            await asyncio.sleep(0.005)
        return answer


@pytest.fixture
def log() -> MemoryEventStore:
    return MemoryEventStore(PROJECTIONS)


@pytest.fixture
async def make_host(log: MemoryEventStore) -> AsyncIterator[HostMaker]:
    """Makes started hosts over one log; all are closed at the end."""
    hosts: list[EntityHost] = []

    async def make(policy: JobPolicy | None = None, store: Any = None, **options: Any) -> EntityHost:
        host = EntityHost(store or log, (UserBehaviour(), JobBehaviour(policy)), now=now, **options)
        hosts.append(host)
        await host.start()
        return host

    yield make
    for host in hosts:
        await host.close(0.1)
