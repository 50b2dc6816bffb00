"""The engine worker: a Ray Serve deployment that keeps a segmenter loaded and carries photos from key to key.

Autoscaling, health checks, queueing and GPU pinning are Ray's. A worker knows nothing of jobs: it reads a photo from
the object store, runs the engine, stores what came out and answers with keys. Killing one costs a retry, nothing else.
"""

from __future__ import annotations

import logging
from typing import Any

from actors.photo_dispatch import DEPLOYMENT, PhotoTask
from actors.placement import LOG_NODE
from actors.replica import replica_name
from s3palette import logs
from s3palette.domain import keys
from s3palette.engines import LoadedEngine
from s3palette.photo_outcome import PhotoOutcome
from s3palette.photo_work import PhotoKeys, Process, work_on
from s3palette.recipes import build_recipe
from s3palette.settings import Settings
from s3palette.storage import ObjectStore, open_store

__all__ = ["EngineWorker", "engine_app", "process_photo"]

log = logging.getLogger(__name__)


async def process_photo(task: PhotoTask, store: ObjectStore, process: Process) -> PhotoOutcome:
    """One photo, from its input key to its output keys; see `work_on`."""
    user, job, idx = task.user_id, task.job_id, task.idx
    recipe = build_recipe(task.preset, task.concepts, task.protect, task.refinement, task.measure)
    places = PhotoKeys(
        input=keys.input_key(user, job, idx),
        output=keys.output_key(user, job, idx),
        preview=keys.preview_key(user, job, idx),
        instances=keys.instances_key(user, job, idx),
        masks={each.concept: keys.mask_key(user, job, idx, each.concept) for each in recipe.prompts},
    )
    return await work_on(places, recipe, store, process, etag=task.etag)


class EngineWorker:
    """One replica. Works on `settings.engine_inflight` photos at a time: reading and writing overlap the work.

    With SAM 3 the model is loaded and warm before Serve calls the replica healthy, and the photos of all jobs share its
    batches.
    """

    def __init__(self, settings: Settings) -> None:
        logs.configure(settings, replica_name("engine"))
        self._store = open_store(settings)
        self._store_was_there = False
        self._engine = LoadedEngine(settings)

    async def process(self, task: PhotoTask) -> PhotoOutcome:
        """Run one photo; see `process_photo`."""
        logs.begin(request_id=task.request_id, user=task.user_id, job=task.job_id, photo=task.idx, attempt=task.attempt)
        outcome = await process_photo(task, self._store, self._engine.process)
        if outcome.status == "failed":
            log.info("failed: %s", outcome.error)
        else:
            log.info("done: %s", ", ".join(f"{stage} {ms:.0f} ms" for stage, ms in outcome.timings_ms.items()))
        return outcome

    async def name(self) -> str:
        """Which engine answers here."""
        return self._engine.name

    async def check_health(self) -> None:
        """Called by Serve, which replaces a replica that raises three times; raises when the GPU cannot be used, and
        where the store has never answered yet: this machine may not reach it."""
        if not self._store_was_there:
            await self._store.check()
            self._store_was_there = True  # its later outages pass; a loaded model is not given up for one
        await self._engine.check()


def engine_app(settings: Settings) -> Any:
    """The Serve application of the workers. A replica reserves one core, and with SAM 3 its share of a GPU; replicas
    follow the queue. With a folder store they stay on the node that has it: a machine that joins later cannot read it.
    A bucket they reach from anywhere."""
    from ray import serve

    deployment = serve.deployment(
        name=DEPLOYMENT,
        max_ongoing_requests=settings.engine_inflight,
        max_queued_requests=-1,  # the hosts bound what is under way and wait in turn
        autoscaling_config={
            "min_replicas": settings.engine_min_replicas,
            "max_replicas": settings.engine_replicas,
            "target_ongoing_requests": settings.engine_inflight,
        },
        ray_actor_options={
            "num_cpus": 1,
            "num_gpus": settings.sam3_gpus if settings.segmenter == "sam3" else 0,
            "resources": {LOG_NODE: 1} if settings.store == "folder" else {},
        },
        graceful_shutdown_timeout_s=30,
    )(EngineWorker)
    return deployment.bind(settings)
