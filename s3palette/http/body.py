"""JSON bodies and query strings of strangers: size, content type, syntax, shape."""

from __future__ import annotations

from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails, from_json
from starlette.requests import Request

from s3palette.domain.errors import TooLarge, UnsupportedMedia, ValidationFailed

__all__ = ["MAX_JSON_BYTES", "announced_length", "checked", "read_json"]

MAX_JSON_BYTES = 1 << 20
_MAX_REASONS = 3
_MAX_REASON_CHARS = 300

M = TypeVar("M", bound=BaseModel)


def announced_length(request: Request) -> int | None:
    """Content-Length, or None where the request does not tell."""
    text = request.headers.get("content-length", "")
    return int(text) if text.isascii() and text.isdigit() and len(text) < 20 else None


async def read_json(request: Request, *, optional: bool = False) -> Any:
    """The body as Python values; None where it is absent and may be.

    Raises TooLarge (over 1 MiB, announced or not), UnsupportedMedia (a content type that is not JSON),
    ValidationFailed (malformed: syntax, UTF-8, NaN, lone surrogates, nesting without end).
    """
    data = await _read(request)
    if not data:
        if optional:
            return None
        raise ValidationFailed("body: is missing; a JSON object is needed")
    media_type = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if media_type and media_type != "application/json" and not media_type.endswith("+json"):
        raise UnsupportedMedia(f"This route takes application/json, not {media_type[:80]}.")
    try:
        return from_json(data, allow_inf_nan=False)
    except ValueError as error:
        raise ValidationFailed(f"body: is not valid JSON ({str(error)[:_MAX_REASON_CHARS]})") from None


def checked(model: type[M], value: Any, root: str) -> M:
    """`value` as the model. Raises ValidationFailed naming the fields and why; `root` names the whole."""
    try:
        return model.model_validate(value)
    except ValidationError as error:
        problems = error.errors(include_url=False, include_context=False, include_input=False)
        reasons = [f"{_place(problem['loc'], root)}: {_why(problem)}" for problem in problems[:_MAX_REASONS]]
        raise ValidationFailed("; ".join(reasons)) from None


async def _read(request: Request) -> bytes:
    if (announced_length(request) or 0) > MAX_JSON_BYTES:
        raise _too_large()
    pieces, size = [], 0
    async for piece in request.stream():
        size += len(piece)
        if size > MAX_JSON_BYTES:
            raise _too_large()
        pieces.append(piece)
    return b"".join(pieces)


def _too_large() -> TooLarge:
    return TooLarge(f"A JSON body may have at most {MAX_JSON_BYTES:,} bytes.")


def _why(problem: ErrorDetails) -> str:
    # Pydantic's own words would name the class.
    return "must be a JSON object" if problem["type"] == "model_type" else problem["msg"]


def _place(location: tuple[int | str, ...], root: str) -> str:
    return ".".join(str(part) for part in location)[:_MAX_REASON_CHARS] or root
