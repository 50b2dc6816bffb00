"""Is it up, is it ready: no token needed."""

from __future__ import annotations

from fastapi import APIRouter
from starlette.responses import Response

from s3palette.domain.errors import Overloaded
from s3palette.domain.times import iso
from s3palette.http import envelope
from s3palette.http.answers import HealthData, NotReady, ReadyData, answers
from s3palette.http.call import Call
from s3palette.http.route import EdgeRoute

__all__ = ["router"]

router = APIRouter(route_class=EdgeRoute, tags=["health"])

_READY = answers(ReadyData, Overloaded)
_NOT_READY = _READY["responses"][503] | {"model": NotReady}


@router.get("/health", **answers(HealthData))
async def health(call: Call) -> Response:
    """The process answers. Says nothing of the parts behind it."""
    return call.answer({"status": "healthy", "timestamp": iso(call.now)})


@router.get("/ready", **(_READY | {"responses": _READY["responses"] | {503: _NOT_READY}}))
async def ready(call: Call) -> Response:
    """Whether hosts, log, store and an engine answer; 503 names those that do not."""
    checks = dict(await call.deps.ready())
    missing = [name for name, answers_now in checks.items() if not answers_now]
    if not missing:
        return call.answer({"status": "ready", "checks": checks})
    error = Overloaded(f"Not ready: {', '.join(missing)}.")
    return envelope.failure(error, request_id=call.request_id, at=call.now, data={"checks": checks})
