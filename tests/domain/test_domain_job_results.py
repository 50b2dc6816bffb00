"""What a job makes of the answers for its photos."""

from __future__ import annotations

from typing import Any

import pytest

from s3palette.domain.errors import ValidationFailed
from s3palette.domain.job import GetJob, JobEnded, PhotoDelivered, PhotoFailed
from s3palette.domain.model import Address, Tell
from s3palette.domain.user import SettleJob

from .conftest import OUT, done, failed


def test_a_delivered_photo_keeps_its_keys_and_warnings(job_in, noon):
    masks = {"Wall": "masks/u_1/j_1/0_Wall.png"}
    result = done(
        noon,
        preview_key="previews/u_1/j_1/0_thumb.jpg",
        mask_keys=masks,
        instances_key="masks/u_1/j_1/0_instances.json",
        warnings=["Window is not in this photo.", "x" * 600],
        timings_ms={"decode": 20.5},
        attempt=1,
    )
    job = job_in("running")
    event = job.when(result).events[0]
    assert isinstance(event, PhotoDelivered)
    assert event.timings_ms == {"decode": 20.5}
    assert job.ask(GetJob())["items"][0] == {
        "idx": 0,
        "status": "done",
        "error": None,
        "warnings": ["Window is not in this photo.", "x" * 500],
        "mask_keys": masks,
        "instances_key": "masks/u_1/j_1/0_instances.json",
        "output_key": f"{OUT}0_result.png",
        "preview_key": "previews/u_1/j_1/0_thumb.jpg",
    }


def test_the_first_answer_makes_an_external_job_running(job_in, noon):
    job = job_in("queued", dispatch="external").given(done(noon))
    assert job.state.status == "running"


@pytest.mark.parametrize(
    ("first", "second", "status", "delivered"),
    [(done, done, "done", 2), (done, failed, "done", 1), (failed, done, "done", 1), (failed, failed, "failed", 0)],
)
def test_the_last_photo_ends_the_job_and_has_it_settled(job_in, noon, first, second, status, delivered):
    job = job_in("running").given(first(noon, 0, "a"))
    decision = job.when(second(noon, 1, "b"))
    figures: dict[str, Any] = {"status": status, "delivered": delivered, "refunded": 2 - delivered}
    assert decision.events[1:] == (JobEnded(at=noon, reason=None, **figures),)
    assert decision.effects == (
        Tell(Address("user", "u_1"), SettleJob(at=noon, job_id="j_1", **figures), await_first=True),
    )
    assert decision.reply == {"processed": True}


def test_a_timing_that_is_no_number_is_dropped(job_in, noon):
    job = job_in("running")
    result = done(noon, timings_ms={"decode": 20.5, "encode": float("inf"), "apply": float("nan")})
    event = job.behaviour.decide(job.state, result).events[0]
    assert event.timings_ms == {"decode": 20.5}


def test_a_second_answer_for_a_photo_is_not_processed(job_in, noon):
    job = job_in("running").given(done(noon, 0, "a"))
    assert job.unchanged(failed(noon, 0, "b")) == {"processed": False}
    assert job.unchanged(done(noon, 0, "a")) == {"processed": False}
    assert job.unchanged(done(noon, 1, "a")) == {"processed": False}
    assert job.when(done(noon, 1, "c")).reply == {"processed": True}


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"idx": 2}, "idx"),
        ({"idx": -1}, "idx"),
        ({"output_key": None}, "output_key"),
        ({"output_key": ""}, "output_key"),
        ({"output_key": "outputs/u_1/j_2/0_result.png"}, "output_key"),
        ({"output_key": "outputs/u_2/j_1/0_result.png"}, "output_key"),
        ({"output_key": "inputs/u_1/j_1/0.jpg"}, "output_key"),
        ({"output_key": f"{OUT}../j_2/0_result.png"}, "output_key"),
        ({"output_key": f"{OUT}./0.png"}, "output_key"),
        ({"output_key": f"/{OUT}0_result.png"}, "output_key"),
        ({"output_key": OUT}, "output_key"),
        ({"output_key": f"{OUT}a\\b.png"}, "output_key"),
        ({"output_key": f"{OUT}a\x00.png"}, "output_key"),
        ({"preview_key": f"{OUT}0_thumb.jpg"}, "preview_key"),
        ({"mask_keys": {"Wall": "masks/u_2/j_1/0_Wall.png"}}, "mask_keys"),
        ({"instances_key": "masks/u_1/j_1/"}, "instances_key"),
        ({"idempotency_key": ""}, "idempotency_key"),
        ({"idempotency_key": "k" * 257}, "idempotency_key"),
        ({"idempotency_key": "k\ud800"}, "idempotency_key"),
    ],
)
@pytest.mark.parametrize("state", ["uploaded", "running", "done"])
def test_answers_that_do_not_fit_are_refused_whatever_the_state(job_in, noon, state, changes, field):
    job_in(state).refused(done(noon, **changes), ValidationFailed, f"^{field}: ")


def test_a_failed_photo_says_why(job_in, noon):
    job = job_in("running").given(
        failed(noon, 0, "a"), done(noon, 1, "b", status="failed", output_key=None, error=None)
    )
    assert [item["error"] for item in job.ask(GetJob())["items"]] == ["not an image", "the engine gave no reason"]
    assert isinstance(job.history[-2], PhotoFailed)
