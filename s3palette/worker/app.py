"""The worker's HTTP side: signed messages in, 202 once they are taken."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any, Final

from fastapi import FastAPI, Request
from fastapi.responses import JSONResponse

from s3palette.engines import LoadedEngine
from s3palette.external import Forged, JobMessage, MessageRefused, verify
from s3palette.worker.inbox import Inbox
from s3palette.worker.photos import PhotoWorker
from s3palette.worker.transfers import Transfers

__all__ = ["create_worker"]

_MAX_BYTES: Final = 32 << 20
"""200 photos with 20 signed addresses each are some 3 MB."""
_FULL_WAIT_S: Final = 5


def create_worker(
    loaded: LoadedEngine,
    *,
    secret: str,
    callback_secret: str,
    slots: int,
    capacity: int,
    patience_s: float,
    clock: Callable[[], float] = time.time,
) -> FastAPI:
    """POST /jobs takes messages, GET /health says how it is.

    `secret` signs the messages; `capacity` and `slots` as in `Inbox`; a stop waits `patience_s` seconds for the photos
    that are here. The engine is closed with the application.
    """
    transfers = Transfers(callback_secret)
    photos = PhotoWorker(loaded, transfers)
    inbox = Inbox(photos.work, photos.report, slots=slots, capacity=capacity)

    @asynccontextmanager
    async def life(_: FastAPI) -> AsyncIterator[None]:
        yield
        await inbox.close(patience_s)
        await transfers.close()
        loaded.close()

    app = FastAPI(title="S3 Palette worker", lifespan=life, docs_url=None, redoc_url=None, openapi_url=None)

    @app.post("/jobs")
    async def take(request: Request) -> JSONResponse:
        body = await _body(request)
        if body is None:
            return _refusal(413, f"A message may have at most {_MAX_BYTES:,} bytes.")
        try:
            verify(secret, request.headers, body, clock())
            message = JobMessage.load(body)
        except Forged as error:
            return _refusal(401, str(error))
        except MessageRefused as error:
            return _refusal(400, str(error))
        if not inbox.offer(message, request.headers.get("x-request-id", "")):
            full = "As many photos wait here as may; send it again later."
            return _refusal(503, full, {"Retry-After": str(_FULL_WAIT_S)})
        return JSONResponse({"taken": len(message.items)}, 202)

    @app.get("/health")
    async def health() -> JSONResponse:
        try:
            await loaded.check()
        except Exception as error:  # whatever it is, the engine cannot be used
            return _refusal(503, f"The {loaded.name} engine does not work: {error}")
        told: dict[str, Any] = {"status": "healthy", "engine": loaded.name}
        return JSONResponse({**told, "running": inbox.running, "waiting": inbox.waiting})

    return app


async def _body(request: Request) -> bytes | None:
    """The body; None where it is too large, announced or not."""
    pieces, size = [], 0
    async for piece in request.stream():
        size += len(piece)
        if size > _MAX_BYTES:
            return None
        pieces.append(piece)
    return b"".join(pieces)


def _refusal(status: int, error: str, headers: dict[str, str] | None = None) -> JSONResponse:
    return JSONResponse({"error": error}, status, headers)
