"""What a worker outside may store behind its signed addresses, and until when."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest

KINDS = [
    "outputs/{}/{}_result.png",
    "previews/{}/{}_thumb.jpg",
    "masks/{}/{}_Wall.png",
    "masks/{}/{}_instances.json",
]


@pytest.fixture
async def outside(make_api: Any) -> Any:
    """(api, user, job id) of a job of two photos that workers outside do."""
    api = make_api(engine="external", max_photo_bytes=1000, max_pixels=1000)
    user = await api.user("abc")
    return api, user, await api.job(user, "queued")


def address(api: Any, user: Any, job_id: str, idx: int, kind: str = KINDS[0]) -> tuple[str, str]:
    key = kind.format(f"{user.user_id}/{job_id}", idx)
    return key, api.store.presign_put(key, "http://api.test")


def error_of(answer: Any) -> tuple[int, str]:
    return answer.status_code, answer.json()["error"]["code"]


@pytest.mark.parametrize("kind", KINDS)
async def test_a_result_is_stored_until_its_photo_has_ended(outside: Any, kind: str) -> None:
    api, user, job_id = outside
    for content in (b"first", b"second"):
        key, url = address(api, user, job_id, 0, kind)
        assert (await api.client.put(url, content=content)).status_code == 200
    await api.callback(user, job_id, 0)
    for content in (b"late", b"x" * 2_000_000):
        answer = await api.client.put(url, content=content)
        assert answer.status_code in (409, 413)
    assert await api.store.get(key) == b"second"
    other, url = address(api, user, job_id, 1, kind)
    assert (await api.client.put(url, content=b"the other photo")).status_code == 200
    assert await api.store.get(other) == b"the other photo"


async def test_a_late_result_never_changes_a_delivered_one(outside: Any) -> None:
    """The photo ends while another worker is still sending the same photo."""
    api, user, job_id = outside
    key, url = address(api, user, job_id, 0)
    assert (await api.client.put(url, content=b"delivered")).status_code == 200
    begun, ended = asyncio.Event(), asyncio.Event()

    async def slow() -> AsyncIterator[bytes]:
        yield b"late"
        begun.set()
        await ended.wait()
        yield b"comer"

    late = asyncio.create_task(api.client.put(url, content=slow()))
    await begun.wait()
    await api.callback(user, job_id, 0)
    ended.set()
    answer = await late
    assert error_of(answer) == (409, "INVALID_TRANSITION")
    assert "photo 0" in answer.json()["error"]["message"]
    assert await api.store.get(key) == b"delivered"


@pytest.mark.parametrize("status", ["created", "uploaded", "done", "failed", "canceled"])
async def test_a_job_that_is_not_under_way_takes_none(make_api: Any, status: str) -> None:
    api = make_api(engine="external")
    user = await api.user("abc")
    _, url = address(api, user, await api.job(user, status), 0)
    answer = await api.client.put(url, content=b"x")
    assert error_of(answer) == (409, "INVALID_TRANSITION")
    assert status in answer.json()["error"]["message"]


async def test_our_own_engine_stores_by_itself(api: Any) -> None:
    user = await api.user("abc")
    _, url = address(api, user, await api.job(user, "queued"), 0)
    assert error_of(await api.client.put(url, content=b"x")) == (409, "INVALID_TRANSITION")


@pytest.mark.parametrize("key", ["sets/u_1/j_1/board.zip", "outputs/u_1/j_1/other.png", "masks/u_1/j_1/a/b.png"])
async def test_no_other_key_is_uploaded_to(api: Any, key: str) -> None:
    url = api.store.presign_put(key, "http://api.test")
    assert error_of(await api.client.put(url, content=b"x")) == (403, "FORBIDDEN")


async def test_a_result_may_be_as_large_as_its_pixels(outside: Any) -> None:
    """A photo has at most 1,000 bytes and 1,000 pixels here; a PNG of noise has 4 bytes a pixel."""
    api, user, job_id = outside
    _, url = address(api, user, job_id, 0)
    assert (await api.client.put(url, content=b"x" * 5000)).status_code == 200
    assert error_of(await api.client.put(url, content=b"x" * 5001)) == (413, "TOO_LARGE")
