"""Brings photos to an engine outside the cluster: one outbox row in, one signed POST out."""

from __future__ import annotations

import asyncio
import logging
import math
from collections.abc import Callable, Mapping
from datetime import datetime
from email.utils import parsedate_to_datetime
from typing import Any, Final

import httpx

from actors.entity_host import Ask
from actors.outbox import TryLater
from event_store import EventStore, OutboxRow
from s3palette import logs
from s3palette.domain.errors import JobNotFound
from s3palette.domain.job import GetOffer, RefusePhotos
from s3palette.domain.model import Address, OfferPhotos
from s3palette.external import job_message, sign
from s3palette.settings import Settings
from s3palette.storage import ObjectStore, open_store

__all__ = ["ExternalDispatch"]

log = logging.getLogger(__name__)

_ANSWERS_WITHIN: Final = httpx.Timeout(30.0, connect=5.0)
_RETRY_AFTER_S: Final = (1.0, 3600.0)
"""A Retry-After is kept within these: 0 would be a busy loop."""
_LATER: Final = frozenset({401, 403, 407, 408, 425, 429})
"""Not this message's fault: a secret that was changed on one side only is for the operators to mend, in time."""
_LONGEST_ADDRESS_S: Final = 604_800
"""What S3 signs for at most."""


class ExternalDispatch:
    """POSTs offers to `settings.external_url`, which must be set.

    2xx: the engine outside has taken the photos and answers each by callback. A 4xx that is not `_LATER` is a refusal
    for good: the photos fail. Anything else, and no answer at all, is tried again by the outbox.
    """

    def __init__(self, settings: Settings, ask: Ask, store: EventStore, *, now: Callable[[], datetime]) -> None:
        if settings.external_url is None:
            raise ValueError("external_url is not set")
        self._url = settings.external_url
        self._secret = settings.outside_secret.get_secret_value()
        self._base_url = settings.public_url or settings.local_url
        self._concurrency = settings.external_concurrency
        self._objects = _patient_store(settings)
        self._ask = ask
        self._store = store
        self._now = now
        self._client = httpx.AsyncClient(timeout=_ANSWERS_WITHIN)

    async def send(self, job: Address, offer: OfferPhotos, row: OutboxRow, correlation: str) -> None:
        """Bring one offer to the engine outside and settle its row. Raises to be tried again."""
        logs.add(job=job.id, attempt=offer.attempt)
        try:
            work = await self._ask(job, GetOffer(idxs=offer.idxs, attempt=offer.attempt), correlation=correlation)
        except JobNotFound:
            work = {"idxs": []}
        if not work["idxs"]:
            await self._store.settle([row.id])
            return
        refusal = await self._post(job, offer.attempt, work, correlation)
        if refusal is None:
            await self._store.settle([row.id])
            return
        log.error("%s", refusal)
        command = RefusePhotos(at=self._now(), idxs=tuple(work["idxs"]), attempt=offer.attempt, error=refusal)
        await self._ask(job, command, command_id=row.id, correlation=correlation, settles=(row.id,))

    async def close(self) -> None:
        await self._client.aclose()

    async def _post(self, job: Address, attempt: int, work: Mapping[str, Any], correlation: str) -> str | None:
        """None: taken. A sentence: refused for good."""
        # Thousands of addresses are signed for a job of 200 photos.
        body = await asyncio.to_thread(self._body, job.id, attempt, work)
        headers = {"Content-Type": "application/json", **sign(self._secret, body, self._now().timestamp())}
        if correlation:
            headers["X-Request-Id"] = correlation
        try:
            # The head is the answer: what a stranger says below it may be long, or never end.
            async with self._client.stream("POST", self._url, content=body, headers=headers) as answer:
                pass
        except httpx.HTTPError as error:
            raise ConnectionError(f"the external engine cannot be reached: {type(error).__name__}") from error
        if answer.is_success:
            return None
        if answer.is_client_error and answer.status_code not in _LATER:
            return f"the external engine refused the photo: {answer.status_code} {answer.reason_phrase}".rstrip()
        wait = _retry_after(answer.headers.get("Retry-After", ""), self._now())
        reason = f"the external engine answers {answer.status_code}"
        raise ConnectionError(reason) if wait is None else TryLater(reason, wait)

    def _body(self, job_id: str, attempt: int, work: Mapping[str, Any]) -> bytes:
        return job_message(
            job_id, attempt, work, store=self._objects, base_url=self._base_url, concurrency=self._concurrency
        ).dump()


def _patient_store(settings: Settings) -> ObjectStore:
    """The store, with addresses that live as long as a photo may be away."""
    away = min(math.ceil(settings.photo_within_external_s), _LONGEST_ADDRESS_S)
    return open_store(settings.model_copy(update={"url_ttl": max(settings.url_ttl, away)}))


def _retry_after(text: str, now: datetime) -> float | None:
    """Seconds to wait, from a number or a date (RFC 9110, 10.2.3); None where the header says neither."""
    try:
        wait = float(text) if text.isascii() and text.isdigit() else (parsedate_to_datetime(text) - now).total_seconds()
    except (ValueError, TypeError):
        return None
    least, most = _RETRY_AFTER_S
    return min(max(wait, least), most)
