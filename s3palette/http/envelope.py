"""The envelope: `{"success", "data", "error", "meta": {"request_id", "timestamp"}}` around every JSON answer."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from pydantic_core import to_json
from starlette.responses import Response

from s3palette.domain.errors import PaletteError
from s3palette.domain.times import iso

__all__ = ["failure", "success"]

_OVERLOAD_WAIT_S = 1
_MAX_MESSAGE_CHARS = 2_000


def success(
    data: Any, *, request_id: str, at: datetime, status: int = 200, meta: Mapping[str, Any] | None = None
) -> Response:
    """A good answer. `data` is any JSON value; `meta` is added to the envelope's own."""
    body = {
        "success": True,
        "data": data,
        "error": None,
        "meta": {"request_id": request_id, "timestamp": iso(at), **(meta or {})},
    }
    return Response(to_json(body), status, media_type="application/json")


def failure(error: PaletteError, *, request_id: str, at: datetime, data: Any = None) -> Response:
    """A refusal, with the headers its status asks for: Retry-After, WWW-Authenticate."""
    body = {
        "success": False,
        "data": data,
        "error": {"code": error.code, "message": _short(error.message)},
        "meta": {"request_id": request_id, "timestamp": iso(at)},
    }
    answer = Response(to_json(body), error.status, media_type="application/json")
    wait = error.retry_after or (_OVERLOAD_WAIT_S if error.status == 503 else None)
    if wait is not None:
        answer.headers["Retry-After"] = str(wait)
    if error.status == 401:
        answer.headers["WWW-Authenticate"] = "Bearer"
    return answer


def _short(message: str) -> str:
    """A sentence may quote what was sent; it is not to send all of it back."""
    return message if len(message) <= _MAX_MESSAGE_CHARS else f"{message[:_MAX_MESSAGE_CHARS]}…"
