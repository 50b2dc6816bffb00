"""A system is stopped in the middle of a job and started again; then its Ray dies, and it ends for its supervisor."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

import httpx
import psutil
import pytest

from actors.cluster import running

from ._album import data, finish, product_photo, start_job
from .conftest import SystemUnderTest, start

pytestmark = [pytest.mark.e2e, pytest.mark.ray]

PHOTOS = 6


def happened(system: SystemUnderTest, job_id: str) -> Counter[tuple[str, int]]:
    """How often each (event, photo) is in the job's stream."""
    lines = system.cli("events", "show", f"job-{job_id}", "--json").stdout.splitlines()
    events = [json.loads(line) for line in lines]
    return Counter((each["type"], each["data"]["idx"]) for each in events if "idx" in each["data"])


def refused_while_stopping(client: httpx.Client, stopping: subprocess.Popen[str]) -> httpx.Response:
    """The first answer to new work that is not a job."""
    while stopping.poll() is None:
        answer = client.post("/jobs", json={"preset": "seller", "item_count": 1})
        if answer.status_code != 201:
            return answer
        client.post(f"/jobs/{data(answer)['job_id']}/cancel")
        time.sleep(0.02)
    raise AssertionError("it stopped and never refused new work")


def test_down_ends_what_is_under_way_and_the_next_start_does_the_rest(tmp_path: Path) -> None:
    first_life = start(tmp_path, "classical")
    system = next(first_life)
    client, other = system.sign_up(), system.sign_up()
    job_id = start_job(client, [product_photo(seed, 2400) for seed in range(PHOTOS)])
    while not data(client.get(f"/jobs/{job_id}"))["job"]["done_items"]:
        time.sleep(0.05)
    down = [sys.executable, "-m", "s3palette", "down", "--timeout", "60", "--data-dir", str(tmp_path)]
    with subprocess.Popen(down, text=True, stdout=subprocess.PIPE) as stopping:
        refusal = refused_while_stopping(other, stopping)
        assert (refusal.status_code, refusal.json()["error"]["code"]) == (503, "OVERLOADED")
        assert int(refusal.headers["Retry-After"]) > 0
        assert stopping.wait(120) == 0
    assert running(tmp_path) is None
    before = happened(system, job_id)
    started, ended = ({idx for (name, idx) in before if name == each} for each in ("PhotoStarted", "PhotoDelivered"))
    assert started == ended, "a photo that was under way was not waited for"
    assert 0 < len(ended) < PHOTOS, "there was nothing left to take up"
    first_life.close()

    second_life = start(tmp_path, "classical")
    system = next(second_life)
    try:
        with system.client(client.headers["Authorization"].removeprefix("Bearer ")) as again:
            job = finish(again, job_id)
            assert (job["status"], job["done_items"]) == ("done", PHOTOS), job
            me = data(again.get("/me"))
            assert (me["credits"], me["spent"], me["concurrent_jobs"]) == (10 - PHOTOS, PHOTOS, 0)
        assert set(happened(system, job_id).values()) == {1}, "a photo was done twice"
        assert_it_ends_when_ray_dies(system)
    finally:
        client.close()
        other.close()
        second_life.close()


def assert_it_ends_when_ray_dies(system: SystemUnderTest) -> None:
    up = psutil.Process(system.pid)
    (gcs,) = [child for child in up.children() if "gcs_server" in child.cmdline()[0]]
    gcs.kill()
    assert psutil.wait_procs([up], 60)[0] == [up]
    assert (system.data_dir / "up.log").read_text().splitlines()[-1] == (
        "Ray's gcs_server ended; start the system again, nothing owed is lost."
    )
    assert not (system.data_dir / "run.json").exists()
    status = system.cli("status")
    assert (status.returncode, status.stderr) == (
        1,
        f"Nothing runs on {system.data_dir}; start it with 's3palette up'.\n",
    )
