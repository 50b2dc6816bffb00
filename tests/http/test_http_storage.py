"""Signed addresses, served by the same application."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import pytest

from s3palette.storage import StoreRefused, StoreUnavailable
from s3palette.testing import MemoryStore


def error_of(answer: Any) -> tuple[int, str]:
    return answer.status_code, answer.json()["error"]["code"]


@pytest.fixture
async def upload(api: Any) -> Any:
    """(user, job id, address of photo 0) of a job that waits for its photo."""
    user = await api.user("abc")
    data = (await user.post("/jobs", json={"preset": "interior", "item_count": 1})).json()["data"]
    return user, data["job_id"], data["presigned_urls"][0]


async def pieces(*parts: bytes) -> AsyncIterator[bytes]:
    for part in parts:
        yield part


@pytest.mark.parametrize(
    "content_type", ["application/octet-stream", "image/jpeg", "application/json", "nonsense", None]
)
async def test_raw_bytes_of_any_type_go_up_and_come_down(api: Any, upload: Any, content_type: str | None) -> None:
    _, _, address = upload
    photo = bytes(range(256)) * 40
    headers = {} if content_type is None else {"Content-Type": content_type}
    answer = await api.client.put(address["url"], content=photo, headers=headers)
    assert (answer.status_code, answer.json()["data"]) == (200, {"key": address["key"], "size": len(photo)})
    got = await api.client.get(api.store.presign_get(address["key"], "http://api.test"))
    assert (got.status_code, got.content) == (200, photo)
    assert got.headers["content-type"] == "image/jpeg"
    assert got.headers["content-length"] == str(len(photo))
    assert got.headers["x-content-type-options"] == "nosniff"
    assert got.headers["etag"]


async def test_a_photo_may_be_sent_again_until_it_is_confirmed(api: Any, upload: Any) -> None:
    user, job_id, address = upload
    for content in (b"first", b"", b"second"):
        assert (await api.client.put(address["url"], content=content)).status_code == 200
    assert (await user.post(f"/jobs/{job_id}/confirm-upload")).status_code == 200
    for content in (b"third", b"x" * 2_000_000, pieces(b"a", b"b")):
        answer = await api.client.put(address["url"], content=content)
        assert error_of(answer) == (409, "INVALID_TRANSITION")
        assert "uploaded" in answer.json()["error"]["message"]
    assert await api.store.get(address["key"]) == b"second"


async def test_an_upload_that_the_confirmation_overtakes_is_refused(api: Any, upload: Any) -> None:
    user, job_id, address = upload
    assert (await api.client.put(address["url"], content=b"first")).status_code == 200
    begun, confirmed = asyncio.Event(), asyncio.Event()

    async def slow() -> AsyncIterator[bytes]:
        yield b"late"
        begun.set()
        await confirmed.wait()
        yield b"comer"

    late = asyncio.create_task(api.client.put(address["url"], content=slow()))
    await begun.wait()
    assert (await user.post(f"/jobs/{job_id}/confirm-upload")).status_code == 200
    confirmed.set()
    assert error_of(await late) == (409, "INVALID_TRANSITION")
    assert await api.store.get(address["key"]) == b"first"


@pytest.mark.parametrize("chunked", [False, True])
async def test_a_photo_that_is_too_large_is_refused(make_api: Any, chunked: bool) -> None:
    api = make_api(max_photo_bytes=1000)
    user = await api.user("abc")
    data = (await user.post("/jobs", json={"preset": "interior", "item_count": 1})).json()["data"]
    address = data["presigned_urls"][0]["url"]
    assert (await api.client.put(address, content=b"x" * 1000)).status_code == 200
    content = pieces(b"x" * 600, b"x" * 401) if chunked else b"x" * 1001
    assert error_of(await api.client.put(address, content=content)) == (413, "TOO_LARGE")
    assert len(await api.store.get(data["presigned_urls"][0]["key"])) == 1000


async def test_the_signature_is_looked_at_first(api: Any, upload: Any) -> None:
    url = upload[2]["url"]
    path, _, query = url.partition("?")
    get = api.store.presign_get(upload[2]["key"], "http://api.test")
    for forged in (
        path,
        f"{path}?{query[:-1]}",
        f"{path}?{query}0",
        f"{path}?{query.replace('op=put', 'op=get')}",
        f"{path.replace('/0.jpg', '/1.jpg')}?{query}",
        f"{path.replace('inputs', 'outputs')}?{query}",
        f"{path.replace('inputs/', 'inputs/../')}?{query}",
        f"{path.replace('/0.jpg', '%00.jpg')}?{query}",
        get,
    ):
        for content in (b"x", b"x" * 70_000_000 if forged == path else b""):
            assert error_of(await api.client.put(forged, content=content)) == (403, "FORBIDDEN")
    for forged in (path, url, url.replace("op=put", "op=get"), get.replace("/0.jpg", "/1.jpg")):
        assert error_of(await api.client.get(forged)) == (403, "FORBIDDEN")
    assert await api.store.stat(f"inputs/{upload[0].user_id}/") == {}


async def test_an_address_expires(api: Any, upload: Any) -> None:
    key, url = upload[2]["key"], upload[2]["url"]
    await api.client.put(url, content=b"x")
    get = api.store.presign_get(key, "http://api.test")
    api.clock.advance(timedelta(hours=1))
    for answer in (await api.client.put(url, content=b"y"), await api.client.get(get)):
        assert error_of(answer) == (403, "FORBIDDEN")
        assert "expired" in answer.json()["error"]["message"]


async def test_a_missing_object_is_not_found(api: Any) -> None:
    get = api.store.presign_get("outputs/u_1/j_1/0_result.png", "http://api.test")
    assert error_of(await api.client.get(get)) == (404, "NOT_FOUND")
    assert (await api.client.head(get)).status_code == 404


async def test_head_and_ranges(api: Any) -> None:
    key = "outputs/u_1/j_1/0_result.png"
    await api.store.put(key, b"0123456789", "image/png")
    get = api.store.presign_get(key, "http://api.test")
    head = await api.client.head(get)
    assert (head.status_code, head.content, head.headers["content-length"]) == (200, b"", "10")
    assert head.headers["content-type"] == "image/png"
    for asked, status, content in [
        ("bytes=2-4", 206, b"234"),
        ("bytes=8-", 206, b"89"),
        ("bytes=-3", 206, b"789"),
        ("bytes=10-", 416, b""),
        ("bytes=4-2", 200, b"0123456789"),
        ("bytes=0-1,4-5", 200, b"0123456789"),
        ("lines=1-2", 200, b"0123456789"),
        ("bytes", 200, b"0123456789"),
    ]:
        part = await api.client.get(get, headers={"Range": asked})
        assert (part.status_code, part.content) == (status, content), asked


@pytest.mark.parametrize(
    ("key", "content_type"),
    [
        ("masks/u_1/j_1/0_Wall.png", "image/png"),
        ("masks/u_1/j_1/0_instances.json", "application/json"),
        ("sets/u_1/j_1/proposals_3.zip", "application/zip"),
        ("outputs/u_1/j_1/page.html", "application/octet-stream"),
    ],
)
async def test_content_types_follow_the_key(api: Any, key: str, content_type: str) -> None:
    await api.store.put(key, b"x", "")
    answer = await api.client.get(api.store.presign_get(key, "http://api.test"))
    assert answer.headers["content-type"] == content_type


@pytest.mark.parametrize("key", ["inputs/u_1/j_1/0.jpg", "outputs/u_1/j_1/0_result.png"])
async def test_an_upload_for_a_job_that_is_not_there(api: Any, key: str) -> None:
    url = api.store.presign_put(key, "http://api.test")
    assert error_of(await api.client.put(url, content=b"x")) == (404, "JOB_NOT_FOUND")


async def test_an_index_beyond_the_job_is_refused(api: Any, upload: Any) -> None:
    user, job_id, _ = upload
    url = api.store.presign_put(f"inputs/{user.user_id}/{job_id}/1.jpg", "http://api.test")
    assert error_of(await api.client.put(url, content=b"x")) == (409, "INVALID_TRANSITION")


async def test_only_a_folder_is_served(make_api: Any) -> None:
    api = make_api({"store": MemoryStore()})
    assert error_of(await api.client.get("/storage/inputs/u_1/j_1/0.jpg")) == (404, "NOT_FOUND")
    assert "/storage/{key}" not in api.app.openapi()["paths"]


class LostStore(MemoryStore):
    """Does not answer, for one reason or another."""

    def __init__(self, reason: Exception) -> None:
        super().__init__()
        self._reason = reason

    async def stat(self, prefix: str) -> Any:
        raise self._reason


@pytest.mark.parametrize(
    ("reason", "says"),
    [
        (StoreUnavailable("the object store http://10.0.0.5/album does not answer: refused"), (503, "OVERLOADED")),
        (StoreRefused("the object store http://10.0.0.5/album refuses us (AccessDenied)"), (500, "INTERNAL_ERROR")),
    ],
)
async def test_a_store_that_cannot_be_asked(
    make_api: Any, caplog: pytest.LogCaptureFixture, reason: Exception, says: tuple[int, str]
) -> None:
    api = make_api({"store": LostStore(reason)})
    user = await api.user("abc")
    made = await user.post("/jobs", json={"preset": "interior", "item_count": 1})
    assert made.status_code == 201  # signing asks nobody
    answer = await user.post(f"/jobs/{made.json()['data']['job_id']}/confirm-upload")
    assert error_of(answer) == says
    assert ("retry-after" in answer.headers) is (says[0] == 503)
    assert "10.0.0.5" not in answer.text
    assert str(reason) in caplog.text  # the operator is told


async def test_a_photo_that_is_too_large_for_a_store_that_takes_anything(make_api: Any) -> None:
    store = MemoryStore()
    api = make_api({"store": store})
    user = await api.user("abc")
    made = (await user.post("/jobs", json={"preset": "interior", "item_count": 2})).json()["data"]
    for target, size in zip(made["presigned_urls"], (60_000_000, 60_000_001), strict=True):
        await store.put(target["key"], b"x" * size, "image/jpeg")
    confirm = f"/jobs/{made['job_id']}/confirm-upload"
    answer = await user.post(confirm)
    assert error_of(answer) == (413, "TOO_LARGE")
    assert answer.json()["error"]["message"].endswith("upload again: 1")
    await store.put(made["presigned_urls"][1]["key"], b"x", "image/jpeg")
    assert (await user.post(confirm)).status_code == 200


async def test_an_upload_that_breaks_off_leaves_nothing(api: Any, upload: Any) -> None:
    key, (path, _, query) = upload[2]["key"], upload[2]["url"].removeprefix("http://api.test").partition("?")
    messages = [
        {"type": "http.request", "body": b"half a photo", "more_body": True},
        {"type": "http.disconnect"},
    ]
    sent: list[Any] = []

    async def receive() -> Any:
        return messages.pop(0)

    async def send(message: Any) -> None:
        sent.append(message)

    scope = {"type": "http", "method": "PUT", "path": path, "query_string": query.encode(), "headers": []}
    await api.app(scope, receive, send)
    assert sent == []
    assert await api.store.stat(key.rpartition("/")[0]) == {}
    assert list((api.settings.objects_dir / ".drafts").glob("*")) == []
