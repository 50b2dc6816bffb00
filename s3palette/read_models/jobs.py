"""`jobs_log`: one row a job, as GET /jobs lists it, newest first by falling `seq`.

A job's final status is kept aside in `ended_as` until the user's settlement is in the log: whoever sees "done" in a
list has the slot and the credits back.
"""

from __future__ import annotations

from typing import Any, Final

from event_store.types import Row, Rows, Table
from s3palette.domain.job_messages import (
    JobCreated,
    JobEnded,
    JobQueued,
    PhotoDelivered,
    PhotoFailed,
    PhotoStarted,
    UploadConfirmed,
)
from s3palette.domain.times import iso
from s3palette.domain.user_messages import JobSettled
from s3palette.read_models._base import EventProjection, Fact, existing

__all__ = ["JOBS_LOG"]

_TABLE: Final = Table(
    "jobs_log",
    {
        "job_id": "TEXT",
        "user_id": "TEXT",
        "preset": "TEXT",
        "status": "TEXT",
        "ended_as": "TEXT",
        "reason": "TEXT",
        "done": "INTEGER",
        "failed": "INTEGER",
        "total": "INTEGER",
        "created_at": "TEXT",
        "updated_at": "TEXT",
        "seq": "INTEGER",
    },
    key=("job_id",),
    indexes=(("user_id", "seq"), ("user_id", "status", "seq")),
)


def _on(fact: Fact, rows: Rows) -> None:
    event = fact.event
    if isinstance(event, JobCreated):
        at = iso(event.at)
        rows.put(
            "jobs_log",
            {
                "job_id": fact.entity,
                "user_id": event.user_id,
                "preset": event.preset,
                "status": "created",
                "ended_as": None,
                "reason": None,
                "done": 0,
                "failed": 0,
                "total": event.item_count,
                "created_at": at,
                "updated_at": at,
                "seq": fact.seq,
            },
        )
        return
    if isinstance(event, JobSettled):
        # Another entity's event: a log that holds users alone is no reason to refuse it.
        settled = rows.get("jobs_log", (event.job_id,))
        if settled is not None:
            rows.put("jobs_log", {**settled, "status": event.status, "updated_at": iso(event.at)})
        return
    row = existing(rows, "jobs_log", fact.entity)
    rows.put("jobs_log", {**row, **_change(fact, row), "updated_at": iso(event.at)})


def _change(fact: Fact, row: Row) -> dict[str, Any]:
    match fact.event:
        case UploadConfirmed():
            return {"status": "uploaded"}
        case JobQueued():
            return {"status": "queued"}
        case PhotoStarted():
            return {"status": "running"}
        case PhotoDelivered():
            return {"status": "running", "done": row["done"] + 1}
        case PhotoFailed():
            return {"status": "running", "failed": row["failed"] + 1}
        case JobEnded(status=status, reason=reason):
            return {"ended_as": status, "reason": reason}
        case _:
            return {}


JOBS_LOG: Final = EventProjection(
    "jobs_log",
    1,
    (_TABLE,),
    _on,
    (JobCreated, UploadConfirmed, JobQueued, PhotoStarted, PhotoDelivered, PhotoFailed, JobEnded, JobSettled),
)
