"""One photo of a message: through the engine, and its result back to the system."""

from __future__ import annotations

import asyncio
import logging
from typing import Any, Final

import engine
from s3palette.engines import LoadedEngine
from s3palette.external import JobMessage, PhotoItem
from s3palette.photo_outcome import PhotoOutcome
from s3palette.photo_work import PhotoKeys, work_on
from s3palette.worker.transfers import SignedObjects, Transfers

__all__ = ["PhotoWorker"]

log = logging.getLogger(__name__)

_FAULT_PAUSES_S: Final = (1.0, 4.0)
"""Before each further try of a photo on which the engine itself failed."""


class _Poisoned(engine.EngineError):
    """The engine fails on this photo every time, and on no other."""

    code = "POISONED"


class PhotoWorker:
    """Fits an `Inbox`: `work` and `report`."""

    def __init__(self, loaded: LoadedEngine, transfers: Transfers) -> None:
        self._engine = loaded
        self._transfers = transfers

    async def work(self, message: JobMessage, item: PhotoItem) -> PhotoOutcome:
        """Raises TransferFailed, and whatever the engine raises while it is broken for every photo."""
        keys = PhotoKeys(
            input=item.input.key,
            output=item.output.key,
            preview=item.preview.key,
            instances=item.instances.key,
            masks={concept: place.key for concept, place in item.masks.items()},
        )
        objects = SignedObjects(self._transfers, item)
        return await work_on(keys, message.recipe_for(item), objects, self._process, etag=item.etag)

    async def report(self, message: JobMessage, item: PhotoItem, outcome: PhotoOutcome) -> None:
        """Raises TransferFailed."""
        await self._transfers.call_back(message.callback_url, _result(message, item, outcome))
        if outcome.status == "failed":
            log.info("failed: %s", outcome.error)
        else:
            log.info("done: %s", ", ".join(f"{stage} {ms:.0f} ms" for stage, ms in outcome.timings_ms.items()))

    async def _process(self, data: bytes, recipe: engine.Recipe) -> engine.PhotoResult:
        for pause in _FAULT_PAUSES_S:
            try:
                return await self._engine.process(data, recipe)
            except engine.EngineError:
                raise
            except Exception:
                log.exception("the engine failed, again in %.0f s", pause)
                await asyncio.sleep(pause)
        try:
            return await self._engine.process(data, recipe)
        except engine.EngineError:
            raise
        except Exception as error:
            log.exception("the engine failed for good")
            await self._engine.check()  # raises where the device is broken: then it is not the photo
            raise _Poisoned("The engine failed on this photo; the others are not touched by it.") from error


def _result(message: JobMessage, item: PhotoItem, outcome: PhotoOutcome) -> dict[str, Any]:
    """The callback's body."""
    told: dict[str, Any] = {
        "idx": item.idx,
        "status": outcome.status,
        "error": outcome.error,
        "output_key": outcome.output_key,
        "preview_key": outcome.preview_key,
        "mask_keys": outcome.mask_keys,
        "instances_key": outcome.instances_key,
        "warnings": list(outcome.warnings),
        "colors": outcome.colors,
        "timings_ms": {stage: round(ms, 3) for stage, ms in outcome.timings_ms.items()},
    }
    return {**told, "idempotency_key": message.idempotency_key(item.idx)}
