"""One photo, from the object it lies in to the objects its results become: what workers do, inside and outside."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Protocol

import engine
from s3palette.photo_outcome import PhotoOutcome
from s3palette.storage import ObjectChanged, ObjectMissing

__all__ = ["Objects", "PhotoKeys", "Process", "work_on"]

Process = Callable[[bytes, engine.Recipe], Awaitable[engine.PhotoResult]]
"""The engine as a worker sees it: one photo file and its recipe in, the result out."""


class Objects(Protocol):
    """What a worker needs of an object store, see `s3palette.storage.ObjectStore`."""

    async def get(self, key: str, etag: str | None = None) -> bytes: ...

    async def put(self, key: str, data: bytes, content_type: str) -> None: ...


@dataclass(frozen=True, slots=True)
class PhotoKeys:
    """Where one photo lies and where what it gives belongs."""

    input: str
    output: str
    preview: str
    instances: str
    masks: Mapping[str, str]
    """Concept -> key of its label map, for every concept of the recipe."""


async def work_on(
    keys: PhotoKeys, recipe: engine.Recipe, objects: Objects, process: Process, *, etag: str | None = None
) -> PhotoOutcome:
    """Read a photo, run the engine, store what came out. The photo's faults are answered, the store's are raised.

    `etag` is that of the photo as it was confirmed; None takes what lies there.
    """
    began = time.perf_counter()
    try:
        data = await objects.get(keys.input, etag)
    except ObjectMissing:
        return PhotoOutcome("failed", "The uploaded photo is no longer in the store; upload it again in a new job.")
    except ObjectChanged:
        return PhotoOutcome("failed", "The photo was changed after its upload was confirmed; send it in a new job.")
    fetched = time.perf_counter()
    try:
        result = await process(data, recipe)
    except engine.EngineError as error:
        return PhotoOutcome("failed", str(error))
    made = time.perf_counter()
    mask_keys = {concept: keys.masks[concept] for concept in result.masks}
    await asyncio.gather(
        objects.put(keys.output, result.png, "image/png"),
        objects.put(keys.preview, result.preview, "image/jpeg"),
        objects.put(keys.instances, result.instances, "application/json"),
        *(objects.put(mask_keys[concept], png, "image/png") for concept, png in result.masks.items()),
    )
    return PhotoOutcome(
        "done",
        output_key=keys.output,
        preview_key=keys.preview,
        mask_keys=mask_keys,
        instances_key=keys.instances,
        warnings=result.warnings,
        colors={concept: "#{:02X}{:02X}{:02X}".format(*colour) for concept, colour in result.colours.items()},
        timings_ms={
            "download": (fetched - began) * 1000,
            **result.timings_ms,
            "upload": (time.perf_counter() - made) * 1000,
        },
    )
