"""Anonymous sign-in: a device is a user."""

from __future__ import annotations

import ipaddress

from fastapi import APIRouter
from starlette.responses import Response

from s3palette.domain.errors import RateLimited, ValidationFailed
from s3palette.domain.model import Address
from s3palette.domain.user import SignUp
from s3palette.http.answers import SignInData, answers
from s3palette.http.call import Call
from s3palette.http.requests import SignInBody
from s3palette.http.route import EdgeRoute

__all__ = ["router"]

router = APIRouter(route_class=EdgeRoute, tags=["auth"])

_USER_ID_DIGITS = 32


@router.post("/auth/anon", **answers(SignInData, RateLimited, ValidationFailed))
async def sign_in(call: Call, body: SignInBody | None = None) -> Response:
    """A token for this device's user, who is made on the first call. Without a device_hash every call makes a user."""
    services = call.services
    if services.deps.settings.signup_limit:
        wait = await services.deps.signups.take(_client_address(call))
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


def _client_address(call: Call) -> str:
    """What the trusted proxy says; all IPv6 addresses of one /64 are one client, as providers hand them out."""
    name = call.deps.settings.client_address_header
    entry = call.headers.get(name, "").rpartition(",")[2].strip() if name else ""
    try:
        address = ipaddress.ip_address(entry)
    except ValueError:
        return entry
    return str(ipaddress.ip_network((address, 64), strict=False)) if address.version == 6 else entry
