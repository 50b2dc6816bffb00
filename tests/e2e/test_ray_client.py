"""A program of its own talks to the actors through Ray."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

from ._album import data
from .conftest import SystemUnderTest

pytestmark = [pytest.mark.e2e, pytest.mark.ray]

PROGRAM = """
import json, sys, ray
from s3palette.client.ray import connect, job_coordinator, user_limiter
from s3palette.domain.errors import TokenInvalid
connect(sys.argv[1])
ref = user_limiter(sys.argv[2]).state.remote()
assert isinstance(ref, ray.ObjectRef)
try:
    ray.get(user_limiter("u_nobody").state.remote())
except TokenInvalid as error:
    refused = error.code
job = ray.get(job_coordinator(sys.argv[3]).state.remote())
print(json.dumps([ray.get(ref), refused, job["status"]]))
"""

RECORDED = """
import sys, time, ray
from s3palette.client.ray import connect, user_limiter
connect(sys.argv[1])
ray.get([user_limiter(sys.argv[2]).state.remote() for _ in range(20)])
time.sleep(float(sys.argv[3]))  # Ray's own default is to report each second
print(len(ray._private.state.state._get_all_task_events()))
"""


def test_a_second_process_gets_the_state_of_a_user_and_a_job(external: SystemUnderTest) -> None:
    with external.sign_up() as client:
        me = data(client.get("/me"))
        job_id = data(client.post("/jobs", json={"preset": "interior", "item_count": 4}))["job_id"]
        command = [sys.executable, "-c", PROGRAM, str(external.data_dir), me["user_id"], job_id]
        told = subprocess.run(command, capture_output=True, text=True, timeout=60)
        assert told.returncode == 0, told.stderr
        state, refused, status = json.loads(told.stdout.strip().splitlines()[-1])
    assert (state["user_id"], state["credits"], state["concurrent_jobs"]) == (me["user_id"], 6, 1)
    assert (refused, status) == ("TOKEN_INVALID", "created")


def test_ray_keeps_no_record_of_calls(external: SystemUnderTest) -> None:
    """Its control process would grow by them for hours, and nobody reads them."""
    with external.sign_up() as client:
        user_id = data(client.get("/me"))["user_id"]
    command = [sys.executable, "-c", RECORDED, str(external.data_dir), user_id, "1.5"]
    told = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert told.stdout.strip() == "0", told.stderr


def test_an_operator_changes_a_plan_and_grants_credits(external: SystemUnderTest) -> None:
    with external.sign_up() as client:
        user_id = data(client.get("/me"))["user_id"]
        told = external.cli("user", "set-plan", user_id, "pro")
        assert told.stdout == f"{user_id} is on plan pro.\n", told.stderr
        assert external.cli("user", "grant", user_id, "7", "--reason", "a gift").returncode == 0
        me = data(client.get("/me"))
        assert (me["plan"], me["credits"], me["max_concurrent_jobs"], me["max_rule_slots"]) == ("pro", 207, 3, 20)
        wrong = external.cli("user", "set-plan", user_id, "gold")
        assert wrong.returncode == 2  # of a command line that cannot be understood
        assert "gold" in wrong.stderr
        assert "Traceback" not in wrong.stderr


def test_an_operator_is_told_what_runs(external: SystemUnderTest) -> None:
    told = external.cli("status")
    assert told.returncode == 0, told.stderr
    assert external.url in told.stdout
    again = external.cli("up", "--port", external.url.rpartition(":")[2])
    assert again.returncode == 1
    assert "already runs" in again.stderr
    assert len(again.stderr.strip().splitlines()) == 1
