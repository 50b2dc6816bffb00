"""Two machines and a bucket: the event log on one, the engine on the other, and a network between it and the bucket
that fails in the middle of a job."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from actors.ports import is_free
from s3palette.client import Client

from .._s3_proxy import BadNetwork, bad_network
from ._album import RULE, data, finish, product_photo, start_job
from ._two_nodes import TwoNodes, two_nodes
from .conftest import SystemUnderTest, start

pytestmark = [pytest.mark.e2e, pytest.mark.ray]


@pytest.fixture(scope="module")
def nodes() -> Iterator[TwoNodes]:
    with two_nodes() as started:
        yield started


@pytest.fixture(scope="module")
def network(s3: Any) -> Iterator[BadNetwork]:
    """Between the system and the bucket; clients have a way of their own."""
    with bad_network(s3.port) as made:
        yield made


@pytest.fixture(scope="module")
def system(
    s3: Any, nodes: TwoNodes, network: BadNetwork, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[SystemUnderTest]:
    bucket = {
        "S3P_STORE": "s3",
        "S3P_S3_ENDPOINT": network.endpoint,
        "S3P_S3_PUBLIC_ENDPOINT": s3.endpoint,
        "S3P_S3_ACCESS_KEY": s3.access_key,
        "S3P_S3_SECRET_KEY": s3.secret_key,
        "S3P_S3_BUCKET": "two-nodes",
    }
    folder = tmp_path_factory.mktemp("two_nodes")
    for started in start(folder, "classical", **bucket, **nodes.environment, S3P_ENGINE_MIN_REPLICAS="0"):
        yield started
    assert is_free(httpx.URL(started.url).port or 0), "what was stopped on a cluster that lives on holds its port"


@pytest.fixture
def user(system: SystemUnderTest, network: BadNetwork) -> Iterator[httpx.Client]:
    with system.sign_up() as client:
        yield client
    network.delay_s, network.busy = 0.0, 0


def engines(nodes: TwoNodes) -> tuple[int, int]:
    """Engine replicas on the head and on the worker."""
    head, worker = (sum("EngineWorker" in title for title in nodes.titles(node)) for node in (nodes.head, nodes.worker))
    return head, worker


def await_first(user: httpx.Client, job_id: str) -> None:
    """Wait until one photo of the job is done, and not all."""
    until = time.monotonic() + 120
    while not (job := data(user.get(f"/jobs/{job_id}"))["job"])["done_items"]:
        assert time.monotonic() < until, job
        time.sleep(0.05)
    assert job["status"] == "running", "the photos are too quick for this test"


def test_an_engine_that_sleeps_is_woken_on_another_machine(system: SystemUnderTest, nodes: TwoNodes) -> None:
    assert engines(nodes) == (0, 0)
    with system.client() as anyone, Client(system.url) as client:
        assert anyone.get("/ready").status_code == 200
        assert "/storage/{key}" not in anyone.get("/openapi.json").json()["paths"]
        album = client.run([product_photo(1)], "seller", RULE["concepts"], masks=True)
    assert album.ok
    assert album.photos[0].output.read()[:4] == b"\x89PNG"
    assert set(album.photos[0].masks) == {"Product"}
    assert engines(nodes) == (0, 1)
    assert not (system.data_dir / "objects").exists()


def test_a_photo_changed_after_its_confirmation_fails_alone(user: httpx.Client) -> None:
    job = data(user.post("/jobs", json={"preset": "seller", "item_count": 2}))
    for idx, target in enumerate(job["presigned_urls"]):
        assert httpx.put(target["url"], content=product_photo(idx)).status_code == 200
    data(user.post(f"/jobs/{job['job_id']}/confirm-upload"))
    # S3 keeps an address open until it expires.
    assert httpx.put(job["presigned_urls"][1]["url"], content=product_photo(7)).status_code == 200
    data(user.post(f"/jobs/{job['job_id']}/execute", json=RULE))
    ended = finish(user, job["job_id"])
    assert [item["status"] for item in ended["items"]] == ["done", "failed"]
    assert "changed after its upload was confirmed" in ended["items"][1]["error"]
    assert data(user.get("/me"))["credits"] == 9


def test_a_store_that_is_down_in_the_middle_of_a_job_loses_nothing(user: httpx.Client, network: BadNetwork) -> None:
    job_id = start_job(user, [product_photo(seed) for seed in range(4)])
    await_first(user, job_id)
    network.down()
    began = time.monotonic()
    assert data(user.get(f"/jobs/{job_id}"))["job"]["download_urls"]
    refused = user.post(f"/jobs/{job_id}/confirm-upload")
    assert (refused.status_code, refused.json()["error"]["code"]) == (503, "OVERLOADED")
    assert int(refused.headers["Retry-After"]) >= 1
    assert user.get("/ready").status_code == 503
    time.sleep(max(0.0, 10 - (time.monotonic() - began)))
    network.up()
    job = finish(user, job_id)
    assert (job["status"], job["done_items"]) == ("done", 4)
    assert data(user.get("/me"))["credits"] == 6


def test_a_store_that_is_slow_and_overloaded_loses_nothing(user: httpx.Client, network: BadNetwork) -> None:
    before, network.delay_s = network.refused, 0.3
    job_id = start_job(user, [product_photo(seed) for seed in range(3)])
    await_first(user, job_id)
    network.busy = 8
    job = finish(user, job_id)
    assert (job["status"], job["done_items"], network.refused - before) == ("done", 3, 8)
    assert data(user.get("/me"))["credits"] == 7
