"""The outermost layer, plain ASGI: request ids, CORS, trailing slashes, HEAD, every error as an envelope, the log."""

from __future__ import annotations

import contextlib
import logging
import os
import re
from collections.abc import Sequence
from contextlib import AbstractContextManager
from time import perf_counter

from starlette.requests import ClientDisconnect
from starlette.responses import Response
from starlette.routing import BaseRoute, Match
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from s3palette import logs
from s3palette.domain.errors import InternalError, MethodNotAllowed, NotFound
from s3palette.http import envelope
from s3palette.http.call import REQUEST_ID, ROUTE, SERVICES, USER_ID, Services
from s3palette.http.cors import Cors
from s3palette.http.errors import as_palette_error
from s3palette.http.gate import Gate
from s3palette.storage import StoreUnavailable

__all__ = ["Edge"]

_log = logging.getLogger(__name__)
_SANE_ID = re.compile(r"[A-Za-z0-9._:-]{1,128}")
_ALWAYS_OPEN = ("/health", "/ready")
_OPEN = contextlib.nullcontext()
_READS = frozenset({"GET", "HEAD", "OPTIONS"})
_VERBS = _READS | {"DELETE", "PATCH", "POST", "PUT"}
_HUNG_UP = 499
"""As nginx counts them: no answer has this status."""


class Edge:
    """Wraps the router of one application. `routes` is that router's live list."""

    def __init__(self, app: ASGIApp, services: Services, routes: Sequence[BaseRoute]) -> None:
        self._app = app
        self._services = services
        self._routes = routes
        settings = services.deps.settings
        self._cors = Cors(settings.cors_origins)
        self._requests = Gate(settings.edge_requests, "The system is busy; try again in a moment.")
        self._uploads = Gate(settings.edge_uploads, "Too many uploads at once; send it again in a moment.")

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        began = perf_counter()
        origin = request_id = asked_method = None
        for name, value in scope["headers"]:
            if name == b"origin":
                origin = value.decode("latin-1")
            elif name == b"x-request-id":
                request_id = value.decode("latin-1")
            elif name == b"access-control-request-method":
                asked_method = value
        if request_id is None or not _SANE_ID.fullmatch(request_id):
            request_id = os.urandom(16).hex()
        logs.begin(request_id=request_id)
        scope[REQUEST_ID] = request_id
        scope[SERVICES] = self._services
        if scope["path"].endswith("/"):
            scope["path"] = scope["path"].rstrip("/") or "/"

        extra = self._cors.headers(origin)
        if self._services.deps.echoes_request_id:
            extra = [(b"x-request-id", request_id.encode()), *extra]
        is_head = scope["method"] == "HEAD"
        status: int | None = None

        async def send_marked(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                message["headers"] = [*message["headers"], *extra]
            elif is_head and message["type"] == "http.response.body":
                message["body"] = b""
            await send(message)

        try:
            if scope["method"] == "OPTIONS":
                answer = self._options(scope, origin if asked_method is not None else None)
                await answer(scope, receive, send_marked)
            else:
                with self._gate(scope):
                    await self._app(scope, receive, send_marked)
        except ClientDisconnect:
            status = _HUNG_UP
        except Exception as error:
            if status is not None:
                raise
            await self._refusal(error, scope)(scope, receive, send_marked)
        finally:
            self._took_note(scope, _HUNG_UP if status is None else status, perf_counter() - began)

    def _took_note(self, scope: Scope, status: int, seconds: float) -> None:
        method, route = scope["method"], scope.get(ROUTE, "other")
        if self._services.deps.observe is not None:
            self._services.deps.observe(method if method in _VERBS else "OTHER", route, status, seconds)
        # A read is told at level debug only: there are many, and they change nothing. 503 is a refusal, not a fault.
        fault = status >= 500 and status != 503
        level = logging.WARNING if fault else logging.DEBUG if method in _READS else logging.INFO
        if _log.isEnabledFor(level):
            about = {"user": scope.get(USER_ID), "job": scope.get("path_params", {}).get("job_id")}
            _log.log(level, "%s %s %d in %.1f ms", method, scope["path"], status, seconds * 1000, extra=about)

    def _gate(self, scope: Scope) -> AbstractContextManager[None]:
        """A download is a file on its way to a socket and waits for nothing else."""
        if scope["path"].startswith("/storage/"):
            return self._uploads if scope["method"] == "PUT" else _OPEN
        return _OPEN if scope["path"] in _ALWAYS_OPEN else self._requests

    def _options(self, scope: Scope, preflight_origin: str | None) -> Response:
        if preflight_origin is not None:
            return Response(status_code=204, headers=self._cors.preflight(preflight_origin))
        allowed = self._allowed(scope)
        if not allowed:
            raise NotFound("There is no such route.")
        return Response(status_code=204, headers={"Allow": allowed})

    def _refusal(self, error: Exception, scope: Scope) -> Response:
        told = as_palette_error(error)
        request_id = scope[REQUEST_ID]
        if isinstance(told, InternalError):
            _log.error("%s %s failed", scope["method"], scope["path"], exc_info=error)
        elif isinstance(error, StoreUnavailable):  # the caller is not told where the store is
            _log.warning("%s", error)
        answer = envelope.failure(told, request_id=request_id, at=self._services.deps.clock())
        if isinstance(told, MethodNotAllowed):
            answer.headers["Allow"] = self._allowed(scope)
        return answer

    def _allowed(self, scope: Scope) -> str:
        """Methods of every route on this path; "" where there is none."""
        methods: set[str] = set()
        for route in self._routes:
            if route.matches(scope)[0] is not Match.NONE:
                methods |= getattr(route, "methods", None) or set()
        if "GET" in methods:
            methods.add("HEAD")
        return ", ".join(sorted(methods | {"OPTIONS"})) if methods else ""
