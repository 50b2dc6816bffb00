"""Photos for the engine outside the cluster: offered, still open, refused for good."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from s3palette.domain.job_messages import GetOffer, PhotoFailed, RefusePhotos, ResultOpen
from s3palette.domain.job_results import finish, open_photo, plain_text
from s3palette.domain.job_state import JobState
from s3palette.domain.model import Decision

__all__ = ["open_offer", "refuse", "result_open"]


def open_offer(job: JobState, query: GetOffer) -> dict[str, Any]:
    """The answer to GetOffer."""
    idxs = _still_open(job, query.idxs, query.attempt)
    return {
        "user_id": job.user_id,
        "preset": job.preset,
        "concepts": dict(job.concepts or {}),
        "protect": list(job.protect or ()),
        "measure": [concept for idx in idxs for concept in job.measures(idx)],
        "refinements": dict(job.refinements),
        "idxs": idxs,
        "etags": {idx: job.etags[idx] for idx in idxs if idx in job.etags},
    }


def refuse(job: JobState, command: RefusePhotos) -> Decision:
    error = plain_text(command.error) or "the external engine refused the photo"
    failed = tuple(
        PhotoFailed(at=command.at, idx=idx, idempotency_key=None, error=error, warnings=())
        for idx in _still_open(job, command.idxs, command.attempt)
    )
    reply = {"failed": len(failed)}
    return finish(job, command.at, failed, reply=reply) if failed else Decision(reply=reply)


def result_open(job: JobState | None, query: ResultOpen) -> bool:
    """The answer to ResultOpen."""
    return (
        job is not None
        and job.user_id == query.user_id
        and job.dispatch == "external"
        and open_photo(job, query.idx) is not None
        and not job.holds(query.idx)
    )


def _still_open(job: JobState, idxs: Iterable[int], attempt: int) -> list[int]:
    if job.dispatch != "external":
        return []
    return [
        idx
        for idx in idxs
        if (photo := open_photo(job, idx)) is not None and photo.attempt == attempt and not job.holds(idx)
    ]
