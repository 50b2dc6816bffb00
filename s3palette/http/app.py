"""The application: routers, the edge around them, and the OpenAPI document."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from fastapi import FastAPI
from starlette.types import ASGIApp

from s3palette import __version__
from s3palette.http.call import Services
from s3palette.http.edge import Edge
from s3palette.http.openapi import document
from s3palette.http.ports import Deps
from s3palette.http.routers import auth, callback, health, jobs, me, presets, rules, storage
from s3palette.http.security import CallbackSecret, DeviceHasher, Guard, Tokens
from s3palette.storage import FolderStore

__all__ = ["create_app"]


def create_app(deps: Deps) -> FastAPI:
    """The HTTP entrance. Signed addresses are served only where the store is a folder."""
    settings = deps.settings
    tokens = Tokens(settings.jwt_secret.get_secret_value(), timedelta(days=settings.token_ttl_days))
    services = Services(
        deps=deps,
        tokens=tokens,
        guard=Guard(tokens, deps.reads),
        callback_secret=CallbackSecret(settings.callback_secret.get_secret_value()),
        devices=DeviceHasher(settings.device_key.get_secret_value()),
    )
    app = _EdgeApp(services)
    subjects = [me, jobs, rules, presets, auth, callback, health]
    if isinstance(deps.store, FolderStore):
        subjects.append(storage)
    for subject in subjects:
        # Not include_router: it would wrap the routes, and with them the way of every request.
        app.router.routes.extend(subject.router.routes)
    return app


class _EdgeApp(FastAPI):
    """FastAPI for the document and /docs; between the server and a route there is only our own edge."""

    def __init__(self, services: Services) -> None:
        super().__init__(title="S3 Palette", version=__version__, redoc_url=None, redirect_slashes=False)
        self._services = services

    def build_middleware_stack(self) -> ASGIApp:
        stack: ASGIApp = Edge(self.router, self._services, self.router.routes)
        for cls, args, options in reversed(self.user_middleware):
            stack = cls(stack, *args, **options)
        return stack

    def openapi(self) -> dict[str, Any]:
        if self.openapi_schema is None:
            self.openapi_schema = document(self.router.routes)
        return self.openapi_schema
