"""Carries photos through the engine: one outbox task in, one result or fault back to the job."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from actors.entity_host import Ask
from actors.fair_slots import FairSlots, SlotsClosed
from event_store import EventStore, OutboxRow
from s3palette import logs
from s3palette.domain.errors import JobNotFound, Overloaded
from s3palette.domain.job import Execute, RecordFault, RecordResult, StartPhoto
from s3palette.domain.model import Address, Command, RunPhoto
from s3palette.photo_outcome import PhotoOutcome

__all__ = ["DEPLOYMENT", "ENGINE_APP", "Engine", "PhotoDispatch", "PhotoTask"]

log = logging.getLogger(__name__)

ENGINE_APP, DEPLOYMENT = "engine", "EngineWorker"
"""Where the engine workers are found: Serve application and deployment."""
QUEUE_FULL_WAIT_S = 30
"""Retry-After of an execution while the queue is full."""


@dataclass(frozen=True, slots=True)
class PhotoTask:
    """What an engine worker is told of one photo; it reads the bytes from the object store itself."""

    user_id: str
    job_id: str
    idx: int
    preset: str
    concepts: Mapping[str, Any]
    protect: tuple[str, ...]
    refinement: Mapping[str, Any] | None = None
    """What holds for this photo only, in the shape of the API."""
    measure: tuple[str, ...] = ()
    """Concepts whose colour this photo sets: they stay as they are and are measured."""
    etag: str | None = None
    """Of the photo that was confirmed; None: take what lies under the key."""
    attempt: int = 1
    request_id: str = ""
    """The request that executed the job; for the worker's log."""


Engine = Callable[[PhotoTask], Awaitable[PhotoOutcome]]
"""Runs one photo. Any exception is an infrastructure fault: the job decides whether to try again."""


class PhotoDispatch:
    """Keeps at most `in_flight` photos at the engine, in turn among the jobs that wait.

    While `queue` photos wait, no further job is let in (`admit`).
    """

    def __init__(
        self,
        engine: Engine,
        ask: Ask,
        store: EventStore,
        *,
        now: Callable[[], datetime],
        in_flight: int,
        timeout_s: float,
        queue: int = 10_000,
    ) -> None:
        self._engine = engine
        self._ask = ask
        self._store = store
        self._now = now
        self._slots = FairSlots(in_flight)
        self._timeout_s = timeout_s
        self._queue = queue

    @property
    def waiting(self) -> int:
        """Photos that wait for a place at the engine."""
        return self._slots.waiting

    @property
    def running(self) -> int:
        """Photos at the engine."""
        return self._slots.taken

    def admit(self, command: Command) -> None:
        """Raises Overloaded for a job's execution while the queue is full; a photo tried again is never refused."""
        if isinstance(command, Execute) and command.dispatch == "engine" and self.waiting >= self._queue:
            message = (
                f"{self.waiting:,} photos wait for the engine already; the upload is kept, execute it again later."
            )
            raise Overloaded(message, retry_after=QUEUE_FULL_WAIT_S)

    async def drain(self, patience_s: float) -> int:
        """Start no photo any more and let those at the engine end within `patience_s` seconds; how many have not."""
        try:
            await asyncio.wait_for(self._slots.close(), patience_s)
        except TimeoutError:
            log.warning("%d photos have not ended within %.0f s", self.running, patience_s)
        return self.running

    async def run(self, job: Address, task: RunPhoto, row: OutboxRow, correlation: str) -> None:
        """Carry one photo through and settle its row. While draining the row is left owed, for the next life."""
        logs.add(job=job.id, photo=task.idx, attempt=task.attempt)
        with contextlib.suppress(SlotsClosed):
            await self._run(job, task, row, correlation)

    async def _run(self, job: Address, task: RunPhoto, row: OutboxRow, correlation: str) -> None:
        async with self._slots.of(job.id):
            try:
                start = await self._ask(
                    job, StartPhoto(at=self._now(), idx=task.idx, attempt=task.attempt), correlation=correlation
                )
            except JobNotFound:
                start = {"start": False}
            if not start["start"]:
                await self._store.settle([row.id])
                return
            command = await self._outcome(job, task, start, row.id, correlation)
            if command is None:
                await self._store.settle([row.id])
            else:
                await self._ask(job, command, command_id=row.id, correlation=correlation, settles=(row.id,))

    async def _outcome(
        self, job: Address, task: RunPhoto, start: Mapping[str, Any], row_id: str, correlation: str
    ) -> Command | None:
        logs.add(user=start["user_id"])
        photo = PhotoTask(
            user_id=start["user_id"],
            job_id=job.id,
            idx=task.idx,
            preset=start["preset"],
            concepts=start["concepts"],
            protect=tuple(start["protect"]),
            refinement=start["refinement"],
            measure=tuple(start["measure"]),
            etag=start["etag"],
            attempt=task.attempt,
            request_id=correlation,
        )
        try:
            outcome = await asyncio.wait_for(self._engine(photo), self._timeout_s)
        except TimeoutError:  # the job's own alarm dispatches the photo again, or gives up
            log.warning("the engine gave no answer within %.0f s", self._timeout_s)
            return None
        except Exception as error:
            log.warning("the engine failed: %r", error)
            return RecordFault(
                at=self._now(), idx=task.idx, attempt=task.attempt, error=f"the engine failed ({type(error).__name__})"
            )
        return RecordResult(
            at=self._now(),
            idx=task.idx,
            attempt=task.attempt,
            status=outcome.status,
            error=outcome.error,
            output_key=outcome.output_key,
            preview_key=outcome.preview_key,
            mask_keys=outcome.mask_keys,
            instances_key=outcome.instances_key,
            warnings=list(outcome.warnings),
            colors=outcome.colors,
            timings_ms=outcome.timings_ms,
            idempotency_key=row_id,
        )
