"""What is owed for photos that wait for an engine, and by when it answers."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from s3palette.domain.job_messages import Dispatch
from s3palette.domain.job_policy import JobPolicy
from s3palette.domain.model import Effect, OfferPhotos, RunPhoto

__all__ = ["answer_due", "tasks"]


def tasks(policy: JobPolicy, dispatch: Dispatch, photos: Iterable[tuple[int, int, datetime]]) -> tuple[Effect, ...]:
    """The effects for (idx, attempt, not before) of each photo; for an engine outside one offer an attempt."""
    if dispatch == "engine":
        return tuple(RunPhoto(*photo) for photo in photos)
    if not policy.offers:
        return ()
    by_attempt: dict[int, list[int]] = {}
    for idx, attempt, _ in photos:
        by_attempt.setdefault(attempt, []).append(idx)
    return tuple(OfferPhotos(tuple(idxs), attempt) for attempt, idxs in sorted(by_attempt.items()))


def answer_due(policy: JobPolicy, dispatch: Dispatch, sent: datetime) -> datetime | None:
    """When the answer for a photo is due that goes out at `sent`; None: its clock starts when it starts."""
    return sent + policy.photo_within_external if dispatch == "external" else None
