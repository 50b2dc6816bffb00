"""One request as a handler sees it, and the services it can use."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from s3palette.domain.model import Address, Command, Query
from s3palette.http import envelope, idempotency
from s3palette.http.ports import Deps
from s3palette.http.security import CallbackSecret, DeviceHasher, Guard, Tokens

__all__ = ["BODY", "REQUEST_ID", "ROUTE", "SERVICES", "USER_ID", "Call", "Services"]

SERVICES, REQUEST_ID, USER_ID = "s3palette.services", "s3palette.request_id", "s3palette.user_id"
BODY, ROUTE = "s3palette.body", "s3palette.route"
"""Keys of the ASGI scope."""

_HOST = re.compile(r"[A-Za-z0-9._~-]+(?::\d{1,5})?|\[[0-9A-Fa-f:.]+\](?::\d{1,5})?")


@dataclass(frozen=True, slots=True, kw_only=True)
class Services:
    """What all requests of one application share."""

    deps: Deps
    tokens: Tokens
    guard: Guard
    callback_secret: CallbackSecret
    devices: DeviceHasher


class Call(Request):
    """A request. `user_id` is there once the route has let the caller in."""

    @property
    def services(self) -> Services:
        services: Services = self.scope[SERVICES]
        return services

    @property
    def deps(self) -> Deps:
        return self.services.deps

    @property
    def request_id(self) -> str:
        request_id: str = self.scope[REQUEST_ID]
        return request_id

    @property
    def user_id(self) -> str:
        user_id: str = self.scope[USER_ID]
        return user_id

    @property
    def now(self) -> datetime:
        """Aware UTC."""
        return self.deps.clock()

    @property
    def reached_at(self) -> str:
        """Where the caller reached us, without a slash at the end: S3P_PUBLIC_URL, else the request's own host."""
        if self.deps.settings.public_url is not None:
            return self.deps.settings.public_url
        host = self.headers.get("host", "")
        if not _HOST.fullmatch(host):
            name, port = self.scope.get("server") or ("localhost", None)
            host = f"{name}:{port}" if port else name
        return f"{self.scope.get('scheme', 'http')}://{host}{self.scope.get('root_path', '')}"

    async def ask_user(self, message: Command | Query) -> Any:
        """The reply of the caller's own entity."""
        return await self._ask(Address("user", self.user_id), message)

    async def ask_job(self, job_id: str, message: Command | Query) -> Any:
        return await self._ask(Address("job", job_id), message)

    async def _ask(self, to: Address, message: Command | Query) -> Any:
        key = self.headers.get(idempotency.HEADER)
        command_id = None
        # A callback has no user, and a key of its own in the body.
        if key is not None and isinstance(message, Command) and USER_ID in self.scope:
            body = self.scope.get(BODY)
            command_id = idempotency.command_id(key, self.user_id, self.method, self.scope["path"], body)
        return await self.deps.brain.ask(to, message, command_id, self.request_id)

    def answer(self, data: Any, *, status: int = 200, meta: Mapping[str, Any] | None = None) -> Response:
        """`data` in the envelope."""
        return envelope.success(data, request_id=self.request_id, at=self.now, status=status, meta=meta)
