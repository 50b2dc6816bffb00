"""The ObjectStore port: bytes by key, addresses a client can use without a token."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

__all__ = ["ObjectChanged", "ObjectInfo", "ObjectMissing", "ObjectStore"]


@dataclass(frozen=True, slots=True)
class ObjectInfo:
    """What the store knows of an object without reading it."""

    size: int
    """Bytes."""
    etag: str
    """Stands for the content: while it is the same, so are the bytes. Opaque, without quotes."""


class ObjectMissing(Exception):
    """No object under that key."""

    def __init__(self, key: str) -> None:
        super().__init__(f"no object under {key}")
        self.key = key

    def __reduce__(self) -> tuple[type[ObjectMissing], tuple[str]]:
        return type(self), (self.key,)


class ObjectChanged(Exception):
    """The object under that key is not the one that was meant: its ETag is another."""

    def __init__(self, key: str) -> None:
        super().__init__(f"the object under {key} was changed")
        self.key = key

    def __reduce__(self) -> tuple[type[ObjectChanged], tuple[str]]:
        return type(self), (self.key,)


class ObjectStore(Protocol):
    """Two stores keep this contract: a folder with signed addresses, and S3."""

    def presign_put(self, key: str, base_url: str) -> str:
        """Absolute address a client may PUT raw bytes to for one hour. `base_url` is where the caller reached us."""
        ...

    def presign_get(self, key: str, base_url: str) -> str:
        """Absolute address the object can be read from for one hour."""
        ...

    async def stat(self, prefix: str) -> Mapping[str, ObjectInfo]:
        """Every object whose key begins with `prefix` (a folder, ending with "/"), by key."""
        ...

    async def get(self, key: str, etag: str | None = None) -> bytes:
        """The object, if it is the one with `etag`; None takes any. Raises ObjectMissing, ObjectChanged."""
        ...

    async def put(self, key: str, data: bytes, content_type: str) -> None:
        """Write whole or not at all; an existing object is replaced."""
        ...

    async def download(self, key: str, to: Path, etag: str | None = None) -> None:
        """Stream the object into a file, which is left half written by an error. Raises as `get`."""
        ...

    async def prepare(self) -> None:
        """Make what the store needs and lacks, its folder or bucket; asked once at the start. Raises as `check`."""
        ...

    async def check(self) -> None:
        """Raises OSError or StorageError, with one sentence, when the store cannot be used."""
        ...
