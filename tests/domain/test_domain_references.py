"""A photo that sets colours: what can be asked for, that it goes first, and what becomes of the others."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from s3palette.domain.errors import InvalidTransition, RuleNotFound, ValidationFailed
from s3palette.domain.job import (
    CancelJob,
    Execute,
    GetJob,
    GetOffer,
    JobBehaviour,
    JobEnded,
    JobPolicy,
    PhotoDelivered,
    PhotoFailed,
    PhotoRetried,
    RecordFault,
    RecordResult,
    ReferenceMeasured,
    RefusePhotos,
    ResultOpen,
    StartPhoto,
)
from s3palette.domain.model import OfferPhotos, RunPhoto, Tell, Wake

from .conftest import NOON

WALL = {"Wall": {"action": "recolor", "value": "#F4F1EA"}}
GREEN = {"Wall": "#8fa78f"}
EXECUTE = Execute(at=NOON, user_id="u_1", plan="free", concepts=WALL, references={"Wall": 1})
START = StartPhoto(at=NOON, idx=1, attempt=1)


def result(idx: int, colors: Any = None, status: Any = "done", attempt: int | None = 1) -> RecordResult:
    key = f"outputs/u_1/j_1/{idx}_result.png" if status == "done" else None
    return RecordResult(
        at=NOON, idx=idx, status=status, output_key=key, error="too dark", idempotency_key=f"k{idx}-{attempt}",
        attempt=attempt, colors=colors or {}, warnings=["a warning"],
    )  # fmt: skip


@pytest.fixture
def uploaded(job_in):
    """A job of three photos that waits for its execution."""
    return job_in("uploaded", photos=3)


@pytest.fixture
def queued(uploaded):
    """The same, executed with photo 1 as the one that sets the colour of the walls."""
    return uploaded.given(EXECUTE)


@pytest.fixture
def outside(uploaded):
    """The same at an engine outside."""
    uploaded.behaviour = JobBehaviour(JobPolicy(offers=True))
    return uploaded.given(replace(EXECUTE, dispatch="external"))


@pytest.mark.parametrize(
    ("asked", "message"),
    [
        ({"references": {"Wall": 3}}, "references.Wall: must be the index of a photo, 0 to 2"),
        ({"references": {"Wall": -1}}, "references.Wall: must be the index"),
        ({"references": {"Wall": True}}, "references.Wall: must be the index"),
        ({"references": {"Wall": "1"}}, "references.Wall: must be the index"),
        ({"references": {"Wall": 1.0}}, "references.Wall: must be the index"),
        ({"references": {"Roof": 1}}, "references.Roof: interior has no such concept; it has Wall, "),
        ({"references": {"Glass_highlight": 1}}, "references.Glass_highlight: interior has no such concept"),
        ({"references": [1]}, "references: must be an object of concept -> index of a photo"),
        (
            {"references": {"Wall": 1, "Floor": 2}},
            "references.Floor: one photo sets all colours of a job; Wall names photo 1",
        ),
        ({"concepts": {"Wall": {"action": "tone", "value": "warm"}}}, "concepts.Wall.action: must be recolor, for"),
        ({"concepts": {"Wall": {"action": "remove"}}}, "concepts.Wall.action: must be recolor, for a photo sets"),
        ({"concepts": {"Wall": {"action": "recolor", "value": "mud"}}}, "concepts.Wall.value: mud is neither"),
        ({"concepts": {"Wall": "#F4F1EA"}}, "concepts.Wall: must be an object"),
        ({"protect": ["Wall"]}, "protect: Wall is selected and protected at once"),
        (
            {"references": {"Floor": 1}, "protect": ["Floor"]},
            "references.Floor: the rule protects it; take Floor out of what is protected, or out of references$",
        ),
        (
            {
                "rule_id": "r_1",
                "rule": {"preset_id": "interior", "concepts": WALL, "protect": ["Door"]},
                "references": {"Door": 1},
            },
            "references.Door: the rule protects it; take",
        ),
        ({"concepts": {}, "references": {}}, "concepts: at least one concept"),
        ({"concepts": None, "references": {}}, "concepts: needed where neither rule_id nor references are given"),
    ],
)
def test_what_cannot_be_asked_for(uploaded, asked, message):
    uploaded.refused(replace(EXECUTE, **asked), ValidationFailed, match=f"^{message}")


@pytest.mark.parametrize(
    ("asked", "concepts"),
    [
        ({}, {"Wall": None}),
        ({"concepts": None}, {"Wall": None}),
        ({"concepts": {"Wall": {"action": "recolor"}}}, {"Wall": None}),
        ({"concepts": {"Floor": {"action": "recolor", "value": "oak_a"}}}, {"Floor": "oak_a", "Wall": None}),
        ({"references": {"Frame_Molding": 1}}, {"Wall": "#F4F1EA", "Frame_Molding": None}),
    ],
)
def test_the_concept_is_selected_and_its_value_open(uploaded, asked, concepts):
    uploaded.given(replace(EXECUTE, **asked))
    told = uploaded.ask(GetJob())
    assert {name: entry["value"] for name, entry in told["concepts"].items()} == concepts
    assert told["references"] == asked.get("references", {"Wall": 1})
    assert not set(told["concepts"]) & set(told["protect"]), "a default protection gives way to what is selected"


def test_a_saved_rule_takes_the_colour_too(uploaded):
    saved = {"preset_id": "interior", "concepts": WALL, "protect": ["Grout"]}
    uploaded.refused(replace(EXECUTE, rule_id="r_1"), RuleNotFound)
    uploaded.given(replace(EXECUTE, rule_id="r_1", rule=saved), START, result(1, GREEN))
    told = uploaded.ask(GetJob())
    assert told["concepts"]["Wall"] == {"action": "recolor", "value": "#8FA78F"}
    assert saved["concepts"] == WALL


def test_instances_keep_their_own_actions(uploaded):
    own = {"2": {"action": "recolor", "value": "walnut_a"}}
    uploaded.given(replace(EXECUTE, concepts={"Wall": {"action": "recolor", "instances": own}}))
    assert uploaded.when(START).reply["concepts"]["Wall"]["instances"] == own
    uploaded.given(result(1, GREEN))
    told = uploaded.ask(GetJob())["concepts"]["Wall"]
    assert told == {"action": "recolor", "value": "#8FA78F", "instances": own}


def test_the_photo_goes_first_and_alone(uploaded):
    assert uploaded.when(EXECUTE).effects == (RunPhoto(1, 1, NOON),)
    for idx in (0, 2):
        assert uploaded.unchanged(StartPhoto(at=NOON, idx=idx, attempt=1)) == {"start": False}
        assert uploaded.unchanged(RecordFault(at=NOON, idx=idx, attempt=1, error="lost")) == {"retried": False}
        uploaded.refused(result(idx), InvalidTransition, match=f"photo {idx} waits for photo 1")
    told = uploaded.when(START).reply
    assert (told["start"], told["measure"], told["concepts"]["Wall"]["value"]) == (True, ["Wall"], None)


def test_its_result_sends_the_others_with_its_colour(queued):
    decision = queued.given(START).when(result(1, {**GREEN, "Floor": "#000000"}))
    assert [type(event) for event in decision.events] == [PhotoDelivered, ReferenceMeasured]
    assert decision.events[1].colors == {"Wall": "#8FA78F"}
    assert decision.effects == (RunPhoto(0, 1, NOON), RunPhoto(2, 1, NOON))
    told = queued.when(StartPhoto(at=NOON, idx=0, attempt=1)).reply
    assert (told["measure"], told["concepts"]["Wall"]["value"]) == ([], "#8FA78F")
    assert queued.unchanged(result(1, GREEN)) == {"processed": False}
    last = queued.given(result(0)).when(result(2))
    assert [type(event) for event in last.events] == [PhotoDelivered, JobEnded]
    assert queued.state.status == "done"


def test_a_job_of_that_photo_alone_ends_with_it(job_in):
    job = job_in("uploaded", photos=1).given(replace(EXECUTE, references={"Wall": 0}))
    decision = job.when(result(0, GREEN))
    assert [type(event) for event in decision.events] == [PhotoDelivered, ReferenceMeasured, JobEnded]
    assert [type(effect) for effect in decision.effects] == [Tell]


def test_a_fault_tries_it_again_and_only_it(queued):
    decision = queued.given(START).when(RecordFault(at=NOON, idx=1, attempt=1, error="worker lost"))
    assert [type(event) for event in decision.events] == [PhotoRetried]
    assert decision.effects == (RunPhoto(1, 2, NOON + timedelta(seconds=1)),)
    assert queued.when(replace(START, attempt=2)).reply["measure"] == ["Wall"]


def failed_outright(job):
    return job.given(START).when(result(1, status="failed"))


def failed_after_faults(job):
    for attempt in (1, 2, 3):
        job.given(RecordFault(at=NOON, idx=1, attempt=attempt, error="worker lost"))
    return job.when(RecordFault(at=NOON, idx=1, attempt=4, error="worker lost"))


def failed_in_silence(job):
    for attempt in (1, 2, 3):
        at = NOON + attempt * timedelta(hours=1)
        job.given(StartPhoto(at=at, idx=1, attempt=attempt))
        decision = job.when(Wake(at=at + timedelta(minutes=30)))
    return decision


def failed_unmeasured(job):
    return job.given(START).when(result(1, {"Floor": "#000000"}))


def failed_mismeasured(job):
    return job.given(START).when(result(1, {"Wall": "green"}))


@pytest.mark.parametrize(
    ("fail", "why"),
    [
        (failed_outright, "too dark"),
        (failed_after_faults, "worker lost"),
        (failed_in_silence, "no answer from the engine in time, 3 times"),
        (failed_unmeasured, "no colour of Wall could be measured; its warnings say why"),
        (failed_mismeasured, "no colour of Wall could be measured; its warnings say why"),
    ],
)
def test_without_it_all_others_fail_at_once_and_nothing_is_paid(queued, fail, why):
    decision = fail(queued)
    assert [type(event) for event in decision.events] == [PhotoFailed, PhotoFailed, PhotoFailed, JobEnded]
    assert {event.idx: event.error for event in decision.events[:3]} == {
        1: why,
        0: f"photo 1 sets the colour of Wall, and it failed: {why}",
        2: f"photo 1 sets the colour of Wall, and it failed: {why}",
    }
    (settle,) = decision.effects
    assert (settle.command.delivered, settle.command.refunded) == (0, 3)
    assert queued.state.status == "failed"


def test_a_worker_that_gives_no_colour_and_no_reason(queued):
    queued.given(START, replace(result(1), warnings=[]))
    assert queued.ask(GetJob())["items"][1]["error"] == "no colour of Wall could be measured"


def test_why_it_could_not_be_measured_is_in_its_warnings(queued):
    failed_unmeasured(queued)
    assert queued.ask(GetJob())["items"][1]["warnings"] == ["a warning"]


def test_cancel_while_the_others_wait(queued):
    decision = queued.given(START).when(CancelJob(at=NOON, user_id="u_1"))
    assert decision.effects[0].command.refunded == 3
    assert queued.unchanged(result(1, GREEN)) == {"processed": False}


def test_an_engine_outside_is_offered_it_first(outside):
    assert outside.ask(GetOffer(idxs=(0, 1, 2), attempt=1))["idxs"] == [1]
    told = outside.ask(GetOffer(idxs=(1,), attempt=1))
    assert (told["idxs"], told["measure"], told["concepts"]["Wall"]["value"]) == ([1], ["Wall"], None)
    assert [outside.ask(ResultOpen(user_id="u_1", idx=idx)) for idx in range(3)] == [False, True, False]
    assert [photo.due is None for photo in outside.state.photos] == [True, False, True]
    later = NOON + timedelta(minutes=5)
    decision = outside.when(replace(result(1, GREEN, attempt=None), at=later))
    assert decision.effects == (OfferPhotos((0, 2), 1),)
    told = outside.ask(GetOffer(idxs=(0, 2), attempt=1))
    assert (told["idxs"], told["measure"], told["concepts"]["Wall"]["value"]) == ([0, 2], [], "#8FA78F")
    assert [outside.ask(ResultOpen(user_id="u_1", idx=idx)) for idx in range(3)] == [True, False, True]
    assert {photo.due for photo in outside.state.photos} == {None, later + timedelta(minutes=60)}


def test_an_engine_outside_that_refuses_it_has_refused_all(outside):
    decision = outside.when(RefusePhotos(at=NOON, idxs=(1,), attempt=1, error="422"))
    assert [type(event) for event in decision.events] == [PhotoFailed, PhotoFailed, PhotoFailed, JobEnded]
    assert decision.reply == {"failed": 1}
