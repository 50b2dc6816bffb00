"""The photo that sets colours, in the life of a job: it goes first, and what comes of it decides for the others."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from s3palette.domain.job_messages import PhotoDelivered, PhotoFailed, RecordResult, ReferenceMeasured
from s3palette.domain.job_policy import JobPolicy
from s3palette.domain.job_state import JobState
from s3palette.domain.job_tasks import answer_due, tasks
from s3palette.domain.model import Effect, Event
from s3palette.domain.references import read_colors

__all__ = ["left_behind", "measured"]


def measured(
    job: JobState, command: RecordResult, delivered: PhotoDelivered, policy: JobPolicy
) -> tuple[tuple[Event, ...], tuple[Effect, ...]]:
    """What a result of the photo that is waited for leads to, besides the job's end: all others go.

    Where a colour is missing the photo fails: nobody is to pay for one that was only looked at.
    """
    colors = read_colors(command.colors, job.references)
    missing = [concept for concept in job.references if concept not in colors]
    if missing:
        key, warnings = delivered.idempotency_key, delivered.warnings
        why = "; its warnings say why" if warnings else ""
        error = f"no colour of {' and '.join(missing)} could be measured{why}"
        failed = PhotoFailed(at=command.at, idx=command.idx, idempotency_key=key, error=error, warnings=warnings)
        return (failed,), ()
    due = answer_due(policy, job.dispatch, command.at)
    others = [
        (idx, photo.attempt, command.at)
        for idx, photo in enumerate(job.photos)
        if not photo.ended and idx != command.idx
    ]
    return (
        (delivered, ReferenceMeasured(at=command.at, colors=colors, due=due)),
        tasks(policy, job.dispatch, others),
    )


def left_behind(job: JobState, at: datetime, events: Sequence[Event]) -> tuple[PhotoFailed, ...]:
    """The photos that fail because these events fail the one they wait for."""
    cause = next((event for event in events if isinstance(event, PhotoFailed) and event.idx == job.awaits), None)
    if cause is None:
        return ()
    error = f"photo {cause.idx} sets the colour of {' and '.join(job.references)}, and it failed: {cause.error}"
    return tuple(
        PhotoFailed(at=at, idx=idx, idempotency_key=None, error=error, warnings=())
        for idx, photo in enumerate(job.photos)
        if not photo.ended and idx != cause.idx
    )
