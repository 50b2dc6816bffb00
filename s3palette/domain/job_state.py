"""What a job is at a moment, and how an event moves it on.

created → uploaded → queued → running → done | failed
   └────────┴───────────┴────────┴────→ canceled
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any, Final, Literal

from s3palette.domain.job_messages import (
    Dispatch,
    JobCreated,
    JobEnded,
    JobQueued,
    PhotoDelivered,
    PhotoFailed,
    PhotoRetried,
    PhotoStarted,
    ReferenceMeasured,
    UploadConfirmed,
)
from s3palette.domain.model import Event
from s3palette.domain.references import with_colors
from s3palette.domain.times import iso

__all__ = ["FINAL", "JobState", "JobStatus", "Photo", "PhotoStatus", "deadline", "evolve"]

JobStatus = Literal["created", "uploaded", "queued", "running", "done", "failed", "canceled"]
PhotoStatus = Literal["pending", "running", "done", "failed"]
FINAL: Final[frozenset[JobStatus]] = frozenset({"done", "failed", "canceled"})


@dataclass(frozen=True, slots=True)
class Photo:
    status: PhotoStatus = "pending"
    attempt: int = 1
    """The one that is owed or under way, from 1."""
    faults: int = 0
    timeouts: int = 0
    due: datetime | None = None
    """Its answer is due then; None: nobody works on it yet."""
    error: str | None = None
    """Why it failed, or why it had to be tried again."""
    idempotency_key: str | None = None
    """Of the answer that ended it."""
    output_key: str | None = None
    preview_key: str | None = None
    mask_keys: Mapping[str, str] = field(default_factory=dict)
    instances_key: str | None = None
    warnings: tuple[str, ...] = ()

    @property
    def ended(self) -> bool:
        return self.status in ("done", "failed")

    def as_json(self, idx: int) -> dict[str, Any]:
        return {
            "idx": idx,
            "status": self.status,
            "error": self.error if self.status == "failed" else None,
            "warnings": list(self.warnings),
            "mask_keys": dict(self.mask_keys),
            "instances_key": self.instances_key,
            "output_key": self.output_key,
            "preview_key": self.preview_key,
        }


@dataclass(frozen=True, slots=True)
class JobState:
    job_id: str
    user_id: str
    preset: str
    status: JobStatus
    photos: tuple[Photo, ...]
    created_at: datetime
    updated_at: datetime
    expires_at: datetime | None
    """While created or uploaded: the job expires then."""
    done: int = 0
    failed: int = 0
    concepts: Mapping[str, Any] | None = None
    """The rule in the shape of the API, once queued."""
    protect: tuple[str, ...] | None = None
    rule_id: str | None = None
    output_template: str | None = None
    refinements: Mapping[str, Any] = field(default_factory=dict)
    """Photo index -> what holds for that photo only, in the shape of the API."""
    references: Mapping[str, int] = field(default_factory=dict)
    """Concept -> index of the photo that sets its colour."""
    awaits: int | None = None
    """That photo, while the others wait for it."""
    dispatch: Dispatch = "engine"
    reason: str | None = None
    """Why it was canceled."""
    etags: Mapping[int, str] = field(default_factory=dict)
    """idx -> ETag of the photo that was confirmed; without one the photo is taken as it lies."""

    @property
    def total(self) -> int:
        return len(self.photos)

    def holds(self, idx: int) -> bool:
        """The photo waits for the one that sets its colours."""
        return self.awaits not in (None, idx)

    def measures(self, idx: int) -> list[str]:
        """The concepts that the photo sets the colour of."""
        return list(self.references) if idx == self.awaits else []

    def as_json(self) -> dict[str, Any]:
        """The answer to GetJob."""
        return {
            "job_id": self.job_id,
            "user_id": self.user_id,
            "status": self.status,
            "preset": self.preset,
            "total_items": self.total,
            "done_items": self.done,
            "failed_items": self.failed,
            "items": [photo.as_json(idx) for idx, photo in enumerate(self.photos)],
            "progress": {"done": self.done, "failed": self.failed, "total": self.total},
            "concepts": None if self.concepts is None else dict(self.concepts),
            "protect": None if self.protect is None else list(self.protect),
            "rule_id": self.rule_id,
            "output_template": self.output_template,
            "photos": dict(self.refinements),
            "references": dict(self.references),
            "reason": self.reason,
            "created_at": iso(self.created_at),
            "updated_at": iso(self.updated_at),
            "expires_at": None if self.expires_at is None else iso(self.expires_at),
        }


def deadline(state: JobState | None) -> datetime | None:
    """When the next waiting of the job is over; None: it waits for nothing, or for something that is owed to it."""
    if state is None or state.status in FINAL:
        return None
    if state.expires_at is not None:
        return state.expires_at
    return min((photo.due for photo in state.photos if photo.due is not None), default=None)


def evolve(state: JobState | None, event: Event) -> JobState:
    """The state after the event. Raises TypeError for an event that is not a job's, or has no job yet."""
    if isinstance(event, JobCreated):
        return JobState(
            event.job_id,
            event.user_id,
            event.preset,
            "created",
            (Photo(),) * event.item_count,
            event.at,
            event.at,
            event.expires_at,
        )
    if state is None:
        raise TypeError(f"{type(event).__name__} before the job was created")
    match event:
        case UploadConfirmed():
            return replace(
                state, status="uploaded", updated_at=event.at, expires_at=event.expires_at, etags=event.etags
            )
        case JobQueued():
            awaits = next(iter(event.references.values()), None)
            return replace(
                state,
                status="queued",
                photos=tuple(Photo(due=event.due if awaits in (None, idx) else None) for idx in range(state.total)),
                updated_at=event.at,
                expires_at=None,
                concepts=event.concepts,
                protect=event.protect,
                rule_id=event.rule_id,
                output_template=event.output_template,
                refinements=event.photos,
                references=event.references,
                awaits=awaits,
                dispatch=event.dispatch,
            )
        case PhotoStarted():
            photo = replace(state.photos[event.idx], status="running", attempt=event.attempt, due=event.due)
            return _running(state, event, event.idx, photo)
        case PhotoRetried():
            # Nothing has begun because of it: a job that is queued stays so.
            photo = _retried(state.photos[event.idx], event)
            return replace(state, photos=_with(state.photos, event.idx, photo), updated_at=event.at)
        case PhotoDelivered():
            photo = replace(
                state.photos[event.idx],
                status="done",
                due=None,
                error=None,
                idempotency_key=event.idempotency_key,
                output_key=event.output_key,
                preview_key=event.preview_key,
                mask_keys=event.mask_keys,
                instances_key=event.instances_key,
                warnings=event.warnings,
            )
            return _running(state, event, event.idx, photo, done=1)
        case PhotoFailed():
            photo = replace(
                state.photos[event.idx],
                status="failed",
                due=None,
                error=event.error,
                idempotency_key=event.idempotency_key,
                warnings=event.warnings,
            )
            return _running(state, event, event.idx, photo, failed=1)
        case ReferenceMeasured():
            return replace(
                state,
                photos=tuple(photo if photo.ended else replace(photo, due=event.due) for photo in state.photos),
                updated_at=event.at,
                concepts=with_colors(state.concepts or {}, event.colors),
                awaits=None,
            )
        case JobEnded():
            return replace(
                state,
                status=event.status,
                # Nobody works on what a cancel left over.
                photos=tuple(
                    photo if photo.ended else replace(photo, status="pending", due=None) for photo in state.photos
                ),
                updated_at=event.at,
                expires_at=None,
                reason=event.reason,
            )
        case _:
            raise TypeError(f"{type(event).__name__} is not a job's event")


def _retried(photo: Photo, event: PhotoRetried) -> Photo:
    fault = event.cause == "fault"
    return replace(
        photo,
        status="pending",
        attempt=event.attempt,
        faults=photo.faults + fault,
        timeouts=photo.timeouts + (not fault),
        due=event.due,
        error=event.error,
    )


def _running(state: JobState, event: Event, idx: int, photo: Photo, *, done: int = 0, failed: int = 0) -> JobState:
    return replace(
        state,
        status="running",
        photos=_with(state.photos, idx, photo),
        updated_at=event.at,
        done=state.done + done,
        failed=state.failed + failed,
    )


def _with(photos: tuple[Photo, ...], idx: int, photo: Photo) -> tuple[Photo, ...]:
    return (*photos[:idx], photo, *photos[idx + 1 :])
