"""What an operator does to a running system, and finds there: dead letters, whose files those are."""

from __future__ import annotations

import sqlite3
from contextlib import closing

import httpx
import pytest

from .conftest import TLS, SystemUnderTest

pytestmark = [pytest.mark.e2e, pytest.mark.ray]


def test_a_dead_letter_is_delivered_again(external: SystemUnderTest) -> None:
    with external.sign_up() as client:
        job_id = client.post("/jobs", json={"preset": "interior", "item_count": 1}).json()["data"]["job_id"]
        alarm = f"job-{job_id}:alarm"
        with closing(sqlite3.connect(external.data_dir / "log.sqlite3")) as log, log:
            log.execute("UPDATE outbox SET dead_at = due_at, error = 'the test says so' WHERE id = ?", (alarm,))
        assert alarm in external.cli("dead", "list").stdout
        assert external.cli("dead", "retry", alarm).stdout.startswith("1 owed again")
        assert alarm not in external.cli("dead", "list").stdout
        again = external.cli("dead", "retry", alarm)
        assert (again.returncode, again.stderr) == (1, "1 of those ids are not dead.\n")
        client.post(f"/jobs/{job_id}/cancel")


def test_what_users_sent_is_for_the_owner_only(external: SystemUnderTest) -> None:
    with external.sign_up() as client:
        job = client.post("/jobs", json={"preset": "interior", "item_count": 1}).json()["data"]
        assert httpx.put(job["presigned_urls"][0]["url"], content=b"a photo", verify=TLS).status_code == 200
        client.post(f"/jobs/{job['job_id']}/cancel")
    made_before = {external.data_dir, external.data_dir / "up.log"}  # by the fixture
    made = set(external.data_dir.rglob("*")) - made_before
    assert external.data_dir / "objects" / job["presigned_urls"][0]["key"] in made
    assert [str(path) for path in made if path.stat().st_mode & 0o077] == []
