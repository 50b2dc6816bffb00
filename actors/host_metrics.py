"""What a host tells Prometheus: counted as steps are committed, sampled once a second."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Sequence
from time import perf_counter
from typing import Any

from actors.entity_host import EntityHost
from actors.metrics import (
    ENGINE_CALL_SECONDS,
    ENGINE_STAGE_SECONDS,
    ENTITIES_AWAKE,
    JOBS,
    LOG_TRANSACTION_WRITES,
    LOG_WRITE_SECONDS,
    LOG_WRITES,
    LOOP_LAG_SECONDS,
    OUTBOX_DEAD_ROWS,
    OUTBOX_LATE_SECONDS,
    OUTBOX_ROWS,
    PHOTO_RETRIES,
    PHOTOS,
    PHOTOS_AT_ENGINE,
    PHOTOS_WAITING,
    STAGES,
)
from actors.photo_dispatch import Engine, PhotoDispatch, PhotoTask
from event_store import EventStore
from s3palette.domain.job_messages import PhotoDelivered, PhotoFailed, PhotoRetried
from s3palette.domain.job_state import JobState
from s3palette.domain.model import Event
from s3palette.photo_outcome import PhotoOutcome

__all__ = ["HostMetrics"]

log = logging.getLogger(__name__)

SAMPLE_EVERY_S = 1.0
COUNT_DEAD_EVERY = 10
"""Samples; it is a question to the log."""


class HostMetrics:
    """The figures of host `index`."""

    def __init__(self, index: int) -> None:
        self._index = index
        self._host = str(index)
        self._at_engine = 0

    def committed(self, before: Any, after: Any, events: Sequence[Event]) -> None:
        """A step is durable: each is counted once, whoever asked for it and however often."""
        if isinstance(after, JobState) and (before is None or before.status != after.status):
            JOBS.add(1, after.status)
        for event in events:
            if isinstance(event, PhotoDelivered):
                PHOTOS.add(1, "done")
                for stage, ms in event.timings_ms.items():
                    ENGINE_STAGE_SECONDS.add(ms / 1000, stage if stage in STAGES else "other")
            elif isinstance(event, PhotoFailed):
                PHOTOS.add(1, "failed")
            elif isinstance(event, PhotoRetried):
                PHOTO_RETRIES.add(1, event.cause)

    def wrote(self, writes: int, seconds: float) -> None:
        """A transaction of the event log ended."""
        LOG_WRITES.add(writes)
        LOG_TRANSACTION_WRITES.observe(writes)
        LOG_WRITE_SECONDS.observe(seconds)

    def measured(self, engine: Engine) -> Engine:
        """The engine, with each call measured."""

        async def call(task: PhotoTask) -> PhotoOutcome:
            began, status = perf_counter(), "fault"
            self._at_engine += 1
            try:
                outcome = await engine(task)
                status = outcome.status
                return outcome
            finally:
                self._at_engine -= 1
                ENGINE_CALL_SECONDS.observe(perf_counter() - began, status)

        return call

    async def sample(self, host: EntityHost, dispatch: PhotoDispatch, store: EventStore) -> None:
        """Set the gauges, again and again, until cancelled."""
        loop = asyncio.get_running_loop()
        samples = dead = 0
        while True:
            if self._index == 0:  # dead rows are the log's, not a host's: one tells of them
                if samples % COUNT_DEAD_EVERY == 0:
                    dead = await self._dead(store, dead)
                OUTBOX_DEAD_ROWS.set(dead)
            samples += 1
            for kind, owed in host.outbox.owed().items():
                OUTBOX_ROWS.set(owed.rows, self._host, kind)
                OUTBOX_LATE_SECONDS.set(owed.late_s, self._host, kind)
            ENTITIES_AWAKE.set(host.awake, self._host)
            PHOTOS_WAITING.set(dispatch.waiting, self._host)
            PHOTOS_AT_ENGINE.set(self._at_engine, self._host)
            until = loop.time() + SAMPLE_EVERY_S
            await asyncio.sleep(SAMPLE_EVERY_S)
            LOOP_LAG_SECONDS.set(max(loop.time() - until, 0.0), self._host)

    async def _dead(self, store: EventStore, known: int) -> int:
        try:
            return len(await store.dead())
        except Exception as error:
            log.warning("dead outbox rows could not be counted: %r", error)
            return known
