"""Photos for an engine outside: offered again while an answer is missing, refused for good, open for results."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from s3palette.domain.errors import JobNotFound
from s3palette.domain.job import (
    CancelJob,
    Execute,
    GetJob,
    GetOffer,
    JobBehaviour,
    JobEnded,
    JobPolicy,
    PhotoFailed,
    RecordResult,
    RefusePhotos,
    ResultOpen,
)
from s3palette.domain.model import OfferPhotos, Tell, Wake

from .conftest import NOON, RULE

EXECUTE = Execute(at=NOON, user_id="u_1", plan="free", concepts=RULE, dispatch="external")


@pytest.fixture
def ready(job_in):
    """A job of three photos that waits for its execution, where offers are made."""
    job = job_in("uploaded", photos=3)
    job.behaviour = JobBehaviour(JobPolicy(offers=True))
    return job


@pytest.fixture
def outside(ready):
    """The same job, executed."""
    return ready.given(EXECUTE)


def result(at, idx, status="done"):
    key = f"outputs/u_1/j_1/{idx}_result.png" if status == "done" else None
    return RecordResult(at=at, idx=idx, status=status, output_key=key, idempotency_key=f"k{idx}")


def test_a_job_is_one_offer(ready):
    assert ready.when(EXECUTE).effects == (OfferPhotos((0, 1, 2), 1),)
    told = ready.ask(GetOffer(idxs=(0, 1, 2), attempt=1))
    assert told["idxs"] == [0, 1, 2]
    assert (told["user_id"], told["preset"], told["concepts"].keys()) == ("u_1", "interior", {"Wall"})
    assert told["protect"] == ready.ask(GetJob())["protect"]
    assert told["refinements"] == {}


def test_what_is_said_of_single_photos_is_offered_with_them(ready):
    photos = {"2": {"lock": {"Wall": [1]}}}
    ready.given(replace(EXECUTE, photos=photos))
    assert ready.ask(GetOffer(idxs=(0, 1, 2), attempt=1))["refinements"] == photos


def test_where_no_offers_are_made_nobody_is_told(job_in):
    assert job_in("uploaded").when(EXECUTE).effects == ()


def test_what_has_no_answer_is_offered_again_with_a_higher_attempt(outside, noon):
    outside.given(result(noon, 1))
    hour = timedelta(hours=1)
    for attempt in (2, 3):
        decision = outside.when(Wake(at=noon + (attempt - 1) * hour))
        assert decision.effects == (OfferPhotos((0, 2), attempt),)
        assert outside.ask(GetOffer(idxs=(0, 1, 2), attempt=attempt))["idxs"] == [0, 2]
        assert outside.ask(GetOffer(idxs=(0, 1, 2), attempt=attempt - 1))["idxs"] == [], "an older offer is over"
    decision = outside.when(Wake(at=noon + 3 * hour))
    assert [type(event) for event in decision.events] == [PhotoFailed, PhotoFailed, JobEnded]
    assert not any(isinstance(effect, OfferPhotos) for effect in decision.effects)


def test_a_refusal_for_good_fails_what_is_still_open_and_refunds_it(outside, noon):
    outside.given(result(noon, 1))
    refusal = RefusePhotos(at=noon, idxs=(0, 1, 2), attempt=1, error="the external engine refused the photo: 422")
    decision = outside.when(refusal)
    assert decision.reply == {"failed": 2}
    assert [type(event) for event in decision.events] == [PhotoFailed, PhotoFailed, JobEnded]
    (settle,) = decision.effects
    assert isinstance(settle, Tell)
    assert (settle.command.delivered, settle.command.refunded) == (1, 2)
    view = outside.ask(GetJob())
    assert [item["status"] for item in view["items"]] == ["failed", "done", "failed"]
    assert view["items"][0]["error"].endswith("422")
    assert outside.unchanged(refusal) == {"failed": 0}


@pytest.mark.parametrize(("idxs", "attempt"), [((0, 1), 2), ((0, 1), 0), ((7, -1), 1), ((), 1)])
def test_a_refusal_of_what_was_not_offered_changes_nothing(outside, noon, idxs, attempt):
    assert outside.unchanged(RefusePhotos(at=noon, idxs=idxs, attempt=attempt, error="?")) == {"failed": 0}


def test_a_job_of_our_own_engine_is_neither_offered_nor_refused(job_in, noon):
    job = job_in("running")
    assert job.ask(GetOffer(idxs=(0, 1), attempt=1))["idxs"] == []
    assert job.unchanged(RefusePhotos(at=noon, idxs=(0, 1), attempt=1, error="?")) == {"failed": 0}
    assert job.ask(ResultOpen(user_id="u_1", idx=0)) is False


def test_results_are_taken_until_the_photo_has_ended(ready, noon):
    def is_open(idx, user_id="u_1"):
        return ready.ask(ResultOpen(user_id=user_id, idx=idx))

    assert not is_open(0), "not executed yet"
    ready.given(EXECUTE)
    assert is_open(0)
    assert not is_open(0, "u_2")
    assert not is_open(3)
    ready.given(result(noon, 0), result(noon, 1, "failed"))
    assert [is_open(idx) for idx in range(3)] == [False, False, True]
    ready.given(CancelJob(at=noon, user_id="u_1"))
    assert not is_open(2)


def test_a_job_that_is_not_there():
    behaviour = JobBehaviour()
    assert behaviour.answer(None, ResultOpen(user_id="u_1", idx=0)) is False
    with pytest.raises(JobNotFound):
        behaviour.answer(None, GetOffer(idxs=(0,), attempt=1))
