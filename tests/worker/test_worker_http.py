"""The worker over real HTTP: a server that is the object store and takes the callbacks, the classical engine inside."""

from __future__ import annotations

import asyncio
import json
import threading
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AsyncExitStack
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import cv2
import httpx
import numpy as np
import pytest

import engine
from s3palette.engines import LoadedEngine
from s3palette.external import JobMessage, job_message, sign
from s3palette.settings import read_settings
from s3palette.testing import MemoryStore
from s3palette.worker import create_worker, photos, transfers

SECRET, CALLBACK_SECRET = "s" * 40, "c" * 40
RULE = {"Product": {"action": "recolor", "value": "#2E6FB7"}}


def photo(side: int = 200) -> bytes:
    """A dark disc on a light ground, as JPEG."""
    picture = np.full((side, side, 3), 225, np.uint8)
    cv2.circle(picture, (side // 2, side // 2), side // 3, (60, 70, 160), -1)
    ok, encoded = cv2.imencode(".jpg", picture)
    assert ok
    return encoded.tobytes()


class Outside:
    """Everything behind the addresses of a message: objects by path, callbacks, and answers that go wrong first."""

    def __init__(self) -> None:
        self.objects: dict[str, bytes] = {}
        self.callbacks: list[tuple[str, dict[str, Any]]] = []
        self.wrong: list[tuple[str, int]] = []
        outside = self

        class Handler(BaseHTTPRequestHandler):
            def answer(self, status: int, body: bytes = b"") -> None:
                self.send_response(status)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def went_wrong(self) -> bool:
                if outside.wrong and outside.wrong[0][0] == self.command:
                    self.answer(outside.wrong.pop(0)[1])
                    return True
                return False

            def do_GET(self) -> None:
                if self.went_wrong():
                    return
                data = outside.objects.get(self.path.partition("?")[0])
                if data is None:
                    self.answer(404)
                elif self.headers.get("If-Match", '"e"') != '"e"':
                    self.answer(412)
                else:
                    self.answer(200, data)

            def do_PUT(self) -> None:
                data = self.rfile.read(int(self.headers["Content-Length"]))
                if not self.went_wrong():
                    outside.objects[self.path.partition("?")[0]] = data
                    self.answer(200)

            def do_POST(self) -> None:
                body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                if not self.went_wrong():
                    outside.callbacks.append((self.headers["Authorization"], body))
                    self.answer(200)

            def log_message(self, *_: Any) -> None:
                return None

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        threading.Thread(target=self._server.serve_forever, args=(0.01,), daemon=True).start()

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()

    def put(self, idx: int, data: bytes) -> None:
        self.objects[f"/memory/inputs/u_1/j_1/{idx}.jpg"] = data

    def message(self, photos: int = 1, attempt: int = 1, etags: dict[int, str] | None = None) -> JobMessage:
        work = {"user_id": "u_1", "preset": "seller", "concepts": RULE, "protect": [], "idxs": range(photos)}
        work |= {"measure": [], "refinements": {}, "etags": etags or {}}
        return job_message("j_1", attempt, work, store=MemoryStore(), base_url=self.url, concurrency=4)


class Fragile(LoadedEngine):
    """The classical engine, but some bytes make it fall over as a bug in a library would."""

    tries = 0

    async def process(self, data: bytes, recipe: engine.Recipe) -> engine.PhotoResult:
        if data.startswith(b"poison"):
            type(self).tries += 1
            raise MemoryError("out of memory")
        return await super().process(data, recipe)


@pytest.fixture
def outside() -> Iterator[Outside]:
    made = Outside()
    yield made
    made.close()


@pytest.fixture
async def start(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Callable[..., Any]]:
    """Starts workers; gives a client of each."""
    monkeypatch.setattr(photos, "_FAULT_PAUSES_S", (0.01, 0.01))
    monkeypatch.setattr(transfers, "_FIRST_WAIT_S", 0.01)
    async with AsyncExitStack() as stack:

        async def start_(capacity: int = 10, kind: type[LoadedEngine] = LoadedEngine) -> httpx.AsyncClient:
            loaded = kind(read_settings(engine="classical"))
            app = create_worker(
                loaded, secret=SECRET, callback_secret=CALLBACK_SECRET, slots=2, capacity=capacity, patience_s=0.1
            )
            await stack.enter_async_context(app.router.lifespan_context(app))
            client = httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://worker")
            return await stack.enter_async_context(client)

        yield start_


async def send(worker: httpx.AsyncClient, message: JobMessage | bytes, **headers: str) -> httpx.Response:
    body = message if isinstance(message, bytes) else message.dump()
    return await worker.post("/jobs", content=body, headers={**sign(SECRET, body, time.time()), **headers})


async def callbacks(outside: Outside, count: int) -> dict[int, dict[str, Any]]:
    """The first `count` callbacks by idx."""
    async with asyncio.timeout(20):
        while len(outside.callbacks) < count:  # noqa: ASYNC110 - another thread fills it
            await asyncio.sleep(0.01)
    return {body["idx"]: body for _, body in outside.callbacks}


async def idle(worker: httpx.AsyncClient) -> None:
    async with asyncio.timeout(20):
        while (told := (await worker.get("/health")).json())["running"] or told["waiting"]:  # noqa: ASYNC110
            await asyncio.sleep(0.01)


async def test_a_photo_there_and_back(start: Any, outside: Outside) -> None:
    worker = await start()
    outside.put(0, photo())
    answer = await send(worker, outside.message())
    assert (answer.status_code, answer.json()) == (202, {"taken": 1})
    told = (await callbacks(outside, 1))[0]
    assert outside.callbacks[0][0] == f"Bearer {CALLBACK_SECRET}"
    assert (told["status"], told["error"], told["idempotency_key"]) == ("done", None, "j_1:1:0")
    assert told["output_key"] == "outputs/u_1/j_1/0_result.png"
    assert told["mask_keys"] == {"Product": "masks/u_1/j_1/0_Product.png"}
    assert told["timings_ms"].keys() >= {"download", "decode", "segment", "encode", "upload"}
    keys = [told["output_key"], told["preview_key"], told["instances_key"], *told["mask_keys"].values()]
    stored = {key: outside.objects[f"/memory/{key}"] for key in keys}
    recipe = outside.message().recipe
    alone = await LoadedEngine(read_settings(engine="classical")).process(photo(), recipe)
    assert stored[told["output_key"]] == alone.png
    assert stored["masks/u_1/j_1/0_Product.png"] == alone.masks["Product"]
    assert json.loads(stored[told["instances_key"]])["concepts"]["Product"]["status"] == "found"


async def test_one_bad_photo_fails_alone(start: Any, outside: Outside) -> None:
    worker = await start(kind=Fragile)
    for idx, data in enumerate([photo(), b"poison", b"no photo", photo()]):
        outside.put(idx, data)
    Fragile.tries = 0
    await send(worker, outside.message(photos=5))
    told = await callbacks(outside, 5)
    assert [told[idx]["status"] for idx in range(5)] == ["done", "failed", "failed", "done", "failed"]
    assert Fragile.tries == 3
    assert "MemoryError" not in told[1]["error"]
    assert "no longer in the store" in told[4]["error"]
    assert told[1]["output_key"] is None


async def test_a_photo_that_was_changed_is_not_used(start: Any, outside: Outside) -> None:
    worker = await start()
    outside.put(0, photo())
    outside.put(1, photo())
    await send(worker, outside.message(photos=2, etags={0: "e", 1: "another"}))
    told = await callbacks(outside, 2)
    assert (told[0]["status"], told[1]["status"]) == ("done", "failed")
    assert "changed" in told[1]["error"]


@pytest.mark.parametrize("method", ["GET", "PUT", "POST"])
@pytest.mark.parametrize("status", [500, 503, 429])
async def test_what_goes_wrong_for_a_moment_is_tried_again(
    start: Any, outside: Outside, method: str, status: int
) -> None:
    worker = await start()
    outside.put(0, photo())
    outside.wrong = [(method, status)] * 2
    await send(worker, outside.message())
    assert (await callbacks(outside, 1))[0]["status"] == "done"
    assert len(outside.callbacks) == 1


@pytest.mark.parametrize(("method", "status"), [("GET", 403), ("PUT", 403), ("PUT", 409), ("POST", 404)])
async def test_a_refused_address_waits_for_a_fresh_one(start: Any, outside: Outside, method: str, status: int) -> None:
    worker = await start()
    outside.put(0, photo())
    outside.wrong = [(method, status)]
    await send(worker, outside.message())
    await idle(worker)
    assert outside.callbacks == []
    assert (await send(worker, outside.message(attempt=2))).status_code == 202
    assert (await callbacks(outside, 1))[0]["idempotency_key"] == "j_1:2:0"


async def test_a_repeat_is_taken_and_not_run_again(start: Any, outside: Outside) -> None:
    worker = await start()
    outside.put(0, photo())
    for _ in range(3):
        assert (await send(worker, outside.message())).status_code == 202
    await callbacks(outside, 1)
    await idle(worker)
    assert (await send(worker, outside.message())).status_code == 202
    await idle(worker)
    assert len(outside.callbacks) == 1


async def test_a_full_worker_says_when_to_come_again(start: Any, outside: Outside) -> None:
    worker = await start(capacity=1)
    outside.put(0, photo(900))
    assert (await send(worker, outside.message())).status_code == 202
    answer = await send(worker, outside.message(photos=2))
    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "5")
    await callbacks(outside, 1)


async def test_only_genuine_messages_are_looked_at(start: Any, outside: Outside) -> None:
    worker = await start()
    body = outside.message().dump()
    for headers in (
        {},
        sign("t" * 40, body, time.time()),
        sign(SECRET, body + b" ", time.time()),
        sign(SECRET, body, time.time() - 301),
    ):
        answer = await worker.post("/jobs", content=body, headers=headers)
        assert answer.status_code == 401
        assert answer.json()["error"]
    assert outside.callbacks == []


@pytest.mark.parametrize("body", [b"", b"{", b'{"version": 2}'])
async def test_what_is_not_understood_is_refused(start: Any, body: bytes) -> None:
    answer = await send(await start(), body)
    assert answer.status_code == 400
    assert "not understood" in answer.json()["error"]


async def test_a_body_without_end_is_refused(start: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("s3palette.worker.app._MAX_BYTES", 1000)
    assert (await send(await start(), b"x" * 1001)).status_code == 413


async def test_its_health(start: Any) -> None:
    worker = await start()
    answer = await worker.get("/health")
    assert answer.json() == {"status": "healthy", "engine": "classical", "running": 0, "waiting": 0}


async def test_a_broken_device_is_no_photos_fault(start: Any, outside: Outside) -> None:
    class Broken(Fragile):
        async def check(self) -> None:
            raise RuntimeError("CUDA error")

    worker = await start(kind=Broken)
    answer = await worker.get("/health")
    assert (answer.status_code, answer.json()["error"]) == (503, "The classical engine does not work: CUDA error")
    outside.put(0, b"poison")
    loaded, addresses = Broken(read_settings(engine="classical")), transfers.Transfers(CALLBACK_SECRET)
    message = outside.message()
    with pytest.raises(RuntimeError, match="CUDA"):
        await photos.PhotoWorker(loaded, addresses).work(message, message.items[0])
    await addresses.close()
    loaded.close()
