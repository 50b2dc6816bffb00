"""`job_items_log`: one row a photo something has happened to: attempts, outcome, how long each stage took."""

from __future__ import annotations

import json
from typing import Final

from event_store.types import Row, Rows, Table
from s3palette.domain.job_messages import PhotoDelivered, PhotoFailed, PhotoRetried, PhotoStarted
from s3palette.domain.times import iso
from s3palette.read_models._base import EventProjection, Fact

__all__ = ["JOB_ITEMS_LOG"]

_TABLE: Final = Table(
    "job_items_log",
    {
        "job_id": "TEXT",
        "idx": "INTEGER",
        "status": "TEXT",
        "attempt": "INTEGER",
        "error": "TEXT",
        "output_key": "TEXT",
        "preview_key": "TEXT",
        "warnings_json": "TEXT",
        "timings_json": "TEXT",
        "started_at": "TEXT",
        "ended_at": "TEXT",
    },
    key=("job_id", "idx"),
)


def _on(fact: Fact, rows: Rows) -> None:
    event = fact.event
    assert isinstance(event, PhotoStarted | PhotoRetried | PhotoDelivered | PhotoFailed)
    row = rows.get("job_items_log", (fact.entity, event.idx)) or _blank(fact.entity, event.idx)
    at = iso(event.at)
    match event:
        case PhotoStarted():
            row |= {"status": "running", "attempt": event.attempt, "started_at": at}
        case PhotoRetried():
            row |= {"status": "pending", "attempt": event.attempt, "error": event.error}
        case PhotoDelivered():
            row |= {
                "status": "done",
                "error": None,
                "output_key": event.output_key,
                "preview_key": event.preview_key,
                "warnings_json": json.dumps(event.warnings, ensure_ascii=False),
                "timings_json": json.dumps(dict(event.timings_ms)),
                "ended_at": at,
            }
        case PhotoFailed():
            warnings = json.dumps(event.warnings, ensure_ascii=False)
            row |= {"status": "failed", "error": event.error, "warnings_json": warnings, "ended_at": at}
    rows.put("job_items_log", row)


def _blank(job_id: str, idx: int) -> Row:
    return {**dict.fromkeys(_TABLE.columns), "job_id": job_id, "idx": idx, "attempt": 1, "warnings_json": "[]"}


JOB_ITEMS_LOG: Final = EventProjection(
    "job_items_log", 1, (_TABLE,), _on, (PhotoStarted, PhotoRetried, PhotoDelivered, PhotoFailed)
)
