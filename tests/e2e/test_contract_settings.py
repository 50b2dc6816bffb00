"""What settings change: deadlines that pass, addresses that expire, limits, origins. One impatient system for all."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from typing import Any

import httpx
import pytest

from ._contract import Album, at_once, credits_and_jobs, data_of, refusal, statuses, unsigned
from .conftest import SystemUnderTest, start

pytestmark = pytest.mark.e2e

SETTINGS = {
    "S3P_UPLOAD_WITHIN_S": "3",
    "S3P_EXECUTE_WITHIN_S": "3",
    "S3P_PHOTO_WITHIN_EXTERNAL_S": "1",
    "S3P_URL_TTL": "2",
    "S3P_MAX_PHOTO_BYTES": "1000",
    "S3P_CORS_ORIGINS": "https://palette.example",
    "S3P_PUBLIC_URL": "https://api.palette.example/v1",
    "S3P_SIGNUP_LIMIT": "5",
    "S3P_CLIENT_ADDRESS_HEADER": "X-Forwarded-For",
    "S3P_TOKEN_TTL_DAYS": "1",
}


@pytest.fixture(scope="module")
def hasty(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SystemUnderTest]:
    """A system for outside workers whose every deadline is a few seconds."""
    yield from start(tmp_path_factory.mktemp("hasty"), "external", **SETTINGS)


@pytest.fixture
def arrive(hasty: SystemUnderTest) -> Iterator[Callable[[str], httpx.Client]]:
    """Signs a new user up from an address."""
    clients = []

    def sign_up(address: str) -> httpx.Client:
        with hasty.client() as anonymous:
            answer = anonymous.post("/auth/anon", headers={"X-Forwarded-For": address})
        clients.append(hasty.client(data_of(answer)["token"]))
        return clients[-1]

    yield sign_up
    for client in clients:
        client.close()


def local(album: Album, system: SystemUnderTest) -> Album:
    """The album with its addresses led around the public name, which leads nowhere here."""
    urls = [{**place, "url": place["url"].replace(SETTINGS["S3P_PUBLIC_URL"], system.url)} for place in album.urls]
    return Album(album.owner, album.id, urls)


def eventually(look: Callable[[], dict[str, Any]], status: str) -> dict[str, Any]:
    until = time.monotonic() + 30
    while (job := look())["status"] != status:
        assert time.monotonic() < until, job
        time.sleep(0.2)
    return job


def test_waiting_has_deadlines(hasty: SystemUnderTest, arrive: Callable[[str], httpx.Client]) -> None:
    """Four users wait at the same time for what never comes; every reservation is released by itself."""
    owners = [arrive(f"10.0.0.{number}") for number in range(4)]
    created, uploaded, silent, half = (local(Album.create(owner, 2), hasty) for owner in owners)
    for album in (uploaded, silent, half):
        album.upload()
        data_of(album.confirm())
    for album in (silent, half):
        data_of(album.execute(), 202)
    data_of(half.report(hasty.callback_secret, 1))

    first_address = created.urls[0]["url"]
    time.sleep(2.1)  # the addresses live two seconds
    refused = unsigned(created.owner, "PUT", first_address, content=b"late")
    refusal(refused, 403, "FORBIDDEN")
    fresh = created.view()["presigned_urls"]
    if fresh:  # the job itself may have come to its end by now
        assert fresh[0]["url"] != first_address

    for album in (created, uploaded):
        job = eventually(album.view, "canceled")
        assert "expired" in str(job), job
        assert credits_and_jobs(album.owner) == (10, 0)
        refusal(album.cancel(), 409, "ALREADY_CANCELED")
        refusal(album.confirm(), 409, "ALREADY_CANCELED", "INVALID_TRANSITION")
        Album.create(album.owner)
    job = eventually(silent.view, "failed")
    assert all(item["error"] for item in job["items"])
    assert credits_and_jobs(silent.owner) == (10, 0)
    assert data_of(silent.report(hasty.callback_secret)) == {"processed": False}
    job = eventually(half.view, "done")
    assert [item["status"] for item in job["items"]] == ["failed", "done"]
    assert credits_and_jobs(half.owner) == (9, 0)


def test_addresses_come_from_the_public_url(arrive: Callable[[str], httpx.Client]) -> None:
    made = data_of(arrive("10.0.1.1").post("/jobs", json={"preset": "ootd", "item_count": 1}), 201)
    for address in (made["confirm_url"], made["presigned_urls"][0]["url"]):
        assert address.startswith(SETTINGS["S3P_PUBLIC_URL"] + "/")


@pytest.mark.parametrize("chunked", [False, True])
@pytest.mark.parametrize(("size", "taken"), [(1, True), (1000, True), (1001, False), (5000, False)])
def test_the_size_of_a_photo(
    hasty: SystemUnderTest, arrive: Callable[[str], httpx.Client], chunked: bool, size: int, taken: bool
) -> None:
    album = local(Album.create(arrive(f"10.1.{chunked:d}.{size % 250}")), hasty)
    answer = album.put(0, iter([b"x" * size]) if chunked else b"x" * size)
    if taken:
        assert answer.is_success
        data_of(album.confirm())
    else:
        refusal(answer, 413, "TOO_LARGE")
        refusal(album.confirm(), 409, "UPLOAD_INCOMPLETE")


def test_sign_ups_of_one_address_are_limited(hasty: SystemUnderTest) -> None:
    with hasty.client() as anonymous:
        header = {"X-Forwarded-For": "198.51.100.7"}
        answers = at_once(12, lambda _: anonymous.post("/auth/anon", headers=header))
        assert statuses(answers) == [200] * 5 + [429] * 7
        for answer in answers:
            if answer.status_code == 429:
                refusal(answer, 429, "RATE_LIMITED")
                assert int(answer.headers["retry-after"]) > 0
        data_of(anonymous.post("/auth/anon", headers={"X-Forwarded-For": "198.51.100.8"}))
        refusal(anonymous.post("/auth/anon", headers={"X-Forwarded-For": "1.2.3.4, 198.51.100.7"}), 429, "RATE_LIMITED")


@pytest.mark.parametrize("origin", ["https://palette.example", "http://localhost:3000"])
def test_a_further_origin_is_allowed(hasty: SystemUnderTest, origin: str) -> None:
    with hasty.client() as anonymous:
        answer = anonymous.get("/health", headers={"Origin": origin})
        assert answer.headers["access-control-allow-origin"] in (origin, "*")
        assert (
            "access-control-allow-origin" not in anonymous.get("/health", headers={"Origin": origin + ".org"}).headers
        )
