"""Offers on their way to an engine outside: a real server on this machine takes, postpones, refuses and vanishes."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Iterator
from datetime import timedelta
from email.utils import format_datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from actors.entity_host import EntityHost
from actors.external_dispatch import ExternalDispatch
from event_store import MemoryEventStore
from s3palette.domain.job import CancelJob, ConfirmUpload, Execute, GetJob, JobPolicy, RecordResult
from s3palette.domain.model import Address
from s3palette.domain.user import GetUser, ReserveJob, SignUp
from s3palette.external import JobMessage, verify
from s3palette.settings import load_settings

from .conftest import HostMaker, now, until

USER, JOB = Address("user", "u_1"), Address("job", "j_1")
RULE = {"Wall": {"action": "recolor", "value": "offwhite_b"}}
SECRETS = {"callback_secret": "c" * 40, "storage_secret": "s" * 40}

Answer = tuple[int, dict[str, str]]


class Provider:
    """An engine outside: keeps what it is sent, answers what it was told to, then 202."""

    def __init__(self, port: int = 0) -> None:
        self.answers: list[Answer] = []
        self.got: list[tuple[dict[str, str], bytes]] = []
        provider = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                provider.got.append((dict(self.headers), body))
                status, headers = provider.answers.pop(0) if provider.answers else (202, {})
                self.send_response(status)
                for name, value in headers.items():
                    self.send_header(name, value)
                if "Content-Length" not in headers:
                    self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *_: Any) -> None:
                return None

        self._server = ThreadingHTTPServer(("127.0.0.1", port), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_port}/jobs?key=k"
        threading.Thread(target=self._server.serve_forever, args=(0.01,), daemon=True).start()

    def messages(self) -> list[JobMessage]:
        return [JobMessage.load(body) for _, body in self.got]

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()


@pytest.fixture
def provider() -> Iterator[Provider]:
    made = Provider()
    yield made
    made.close()


@pytest.fixture
async def open_host(make_host: HostMaker, log: MemoryEventStore, tmp_path: Path) -> Any:
    """Opens a host that brings photos to `url`."""
    opened: list[ExternalDispatch] = []

    async def begin(url: str, policy: JobPolicy | None = None, **given: Any) -> EntityHost:
        late: dict[str, Any] = {}

        async def ask(*args: Any, **options: Any) -> Any:
            return await late["host"].ask(*args, **options)

        settings = load_settings(data_dir=tmp_path, engine="external", external_url=url, **{**SECRETS, **given})
        dispatch = ExternalDispatch(settings, ask, log, now=now)
        opened.append(dispatch)
        host = late["host"] = await make_host(policy or JobPolicy(offers=True), send_offer=dispatch.send)
        return host

    yield begin
    for dispatch in opened:
        await dispatch.close()


@pytest.fixture
def start(open_host: Any) -> Any:
    """Opens a host that brings photos to `url`, and executes a job of `count` photos on it."""

    async def begin(url: str, count: int = 3, policy: JobPolicy | None = None, **given: Any) -> EntityHost:
        host: EntityHost = await open_host(url, policy, **given)
        await host.ask(USER, SignUp(at=now(), user_id="u_1", device_key=None))
        await host.ask(USER, ReserveJob(at=now(), job_id="j_1", preset="interior", item_count=count))
        await host.ask(JOB, ConfirmUpload(at=now(), user_id="u_1", sizes=dict.fromkeys(range(count), 1)))
        execute = Execute(at=now(), user_id="u_1", plan="free", concepts=RULE, dispatch="external")
        await host.ask(JOB, execute, correlation="request-7")
        return host

    return begin


def settled(log: MemoryEventStore) -> Callable[[], Any]:
    """True once no offer is owed any more."""

    async def look() -> bool:
        return not [row for row in await log.owed() if row.kind == "offer"]

    return look


async def offer_row(log: MemoryEventStore, attempts: int) -> Any:
    """The offer's row once it was tried so many times."""

    async def tried() -> Any:
        rows = [row for row in await log.owed() if row.kind == "offer" and row.attempts == attempts]
        return rows[0] if rows else None

    return await until(tried)


async def ended(host: EntityHost) -> Any:
    async def final() -> Any:
        job = await host.ask(JOB, GetJob(user_id="u_1"))
        return job if job["status"] in ("done", "failed", "canceled") else None

    return await until(final)


async def test_a_job_is_one_signed_message(start: Any, provider: Provider, log: MemoryEventStore) -> None:
    await start(provider.url, external_secret="e" * 40, public_url="https://api.example.com", external_concurrency=7)
    await until(settled(log))
    ((headers, body),) = provider.got
    verify("e" * 40, headers, body, now().timestamp())
    assert (headers["Content-Type"], headers["X-Request-Id"]) == ("application/json", "request-7")
    (message,) = provider.messages()
    assert (message.job, message.user, message.preset, message.attempt) == ("j_1", "u_1", "interior", 1)
    assert (message.concurrency, [item.idx for item in message.items]) == (7, [0, 1, 2])
    assert message.callback_url == "https://api.example.com/jobs/j_1/callback"
    assert message.items[0].output.url.startswith("https://api.example.com/storage/outputs/u_1/j_1/0_result.png?op=put")


async def test_without_a_secret_of_its_own_the_callback_secret_signs(start: Any, provider: Provider) -> None:
    await start(provider.url, http_port=8123)

    async def received() -> bool:
        return bool(provider.got)

    await until(received)
    verify(SECRETS["callback_secret"], *provider.got[0], now().timestamp())
    assert provider.messages()[0].callback_url == "http://127.0.0.1:8123/jobs/j_1/callback"


async def test_addresses_live_as_long_as_a_photo_may_be_away(start: Any, provider: Provider) -> None:
    await start(provider.url, photo_within_external_s=7200, url_ttl=3600)

    async def received() -> bool:
        return bool(provider.got)

    await until(received)
    (message,) = provider.messages()
    expires = int(message.items[0].output.url.partition("expires=")[2].partition("&")[0])
    assert 7190 < expires - now().timestamp() <= 7200


@pytest.mark.parametrize("status", [500, 502, 503, 401, 403, 429, 408, 307])
async def test_a_provider_that_cannot_take_it_now_is_asked_again(
    start: Any, provider: Provider, log: MemoryEventStore, status: int
) -> None:
    provider.answers = [(status, {}), (status, {})]
    host = await start(provider.url)
    await until(settled(log))
    assert [message.attempt for message in provider.messages()] == [1, 1, 1]
    assert (await host.ask(JOB, GetJob(user_id="u_1")))["status"] == "queued"


async def test_only_the_head_of_an_answer_counts(start: Any, provider: Provider, log: MemoryEventStore) -> None:
    provider.answers = [(202, {"Content-Length": "1000000000"})]  # of which nothing comes
    await start(provider.url)
    await until(settled(log))
    assert len(provider.got) == 1


@pytest.mark.parametrize(
    ("header", "least", "most"),
    [("120", 119, 120), ("0", 0, 1), ("999999", 3599, 3600), ("in a while", 0, 0.2), ("date", 298, 300)],
)
async def test_a_provider_says_when_to_come_again(
    start: Any, provider: Provider, log: MemoryEventStore, header: str, least: float, most: float
) -> None:
    if header == "date":
        header = format_datetime(now() + timedelta(seconds=300), usegmt=True)
    provider.answers = [(503, {"Retry-After": header})]
    await start(provider.url)
    row = await offer_row(log, attempts=1)
    assert least < row.due_at - now().timestamp() <= most


async def test_a_provider_that_is_not_there_is_asked_again(start: Any, log: MemoryEventStore) -> None:
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        port = held.getsockname()[1]
    await start(f"http://127.0.0.1:{port}/jobs?key=k")
    row = await offer_row(log, attempts=1)
    assert "ConnectError" in row.error
    back = Provider(port)
    try:
        await until(settled(log))
        assert len(back.messages()) == 1
    finally:
        back.close()


@pytest.mark.parametrize("status", [400, 404, 413, 422])
async def test_a_refusal_for_good_fails_the_photos_and_refunds_them(
    start: Any, provider: Provider, log: MemoryEventStore, status: int
) -> None:
    provider.answers = [(status, {})]
    host = await start(provider.url)
    job = await ended(host)
    assert job["status"] == "failed"
    assert {item["error"].split(":")[0] for item in job["items"]} == {"the external engine refused the photo"}
    assert str(status) in job["items"][0]["error"]
    me = await host.ask(USER, GetUser())
    assert (me["credits"], me["reserved"], me["spent"], me["concurrent_jobs"]) == (10, 0, 0, 0)
    await until(settled(log))
    assert len(provider.got) == 1


async def test_what_has_no_answer_is_sent_again_with_fresh_addresses(start: Any, provider: Provider) -> None:
    host = await start(
        provider.url, policy=JobPolicy(offers=True, photo_within_external=timedelta(seconds=0.4)), count=2
    )
    key = "outputs/u_1/j_1/0_result.png"
    await host.ask(JOB, RecordResult(at=now(), idx=0, status="done", output_key=key, idempotency_key="a"))
    job = await ended(host)
    assert (job["status"], job["done_items"], job["failed_items"]) == ("done", 1, 1)
    sent = provider.messages()
    assert [message.attempt for message in sent] == [1, 2, 3]
    assert [[item.idx for item in message.items] for message in sent[1:]] == [[1], [1]]
    assert len({message.idempotency_key(1) for message in sent}) == 3


async def test_a_canceled_job_is_not_sent(start: Any, provider: Provider, log: MemoryEventStore) -> None:
    provider.answers = [(503, {"Retry-After": "1"})]
    host = await start(provider.url)
    await offer_row(log, attempts=1)
    await host.ask(JOB, CancelJob(at=now(), user_id="u_1"))
    await until(settled(log))
    assert len(provider.got) == 1


async def test_the_next_life_sends_what_was_owed(
    start: Any, open_host: Any, provider: Provider, log: MemoryEventStore
) -> None:
    provider.answers = [(503, {"Retry-After": "1"})]
    first = await start(provider.url)
    await offer_row(log, attempts=1)
    await first.close(0)
    await open_host(provider.url)
    await until(settled(log))
    assert [message.attempt for message in provider.messages()] == [1, 1]


async def test_an_offer_without_an_address_is_kept_for_the_operator(
    start: Any, make_host: HostMaker, provider: Provider, log: MemoryEventStore
) -> None:
    """The address was taken out of the settings while an offer was owed."""
    provider.answers = [(503, {"Retry-After": "1"})]
    first = await start(provider.url)
    await offer_row(log, attempts=1)
    await first.close(0)
    await make_host()

    async def dead() -> Any:
        return await log.dead()

    (row,) = await until(dead)
    assert "no engine outside" in row.error
