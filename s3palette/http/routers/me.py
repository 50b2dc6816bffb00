"""The caller's own account."""

from __future__ import annotations

from fastapi import APIRouter
from starlette.responses import Response

from s3palette.domain.user import GetUser
from s3palette.http.answers import MeData, answers
from s3palette.http.call import Call
from s3palette.http.route import UserRoute

__all__ = ["router"]

router = APIRouter(route_class=UserRoute, tags=["me"])


@router.get("/me", **answers(MeData))
async def me(call: Call) -> Response:
    """Plan, credits, and what is in use."""
    return call.answer(await call.ask_user(GetUser()))
