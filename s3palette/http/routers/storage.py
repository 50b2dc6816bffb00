"""The folder store's objects behind their signed addresses. The signature is the only key that is needed."""

from __future__ import annotations

import re

from fastapi import APIRouter
from starlette.responses import FileResponse, Response
from starlette.types import Receive, Scope, Send

from s3palette.domain.errors import Forbidden, InvalidTransition, NotFound, TooLarge
from s3palette.domain.job import GetJob, ResultOpen, UploadOpen
from s3palette.domain.keys import parse_key
from s3palette.domain.model import Address
from s3palette.http.answers import StoredData, answers, error_answers
from s3palette.http.body import announced_length
from s3palette.http.call import Call
from s3palette.http.route import EdgeRoute
from s3palette.storage import FolderStore
from s3palette.storage.keys import MEDIA_TYPES, media_type

__all__ = ["router"]

router = APIRouter(route_class=EdgeRoute, tags=["storage"])

_ASK_FIRST_BYTES = 1 << 20
_PNG_BYTES_A_PIXEL = 5
"""RGBA with what PNG adds to bytes it cannot compress."""
_SIGNATURE = [
    {"name": name, "in": "query", "required": True, "description": what, "schema": {"type": "string"}}
    for name, what in (("op", "put or get"), ("expires", "Unix seconds"), ("sig", "HMAC-SHA256, hex"))
]
_BYTES = {"schema": {"type": "string", "format": "binary"}}
_OBJECT = dict.fromkeys(MEDIA_TYPES.values(), _BYTES)
_RANGE = re.compile(rb"bytes=(?:(\d{1,18})-(\d{0,18})|-\d{1,18})")
_RANGE_PARAMETER = {
    "name": "Range",
    "in": "header",
    "required": False,
    "description": "One range of bytes; of any other form it is not looked at.",
    "schema": {"type": "string"},
    "example": "bytes=0-1023",
}


@router.put(
    "/storage/{key:path}",
    **answers(StoredData, Forbidden, InvalidTransition, TooLarge),
    openapi_extra={
        "parameters": _SIGNATURE,
        "requestBody": {"required": True, "content": {"application/octet-stream": _BYTES}},
    },
)
async def put_object(call: Call, key: str) -> Response:
    """Upload raw bytes, of any content type or none.

    A photo is refused once the job's upload is confirmed, a result of a worker outside once its photo has ended.
    """
    files, limit = _files(call), _limit(call, key)
    files.addresses.check("put", key, call.query_params)
    length = announced_length(call)
    if length is not None and length > limit:
        raise TooLarge(f"The object may have at most {limit:,} bytes.")
    if length is None or length > _ASK_FIRST_BYTES:
        await _check_open(call, key)  # before a long upload, so that it is not sent for nothing
    async with files.incoming(key, limit=limit) as upload:
        async for piece in call.stream():
            await upload.write(piece)
        await _check_open(call, key)
        await upload.commit()
    return call.answer({"key": key, "size": upload.size})


@router.get(
    "/storage/{key:path}",
    status_code=200,
    response_class=FileResponse,
    responses={
        200: {"content": _OBJECT, "description": "The object."},
        206: {"content": _OBJECT, "description": "The range that was asked for."},
        416: {"content": {"text/plain": {"schema": {"type": "string"}}}, "description": "It begins past the end."},
        **error_answers(Forbidden, NotFound),
    },
    openapi_extra={"parameters": [*_SIGNATURE, _RANGE_PARAMETER]},
)
async def get_object(call: Call, key: str) -> Response:
    """Download an object, or a range of it."""
    files = _files(call)
    files.addresses.check("get", key, call.query_params)
    path, found = await files.locate(key)
    headers = {"X-Content-Type-Options": "nosniff", "Cache-Control": "private, max-age=3600"}
    return _Object(path, media_type=media_type(key), stat_result=found, headers=headers)


class _Object(FileResponse):
    """Leaves out a Range header that asks for more or other than one range, as RFC 9110, 14.2 lets a server do: what
    the base class says to it is not in the envelope."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        headers = [(name, value) for name, value in scope["headers"] if name != b"range" or _is_one_range(value)]
        await super().__call__({**scope, "headers": headers}, receive, send)


def _is_one_range(value: bytes) -> bool:
    found = _RANGE.fullmatch(value)
    return found is not None and not (found[2] and int(found[1]) > int(found[2]))


def _files(call: Call) -> FolderStore:
    store = call.deps.store
    if not isinstance(store, FolderStore):
        raise NotFound("There is no such route.")
    return store


def _limit(call: Call, key: str) -> int:
    """Bytes an object may have: a result is a PNG, which noise makes as large as its pixels."""
    settings = call.deps.settings
    if key.startswith("inputs/"):
        return settings.max_photo_bytes
    return max(settings.max_photo_bytes, _PNG_BYTES_A_PIXEL * settings.max_pixels)


async def _check_open(call: Call, key: str) -> None:
    """Raises InvalidTransition where the object belongs to a photo that takes it no more, Forbidden where to none."""
    photo = parse_key(key)
    if photo is None or photo.idx is None:
        raise Forbidden("Nobody uploads to this key.")
    to, brain = Address("job", photo.job_id), call.deps.brain
    upload = photo.area == "inputs"
    question = (UploadOpen if upload else ResultOpen)(user_id=photo.user_id, idx=photo.idx)
    if not await brain.ask(to, question):
        job = await brain.ask(to, GetJob(user_id=photo.user_id))
        taken = "uploads" if upload else f"results for photo {photo.idx}"
        raise InvalidTransition(f"The job is {job['status']}: it takes no more {taken}.")
