"""Signed addresses: good for one key, one method, one hour, until the confirm."""

from __future__ import annotations

import socket
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit

import httpx
import pytest

from ._contract import Album, data_of, envelope, refusal, unsigned

pytestmark = pytest.mark.e2e


@pytest.mark.parametrize("media", ["application/octet-stream", "image/jpeg", "text/html", "application/json", ""])
def test_a_photo_may_be_put_as_any_media_type_and_again(user: httpx.Client, media: Any) -> None:
    album = Album.create(user)
    headers = {"Content-Type": media} if media else {}
    for content in (b"", b"first", iter([b"sec", b"ond"])):
        assert unsigned(user, "PUT", album.urls[0]["url"], content=content, headers=headers).status_code < 500
    assert data_of(album.confirm()) == {"confirmed": True}


def changed(url: str, name: str, value: str | None) -> str:
    """The address with one parameter changed; None removes it."""
    parts = urlsplit(url)
    query = {**dict(parse_qsl(parts.query)), name: value}
    return parts._replace(query=urlencode({key: text for key, text in query.items() if text is not None})).geturl()


def test_an_upload_that_breaks_off_is_no_upload(user: httpx.Client) -> None:
    album = Album.create(user, 2)
    parts = urlsplit(album.urls[1]["url"])
    assert album.put(0).is_success
    with socket.create_connection((parts.hostname, parts.port), timeout=30) as line:
        head = f"PUT {parts.path}?{parts.query} HTTP/1.1\r\nHost: {parts.netloc}\r\nContent-Length: 100000\r\n\r\n"
        line.sendall(head.encode() + b"x" * 50_000)
    assert "1" in refusal(album.confirm(), 409, "UPLOAD_INCOMPLETE")
    assert album.put(1).is_success
    data_of(album.confirm())


def test_a_signed_address_is_good_for_its_key_method_and_time_only(user: httpx.Client) -> None:
    album = Album.create(user, 2)
    url, other = album.urls[0]["url"], album.urls[1]["url"]
    parameters = dict(parse_qsl(urlsplit(url).query))
    assert parameters, "nothing signs this address"
    tampered = [changed(url, name, None) for name in parameters]
    tampered += [
        changed(url, name, value[:-1] + ("0" if value[-1] != "0" else "1")) for name, value in parameters.items()
    ]
    tampered += [changed(url, name, "9999999999") for name in parameters] + [
        changed(url, name, "é\x00") for name in parameters
    ]
    tampered += [
        urlsplit(other)._replace(query=urlsplit(url).query).geturl(),
        url.replace(f"{album.id}/0.jpg", f"{album.id}/..%2f{album.id}/0.jpg"),
        url.replace("inputs/", "outputs/"),
    ]
    for address in tampered:
        if address != url:
            answer = unsigned(user, "PUT", address, content=b"x")
            assert 400 <= answer.status_code < 500, (address, answer.text)
            envelope(answer)
    for method in ("GET", "DELETE", "POST", "PATCH"):
        assert 400 <= unsigned(user, method, url).status_code < 500
    message = refusal(album.confirm(), 409, "UPLOAD_INCOMPLETE")
    assert "0" in message
    assert "1" in message
    data_of(album.cancel())


def test_zero_bytes_are_not_an_upload_and_the_missing_are_listed(user: httpx.Client) -> None:
    album = Album.create(user, 9)
    for idx in (0, 1, 2, 4, 5, 6, 8):
        assert album.put(idx).is_success
    album.put(7, b"")
    message = refusal(album.confirm(), 409, "UPLOAD_INCOMPLETE")
    assert "3" in message
    assert "7" in message
    assert not set("1245") & set(message.replace(album.id, "").partition("of 9")[0])
    for idx in (3, 7):
        assert album.put(idx).is_success
    data_of(album.confirm())
    refused = album.put(0)
    assert 400 <= refused.status_code < 500
    envelope(refused)
