"""Bytes between the worker and the addresses in a message, tried again while that can help."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Mapping
from typing import Any, Final

import httpx

from s3palette.external import PhotoItem
from s3palette.storage import ObjectChanged, ObjectMissing

__all__ = ["SignedObjects", "TransferFailed", "Transfers"]

log = logging.getLogger(__name__)

_TIMEOUT: Final = httpx.Timeout(60.0, connect=10.0)
_TRANSFER_PATIENCE_S: Final = 60.0
_CALLBACK_PATIENCE_S: Final = 900.0
"""A system that is being upgraded is away for minutes, and the work is done already."""
_FIRST_WAIT_S: Final = 0.5
_LONGEST_WAIT_S: Final = 15.0


class TransferFailed(Exception):
    """An address did not take or give its bytes. The offer that comes when the time is over has fresh ones."""


class Transfers:
    """GET, PUT and the callback. Connection errors, 408, 429 and 5xx are tried again; other refusals are final."""

    def __init__(self, callback_secret: str) -> None:
        self._client = httpx.AsyncClient(timeout=_TIMEOUT)
        self._authorization = {"Authorization": f"Bearer {callback_secret}"}

    async def get(self, url: str, key: str, etag: str | None) -> bytes:
        """Raises TransferFailed, ObjectMissing, ObjectChanged."""
        # The folder store, whose photos cannot change any more, takes no notice of the condition.
        headers = {} if etag is None else {"If-Match": f'"{etag}"'}
        answer = await self._send("GET", url, _TRANSFER_PATIENCE_S, headers=headers)
        if answer.status_code == 404:
            raise ObjectMissing(key)
        if answer.status_code == 412:
            raise ObjectChanged(key)
        return _checked(answer, "reading the photo").content

    async def put(self, url: str, data: bytes, content_type: str) -> None:
        """Raises TransferFailed."""
        headers = {"Content-Type": content_type}
        answer = await self._send("PUT", url, _TRANSFER_PATIENCE_S, content=data, headers=headers)
        _checked(answer, "storing a result")

    async def call_back(self, url: str, result: Mapping[str, Any]) -> None:
        """Raises TransferFailed."""
        answer = await self._send("POST", url, _CALLBACK_PATIENCE_S, json=dict(result), headers=self._authorization)
        _checked(answer, "the callback")

    async def close(self) -> None:
        await self._client.aclose()

    async def _send(self, method: str, url: str, patience_s: float, **request: Any) -> httpx.Response:
        until, wait = time.monotonic() + patience_s, _FIRST_WAIT_S
        while True:
            try:
                answer = await self._client.request(method, url, **request)
            except httpx.TransportError as error:
                reason = type(error).__name__
            else:
                if answer.status_code < 500 and answer.status_code not in (408, 429):
                    return answer
                reason = str(answer.status_code)
            if time.monotonic() + wait > until:
                raise TransferFailed(f"{method} failed for {patience_s:.0f} s: {reason}")
            log.info("%s: %s, again in %.1f s", method, reason, wait)
            await asyncio.sleep(wait)
            wait = min(2 * wait, _LONGEST_WAIT_S)


class SignedObjects:
    """The objects of one photo behind their signed addresses, see `s3palette.photo_work.Objects`."""

    def __init__(self, transfers: Transfers, item: PhotoItem) -> None:
        self._transfers = transfers
        places = (item.input, item.output, item.preview, item.instances, *item.masks.values())
        self._urls = {place.key: place.url for place in places}

    async def get(self, key: str, etag: str | None = None) -> bytes:
        return await self._transfers.get(self._urls[key], key, etag)

    async def put(self, key: str, data: bytes, content_type: str) -> None:
        await self._transfers.put(self._urls[key], data, content_type)


def _checked(answer: httpx.Response, what: str) -> httpx.Response:
    if not answer.is_success:
        raise TransferFailed(f"{what} was refused: {answer.status_code}")
    return answer
