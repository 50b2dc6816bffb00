"""The HTTP client against a little server of its own: requests, retries, streams, refusals."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import httpx
import pytest

from s3palette.client import Client, NewJob, PaletteApiError, Upload

JOB = {
    "job_id": "j_1", "user_id": "u_1", "status": "running", "preset": "interior", "total_items": 2, "done_items": 1,
    "failed_items": 0, "a_later_field": 1, "presigned_urls": [],
    "items": [
        {"idx": 0, "status": "done", "error": None, "warnings": ["w"], "masks": {"Wall": "http://x/m"},
         "instances_url": "http://x/i", "another": True},
        {"idx": 1, "status": "pending"},
    ],
    "download_urls": [{"idx": 0, "output_url": "http://x/o", "preview_url": "http://x/p"}],
}  # fmt: skip


def envelope(data: Any = None, status: int = 200, code: str = "", **headers: str) -> httpx.Response:
    error = {"code": code, "message": f"about {code}"} if code else None
    body = {"success": error is None, "data": data, "error": error, "meta": {"request_id": "r", "timestamp": "t"}}
    return httpx.Response(status, json=body, headers=headers)


class Script:
    """Answers one request after another; an exception is raised instead. Remembers what was asked and slept."""

    def __init__(self, *answers: httpx.Response | Exception) -> None:
        self.answers = list(answers)
        self.requests: list[httpx.Request] = []
        self.slept: list[float] = []

    def __call__(self, request: httpx.Request) -> httpx.Response:
        request.read()
        self.requests.append(request)
        answer = self.answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer

    def client(self, token: str | None = "t") -> Client:
        return Client("http://server", token, transport=httpx.MockTransport(self), sleep=self.slept.append)


@pytest.mark.parametrize(
    ("call", "method", "path", "body", "data"),
    [
        (lambda c: c.me(), "GET", "/me", None,
         {"user_id": "u", "plan": "free", "credits": 1, "rule_slots": 0, "max_rule_slots": 2, "concurrent_jobs": 0,
          "max_concurrent_jobs": 1, "new": 1}),
        (lambda c: c.create_job("seller", 3), "POST", "/jobs", {"preset": "seller", "item_count": 3},
         {"job_id": "j", "presigned_urls": [{"idx": 0, "url": "http://x", "key": "k"}], "confirm_url": "c"}),
        (lambda c: c.confirm("j"), "POST", "/jobs/j/confirm-upload", None, {"confirmed": True}),
        (lambda c: c.execute("j", {"Wall": 1}, protect=[]), "POST", "/jobs/j/execute",
         {"concepts": {"Wall": 1}, "protect": []}, {"queued": True}),
        (lambda c: c.execute("j", rule_id="r", output_template="x"), "POST", "/jobs/j/execute",
         {"rule_id": "r", "output_template": "x"}, {"queued": True}),
        (lambda c: c.job("j"), "GET", "/jobs/j", None, {"job": JOB}),
        (lambda c: c.cancel("j"), "POST", "/jobs/j/cancel", None, {"canceled": True}),
    ],
)  # fmt: skip
def test_each_call_sends_its_request_with_the_token(
    call: Callable[[Client], Any], method: str, path: str, body: Any, data: Any
) -> None:
    script = Script(envelope(data))
    with script.client() as client:
        call(client)
    (request,) = script.requests
    assert (request.method, request.url.path) == (method, path)
    assert (json.loads(request.content) if request.content else None) == body
    assert request.headers["Authorization"] == "Bearer t"


@pytest.mark.parametrize(("device", "body"), [(None, {}), ("d", {"device_hash": "d"})])
def test_signing_up_keeps_the_token(device: str | None, body: dict[str, str]) -> None:
    script = Script(envelope({"user_id": "u", "token": "new", "plan": "free", "is_new": True}), envelope({}))
    client = script.client(token=None)
    assert client.sign_up(device).is_new
    client.cancel("j")
    first, second = script.requests
    assert json.loads(first.content) == body
    assert "Authorization" not in first.headers
    assert second.headers["Authorization"] == "Bearer new"


def test_a_job_is_read_whole() -> None:
    job = Script(envelope({"job": JOB})).client().job("j_1")
    assert (job.status, job.total_items, job.done_items, job.ended) == ("running", 2, 1, False)
    assert job.items[0].masks == {"Wall": "http://x/m"}
    assert job.items[0].warnings == ("w",)
    assert (job.items[1].error, job.items[1].masks, job.items[1].instances_url) == (None, {}, None)
    assert job.downloads[0].output_url == "http://x/o"


@pytest.mark.parametrize(
    ("answer", "code"),
    [
        (envelope(status=402, code="CREDITS_EXHAUSTED"), "CREDITS_EXHAUSTED"),
        (httpx.Response(502, text="<html>"), "NOT_OURS"),
        (httpx.Response(500, json={"error": None}), "NOT_OURS"),
        (httpx.Response(200, text="hello"), "NOT_OURS"),
        (httpx.Response(200, json=[1]), "NOT_OURS"),
    ],
)
def test_refusals_carry_code_message_and_status(answer: httpx.Response, code: str) -> None:
    with pytest.raises(PaletteApiError) as refused:
        Script(answer).client().create_job("interior", 1)
    assert (refused.value.code, refused.value.status) == (code, answer.status_code)
    assert code in str(refused.value)


def test_a_get_is_repeated_after_transport_errors_and_503() -> None:
    lost, busy = httpx.ReadError("lost"), envelope(status=503, code="OVERLOADED", **{"Retry-After": "2"})
    script = Script(lost, busy, lost, envelope({"job": JOB}))
    assert script.client().job("j").job_id == "j_1"
    assert script.slept == [0.2, 2.0, 0.8]


@pytest.mark.parametrize(
    ("last", "raised"),
    [(httpx.ConnectError("no"), httpx.ConnectError), (envelope(status=503, code="OVERLOADED"), PaletteApiError)],
)
def test_after_four_attempts_the_last_outcome_counts(last: httpx.Response | Exception, raised: type[Exception]) -> None:
    script = Script(*[httpx.ConnectError("no")] * 3, last)
    with pytest.raises(raised):
        script.client().me()
    assert len(script.requests) == 4


@pytest.mark.parametrize("outcome", [httpx.ReadError("lost"), envelope(status=503, code="OVERLOADED")])
def test_a_post_is_sent_once(outcome: httpx.Response | Exception) -> None:
    script = Script(outcome)
    with pytest.raises((httpx.ReadError, PaletteApiError)):
        script.client().create_job("interior", 1)
    assert len(script.requests) == 1


def test_waiting_shows_every_look_and_stops_at_the_end() -> None:
    states = ["queued", "running", "done"]
    script = Script(*(envelope({"job": {**JOB, "status": status}}) for status in states))
    seen: list[str] = []
    job = script.client().wait("j", lambda job: seen.append(job.status))
    assert (job.status, seen) == ("done", states)
    assert script.slept == [pytest.approx(0.1), pytest.approx(0.15)]


def test_waiting_gives_up() -> None:
    with pytest.raises(TimeoutError, match="still running"):
        Script(envelope({"job": JOB})).client().wait("j", timeout_s=0)


class Storage(BaseHTTPRequestHandler):
    """A store behind addresses: the first PUT of an object named flaky is answered 503."""

    stored: dict[str, bytes]
    headers_seen: list[dict[str, str]]

    def do_PUT(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.headers_seen.append(dict(self.headers))
        first = self.path not in self.stored
        self.stored[self.path] = body
        self._answer(503 if "flaky" in self.path and first else 403 if "closed" in self.path else 200, b"")

    def do_GET(self) -> None:
        body = self.stored.get(self.path)
        self._answer(404 if body is None else 200, body or b"")

    def _answer(self, status: int, body: bytes) -> None:
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        return None


@pytest.fixture
def store() -> Iterator[str]:
    Storage.stored, Storage.headers_seen = {}, []
    server = ThreadingHTTPServer(("127.0.0.1", 0), Storage)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


def job_of(store: str, *names: str) -> NewJob:
    return NewJob("j", tuple(Upload(idx, f"{store}/{name}", name) for idx, name in enumerate(names)))


def test_files_and_bytes_go_up_whole_without_the_token(store: str, tmp_path: Path) -> None:
    photo = tmp_path / "p.jpg"
    photo.write_bytes(bytes(range(256)) * 4000)
    uploaded: list[int] = []
    with Client(store, "secret", sleep=lambda _: None) as client:
        client.upload(job_of(store, "a", "flaky"), [b"raw", photo], on_uploaded=uploaded.append)
    assert Storage.stored == {"/a": b"raw", "/flaky": photo.read_bytes()}
    assert sorted(uploaded) == [0, 1]
    assert len(Storage.headers_seen) == 3
    for headers in Storage.headers_seen:
        assert headers["Content-Type"] == "application/octet-stream"
        assert "Authorization" not in headers


def test_a_refused_upload_is_raised(store: str) -> None:
    with Client(store) as client, pytest.raises(PaletteApiError) as refused:
        client.upload(job_of(store, "closed"), [b"x"])
    assert refused.value.status == 403


def test_as_many_photos_as_addresses(store: str) -> None:
    with Client(store) as client, pytest.raises(ValueError, match="2 addresses"):
        client.upload(job_of(store, "a", "b"), [b"x"])
    assert Storage.stored == {}


def test_a_download_is_whole_or_not_there(store: str, tmp_path: Path) -> None:
    Storage.stored["/o"] = b"x" * 300_000
    with Client(store, "secret") as client:
        assert client.download(f"{store}/o", tmp_path / "o.png").read_bytes() == Storage.stored["/o"]
        with pytest.raises(PaletteApiError):
            client.download(f"{store}/missing", tmp_path / "m.png")
    assert [path.name for path in tmp_path.iterdir()] == ["o.png"]


def test_waiting_outlasts_a_part_that_is_replaced() -> None:
    away = [httpx.ConnectError("refused")] * 8 + [httpx.Response(404, text="no route"), httpx.Response(500, text="")]
    script = Script(*away, envelope({"job": JOB | {"status": "done"}}))
    assert script.client().wait("j").ended


@pytest.mark.parametrize(
    ("answers", "raised"),
    [
        ([httpx.Response(404, text="no route")] * 31, PaletteApiError),
        ([httpx.ConnectError("refused")] * 124, httpx.ConnectError),
        ([envelope(status=404, code="JOB_NOT_FOUND")], PaletteApiError),
    ],
)
def test_waiting_gives_up_in_the_end_and_at_once_on_a_refusal(answers: list[Any], raised: type[Exception]) -> None:
    script = Script(*answers)
    with pytest.raises(raised):
        script.client().wait("j")
    assert len(script.requests) == len(answers)
