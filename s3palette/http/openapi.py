"""The OpenAPI document: what FastAPI writes from the signatures, made true and complete for our routes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from fastapi.openapi.utils import get_openapi
from starlette.routing import BaseRoute

from s3palette import __version__
from s3palette.domain.errors import (
    AuthRequired,
    InternalError,
    Overloaded,
    PaletteError,
    TokenExpired,
    TokenInvalid,
    TooLarge,
    UnsupportedMedia,
    ValidationFailed,
)
from s3palette.http import idempotency
from s3palette.http._examples import example_of, failure_example
from s3palette.http.route import CallbackRoute, EdgeRoute, UserRoute

__all__ = ["document"]

_FAILURE = {"$ref": "#/components/schemas/Failure"}
_SECURITY: dict[type[EdgeRoute], list[dict[str, list[str]]]] = {
    UserRoute: [{"bearer": []}],
    CallbackRoute: [{"callback_bearer": []}, {"callback_header": []}],
}
_REQUEST_ID: dict[str, Any] = {
    "X-Request-Id": {"description": "As in the envelope's meta.", "schema": {"type": "string"}}
}
_WAIT = {"description": "Seconds to wait before another attempt.", "schema": {"type": "integer", "minimum": 1}}
_HEADERS: dict[str, dict[str, Any]] = {
    "401": {"WWW-Authenticate": {"required": True, "schema": {"type": "string", "const": "Bearer"}}},
    "429": {"Retry-After": _WAIT},
    "503": {"Retry-After": {**_WAIT, "required": True}},
}
_SCHEMES = {
    "bearer": {"type": "http", "scheme": "bearer", "bearerFormat": "JWT", "description": "From POST /auth/anon."},
    "callback_bearer": {"type": "http", "scheme": "bearer", "description": "S3P_CALLBACK_SECRET."},
    "callback_header": {"type": "apiKey", "in": "header", "name": "X-Callback-Secret"},
}


def document(routes: Sequence[BaseRoute]) -> dict[str, Any]:
    """The whole document for these routes."""
    ours = [route for route in routes if isinstance(route, EdgeRoute)]
    schema = get_openapi(
        title="S3 Palette", version=__version__, description="One rule, a whole album, a consistent set.", routes=ours
    )
    for route in ours:
        for method in route.verbs:
            _complete(schema["paths"][route.path_format][method.lower()], route)
    components = schema["components"]
    components["securitySchemes"] = _SCHEMES
    # FastAPI announces its own 422; ours is a 400 in the envelope.
    for name in ("HTTPValidationError", "ValidationError"):
        components["schemas"].pop(name, None)
    return schema


def _complete(operation: dict[str, Any], route: EdgeRoute) -> None:
    operation["security"] = _SECURITY.get(type(route), [])
    operation["operationId"] = route.name
    operation["responses"].pop("422", None)
    for status, told in route.responses.items():
        for media_type, content in told.get("content", {}).items():
            # Once more, for FastAPI drops every null, and with it half of an envelope.
            operation["responses"][str(status)]["content"][media_type].update(content)
    common: list[type[PaletteError]] = [InternalError, Overloaded]
    if isinstance(route, UserRoute):
        common += [AuthRequired, TokenExpired, TokenInvalid]
        if "GET" not in route.verbs:
            operation.setdefault("parameters", []).append(idempotency.PARAMETER)
            common.append(ValidationFailed)
    if route.body_model is not None:
        common += [ValidationFailed, TooLarge, UnsupportedMedia]
        operation["requestBody"]["content"]["application/json"]["example"] = example_of(route.body_model)
    for error in common:
        _add(operation["responses"], error)
    for status, answer in operation["responses"].items():
        answer["headers"] = _REQUEST_ID | _HEADERS.get(status, {})


def _add(responses: dict[str, Any], error: type[PaletteError]) -> None:
    """Name the error among the answers, beside others of the same status."""
    answer = responses.setdefault(
        str(error.status),
        {"description": "", "content": {"application/json": {"schema": _FAILURE, "examples": {}}}},
    )
    examples = answer["content"]["application/json"]["examples"]
    examples.update(failure_example([error]))
    answer["description"] = " · ".join(examples)
