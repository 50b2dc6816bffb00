"""What a photo's answer leads to, and how a job ends."""

from __future__ import annotations

import math
from collections.abc import Iterable
from datetime import datetime
from typing import Any, Final

from s3palette.domain.errors import InvalidTransition, ValidationFailed
from s3palette.domain.job_messages import JobEnded, PhotoDelivered, PhotoFailed, RecordResult
from s3palette.domain.job_policy import JobPolicy
from s3palette.domain.job_reference import left_behind, measured
from s3palette.domain.job_state import JobState, Photo
from s3palette.domain.keys import Area, is_within
from s3palette.domain.model import Address, Decision, Effect, Event, Tell
from s3palette.domain.user_messages import EndStatus, SettleJob

__all__ = ["end", "finish", "open_photo", "plain_text", "record_result"]

_MAX_KEY: Final = 256
_MAX_TEXT: Final = 500
_MAX_WARNINGS: Final = 50


def record_result(job: JobState, command: RecordResult, policy: JobPolicy) -> Decision:
    _check_result(job, command)
    if job.status in ("created", "uploaded"):
        raise InvalidTransition(f"job {job.job_id} is {job.status}: it takes no results yet")
    photo = open_photo(job, command.idx)
    if photo is not None and job.holds(command.idx):
        raise InvalidTransition(f"photo {command.idx} waits for photo {job.awaits}, which sets its colours")
    repeated = any(each.idempotency_key == command.idempotency_key for each in job.photos)
    # An older attempt's answer is as good as this one's: the photo and the rule are the same.
    if photo is None or repeated or (command.attempt or 0) > photo.attempt:
        return Decision(reply={"processed": False})
    warnings = tuple(plain_text(warning) for warning in command.warnings[:_MAX_WARNINGS])
    if command.status == "done" and command.output_key is not None:
        delivered = PhotoDelivered(
            at=command.at,
            idx=command.idx,
            idempotency_key=command.idempotency_key,
            output_key=command.output_key,
            preview_key=command.preview_key,
            mask_keys=dict(command.mask_keys),
            instances_key=command.instances_key,
            warnings=warnings,
            timings_ms={stage: ms for stage, ms in command.timings_ms.items() if math.isfinite(ms)},
        )
        events, tasks = measured(job, command, delivered, policy) if command.idx == job.awaits else ((delivered,), ())
        return finish(job, command.at, events, tasks, reply={"processed": True})
    failed = PhotoFailed(
        at=command.at,
        idx=command.idx,
        idempotency_key=command.idempotency_key,
        error=plain_text(command.error or "") or "the engine gave no reason",
        warnings=warnings,
    )
    return finish(job, command.at, (failed,), reply={"processed": True})


def _check_result(job: JobState, command: RecordResult) -> None:
    if not 0 <= command.idx < job.total:
        raise ValidationFailed(f"idx: the job has photos 0 to {job.total - 1}")
    if not 1 <= len(command.idempotency_key) <= _MAX_KEY or not command.idempotency_key.isprintable():
        raise ValidationFailed(f"idempotency_key: must have 1 to {_MAX_KEY} printable characters")
    if command.status not in ("done", "failed"):
        raise ValidationFailed("status: must be done or failed")
    if command.status == "done" and not command.output_key:
        raise ValidationFailed("output_key: needed where the photo is done")
    places: tuple[tuple[str, Area, Iterable[str | None]], ...] = (
        ("output_key", "outputs", (command.output_key,)),
        ("preview_key", "previews", (command.preview_key,)),
        ("mask_keys", "masks", command.mask_keys.values()),
        ("instances_key", "masks", (command.instances_key,)),
    )
    for name, area, keys in places:
        for key in keys:
            if key is not None and not is_within(key, area, job.user_id, job.job_id):
                raise ValidationFailed(f"{name}: must lie in {area}/{job.user_id}/{job.job_id}/")


def finish(
    job: JobState, at: datetime, events: Iterable[Event], tasks: Iterable[Effect] = (), reply: Any = None
) -> Decision:
    """The events as they are, what they mean for photos that wait, and the job's end where no photo is left."""
    photo_events: tuple[Event, ...] = tuple(events)
    photo_events += left_behind(job, at, photo_events)
    done = job.done + sum(isinstance(event, PhotoDelivered) for event in photo_events)
    failed = job.failed + sum(isinstance(event, PhotoFailed) for event in photo_events)
    if done + failed < job.total:
        return Decision(photo_events, tuple(tasks), reply)
    ending = end(job, at, "done" if done else "failed", None, done, reply=reply)
    return Decision(photo_events + ending.events, ending.effects, reply)


def end(
    job: JobState, at: datetime, status: EndStatus, reason: str | None, delivered: int, reply: Any = None
) -> Decision:
    refunded = job.total - delivered
    ended = JobEnded(at=at, status=status, reason=reason, delivered=delivered, refunded=refunded)
    settle = SettleJob(at=at, job_id=job.job_id, status=status, delivered=delivered, refunded=refunded)
    return Decision((ended,), (Tell(Address("user", job.user_id), settle, await_first=True),), reply)


def open_photo(job: JobState, idx: int) -> Photo | None:
    """The photo, where the job is under way and the photo has not ended."""
    if job.status not in ("queued", "running") or not 0 <= idx < job.total or job.photos[idx].ended:
        return None
    return job.photos[idx]


def plain_text(text: str) -> str:
    """A stranger's text, short and encodable."""
    return text[:_MAX_TEXT].encode("utf-8", "replace").decode("utf-8")
