"""The S3 store: objects in a bucket of any S3-compatible service (MinIO, R2, Ceph, AWS), through `minio`.

Clients send and fetch photos at the bucket itself, with presigned addresses (Signature Version 4); making one asks
nobody. minio's calls block: they run in a pool of threads of their own, so that a slow store fills that pool and not
the event loop.
"""

from __future__ import annotations

import asyncio
import io
import ssl
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any, Final, TypeVar
from urllib.parse import urlsplit

import certifi
import urllib3
from minio import Minio
from minio.error import MinioException

from s3palette.storage._s3_errors import code_of, translated
from s3palette.storage.errors import StoreRefused, StoreUnavailable
from s3palette.storage.keys import checked_key, checked_prefix, media_type
from s3palette.storage.port import ObjectChanged, ObjectInfo, ObjectMissing

__all__ = ["S3Store"]

T = TypeVar("T")

_THREADS: Final = 16
_ANSWER_WITHIN_S: Final = 8.0
"""For questions without a body. Mobile clients give up after 10 s, and should hear a 503 before."""
_BUSY: Final = (429, 500, 502, 503, 504)
# Retry-After is not heeded: a proxy that says an hour would hold a thread for it.
_QUICK: Final = urllib3.Retry(2, backoff_factor=0.5, status_forcelist=_BUSY, respect_retry_after_header=False)
"""For those questions: waits of 0 and 1 s, then the asker hears why."""
_PATIENT: Final = urllib3.Retry(5, backoff_factor=0.5, status_forcelist=_BUSY, respect_retry_after_header=False)
"""For objects: waits of 0, 1, 2, 4 and 8 s, so that a store that restarts costs no photo the work already done."""
_PIECE_BYTES: Final = 1 << 20
_WHOLE_BYTES: Final = 5 << 30
"""The largest object that S3 takes in one PUT; in parts, a killed worker would leave some that cost rent."""


class S3Store:
    """Keeps the ObjectStore contract in one bucket.

    `endpoint` is where we reach the service, `public_endpoint` where clients do (both "https://host[:port]"), `ttl` the
    life of an address in seconds. Raises BadKey wherever a key has a shape no object has; calls that go to the service
    raise StoreUnavailable and StoreRefused.
    """

    def __init__(
        self,
        *,
        endpoint: str,
        public_endpoint: str | None = None,
        access_key: str,
        secret_key: str,
        bucket: str,
        region: str,
        ttl: int,
    ) -> None:
        self._where = f"{endpoint}/{bucket}"
        self._bucket = bucket
        self._region = region
        self._ttl = timedelta(seconds=ttl)
        trusted = ssl.create_default_context()  # the machine's own authorities, and below those a bare container lacks
        trusted.load_verify_locations(certifi.where())

        def client(endpoint: str, read_s: float, retries: urllib3.Retry) -> Any:
            timeout = urllib3.Timeout(connect=3.0, read=read_s)  # of each step on the wire, not of a whole transfer
            http = urllib3.PoolManager(maxsize=_THREADS, timeout=timeout, retries=retries, ssl_context=trusted)
            parts = urlsplit(endpoint)
            # With a region given, it signs without asking anybody for the bucket's.
            return Minio(
                parts.netloc, access_key, secret_key, secure=parts.scheme == "https", region=region, http_client=http
            )

        self._objects = client(endpoint, 20.0, _PATIENT)
        self._questions = client(endpoint, 6.0, _QUICK)
        self._signer = client(public_endpoint or endpoint, 6.0, _QUICK)
        self._threads = ThreadPoolExecutor(_THREADS, thread_name_prefix="s3")

    def presign_put(self, key: str, base_url: str) -> str:
        return str(self._signer.presigned_put_object(self._bucket, checked_key(key), self._ttl))

    def presign_get(self, key: str, base_url: str) -> str:
        # The type is part of the signature: what a client claimed when it uploaded is never shown in a browser.
        shown_as = {"response-content-type": media_type(key)}
        return str(self._signer.presigned_get_object(self._bucket, checked_key(key), self._ttl, shown_as))

    async def stat(self, prefix: str) -> Mapping[str, ObjectInfo]:
        return await self._soon(self._list, checked_prefix(prefix))

    async def get(self, key: str, etag: str | None = None) -> bytes:
        return await self._run(self._read, checked_key(key), etag)

    async def put(self, key: str, data: bytes, content_type: str) -> None:
        await self._run(self._write, checked_key(key), data, content_type)

    async def download(self, key: str, to: Path, etag: str | None = None) -> None:
        await self._run(self._copy, checked_key(key), to, etag)

    async def prepare(self) -> None:
        await self._soon(self._make_bucket)

    async def check(self) -> None:
        await self._soon(self._find_bucket)

    async def _soon(self, call: Callable[..., T], *args: Any) -> T:
        """The call's answer while a client still waits for it; also where all threads are busy."""
        try:
            return await asyncio.wait_for(self._run(call, *args), _ANSWER_WITHIN_S)
        except TimeoutError:
            raise StoreUnavailable(
                f"the object store {self._where} did not answer within {_ANSWER_WITHIN_S:.0f} s"
            ) from None

    async def _run(self, call: Callable[..., T], *args: Any) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._threads, self._told, call, *args)

    def _told(self, call: Callable[..., T], *args: Any) -> T:
        try:
            return call(*args)
        except (MinioException, urllib3.exceptions.HTTPError) as error:
            raise translated(error, self._where) from error

    def _list(self, prefix: str) -> dict[str, ObjectInfo]:
        found = self._questions.list_objects(self._bucket, prefix, recursive=True)
        return {each.object_name: ObjectInfo(each.size, each.etag) for each in found if not each.is_dir}

    def _read(self, key: str, etag: str | None) -> bytes:
        with self._open(key, etag) as body:
            return bytes(body.read())

    def _copy(self, key: str, to: Path, etag: str | None) -> None:
        with self._open(key, etag) as body, to.open("wb") as copy:
            for piece in body.stream(_PIECE_BYTES):
                copy.write(piece)

    @contextmanager
    def _open(self, key: str, etag: str | None) -> Iterator[Any]:
        condition = None if etag is None else {"If-Match": f'"{etag}"'}
        try:
            body = self._objects.get_object(self._bucket, key, request_headers=condition)
        except MinioException as error:
            if code_of(error) == "NoSuchKey":
                raise ObjectMissing(key) from None
            if code_of(error) == "PreconditionFailed":
                raise ObjectChanged(key) from None
            raise
        try:
            # Not every service that calls itself S3-compatible knows If-Match.
            if etag is not None and body.headers.get("ETag", "").strip('"') != etag:
                raise ObjectChanged(key)
            yield body
        finally:
            body.close()
            body.release_conn()

    def _write(self, key: str, data: bytes, content_type: str) -> None:
        self._objects.put_object(self._bucket, key, io.BytesIO(data), len(data), content_type, part_size=_WHOLE_BYTES)

    def _find_bucket(self) -> None:
        if not self._questions.bucket_exists(self._bucket):
            raise StoreRefused(
                f"the object store {self._where} does not exist; check S3P_S3_BUCKET, or restart to make it"
            )

    def _make_bucket(self) -> None:
        if self._questions.bucket_exists(self._bucket):
            return
        try:
            self._questions.make_bucket(self._bucket, self._region)
        except MinioException as error:
            if code_of(error) not in ("BucketAlreadyOwnedByYou", "BucketAlreadyExists"):  # another system was quicker
                raise
