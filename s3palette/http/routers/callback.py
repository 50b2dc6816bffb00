"""Results of GPU workers outside the cluster."""

from __future__ import annotations

from fastapi import APIRouter
from starlette.responses import Response

from s3palette.domain.errors import CallbackUnauthorized, InvalidTransition, JobNotFound, ValidationFailed
from s3palette.domain.job import RecordResult
from s3palette.http.answers import ProcessedData, answers
from s3palette.http.call import Call
from s3palette.http.requests import ResultBody
from s3palette.http.route import CallbackRoute
from s3palette.http.routers.jobs import checked_job_id

__all__ = ["router"]

router = APIRouter(route_class=CallbackRoute, tags=["callback"])


@router.post(
    "/jobs/{job_id}/callback",
    **answers(ProcessedData, CallbackUnauthorized, ValidationFailed, JobNotFound, InvalidTransition),
)
async def record_result(call: Call, job_id: str, body: ResultBody) -> Response:
    """One photo's result; a repeat is answered with `processed: false`."""
    command = RecordResult(
        at=call.now,
        idx=body.idx,
        status=body.status,
        output_key=body.output_key,
        preview_key=body.preview_key,
        error=body.error,
        mask_keys=body.mask_keys or {},
        instances_key=body.instances_key,
        warnings=body.warnings or [],
        colors=body.colors or {},
        timings_ms=body.timings_ms or {},
        idempotency_key=body.idempotency_key,
    )
    return call.answer(await call.ask_job(checked_job_id(job_id), command))
