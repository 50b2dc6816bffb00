"""Bodies of strangers: sizes, media types, hostile JSON."""

from __future__ import annotations

import select
import socket
from collections.abc import Iterable, Iterator
from http.client import HTTPResponse
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest

from ._contract import Album, data_of, refusal

pytestmark = pytest.mark.e2e

MIB = 1 << 20
JSON = {"Content-Type": "application/json"}
PHOTO_LIMIT = 60_000_000


def chunks(total: int, size: int = 1 << 18) -> Iterator[bytes]:
    for start in range(0, total, size):
        yield b" " * min(size, total - start)


@pytest.mark.parametrize("path", ["/rules", "/jobs", "/auth/anon", "/jobs/x/execute"])
@pytest.mark.parametrize("body", [b" " * (MIB + 1), chunks], ids=["declared", "chunked"])
def test_json_over_one_mib_is_too_large(user: httpx.Client, path: Any, body: Any) -> None:
    content = chunks(MIB + 1) if body is chunks else body
    refusal(user.post(path, content=content, headers=JSON), 413, "TOO_LARGE")


def test_json_of_one_mib_is_not_too_large(anyone: httpx.Client) -> None:
    body = b"{}".ljust(MIB)
    data_of(anyone.post("/auth/anon", content=body, headers=JSON))


def talk(url: str, head: str, body: Iterable[bytes] = ()) -> tuple[int, bytes]:
    """Status and body of what a server answers to a head and as much of a chunked body as it wants to hear."""
    parts = urlsplit(url)
    with socket.create_connection((parts.hostname, parts.port), timeout=30) as line:
        line.sendall(f"PUT {parts.path}?{parts.query} HTTP/1.1\r\nHost: {parts.netloc}\r\n{head}\r\n".encode())
        for piece in body:
            if select.select([line], [], [], 0)[0]:  # answered already: to send on would reset the connection
                break
            line.sendall(f"{len(piece):x}\r\n".encode() + piece + b"\r\n")
        else:
            line.sendall(b"0\r\n\r\n" if body else b"")
        with HTTPResponse(line, method="PUT") as answer:
            answer.begin()
            return answer.status, answer.read()


def test_a_photo_declared_over_the_limit_is_refused_at_once(user: httpx.Client) -> None:
    album = Album.create(user)
    status, answer = talk(album.urls[0]["url"], f"Content-Length: {PHOTO_LIMIT + 1}\r\n")
    assert status == 413
    assert b'"TOO_LARGE"' in answer
    refusal(album.confirm(), 409, "UPLOAD_INCOMPLETE")


def test_a_photo_streamed_over_the_limit_is_refused(user: httpx.Client) -> None:
    album = Album.create(user)
    status, answer = talk(album.urls[0]["url"], "Transfer-Encoding: chunked\r\n", chunks(PHOTO_LIMIT + 1, 1 << 16))
    assert status == 413
    assert b'"TOO_LARGE"' in answer
    refusal(album.confirm(), 409, "UPLOAD_INCOMPLETE")


def test_a_photo_of_just_the_limit_is_taken(user: httpx.Client) -> None:
    album = Album.create(user)
    assert album.put(0, chunks(PHOTO_LIMIT, 1 << 20)).is_success
    data_of(album.confirm())


@pytest.mark.parametrize(
    "media", ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x", "image/jpeg"]
)
@pytest.mark.parametrize("path", ["/rules", "/jobs", "/auth/anon"])
def test_another_media_type_is_unsupported(user: httpx.Client, path: Any, media: Any) -> None:
    refusal(user.post(path, content=b"{}", headers={"Content-Type": media}), 415, "UNSUPPORTED_MEDIA")


@pytest.mark.parametrize("media", ["application/json; charset=utf-8", "Application/JSON"])
def test_json_by_another_spelling_is_json(anyone: httpx.Client, media: Any) -> None:
    data_of(anyone.post("/auth/anon", content=b"{}", headers={"Content-Type": media}))


HOSTILE = {
    "cut off": b"{",
    "nothing": b"",
    "spaces": b"   ",
    "words": b"item_count=3",
    "NaN": b'{"preset": "interior", "item_count": NaN}',
    "Infinity": b'{"preset": "interior", "item_count": Infinity}',
    "over the top": b'{"preset": "interior", "item_count": 1e400}',
    "many digits": b'{"preset": "interior", "item_count": ' + b"9" * 6000 + b"}",
    "deep list": b"[" * 200_000,
    "deep object": b'{"a":' * 100_000 + b"1" + b"}" * 100_000,
    "not UTF-8": b'{"preset": "\xff\xfe", "item_count": 1}',
    "UTF-16": '{"preset": "interior", "item_count": 1}'.encode("utf-16"),
    "half a surrogate pair": b'{"preset": "\\ud800", "item_count": 1}',
    "zero character": b'{"preset": "interior\\u0000", "item_count": 1}',
    "list": b"[]",
    "string": b'"interior"',
    "number": b"1",
    "null": b"null",
    "two values": b'{"preset": "interior", "item_count": 1} {}',
    "trailing comma": b'{"preset": "interior", "item_count": 1,}',
}


@pytest.mark.parametrize("path", ["/jobs", "/rules"])
@pytest.mark.parametrize("body", HOSTILE.values(), ids=HOSTILE)
def test_hostile_json_is_a_validation_error(user: httpx.Client, path: Any, body: Any) -> None:
    refusal(user.post(path, content=body, headers=JSON), 400, "VALIDATION_ERROR")


def test_a_body_of_another_kind_is_told_in_words_of_the_contract(user: httpx.Client) -> None:
    message = refusal(user.post("/jobs", json=["interior", 1]), 400, "VALIDATION_ERROR")
    assert "object" in message
    assert "Body" not in message, "the name of a class"
