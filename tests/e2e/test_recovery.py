"""Parts of the system are killed with SIGKILL in the middle of a job: it ends all the same, and no credit is lost."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import psutil
import pytest

from ._album import data, finish, product_photo, start_job
from .conftest import SystemUnderTest, start

pytestmark = [pytest.mark.e2e, pytest.mark.ray]

PHOTOS = 6


def processes(system: SystemUnderTest, title: str) -> list[psutil.Process]:
    """Processes of the system whose command line begins with `title`."""
    found = []
    for process in psutil.Process(system.pid).children(recursive=True):
        try:
            if " ".join(process.cmdline()).startswith(title):
                found.append(process)
        except psutil.NoSuchProcess:
            continue
    return found


def kill(system: SystemUnderTest, title: str) -> None:
    victims = processes(system, title)
    assert victims, f"no process {title} to kill"
    for victim in victims:
        victim.send_signal(signal.SIGKILL)


def wait_until(condition: Callable[[], Any], seconds: float = 60) -> Any:
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        if answer := condition():
            return answer
        time.sleep(0.02)
    raise AssertionError("it did not happen in time")


def one_is_done(client: httpx.Client, job_id: str) -> bool:
    job = data(client.get(f"/jobs/{job_id}"))["job"]
    assert job["status"] in ("queued", "running"), "the photos are too quick for this test"
    return bool(job["done_items"])


def assert_all_well(client: httpx.Client, job: Any) -> None:
    assert (job["status"], job["done_items"], job["failed_items"]) == ("done", PHOTOS, 0), job
    me = data(client.get("/me"))
    assert (me["credits"], me["reserved"], me["spent"], me["concurrent_jobs"]) == (10 - PHOTOS, 0, PHOTOS, 0)
    for each in job["download_urls"]:
        assert httpx.get(each["output_url"]).content.startswith(b"\x89PNG")


@pytest.mark.parametrize("victim", ["ray::HostActor", "ray::ServeReplica:engine", "ray::ServeReplica:api"])
def test_a_killed_part_comes_back_and_the_job_ends(classical: SystemUnderTest, victim: str) -> None:
    with classical.sign_up() as client:
        job_id = start_job(client, [product_photo(seed) for seed in range(PHOTOS)])
        wait_until(lambda: one_is_done(client, job_id))
        kill(classical, victim)
        assert_all_well(client, finish(client, job_id))


@pytest.mark.parametrize("victim", ["ray::HostActor", "ray::ServeReplica:engine"])
def test_a_part_that_is_killed_while_the_others_wait_for_a_colour(classical: SystemUnderTest, victim: str) -> None:
    rule = {"references": {"Product": PHOTOS - 1}, "protect": []}
    with classical.sign_up() as client:
        job_id = start_job(client, [product_photo(seed, 1600) for seed in range(PHOTOS)], rule)
        job = wait_until(
            lambda: job if (job := data(client.get(f"/jobs/{job_id}"))["job"])["status"] != "queued" else 0
        )
        assert job["done_items"] == 0, "the photos are too quick for this test"
        kill(classical, victim)
        job = finish(client, job_id)
        assert_all_well(client, job)
        assert job["concepts"]["Product"]["value"].startswith("#")


def test_the_whole_machine_goes_down_and_the_next_start_ends_the_job(tmp_path: Path) -> None:
    first_life = start(tmp_path, "classical")
    system = next(first_life)
    client = system.sign_up()
    job_id = start_job(client, [product_photo(seed) for seed in range(PHOTOS)])
    wait_until(lambda: one_is_done(client, job_id))
    everything = [*psutil.Process(system.pid).children(recursive=True), psutil.Process(system.pid)]
    for process in everything:
        if process.is_running():
            os.kill(process.pid, signal.SIGKILL)
    psutil.wait_procs(everything, 10)
    first_life.close()

    second_life = start(tmp_path, "classical")
    system = next(second_life)
    try:
        with system.client(client.headers["Authorization"].removeprefix("Bearer ")) as again:
            assert_all_well(again, finish(again, job_id))
    finally:
        client.close()
        second_life.close()
