"""Fakes people can use: a clock that stands still, ids in order, a store in memory."""

from __future__ import annotations

import asyncio
import hashlib
import itertools
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path

from s3palette.storage.port import ObjectChanged, ObjectInfo, ObjectMissing

__all__ = ["FakeClock", "MemoryStore", "SequentialIds"]


class FakeClock:
    """A clock that moves only when told. Call it for an aware UTC datetime; `timestamp` gives seconds."""

    def __init__(self, start: datetime = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)) -> None:
        self.now = start

    def __call__(self) -> datetime:
        return self.now

    def timestamp(self) -> float:
        """Seconds since the epoch."""
        return self.now.timestamp()

    def advance(self, step: timedelta) -> datetime:
        """Move forward; returns the new time."""
        self.now += step
        return self.now


class SequentialIds:
    """Ids that sort in the order they were made: "000000000001", "000000000002", ..."""

    def __init__(self) -> None:
        self._count = itertools.count(1)

    def __call__(self) -> str:
        return f"{next(self._count):012x}"


class MemoryStore:
    """Keeps the ObjectStore contract in a dict. Its addresses carry the key but no signature: nothing serves them."""

    def __init__(self) -> None:
        self.objects: dict[str, bytes] = {}

    def presign_put(self, key: str, base_url: str) -> str:
        return f"{base_url}/memory/{key}?op=put"

    def presign_get(self, key: str, base_url: str) -> str:
        return f"{base_url}/memory/{key}?op=get"

    async def stat(self, prefix: str) -> Mapping[str, ObjectInfo]:
        return {key: _info(data) for key, data in self.objects.items() if key.startswith(prefix)}

    async def get(self, key: str, etag: str | None = None) -> bytes:
        data = self.objects.get(key)
        if data is None:
            raise ObjectMissing(key)
        if etag is not None and _info(data).etag != etag:
            raise ObjectChanged(key)
        return data

    async def put(self, key: str, data: bytes, content_type: str) -> None:
        self.objects[key] = data

    async def download(self, key: str, to: Path, etag: str | None = None) -> None:
        await asyncio.to_thread(to.write_bytes, await self.get(key, etag))

    async def prepare(self) -> None:
        return None

    async def check(self) -> None:
        return None


def _info(data: bytes) -> ObjectInfo:
    return ObjectInfo(len(data), hashlib.sha256(data).hexdigest())
