"""Every waiting has an end: expiry, missing answers, faults."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from s3palette.domain.job import (
    CreateJob,
    GetJob,
    JobBehaviour,
    JobEnded,
    JobPolicy,
    PhotoFailed,
    PhotoRetried,
    RecordFault,
    RecordResult,
    StartPhoto,
)
from s3palette.domain.model import RunPhoto, Tell, Wake

OUT = "outputs/u_1/j_1/"


def deadline(job: Any) -> Any:
    return job.behaviour.deadline(job.state)


@pytest.mark.parametrize(
    ("state", "after"),
    [
        ("none", None),
        ("created", timedelta(hours=24)),
        ("uploaded", timedelta(days=7)),
        ("queued", None),
        ("running", timedelta(minutes=15)),
        ("done", None),
        ("failed", None),
        ("canceled", None),
    ],
)
def test_the_deadline_of_every_state(job_in, noon, state, after):
    assert deadline(job_in(state)) == (None if after is None else noon + after)


@pytest.mark.parametrize(("state", "after"), [("created", timedelta(hours=24)), ("uploaded", timedelta(days=7))])
def test_a_job_nobody_goes_on_with_expires_with_a_full_refund(job_in, noon, state, after):
    job = job_in(state)
    job.unchanged(Wake(at=noon + after - timedelta(microseconds=1)))
    decision = job.when(Wake(at=noon + after))
    assert decision.events == (JobEnded(at=noon + after, status="canceled", reason="expired", delivered=0, refunded=2),)
    assert isinstance(decision.effects[0], Tell)
    assert job.ask(GetJob())["reason"] == "expired"
    assert deadline(job) is None
    job.unchanged(Wake(at=noon + 2 * after))


def test_a_missing_answer_is_asked_for_again_and_the_third_time_fails_the_photo(job_in, minutes):
    job = job_in("running", photos=1)
    for attempt in (2, 3):
        at = deadline(job)
        job.unchanged(Wake(at=at - timedelta(seconds=1)))
        decision = job.when(Wake(at=at))
        assert isinstance(decision.events[0], PhotoRetried)
        assert decision.effects == (RunPhoto(0, attempt, at),)
        assert (job.state.status, job.state.photos[0].status, deadline(job)) == ("running", "pending", None)
        job.given(StartPhoto(at=at, idx=0, attempt=attempt))
        assert deadline(job) == at + timedelta(minutes=15)
    decision = job.when(Wake(at=deadline(job)))
    assert [type(event) for event in decision.events] == [PhotoFailed, JobEnded]
    assert job.state.status == "failed"
    assert "no answer from the engine in time, 3 times" in job.ask(GetJob())["items"][0]["error"]


def test_only_the_photos_whose_time_is_over_are_asked_for_again(job_in, minutes):
    job = job_in("running", photos=3).given(StartPhoto(at=minutes(5), idx=1, attempt=1))
    decision = job.when(Wake(at=minutes(15)))
    assert decision.effects == (RunPhoto(0, 2, minutes(15)),)
    assert deadline(job) == minutes(20)


def test_an_external_engine_has_an_hour_three_times(job_in, minutes):
    job = job_in("queued", dispatch="external")
    key = f"{OUT}0_result.png"
    job.given(RecordResult(at=minutes(1), idx=0, status="done", output_key=key, idempotency_key="a"))
    for hour in (1, 2):
        assert deadline(job) == minutes(60 * hour)
        assert job.when(Wake(at=minutes(60 * hour))).effects == ()
    decision = job.when(Wake(at=minutes(180)))
    assert [type(event) for event in decision.events] == [PhotoFailed, JobEnded]
    assert (decision.events[1].delivered, decision.events[1].refunded, job.state.status) == (1, 1, "done")


def test_an_external_job_nobody_answers_stays_queued_until_it_fails(job_in, minutes):
    job = job_in("queued", dispatch="external").given(Wake(at=minutes(60)))
    assert job.state.status == "queued"
    job.given(Wake(at=minutes(120)), Wake(at=minutes(180)))
    assert job.state.status == "failed"


def test_an_older_attempts_answer_still_counts(job_in, minutes):
    job = job_in("running", photos=1).given(Wake(at=minutes(15)))
    key = f"{OUT}0_result.png"
    late = RecordResult(at=minutes(16), idx=0, status="done", output_key=key, idempotency_key="a", attempt=1)
    assert job.when(late).reply == {"processed": True}
    assert job.unchanged(StartPhoto(at=minutes(16), idx=0, attempt=2)) == {"start": False}


def test_an_attempt_that_was_never_made_cannot_answer(job_in, minutes):
    result = RecordResult(at=minutes(1), idx=0, status="failed", error="?", idempotency_key="a", attempt=2)
    assert job_in("running").unchanged(result) == {"processed": False}


def test_a_fault_is_retried_three_times_with_backoff_and_then_fails_the_photo(job_in, minutes, noon):
    job = job_in("running", photos=1)
    for attempt, seconds in ((1, 1), (2, 4), (3, 16)):
        decision = job.when(RecordFault(at=noon, idx=0, attempt=attempt, error="worker lost"))
        not_before = noon + timedelta(seconds=seconds)
        assert decision.events == (
            PhotoRetried(
                at=noon, idx=0, attempt=attempt + 1, cause="fault", error="worker lost", not_before=not_before, due=None
            ),
        )
        assert decision.effects == (RunPhoto(0, attempt + 1, not_before),)
        assert decision.reply == {"retried": True}
        job.unchanged(RecordFault(at=noon, idx=0, attempt=attempt, error="worker lost"))
        job.given(StartPhoto(at=not_before, idx=0, attempt=attempt + 1))
    decision = job.when(RecordFault(at=noon, idx=0, attempt=4, error="worker lost"))
    assert [type(event) for event in decision.events] == [PhotoFailed, JobEnded]
    assert decision.reply == {"retried": False}
    assert job.ask(GetJob())["items"][0]["error"] == "worker lost"


@pytest.mark.parametrize(("idx", "attempt"), [(0, 2), (0, 0), (5, 1), (-1, 1)])
def test_a_fault_of_what_is_not_under_way_changes_nothing(job_in, noon, idx, attempt):
    assert job_in("running").unchanged(RecordFault(at=noon, idx=idx, attempt=attempt, error="")) == {"retried": False}


def test_the_error_of_a_retry_is_not_shown_as_a_failure(job_in, noon):
    job = job_in("running").given(RecordFault(at=noon, idx=0, attempt=1, error="worker lost"))
    assert job.ask(GetJob())["items"][0]["error"] is None


def test_a_policy_of_ones_own(noon):
    policy = JobPolicy(upload_within=timedelta(minutes=1))
    behaviour = JobBehaviour(policy)
    create = CreateJob(at=noon, job_id="j_1", user_id="u_1", preset="seller", item_count=1)
    state = behaviour.evolve(None, behaviour.decide(None, create).events[0])
    assert behaviour.deadline(state) == noon + timedelta(minutes=1)
    # What was promised stays, whatever the policy of the next start is.
    assert JobBehaviour().deadline(state) == noon + timedelta(minutes=1)
