"""Anonymous sign-in: a device is a user."""

from __future__ import annotations

from fastapi import APIRouter
from starlette.responses import Response

from s3palette.domain.errors import RateLimited, ValidationFailed
from s3palette.domain.model import Address
from s3palette.domain.user import SignUp
from s3palette.http.answers import SignInData, answers
from s3palette.http.call import Call
from s3palette.http.client_address import client_address
from s3palette.http.requests import SignInBody
from s3palette.http.route import EdgeRoute

__all__ = ["router"]

router = APIRouter(route_class=EdgeRoute, tags=["auth"])

_USER_ID_DIGITS = 32


@router.post("/auth/anon", **answers(SignInData, RateLimited, ValidationFailed))
async def sign_in(call: Call, body: SignInBody | None = None) -> Response:
    """A token for this device's user, who is made on the first call. Without a device_hash every call makes a user."""
    services = call.services
    settings = call.deps.settings
    if settings.signup_limit and settings.client_address_header is not None:
        wait = await call.deps.signups.take(client_address(call.headers, settings.client_address_header))
        if wait:
            raise RateLimited("Too many sign-ups from this address; try again later.", retry_after=wait)
    device_key = services.devices.digest(body.device_hash) if body is not None and body.device_hash else None
    user_id = f"u_{device_key[:_USER_ID_DIGITS] if device_key else call.deps.new_id()}"
    now = call.now
    # The user's own entity decides who is new, so fifty calls at once make one user.
    signed_up = await call.deps.brain.ask(
        Address("user", user_id), SignUp(at=now, user_id=user_id, device_key=device_key), correlation=call.request_id
    )
    services.guard.remember(user_id)
    return call.answer(
        {
            "user_id": signed_up["user_id"],
            "token": services.tokens.issue(user_id, now),
            "plan": signed_up["plan"],
            "is_new": signed_up["is_new"],
        }
    )
