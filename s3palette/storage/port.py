"""The ObjectStore port: bytes by key, addresses a client can use without a token."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Protocol

__all__ = ["ObjectMissing", "ObjectStore"]


class ObjectMissing(Exception):
    """No object under that key."""

    def __init__(self, key: str) -> None:
        super().__init__(f"no object under {key}")
        self.key = key

    def __reduce__(self) -> tuple[type[ObjectMissing], tuple[str]]:
        return type(self), (self.key,)


class ObjectStore(Protocol):
    """Two stores keep this contract: a folder with signed addresses, and S3."""

    def presign_put(self, key: str, base_url: str) -> str:
        """Absolute address a client may PUT raw bytes to for one hour. `base_url` is where the caller reached us."""
        ...

    def presign_get(self, key: str, base_url: str) -> str:
        """Absolute address the object can be read from for one hour."""
        ...

    async def sizes(self, prefix: str) -> Mapping[str, int]:
        """Key -> size in bytes of every object whose key begins with `prefix` (a folder, ending with "/")."""
        ...

    async def get(self, key: str) -> bytes:
        """Raises ObjectMissing."""
        ...

    async def put(self, key: str, data: bytes, content_type: str) -> None:
        """Write whole or not at all; an existing object is replaced."""
        ...

    async def download(self, key: str, to: Path) -> None:
        """Stream the object into a file. Raises ObjectMissing."""
        ...

    async def check(self) -> None:
        """Raises OSError with one sentence when the store cannot be used."""
        ...
