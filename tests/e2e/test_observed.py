"""What an operator sees of a job: its request in every process's log, and its figures in a scrape."""

from __future__ import annotations

import json
import re
import time
from pathlib import Path
from typing import Any

import httpx
import pytest

from actors import metrics

from ._album import RULE, data, finish, product_photo, run_job
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


Scrape = dict[tuple[str, frozenset[tuple[str, str]]], float]
"""(series, our labels) -> value, summed over the processes."""

_OURS = {label for metric in metrics.ALL for label in metric.labels} | {"le"}


def scrape(system: SystemUnderTest) -> Scrape:
    """What Prometheus would read now, from where `prometheus.json` sends it."""
    ((target,),) = (each["targets"] for each in json.loads((system.data_dir / "prometheus.json").read_text()))
    found: Scrape = {}
    for line in httpx.get(f"http://{target}/metrics").text.splitlines():
        if match := re.fullmatch(r"(ray_s3palette_\w+)\{(.*)\} (\S+)", line):
            labels = frozenset(each for each in re.findall(r'(\w+)="([^"]*)"', match[2]) if each[0] in _OURS)
            found[match[1], labels] = found.get((match[1], labels), 0.0) + float(match[3])
    return found


def value(seen: Scrape, series: str, **labels: str) -> float:
    """0 where it was never recorded."""
    return seen.get((f"ray_s3palette_{series}", frozenset(labels.items())), 0.0)


def settled(system: SystemUnderTest) -> Scrape:
    """A scrape that has everything that happened: exports are a second old at most, and two in a row tell the same."""
    seen = scrape(system)
    until = time.monotonic() + 30
    while time.monotonic() < until:
        time.sleep(2.5)
        last, seen = seen, scrape(system)
        if all(seen[key] == last.get(key) for key in seen if key[0].endswith("_total")):
            return seen
    raise AssertionError("the counters do not come to rest")


def test_a_scrape_has_the_figures_of_a_job(classical: SystemUnderTest) -> None:
    before = settled(classical)
    began = time.monotonic()
    with classical.sign_up() as client:
        assert run_job(client, [product_photo(seed) for seed in range(PHOTOS)])["status"] == "done"
        client.get("/nothing/here")
    took = time.monotonic() - began
    after = settled(classical)

    def gained(series: str, **labels: str) -> float:
        return value(after, series, **labels) - value(before, series, **labels)

    for status in ("created", "uploaded", "queued", "running", "done"):
        assert gained("jobs_total", status=status) == 1, status
    assert (gained("photos_total", status="done"), gained("photos_total", status="failed")) == (PHOTOS, 0)
    assert gained("engine_call_seconds_count", status="done") == PHOTOS
    assert gained("requests_total", method="PUT", route="/storage/{key:path}", status="200") == PHOTOS
    assert gained("requests_total", method="POST", route="/jobs/{job_id}/execute", status="202") == 1
    assert gained("requests_total", method="GET", route="other", status="404") == 1
    assert gained("request_seconds_count", method="POST", route="/jobs/{job_id}/execute") == 1
    stages = {stage: gained("engine_stage_seconds_total", stage=stage) for stage in metrics.STAGES}
    assert all(0 < seconds < PHOTOS * took for seconds in stages.values()), stages
    assert gained("log_writes_total") >= 6 + 2 * PHOTOS  # steps of user and job, two a photo
    assert gained("log_write_seconds_count") == gained("log_transaction_writes_count") <= gained("log_writes_total")
    assert value(after, "entities_awake", host="0") >= 2
    for gauge in ("photos_waiting", "photos_at_engine"):
        assert value(after, gauge, host="0") == 0
    assert value(after, "outbox_rows", host="0", kind="tell") == value(after, "outbox_dead_rows") == 0


def test_every_metric_is_there_after_a_job(classical: SystemUnderTest) -> None:
    with classical.sign_up() as client:
        run_job(client, [product_photo(3)])
    needs_a_fault = {metrics.PHOTO_RETRIES}
    expected = {name for metric in metrics.ALL if metric not in needs_a_fault for name in metric.exported}
    until = time.monotonic() + 20
    while missing := expected - {series for series, _ in scrape(classical)}:
        assert time.monotonic() < until, missing
        time.sleep(0.5)


def test_status_says_where_the_metrics_are(classical: SystemUnderTest) -> None:
    ((target,),) = (each["targets"] for each in json.loads((classical.data_dir / "prometheus.json").read_text()))
    facts = json.loads(classical.cli("status", "--json").stdout)
    assert facts["metrics"] == [f"http://{target}/metrics"]
    assert f"http://{target}/metrics" in classical.cli("status").stdout.replace("\n", "")
    assert Path(facts["ray_logs"]).is_dir()
