"""Jobs: reserve, upload, confirm, execute, watch, cancel."""

from __future__ import annotations

import re
from typing import Annotated, Any

from fastapi import APIRouter, Query
from starlette.responses import Response

from s3palette.domain import keys
from s3palette.domain.errors import (
    AlreadyCanceled,
    ConcurrencyLimit,
    CreditsExhausted,
    Forbidden,
    InvalidTransition,
    ItemLimit,
    JobNotFound,
    PlanRequired,
    RuleNotFound,
    TooLarge,
    UploadIncomplete,
    ValidationFailed,
)
from s3palette.domain.job import CancelJob, ConfirmUpload, Execute, GetJob
from s3palette.domain.user import GetRule, GetUser, ReserveJob
from s3palette.http import cursors
from s3palette.http.answers import (
    CanceledData,
    ConfirmedData,
    JobCreatedData,
    JobData,
    JobSummary,
    QueuedData,
    answers,
)
from s3palette.http.call import Call
from s3palette.http.job_view import job_object, upload_addresses
from s3palette.http.requests import CreateJobBody, ExecuteBody, JobsQuery
from s3palette.http.route import UserRoute
from s3palette.http.rows import job_summary

__all__ = ["checked_job_id", "router"]

router = APIRouter(route_class=UserRoute, tags=["jobs"])

_JOB_ID = re.compile(r"[A-Za-z0-9_-]{1,64}")
_OWN = (Forbidden, JobNotFound)
_STATE = (InvalidTransition, AlreadyCanceled)


@router.post(
    "/jobs",
    **answers(JobCreatedData, ValidationFailed, ConcurrencyLimit, ItemLimit, CreditsExhausted, status=201),
)
async def create_job(call: Call, body: CreateJobBody) -> Response:
    """Reserve credits and a slot, and get an upload address for every photo."""
    command = ReserveJob(at=call.now, job_id=f"j_{call.deps.new_id()}", preset=body.preset, item_count=body.item_count)
    # A repeated request gets the job of the first.
    job_id: str = (await call.ask_user(command))["job_id"]
    return call.answer(
        {
            "job_id": job_id,
            "presigned_urls": upload_addresses(call, job_id, body.item_count),
            "confirm_url": f"{call.reached_at}/jobs/{job_id}/confirm-upload",
        },
        status=201,
    )


@router.get("/jobs", **answers(list[JobSummary], ValidationFailed, paged=True))
async def list_jobs(call: Call, query: Annotated[JobsQuery, Query()]) -> Response:
    """The caller's jobs, newest first, a page at a time."""
    where = {"user_id": call.user_id} | ({"status": query.status} if query.status else {})
    rows = await call.deps.reads.select(
        "jobs_log",
        where,
        order=("seq",),
        descending=True,
        before=None if query.cursor is None else cursors.decode(query.cursor),
        limit=query.limit + 1,
    )
    page, more = rows[: query.limit], len(rows) > query.limit
    next_cursor = cursors.encode(page[-1]["seq"]) if more else None
    return call.answer([job_summary(row) for row in page], meta={"next_cursor": next_cursor})


@router.get("/jobs/{job_id}", **answers(JobData, *_OWN))
async def get_job(call: Call, job_id: str) -> Response:
    """One job with its photos, and fresh addresses for what can be uploaded or downloaded now."""
    job = await call.ask_job(checked_job_id(job_id), GetJob(user_id=call.user_id))
    return call.answer({"job": job_object(call, job)})


@router.post("/jobs/{job_id}/confirm-upload", **answers(ConfirmedData, *_OWN, *_STATE, UploadIncomplete, TooLarge))
async def confirm_upload(call: Call, job_id: str) -> Response:
    """All photos are there, as they are now: what is sent later is refused, or fails its photo."""
    checked_job_id(job_id)
    found = await call.deps.store.stat(keys.folder("inputs", call.user_id, job_id))
    photos = {key.idx: info for name, info in found.items() if (key := keys.parse_key(name)) and key.idx is not None}
    confirm = ConfirmUpload(
        at=call.now,
        user_id=call.user_id,
        sizes={idx: info.size for idx, info in photos.items()},
        etags={idx: info.etag for idx, info in photos.items()},
    )
    return call.answer(await call.ask_job(job_id, confirm))


@router.post(
    "/jobs/{job_id}/execute",
    **answers(QueuedData, ValidationFailed, *_OWN, RuleNotFound, *_STATE, PlanRequired, status=202),
)
async def execute(call: Call, job_id: str, body: ExecuteBody) -> Response:
    """Apply a rule, saved or inline, to every photo of the job. A saved one wins."""
    checked_job_id(job_id)
    command = Execute(
        at=call.now,
        user_id=call.user_id,
        plan=await _plan(call, body),
        concepts=body.concepts,
        protect=body.protect,
        rule_id=body.rule_id,
        rule=await _rule(call, body),
        output_template=body.output_template,
        photos=body.photos,
        references=body.references,
        dispatch="external" if call.deps.settings.engine == "external" else "engine",
    )
    return call.answer(await call.ask_job(job_id, command), status=202)


@router.post("/jobs/{job_id}/cancel", **answers(CanceledData, *_OWN, *_STATE))
async def cancel(call: Call, job_id: str) -> Response:
    """Stop the job; what was not delivered is refunded."""
    return call.answer(await call.ask_job(checked_job_id(job_id), CancelJob(at=call.now, user_id=call.user_id)))


def checked_job_id(job_id: str) -> str:
    """The id, if a job can have it: no entity is woken for anything else. Raises JobNotFound."""
    if not _JOB_ID.fullmatch(job_id):
        raise JobNotFound("There is no such job.")
    return job_id


async def _rule(call: Call, body: ExecuteBody) -> dict[str, Any] | None:
    """The saved rule; None where none is asked for, or where there is none: the job says so in its own order."""
    if body.rule_id is None:
        return None
    try:
        rule: dict[str, Any] = await call.ask_user(GetRule(rule_id=body.rule_id))
    except RuleNotFound:
        return None
    return rule


async def _plan(call: Call, body: ExecuteBody) -> str:
    """The caller's plan where it matters: only a template depends on it."""
    if body.output_template is None:
        return "free"
    user = await call.ask_user(GetUser())
    plan: str = user["plan"]
    return plan
