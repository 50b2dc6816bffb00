"""A whole system with a tiny SAM 3 on the CPU: jobs of two users share a replica, and its death costs a retry."""

from __future__ import annotations

import json
import os
import signal
from pathlib import Path

import httpx
import psutil
import pytest

from ..e2e._album import data, finish, product_photo, start_job
from ..e2e.conftest import start
from ._sam3 import save_tiny

pytestmark = [pytest.mark.e2e, pytest.mark.ray]

RULE = {"concepts": {"Product": {"action": "recolor", "value": "#2E6FB7"}}, "protect": ["Logo", "Gloss"]}
PHOTOS = 5


def kill_replica(pid: int) -> None:
    victims = [
        p for p in psutil.Process(pid).children(recursive=True) if "ServeReplica:engine" in " ".join(p.cmdline())
    ]
    assert victims
    for victim in victims:
        os.kill(victim.pid, signal.SIGKILL)


def test_jobs_of_two_users_survive_the_death_of_the_replica(tmp_path: Path) -> None:
    weights = save_tiny(tmp_path / "weights")
    environment = {"S3P_SAM3_WEIGHTS": str(weights), "S3P_SAM3_GPUS": "0", "S3P_SAM3_THRESHOLD": "0.2"}
    life = start(tmp_path / "data", "sam3", **environment)
    system = next(life)
    try:
        with system.sign_up() as one, system.sign_up() as other:
            jobs = [
                (client, start_job(client, [product_photo(seed, 700) for seed in range(PHOTOS)], RULE))
                for client in (one, other)
            ]
            kill_replica(system.pid)
            for client, job_id in jobs:
                job = finish(client, job_id)
                assert (job["status"], job["done_items"], job["failed_items"]) == ("done", PHOTOS, 0), job
                assert data(client.get("/me"))["spent"] == PHOTOS
                report = json.loads(httpx.get(job["items"][0]["instances_url"]).content)
                assert report["source"] == "sam3"
                assert report["concepts"]["Product"]["status"] == "found"
    finally:
        life.close()
