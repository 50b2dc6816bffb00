"""What an operator sees of a job: its request in every process's log."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from ._album import RULE, data, finish, product_photo
from .conftest import SystemUnderTest

pytestmark = [pytest.mark.e2e, pytest.mark.ray]

PHOTOS = 2


def lines(system: SystemUnderTest) -> list[dict[str, Any]]:
    """Every line of every process, by time; a line that is not JSON fails the test."""
    files = sorted((system.data_dir / "logs").glob("*.log"))
    return sorted((json.loads(line) for file in files for line in file.read_text().splitlines()), key=when)


def when(line: dict[str, Any]) -> str:
    time: str = line["time"]
    return time


def test_a_request_is_followed_from_its_answer_to_the_last_photo(classical: SystemUnderTest) -> None:
    with classical.sign_up() as client:
        job = data(client.post("/jobs", json={"preset": "seller", "item_count": PHOTOS}))
        for seed, target in enumerate(job["presigned_urls"]):
            data(client.put(target["url"], content=product_photo(seed), headers={"Authorization": ""}))
        data(client.post(f"/jobs/{job['job_id']}/confirm-upload"))
        execute = client.post(f"/jobs/{job['job_id']}/execute", json=RULE, headers={"X-Request-Id": "follow-me"})
        assert execute.json()["meta"]["request_id"] == "follow-me"
        ended = finish(client, job["job_id"])
        user = data(client.get("/me"))["user_id"]
        secrets = [client.headers["Authorization"].removeprefix("Bearer "), ended["download_urls"][0]["output_url"]]

    about = [line for line in lines(classical) if line.get("request_id") == "follow-me"]
    assert {line["process"] for line in about} == {"edge-0", "host-0", "engine-0"}
    assert {line["user"] for line in about} == {user}
    (edge,) = (line for line in about if line["process"] == "edge-0")
    assert edge["message"].startswith(f"POST /jobs/{job['job_id']}/execute 202 in ")
    of_job = [line for line in about if line.get("stream") == f"job-{job['job_id']}"]
    assert [line["version"] for line in of_job] == [3, 4, 5, 6, 8]
    assert sorted(line["message"] for line in of_job) == [
        "JobQueued", "PhotoDelivered", "PhotoDelivered, JobEnded", "PhotoStarted", "PhotoStarted",
    ]  # fmt: skip
    engine = [line for line in about if line["process"] == "engine-0"]
    assert {(line["photo"], line["attempt"], line["job"]) for line in engine} == {
        (idx, 1, job["job_id"]) for idx in range(PHOTOS)
    }
    assert all(re.fullmatch(r"done: download \d+ ms, decode .*, upload \d+ ms", line["message"]) for line in engine)

    written = everything(classical.data_dir / "logs") + (classical.data_dir / "up.log").read_text()
    kept = [path.read_text() for path in (classical.data_dir / "secrets").iterdir()]
    for secret in (*secrets, *kept, classical.jwt_secret, classical.callback_secret, "sig=", "eyJ"):
        assert secret.strip() not in written


def everything(folder: Path) -> str:
    return "".join(path.read_text() for path in sorted(folder.iterdir()))
