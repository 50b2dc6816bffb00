"""What can be said to a job, asked of it, and what can have happened to it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, ClassVar, Literal

from s3palette.domain.model import Command, Event, Query
from s3palette.domain.user_messages import EndStatus

__all__ = [
    "CancelJob",
    "ConfirmUpload",
    "CreateJob",
    "Dispatch",
    "Execute",
    "GetJob",
    "GetOffer",
    "JobCreated",
    "JobEnded",
    "JobQueued",
    "PhotoDelivered",
    "PhotoFailed",
    "PhotoRetried",
    "PhotoStarted",
    "RecordFault",
    "RecordResult",
    "ReferenceMeasured",
    "RefusePhotos",
    "ResultOpen",
    "StartPhoto",
    "UploadConfirmed",
    "UploadOpen",
]

Dispatch = Literal["engine", "external"]


@dataclass(frozen=True, slots=True, kw_only=True)
class CreateJob(Command):
    """-> {"job_id"}. A repeat answers the same. Raises InvalidTransition where the job exists with other content."""

    job_id: str
    user_id: str
    preset: str
    item_count: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ConfirmUpload(Command):
    """-> {"confirmed": True}.

    Raises JobNotFound, Forbidden, InvalidTransition, AlreadyCanceled, UploadIncomplete, TooLarge.
    """

    user_id: str
    sizes: Mapping[int, int]
    """idx -> bytes in the store."""
    etags: Mapping[int, str] = field(default_factory=dict)
    """idx -> ETag in the store."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Execute(Command):
    """-> {"queued": True}. A rule by id wins over an inline one.

    Raises, in this order: JobNotFound, Forbidden, ValidationFailed, RuleNotFound, InvalidTransition or
    AlreadyCanceled, PlanRequired.
    """

    user_id: str
    plan: str
    concepts: Mapping[str, Any] | None = None
    protect: list[str] | None = None
    rule_id: str | None = None
    rule: Mapping[str, Any] | None = None
    """The rule object of `rule_id`; None: there is none."""
    output_template: str | None = None
    """Id or name of one of the preset's templates."""
    photos: Mapping[str, Any] | None = None
    """Photo index -> what holds for that photo only, see `refinements`."""
    references: Mapping[str, int] | None = None
    """Concept -> index of the photo that sets its colour, see `references`."""
    dispatch: Dispatch = "engine"


@dataclass(frozen=True, slots=True, kw_only=True)
class StartPhoto(Command):
    """-> {"start": False} | {"start": True, "user_id", "preset", "concepts", "protect", "measure", "refinement",
    "etag"}.

    Asked before any work. `measure` are the concepts that this photo sets the colour of. `refinement` is what holds for
    this photo only; None: nothing. `etag` is that of the photo that was confirmed; None: unknown.
    """

    idx: int
    attempt: int


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordResult(Command):
    """-> {"processed": bool}. A photo's answer, from the engine (with `attempt`) or from a callback (without).

    Raises JobNotFound, ValidationFailed, InvalidTransition (the job was not executed yet).
    """

    idx: int
    status: Literal["done", "failed"]
    output_key: str | None = None
    preview_key: str | None = None
    error: str | None = None
    idempotency_key: str
    attempt: int | None = None
    mask_keys: Mapping[str, str] = field(default_factory=dict)
    """Concept -> key."""
    instances_key: str | None = None
    warnings: list[str] = field(default_factory=list)
    timings_ms: Mapping[str, float] = field(default_factory=dict)
    colors: Mapping[str, str] = field(default_factory=dict)
    """Concept that was to be measured -> #RRGGBB."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordFault(Command):
    """-> {"retried": bool}. An infrastructure fault, not the photo's own; that of an older attempt changes nothing."""

    idx: int
    attempt: int
    error: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RefusePhotos(Command):
    """-> {"failed": int}. The engine outside will never take these photos; those of another attempt are left alone."""

    idxs: tuple[int, ...]
    attempt: int
    error: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CancelJob(Command):
    """-> {"canceled": True}. Raises JobNotFound, Forbidden, AlreadyCanceled, InvalidTransition."""

    user_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class GetJob(Query):
    """-> the job as JSON, see `job.as_json`. Raises JobNotFound, Forbidden."""

    user_id: str | None = None
    """Whose job it must be; None: the system itself asks."""


@dataclass(frozen=True, slots=True, kw_only=True)
class UploadOpen(Query):
    """-> bool: may photo `idx` still be uploaded? False also for an unknown job and another owner."""

    user_id: str
    idx: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ResultOpen(Query):
    """-> bool: may a worker outside still store what photo `idx` gave? False also for an unknown job."""

    user_id: str
    idx: int


@dataclass(frozen=True, slots=True, kw_only=True)
class GetOffer(Query):
    """-> {"user_id", "preset", "concepts", "protect", "measure", "refinements", "idxs", "etags"}.

    What of an offer is to be done. `idxs` may be empty; `measure` are the concepts that these photos, one then, set the
    colour of; `refinements` are those of all photos, by index; `etags` those of the photos as they were
    confirmed. Raises JobNotFound.
    """

    idxs: tuple[int, ...]
    attempt: int


@dataclass(frozen=True, slots=True, kw_only=True)
class JobCreated(Event):
    job_id: str
    user_id: str
    preset: str
    item_count: int
    expires_at: datetime
    """Without a confirmed upload the job expires then."""


@dataclass(frozen=True, slots=True, kw_only=True)
class UploadConfirmed(Event):
    schema_version: ClassVar[int] = 2
    expires_at: datetime
    """Without execution the job expires then."""
    etags: Mapping[int, str]
    """idx -> ETag of the photo as it was confirmed. Since version 2."""


@dataclass(frozen=True, slots=True, kw_only=True)
class JobQueued(Event):
    schema_version: ClassVar[int] = 3
    concepts: Mapping[str, Any]
    """Normalised, in the shape of the API."""
    protect: tuple[str, ...]
    rule_id: str | None
    output_template: str | None
    photos: Mapping[str, Any]
    """Photo index -> what holds for that photo only, normalised, in the shape of the API. Since version 2."""
    references: Mapping[str, int]
    """Concept -> index of the photo that sets its colour; that photo goes first. Since version 3."""
    dispatch: Dispatch
    due: datetime | None
    """External engine: the answer for every photo that goes now is due then. None: the clock of a photo starts when it
    starts."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PhotoStarted(Event):
    idx: int
    attempt: int
    due: datetime
    """Its answer is due then."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PhotoRetried(Event):
    idx: int
    attempt: int
    """The new one."""
    cause: Literal["fault", "timeout"]
    error: str
    not_before: datetime
    due: datetime | None
    """As in JobQueued."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PhotoDelivered(Event):
    idx: int
    idempotency_key: str
    output_key: str
    preview_key: str | None
    mask_keys: Mapping[str, str]
    instances_key: str | None
    warnings: tuple[str, ...]
    timings_ms: Mapping[str, float]


@dataclass(frozen=True, slots=True, kw_only=True)
class PhotoFailed(Event):
    idx: int
    idempotency_key: str | None
    """None: nobody answered, the job gave the photo up."""
    error: str
    """A reason a person understands."""
    warnings: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ReferenceMeasured(Event):
    """The photo that sets colours has been delivered; all others that are open go now."""

    colors: Mapping[str, str]
    """Concept -> #RRGGBB."""
    due: datetime | None
    """As in JobQueued."""


@dataclass(frozen=True, slots=True, kw_only=True)
class JobEnded(Event):
    status: EndStatus
    reason: str | None
    """"canceled" or "expired" where the job is canceled."""
    delivered: int
    refunded: int
