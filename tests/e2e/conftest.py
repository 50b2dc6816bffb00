"""Whole systems, started as their users start them: `s3palette up` in a process of its own, once a session."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest

from actors.cluster import running
from actors.ports import free_port

STARTS_WITHIN_S = 180
TLS = httpx.create_ssl_context()  # made once: every client would spend 25 ms on one of its own
CALLBACK_SECRET = "the-secret-of-outside-workers-0123456789"
JWT_SECRET = "the-secret-that-signs-tokens-0123456789ab"


@dataclass(frozen=True)
class SystemUnderTest:
    url: str
    data_dir: Path
    pid: int
    callback_secret: str = CALLBACK_SECRET
    jwt_secret: str = JWT_SECRET

    def client(self, token: str | None = None) -> httpx.Client:
        """An HTTP client; with a token it is a signed-up user's."""
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        return httpx.Client(base_url=self.url, headers=headers, timeout=30, verify=TLS)

    def sign_up(self) -> httpx.Client:
        """The client of a new user on the free plan."""
        with self.client() as anonymous:
            return self.client(anonymous.post("/auth/anon").json()["data"]["token"])

    def cli(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """`s3palette ARGUMENTS --data-dir ...`, as an operator runs it."""
        command = [sys.executable, "-m", "s3palette", *arguments, "--data-dir", str(self.data_dir)]
        return subprocess.run(command, capture_output=True, text=True, timeout=60)


def start(data_dir: Path, engine: str, **environment: str) -> Iterator[SystemUnderTest]:
    """Run a system until the generator ends; its output is in `data_dir/up.log`."""
    data_dir.mkdir(parents=True, exist_ok=True)
    secrets = {"S3P_CALLBACK_SECRET": CALLBACK_SECRET, "S3P_JWT_SECRET": JWT_SECRET}
    command = [sys.executable, "-m", "s3palette", "up", "--port", str(free_port())]
    command += ["--data-dir", str(data_dir), "--engine", engine]
    log = data_dir / "up.log"
    with log.open("w") as out:
        process = subprocess.Popen(command, stdout=out, stderr=out, env={**os.environ, **secrets, **environment})
    try:
        until = time.monotonic() + STARTS_WITHIN_S
        while (told := running(data_dir)) is None or told.pid != process.pid:
            if process.poll() is not None or time.monotonic() > until:
                pytest.fail(f"the system did not start:\n{log.read_text()[-4000:]}")
            time.sleep(0.1)
        yield SystemUnderTest(told.url, data_dir, process.pid)
    finally:
        process.terminate()
        try:
            process.wait(60)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait(10)


@pytest.fixture(scope="session")
def classical(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SystemUnderTest]:
    """The whole system with its own engine; its logs are JSON, its metrics a second old."""
    seen = {"S3P_LOG_FORMAT": "json", "RAY_metrics_report_interval_ms": "1000"}
    yield from start(tmp_path_factory.mktemp("classical"), "classical", **seen)


@pytest.fixture(scope="session")
def external(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SystemUnderTest]:
    """The whole system whose photos are done by workers outside: results come by callback."""
    yield from start(tmp_path_factory.mktemp("external"), "external")


@pytest.fixture
def newcomer(external: SystemUnderTest) -> Iterator[Callable[[], httpx.Client]]:
    """Signs a new free user up at each call; their clients are closed after the test."""
    with ExitStack() as clients:
        yield lambda: clients.enter_context(external.sign_up())


@pytest.fixture
def user(newcomer: Callable[[], httpx.Client]) -> httpx.Client:
    """A new user of the external system, on the free plan."""
    return newcomer()


@pytest.fixture
def anyone(external: SystemUnderTest) -> Iterator[httpx.Client]:
    """A client of the external system without a token."""
    with external.client() as client:
        yield client


@pytest.fixture(scope="session")
def pro(external: SystemUnderTest) -> Iterator[httpx.Client]:
    """A user of the external system on the pro plan; every test leaves them without jobs and rules."""
    with external.sign_up() as client:
        user_id = client.get("/me").json()["data"]["user_id"]
        moved = external.cli("user", "set-plan", user_id, "pro")
        assert moved.returncode == 0, moved.stderr
        yield client
