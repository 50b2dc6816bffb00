"""The default store: a folder. Objects are files, addresses are signed and served by the HTTP edge.

An object appears whole or not at all: bytes go to a draft in the same file system, which is synced and renamed.
Blocking file calls run in threads.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import secrets
import shutil
import stat
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from types import TracebackType
from typing import BinaryIO, Self

from s3palette.storage.errors import ObjectTooLarge
from s3palette.storage.keys import checked_key, checked_prefix
from s3palette.storage.port import ObjectChanged, ObjectInfo, ObjectMissing
from s3palette.storage.signing import AddressSigner

__all__ = ["FolderStore", "Incoming"]

_DRAFTS = ".drafts"
_STALE_DRAFT_S = 86_400
_WRITE_BYTES = 1 << 20


class FolderStore:
    """Keeps the ObjectStore contract. `secret` signs the addresses, `ttl` is their life in seconds, `clock` gives
    seconds since the epoch. Raises BadKey wherever a key has a shape no object has.
    """

    def __init__(self, root: Path, secret: str, ttl: int, clock: Callable[[], float] = time.time) -> None:
        self._root = root
        self.addresses = AddressSigner(secret, ttl, clock)

    def presign_put(self, key: str, base_url: str) -> str:
        return self.addresses.sign("put", checked_key(key), base_url)

    def presign_get(self, key: str, base_url: str) -> str:
        return self.addresses.sign("get", checked_key(key), base_url)

    async def stat(self, prefix: str) -> Mapping[str, ObjectInfo]:
        folder = checked_prefix(prefix)
        return await asyncio.to_thread(lambda: dict(_files(self._root / folder, folder)))

    async def get(self, key: str, etag: str | None = None) -> bytes:
        return await asyncio.to_thread(self._read, key, etag)

    async def put(self, key: str, data: bytes, content_type: str) -> None:
        async with self.incoming(key, limit=len(data)) as upload:
            await upload.write(data)
            await upload.commit()

    async def download(self, key: str, to: Path, etag: str | None = None) -> None:
        await asyncio.to_thread(self._copy, key, to, etag)

    async def prepare(self) -> None:
        """Make the folder, and remove drafts that a crash left behind more than a day ago."""
        await asyncio.to_thread(self._sweep)
        await self.check()

    async def check(self) -> None:
        await asyncio.to_thread(self._try_out)

    async def locate(self, key: str) -> tuple[Path, os.stat_result]:
        """The object's file and what the system knows of it. Raises ObjectMissing."""
        path = self._path(key)
        with _missing(key):
            found = await asyncio.to_thread(path.stat)
        if not stat.S_ISREG(found.st_mode):
            raise ObjectMissing(key)
        return path, found

    def incoming(self, key: str, *, limit: int) -> Incoming:
        """An object that arrives in pieces, at most `limit` bytes; use it in `async with`."""
        return Incoming(self._path(key), self._draft(), limit)

    def _sweep(self) -> None:
        with contextlib.suppress(FileNotFoundError):
            for draft in (self._root / _DRAFTS).iterdir():
                with contextlib.suppress(FileNotFoundError):
                    if time.time() - draft.stat().st_mtime > _STALE_DRAFT_S:
                        draft.unlink()

    def _path(self, key: str) -> Path:
        return self._root / checked_key(key)

    def _read(self, key: str, etag: str | None) -> bytes:
        with self._open(key, etag) as file:
            return file.read()

    def _copy(self, key: str, to: Path, etag: str | None) -> None:
        with self._open(key, etag) as file, to.open("wb") as copy:
            shutil.copyfileobj(file, copy, _WRITE_BYTES)

    @contextlib.contextmanager
    def _open(self, key: str, etag: str | None) -> Iterator[BinaryIO]:
        # Looked at once it is open: the name may stand for another file a moment later.
        with _missing(key):
            file = self._path(key).open("rb")
        with file:
            if etag is not None and _info(os.fstat(file.fileno())).etag != etag:
                raise ObjectChanged(key)
            yield file

    def _draft(self) -> Path:
        return self._root / _DRAFTS / secrets.token_hex(16)

    def _try_out(self) -> None:
        draft = self._draft()
        try:
            draft.parent.mkdir(parents=True, exist_ok=True)
            draft.write_bytes(b"")
            draft.unlink()
        except OSError as error:
            raise OSError(f"the store's folder {self._root} cannot be written: {error.strerror or error}") from error


class Incoming:
    """An object on its way into the store. Leaving the block without `commit` drops it, whatever the reason."""

    def __init__(self, path: Path, draft: Path, limit: int) -> None:
        self._path, self._draft, self._limit = path, draft, limit
        self._pending: list[bytes] = []
        self._pending_bytes = 0
        self._file: BinaryIO | None = None
        self.size = 0
        """Bytes so far."""

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._file is not None:
            await asyncio.to_thread(self._drop)

    async def write(self, data: bytes) -> None:
        """Add bytes. Raises ObjectTooLarge."""
        self.size += len(data)
        if self.size > self._limit:
            raise ObjectTooLarge(f"the object may have at most {self._limit:,} bytes")
        self._pending.append(data)
        self._pending_bytes += len(data)
        # A socket hands over some 64 KiB at a time: one thread hop a megabyte costs far less than one a piece.
        if self._pending_bytes >= _WRITE_BYTES:
            await asyncio.to_thread(self._flush)

    async def commit(self) -> None:
        """Make the object durable and visible, in place of any older one."""
        await asyncio.to_thread(self._publish)

    def _flush(self) -> BinaryIO:
        # Opened with the first bytes to write: a small object is made in one thread hop.
        if self._file is None:
            self._draft.parent.mkdir(parents=True, exist_ok=True)
            self._file = self._draft.open("xb")
        pieces, self._pending, self._pending_bytes = self._pending, [], 0
        self._file.writelines(pieces)
        return self._file

    def _publish(self) -> None:
        with self._flush() as file:
            file.flush()
            # The ETag is made of it, and the kernel's own stamps move in steps of milliseconds.
            now = time.time_ns()
            os.utime(file.fileno(), ns=(now, now))
            os.fsync(file.fileno())
        self._path.parent.mkdir(parents=True, exist_ok=True)
        os.replace(self._draft, self._path)
        folder = os.open(self._path.parent, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)
        self._file = None

    def _drop(self) -> None:
        if self._file is not None:
            with contextlib.suppress(OSError):
                self._file.close()
        self._draft.unlink(missing_ok=True)


def _info(found: os.stat_result) -> ObjectInfo:
    """Size and time of writing, which survive a copy of the folder to another disk (cp -a, rsync -a)."""
    return ObjectInfo(found.st_size, f"{found.st_mtime_ns:x}-{found.st_size:x}")


def _files(folder: Path, prefix: str) -> Iterator[tuple[str, ObjectInfo]]:
    try:
        entries = list(os.scandir(folder))
    except (FileNotFoundError, NotADirectoryError):
        return
    for entry in entries:
        key = f"{prefix}{entry.name}"
        if entry.is_dir():
            yield from _files(Path(entry.path), f"{key}/")
        else:
            # An object may be gone between the listing and the look at its size.
            with contextlib.suppress(FileNotFoundError):
                yield key, _info(entry.stat())


@contextlib.contextmanager
def _missing(key: str) -> Iterator[None]:
    try:
        yield
    except (FileNotFoundError, NotADirectoryError, IsADirectoryError):
        raise ObjectMissing(key) from None
