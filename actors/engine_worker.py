"""The engine worker: a Ray Serve deployment that keeps a segmenter loaded and carries photos from key to key.

Autoscaling, health checks, queueing and GPU pinning are Ray's. A worker knows nothing of jobs: it reads a photo from
the object store, runs the engine, stores what came out and answers with keys. Killing one costs a retry, nothing else.
"""

from __future__ import annotations

import asyncio
import logging
import os
import time
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import cv2

import engine
from actors.photo_dispatch import DEPLOYMENT, PhotoOutcome, PhotoTask
from actors.placement import LOG_NODE
from actors.replica import replica_name
from engine.stream import PhotoStream
from s3palette import logs
from s3palette.domain import keys
from s3palette.engines import load_segmenter
from s3palette.recipes import build_recipe
from s3palette.settings import Settings
from s3palette.storage import ObjectChanged, ObjectMissing, ObjectStore, open_store

__all__ = ["EngineWorker", "Process", "engine_app", "process_photo"]

log = logging.getLogger(__name__)

Process = Callable[[bytes, engine.Recipe], Awaitable[engine.PhotoResult]]
"""The engine as the worker sees it: one photo file and its recipe in, the result out."""


async def process_photo(task: PhotoTask, store: ObjectStore, process: Process) -> PhotoOutcome:
    """One photo, from its input key to its output keys. The photo's faults are answered, the store's are raised."""
    user, job, idx = task.user_id, task.job_id, task.idx
    began = time.perf_counter()
    try:
        data = await store.get(keys.input_key(user, job, idx), task.etag)
    except ObjectMissing:
        return PhotoOutcome("failed", "The uploaded photo is no longer in the store; upload it again in a new job.")
    except ObjectChanged:
        return PhotoOutcome("failed", "The photo was changed after its upload was confirmed; send it in a new job.")
    fetched = time.perf_counter()
    recipe = build_recipe(task.preset, task.concepts, task.protect)
    try:
        result = await process(data, recipe)
    except engine.EngineError as error:
        return PhotoOutcome("failed", str(error))
    made = time.perf_counter()
    output_key, preview_key = keys.output_key(user, job, idx), keys.preview_key(user, job, idx)
    instances_key = keys.instances_key(user, job, idx)
    mask_keys = {concept: keys.mask_key(user, job, idx, concept) for concept in result.masks}
    await asyncio.gather(
        store.put(output_key, result.png, "image/png"),
        store.put(preview_key, result.preview, "image/jpeg"),
        store.put(instances_key, result.instances, "application/json"),
        *(store.put(mask_keys[concept], png, "image/png") for concept, png in result.masks.items()),
    )
    return PhotoOutcome(
        "done",
        output_key=output_key,
        preview_key=preview_key,
        mask_keys=mask_keys,
        instances_key=instances_key,
        warnings=result.warnings,
        timings_ms={
            "download": (fetched - began) * 1000,
            **result.timings_ms,
            "upload": (time.perf_counter() - made) * 1000,
        },
    )


class EngineWorker:
    """One replica. Works on `settings.engine_inflight` photos at a time: reading and writing overlap the work.

    With SAM 3 the model is loaded and warm before Serve calls the replica healthy, and the photos of all jobs share its
    batches.
    """

    def __init__(self, settings: Settings) -> None:
        logs.configure(settings, replica_name("engine"))
        self._settings = settings
        self._store = open_store(settings)
        self._segmenter, self._batches = load_segmenter(settings)
        workers = settings.engine_inflight if self._batches is None else os.cpu_count()
        self._threads = ThreadPoolExecutor(workers, thread_name_prefix="engine")
        self._process: Process = self._alone
        if self._batches is not None:
            self._process = PhotoStream(self._batches, self._threads, max_pixels=settings.max_pixels).process
        cv2.setNumThreads(1)  # photos run side by side; OpenCV's own threads would only fight over the cores

    async def process(self, task: PhotoTask) -> PhotoOutcome:
        """Run one photo; see `process_photo`."""
        logs.begin(request_id=task.request_id, user=task.user_id, job=task.job_id, photo=task.idx, attempt=task.attempt)
        outcome = await process_photo(task, self._store, self._process)
        if outcome.status == "failed":
            log.info("failed: %s", outcome.error)
        else:
            log.info("done: %s", ", ".join(f"{stage} {ms:.0f} ms" for stage, ms in outcome.timings_ms.items()))
        return outcome

    async def name(self) -> str:
        """Which engine answers here."""
        return str(self._segmenter.name)

    async def check_health(self) -> None:
        """Called by Serve; raises when the store or the GPU cannot be used."""
        await self._store.check()
        if self._batches is not None:
            await asyncio.get_running_loop().run_in_executor(None, self._batches.check)

    async def _alone(self, data: bytes, recipe: engine.Recipe) -> engine.PhotoResult:
        max_pixels = self._settings.max_pixels
        return await asyncio.get_running_loop().run_in_executor(
            self._threads, lambda: engine.process(data, recipe, self._segmenter, max_pixels=max_pixels)
        )


def engine_app(settings: Settings) -> Any:
    """The Serve application of the workers. A replica reserves one core, and with SAM 3 its share of a GPU; replicas
    follow the queue. They stay on the node that has the folder store: a machine that joins later cannot read it."""
    from ray import serve

    deployment = serve.deployment(
        name=DEPLOYMENT,
        max_ongoing_requests=settings.engine_inflight,
        max_queued_requests=-1,  # the hosts bound what is under way and wait in turn
        autoscaling_config={
            "min_replicas": 1,
            "max_replicas": settings.engine_replicas,
            "target_ongoing_requests": settings.engine_inflight,
        },
        ray_actor_options={
            "num_cpus": 1,
            "num_gpus": settings.sam3_gpus if settings.segmenter == "sam3" else 0,
            "resources": {LOG_NODE: 1},
        },
        graceful_shutdown_timeout_s=30,
    )(EngineWorker)
    return deployment.bind(settings)
