"""The whole circle over real HTTP: a system whose photos are done by `s3palette worker --external` processes."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import httpx
import pytest

from actors.ports import free_port
from s3palette.external.signature import SIGNATURE, TIMESTAMP

from ._album import RULE, data, finish, product_photo, start_job
from .conftest import CALLBACK_SECRET, TLS, SystemUnderTest, start

pytestmark = [pytest.mark.e2e, pytest.mark.ray]

PHOTOS = 6
PHOTO_WITHIN_S = 12
SECRET = "the-secret-that-signs-messages-0123456789"


class Gate:
    """Stands where the provider's load balancer would: keeps the messages, turns some away, passes the others on."""

    def __init__(self) -> None:
        self.behind = ""
        self.turn_away: list[int] = []
        self.messages: list[tuple[dict[str, str], bytes]] = []
        gate = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                gate.messages.append(({name: self.headers[name] for name in (TIMESTAMP, SIGNATURE)}, body))
                status = gate.turn_away.pop(0) if gate.turn_away else gate.pass_on(*gate.messages[-1])
                self.send_response(status)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *_: Any) -> None:
                return None

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_port}/gpu"
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def pass_on(self, headers: dict[str, str], body: bytes) -> int:
        try:
            return httpx.post(self.behind, content=body, headers=headers, verify=TLS).status_code
        except httpx.TransportError:
            return 502

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()


class Worker:
    """`s3palette worker --external` in a process of its own, ready to take work."""

    def __init__(self, folder: Path) -> None:
        port = free_port()
        self.url = f"http://127.0.0.1:{port}"
        environment = {**os.environ, "S3P_CALLBACK_SECRET": CALLBACK_SECRET, "S3P_EXTERNAL_SECRET": SECRET}
        environment |= {"S3P_DATA_DIR": str(folder / "none"), "S3P_ENGINE": "external"}
        command = [sys.executable, "-m", "s3palette", "worker", "--external", "--port", str(port), "--concurrency", "1"]
        self.log = folder / f"worker-{port}.log"
        with self.log.open("w") as out:
            self.process = subprocess.Popen(command, stdout=out, stderr=out, env=environment)
        until = time.monotonic() + 60
        while not self._answers():
            if self.process.poll() is not None or time.monotonic() > until:
                self.kill()
                pytest.fail(f"the worker did not start:\n{self.log.read_text()[-4000:]}")
            time.sleep(0.1)

    def _answers(self) -> bool:
        try:
            return httpx.get(f"{self.url}/health", verify=TLS).status_code == 200
        except httpx.TransportError:
            return False

    def kill(self) -> None:
        self.process.kill()
        self.process.wait(10)


@pytest.fixture(scope="module")
def gate() -> Iterator[Gate]:
    made = Gate()
    yield made
    made.close()


@pytest.fixture(scope="module")
def system(gate: Gate, tmp_path_factory: pytest.TempPathFactory) -> Iterator[SystemUnderTest]:
    yield from start(
        tmp_path_factory.mktemp("outside"),
        "external",
        S3P_EXTERNAL_URL=gate.url,
        S3P_EXTERNAL_SECRET=SECRET,
        S3P_PHOTO_WITHIN_EXTERNAL_S=str(PHOTO_WITHIN_S),
    )


@pytest.fixture
def hire(gate: Gate, tmp_path: Path) -> Iterator[Callable[[], Worker]]:
    """Starts a worker behind the gate; what is left of them is killed after the test."""
    with ExitStack() as stack:

        def hire_() -> Worker:
            worker = Worker(tmp_path)
            stack.callback(worker.kill)
            gate.behind = f"{worker.url}/jobs"
            return worker

        yield hire_


def deliveries(system: SystemUnderTest, job_id: str) -> Counter[int]:
    """How often each photo was delivered, by the event log."""
    shown = system.cli("events", "show", f"job-{job_id}", "--json")
    assert shown.returncode == 0, shown.stderr
    events = [json.loads(line) for line in shown.stdout.splitlines()]
    return Counter(event["data"]["idx"] for event in events if event["type"] == "PhotoDelivered")


def test_a_killed_worker_costs_a_wait_and_nothing_else(
    system: SystemUnderTest, gate: Gate, hire: Callable[[], Worker]
) -> None:
    first = hire()
    with system.sign_up() as client:
        job_id = start_job(client, [product_photo(seed) for seed in range(PHOTOS)])
        until = time.monotonic() + 60
        while not (job := data(client.get(f"/jobs/{job_id}"))["job"])["done_items"]:
            assert time.monotonic() < until, first.log.read_text()[-4000:]
            time.sleep(0.02)
        first.kill()
        assert job["done_items"] < PHOTOS, "the photos are too quick for this test"
        second = hire()
        job = finish(client, job_id)
        assert (job["status"], job["done_items"], job["failed_items"]) == ("done", PHOTOS, 0), job
        me = data(client.get("/me"))
        assert (me["credits"], me["reserved"], me["spent"], me["concurrent_jobs"]) == (10 - PHOTOS, 0, PHOTOS, 0)
        for item, each in zip(job["items"], job["download_urls"], strict=True):
            assert httpx.get(each["output_url"], verify=TLS).content.startswith(b"\x89PNG")
            assert httpx.get(item["masks"]["Product"], verify=TLS).content.startswith(b"\x89PNG")
            told = httpx.get(item["instances_url"], verify=TLS).json()
            assert told["concepts"]["Product"]["status"] == "found"
    assert deliveries(system, job_id) == dict.fromkeys(range(PHOTOS), 1)
    attempts = [json.loads(body)["attempt"] for _, body in gate.messages]
    assert attempts[0] == 1
    assert max(attempts) >= 2, "what the killed worker had was offered again"
    second.process.send_signal(signal.SIGTERM)
    assert second.process.wait(30) == 0
    assert "Stopped" in second.log.read_text()


def test_a_provider_that_is_full_for_a_while(system: SystemUnderTest, gate: Gate, hire: Callable[[], Worker]) -> None:
    worker = hire()
    gate.messages.clear()
    gate.turn_away = [503, 503]
    with system.sign_up() as client:
        job = finish(client, start_job(client, [product_photo(1), b"no photo"]))
        assert (job["status"], job["done_items"], job["failed_items"]) == ("done", 1, 1)
        assert job["items"][1]["error"]
        assert data(client.get("/me"))["credits"] == 9
    assert [json.loads(body)["attempt"] for _, body in gate.messages] == [1, 1, 1]
    headers, body = gate.messages[-1]
    again = httpx.post(f"{worker.url}/jobs", content=body, headers=headers, verify=TLS)
    assert again.status_code == 202, "a repeat is taken"
    forged = httpx.post(f"{worker.url}/jobs", content=body + b" ", headers=headers, verify=TLS)
    assert forged.status_code == 401


def test_the_photo_that_sets_the_colour_is_sent_first(
    system: SystemUnderTest, gate: Gate, hire: Callable[[], Worker]
) -> None:
    hire()
    gate.messages.clear()
    with system.sign_up() as client:
        rule = {**RULE, "references": {"Product": 1}}
        job = finish(client, start_job(client, [product_photo(seed, 300) for seed in range(3)], rule))
    assert (job["status"], job["done_items"]) == ("done", 3)
    red, green, blue = bytes.fromhex(job["concepts"]["Product"]["value"][1:])
    told = [json.loads(body) for _, body in gate.messages]
    assert [[item["idx"] for item in each["items"]] for each in told] == [[1], [0, 2]]
    assert [each["recipe"]["layers"][0]["action"] for each in told] == [
        {"action": "keep"},
        {"action": "recolor", "target": [red, green, blue]},
    ]
    assert red > 2 * blue, "the ball is red"
