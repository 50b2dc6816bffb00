"""What both drivers need of httpx: requests from steps, answers from responses."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import httpx

from s3palette.client._steps import Answer, Put, Send

__all__ = ["CHUNK_BYTES", "answer_of", "draft_of", "put_headers", "request_of"]

CHUNK_BYTES = 1 << 18


def request_of(http: httpx.Client | httpx.AsyncClient, step: Send) -> httpx.Request:
    """The request of a Send; without a body there is no content type either."""
    body: dict[str, Any] = {} if step.body is None else {"json": step.body}
    timeout = http.timeout if step.timeout_s is None else httpx.Timeout(step.timeout_s)
    return http.build_request(step.method, step.path, headers=dict(step.headers), timeout=timeout, **body)


def put_headers(step: Put) -> dict[str, str]:
    """The length is told ahead: S3 takes no chunked upload to a presigned address. Raises OSError."""
    size = len(step.photo) if isinstance(step.photo, bytes) else step.photo.stat().st_size
    return {"Content-Type": "application/octet-stream", "Content-Length": str(size)}


def answer_of(response: httpx.Response, body: bytes) -> Answer:
    return Answer(response.status_code, response.headers, body, response.request.url.host)


def draft_of(to: Path) -> Path:
    """Where a download grows until it is whole."""
    return to.with_name(f".{to.name}.part")
