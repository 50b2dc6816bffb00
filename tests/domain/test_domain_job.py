from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from s3palette.domain.errors import (
    AlreadyCanceled,
    Forbidden,
    InvalidTransition,
    JobNotFound,
    PaletteError,
    PlanRequired,
    RuleNotFound,
    TooLarge,
    UploadIncomplete,
    ValidationFailed,
)
from s3palette.domain.job import (
    CancelJob,
    ConfirmUpload,
    CreateJob,
    Execute,
    GetJob,
    JobCreated,
    JobEnded,
    JobQueued,
    PhotoStarted,
    RecordFault,
    StartPhoto,
    UploadConfirmed,
    UploadOpen,
)
from s3palette.domain.model import Address, Command, RunPhoto, Tell, Wake
from s3palette.domain.user import SettleJob

from .conftest import done

RULE = {"Wall": {"action": "recolor", "value": "#F4F1EA"}}
STATES = ("none", "created", "uploaded", "queued", "running", "done", "failed", "canceled")


def execute(noon: Any, **changes: Any) -> Execute:
    return Execute(**{"at": noon, "user_id": "u_1", "plan": "free", "concepts": RULE, **changes})


def commands(noon: Any) -> dict[str, Command]:
    return {
        "create": CreateJob(at=noon, job_id="j_1", user_id="u_1", preset="interior", item_count=2),
        "confirm": ConfirmUpload(at=noon, user_id="u_1", sizes={0: 1, 1: 1}),
        "execute": execute(noon),
        "start": StartPhoto(at=noon, idx=1, attempt=1),
        "result": done(noon, 1),
        "fault": RecordFault(at=noon, idx=1, attempt=1, error="lost"),
        "cancel": CancelJob(at=noon, user_id="u_1"),
        "wake": Wake(at=noon),
    }


ACCEPTED = "accepted"
IGNORED = "ignored"
TABLE: dict[str, tuple[Any, ...]] = {
    # one column a state, in the order of STATES
    "create": (ACCEPTED, IGNORED, IGNORED, IGNORED, IGNORED, IGNORED, IGNORED, IGNORED),
    "confirm": (JobNotFound, ACCEPTED, *[InvalidTransition] * 5, AlreadyCanceled),
    "execute": (JobNotFound, InvalidTransition, ACCEPTED, *[InvalidTransition] * 4, AlreadyCanceled),
    "start": (JobNotFound, IGNORED, IGNORED, ACCEPTED, ACCEPTED, IGNORED, IGNORED, IGNORED),
    "result": (JobNotFound, InvalidTransition, InvalidTransition, ACCEPTED, ACCEPTED, IGNORED, IGNORED, IGNORED),
    "fault": (JobNotFound, IGNORED, IGNORED, ACCEPTED, ACCEPTED, IGNORED, IGNORED, IGNORED),
    "cancel": (JobNotFound, *[ACCEPTED] * 4, InvalidTransition, InvalidTransition, AlreadyCanceled),
    "wake": (IGNORED,) * 8,
}


@pytest.mark.parametrize("name", list(TABLE))
@pytest.mark.parametrize("state", STATES)
def test_every_command_in_every_state(job_in, noon, name, state):
    job = job_in(state)
    expected = TABLE[name][STATES.index(state)]
    command = commands(noon)[name]
    if expected is ACCEPTED:
        assert job.when(command).events
    elif expected is IGNORED:
        job.unchanged(command)
    else:
        job.refused(command, expected, None if expected is JobNotFound else state)


@pytest.mark.parametrize("name", ["confirm", "execute", "cancel"])
@pytest.mark.parametrize("state", STATES[1:])
def test_somebody_elses_job_is_forbidden_before_anything_else(job_in, noon, name, state):
    hostile: dict[str, Command] = {
        "confirm": ConfirmUpload(at=noon, user_id="u_2", sizes={}),
        "execute": execute(noon, user_id="u_2", concepts={"Nonsense": 1}, rule_id="r", output_template="?"),
        "cancel": CancelJob(at=noon, user_id="u_2"),
    }
    job_in(state).refused(hostile[name], Forbidden)


def test_a_job_begins_and_waits_for_its_upload(no_job, noon):
    decision = no_job.when(commands(noon)["create"])
    expires = noon + timedelta(hours=24)
    assert decision.events == (
        JobCreated(at=noon, job_id="j_1", user_id="u_1", preset="interior", item_count=2, expires_at=expires),
    )
    assert decision.reply == {"job_id": "j_1"}
    assert no_job.unchanged(commands(noon)["create"]) == {"job_id": "j_1"}


@pytest.mark.parametrize("changes", [{"user_id": "u_2"}, {"preset": "seller"}, {"item_count": 3}])
def test_a_job_that_exists_with_other_content_is_not_created_again(job_in, noon, changes):
    fields = {"at": noon, "job_id": "j_1", "user_id": "u_1", "preset": "interior", "item_count": 2, **changes}
    job_in("created").refused(CreateJob(**fields), InvalidTransition, "other content")


@pytest.mark.parametrize("changes", [{"preset": "garden"}, {"item_count": 0}, {"item_count": 201}])
def test_a_job_that_cannot_be_is_refused(no_job, noon, changes):
    fields = {"at": noon, "job_id": "j_1", "user_id": "u_1", "preset": "interior", "item_count": 2, **changes}
    no_job.refused(CreateJob(**fields), ValidationFailed)


@pytest.mark.parametrize(
    ("sizes", "missing"),
    [({}, "0, 1"), ({0: 5}, "1"), ({1: 5}, "0"), ({0: 0, 1: 5, 7: 5}, "0"), ({0: 0, 1: 0}, "0, 1")],
)
def test_every_photo_must_be_there_and_have_bytes(job_in, noon, sizes, missing):
    confirm = ConfirmUpload(at=noon, user_id="u_1", sizes=sizes)
    job_in("created").refused(confirm, UploadIncomplete, f": {missing}$")


def test_a_confirmed_upload_waits_for_its_execution(job_in, noon):
    decision = job_in("created").when(commands(noon)["confirm"])
    assert decision.events == (UploadConfirmed(at=noon, expires_at=noon + timedelta(days=7), etags={}),)
    assert decision.reply == {"confirmed": True}


def test_a_photo_starts_as_the_one_that_was_confirmed(job_in, noon):
    etags = {0: "first", 1: "second", 7: "of no photo"}
    job = job_in("created").given(ConfirmUpload(at=noon, user_id="u_1", sizes={0: 1, 1: 1}, etags=etags))
    assert job.history[-1].etags == {0: "first", 1: "second"}
    reply = job.given(execute(noon)).when(StartPhoto(at=noon, idx=1, attempt=1)).reply
    assert reply["etag"] == "second"


def test_a_photo_that_is_too_large_is_not_confirmed(job_in, noon):
    confirm = ConfirmUpload(at=noon, user_id="u_1", sizes={0: 60_000_000, 1: 60_000_001})
    job_in("created").refused(confirm, TooLarge, "at most 60,000,000 bytes; upload again: 1$")


def test_execution_asks_the_engine_for_every_photo(job_in, noon):
    decision = job_in("uploaded").when(execute(noon, protect=["Floor"], output_template="시안3안팩"))
    assert decision.events == (
        JobQueued(
            at=noon,
            concepts=RULE,
            protect=("Floor",),
            rule_id=None,
            output_template="proposals_3",
            photos={},
            references={},
            dispatch="engine",
            due=None,
        ),
    )
    assert decision.effects == (RunPhoto(0, 1, noon), RunPhoto(1, 1, noon))
    assert decision.reply == {"queued": True}


def test_what_is_said_of_a_photo_goes_with_that_photo_only(job_in, noon):
    photos = {"1": {"lock": {"Wall": [2, 1, 2]}, "exclude": None}, "0": {}}
    job = job_in("uploaded").given(execute(noon, photos=photos))
    assert job.history[-1].photos == {"1": {"lock": {"Wall": [1, 2]}}}
    assert job.ask(GetJob())["photos"] == {"1": {"lock": {"Wall": [1, 2]}}}
    told = [job.when(StartPhoto(at=noon, idx=idx, attempt=1)).reply["refinement"] for idx in (0, 1)]
    assert told == [None, {"lock": {"Wall": [1, 2]}}]


def test_an_external_engine_is_waited_for_not_called(job_in, noon):
    decision = job_in("uploaded").when(execute(noon, dispatch="external"))
    assert decision.effects == ()
    assert decision.events[0].due == noon + timedelta(minutes=60)


def test_a_rule_by_id_wins_over_an_inline_one(job_in, noon):
    saved = {"preset_id": "interior", "concepts": {"Floor": {"action": "tone", "value": "warm"}}, "protect": ["Wall"]}
    job = job_in("uploaded").given(execute(noon, rule_id="r_1", rule=saved, concepts={"junk": 1}, protect=["junk"]))
    assert (job.state.concepts, job.state.protect, job.state.rule_id) == (saved["concepts"], ("Wall",), "r_1")


SELLER = {"preset_id": "seller", "concepts": {"Body": {"action": "remove"}}, "protect": []}


@pytest.mark.parametrize(
    ("state", "changes", "error", "match"),
    [
        ("uploaded", {"concepts": None}, ValidationFailed, "concepts: "),
        ("uploaded", {"concepts": {}}, ValidationFailed, "concepts: "),
        ("uploaded", {"concepts": {"Wall": {"action": "paint"}}}, ValidationFailed, "concepts.Wall.action: "),
        ("uploaded", {"protect": ["Wall"]}, ValidationFailed, "protect: "),
        ("uploaded", {"photos": {"2": {}}}, ValidationFailed, "photos.2: the job has photos 0 to 1"),
        ("created", {"photos": {"2": {}}}, ValidationFailed, "photos.2: "),
        ("uploaded", {"rule_id": "r_1", "rule": SELLER}, ValidationFailed, "rule_id: "),
        ("uploaded", {"rule_id": "r_1"}, RuleNotFound, ""),
        ("uploaded", {"output_template": "포스터"}, ValidationFailed, "output_template: "),
        ("uploaded", {"output_template": "before_after"}, PlanRequired, "output_template: "),
        ("uploaded", {"output_template": "전후비교"}, PlanRequired, "output_template: "),
        # the order: validation, rule, state, plan
        ("created", {"concepts": {}, "output_template": "before_after"}, ValidationFailed, "concepts: "),
        ("created", {"rule_id": "r_1", "output_template": "포스터"}, ValidationFailed, "output_template: "),
        ("created", {"rule_id": "r_1", "output_template": "before_after"}, RuleNotFound, ""),
        ("created", {"output_template": "before_after"}, InvalidTransition, "created"),
        ("running", {"output_template": "before_after"}, InvalidTransition, "running"),
        ("canceled", {"concepts": {}}, ValidationFailed, "concepts: "),
    ],
)
def test_executions_that_do_not_fit(job_in, noon, state, changes, error: type[PaletteError], match):
    job_in(state).refused(execute(noon, **changes), error, match or None)


def test_a_pro_user_may_ask_for_any_template(job_in, noon):
    job = job_in("uploaded").given(execute(noon, plan="pro", output_template="client_card"))
    assert job.state.output_template == "client_card"


def test_a_photo_starts_once_an_attempt_and_is_told_the_rule(job_in, noon, minutes):
    job = job_in("queued")
    start = StartPhoto(at=noon, idx=0, attempt=1)
    told = {"start": True, "user_id": "u_1", "preset": "interior", "concepts": RULE}
    decision = job.when(start)
    assert decision.events == (PhotoStarted(at=noon, idx=0, attempt=1, due=minutes(15)),)
    protect = ["Grout", "Frame_Molding", "Glass_highlight"]
    assert decision.reply == {**told, "protect": protect, "measure": [], "refinement": None, "etag": None}
    assert (job.state.status, job.state.photos[0].status, job.state.photos[1].status) == (
        "running",
        "running",
        "pending",
    )
    assert job.unchanged(StartPhoto(at=minutes(5), idx=0, attempt=1)) == decision.reply


@pytest.mark.parametrize(("idx", "attempt"), [(0, 2), (0, 0), (2, 1), (-1, 1)])
def test_a_photo_or_attempt_that_is_not_owed_does_not_start(job_in, noon, idx, attempt):
    assert job_in("running").unchanged(StartPhoto(at=noon, idx=idx, attempt=attempt)) == {"start": False}


def test_a_finished_photo_and_an_external_one_do_not_start(job_in, noon):
    job = job_in("running").given(done(noon, 0))
    assert job.unchanged(StartPhoto(at=noon, idx=0, attempt=1)) == {"start": False}


def test_an_external_photo_is_not_the_engines(job_in, noon):
    assert job_in("queued", dispatch="external").unchanged(StartPhoto(at=noon, idx=0, attempt=1)) == {"start": False}


@pytest.mark.parametrize("state", ["created", "uploaded", "queued", "running"])
def test_cancel_refunds_what_was_not_delivered(job_in, noon, state):
    job = job_in(state)
    decision = job.when(CancelJob(at=noon, user_id="u_1"))
    figures: dict[str, Any] = {"status": "canceled", "delivered": 0, "refunded": 2}
    assert decision.events == (JobEnded(at=noon, reason="canceled", **figures),)
    assert decision.effects == (
        Tell(Address("user", "u_1"), SettleJob(at=noon, job_id="j_1", **figures), await_first=True),
    )
    assert decision.reply == {"canceled": True}
    assert {item["status"] for item in job.ask(GetJob())["items"]} == {"pending"}


def test_cancel_spends_what_was_delivered(job_in, noon):
    job = job_in("running").given(done(noon, 0))
    ended = job.when(CancelJob(at=noon, user_id="u_1")).events[0]
    assert (ended.delivered, ended.refunded) == (1, 1)
    assert job.unchanged(done(noon, 1, "late")) == {"processed": False}


def test_what_a_job_shows(job_in, noon):
    told = job_in("done").ask(GetJob(user_id="u_1"))
    assert told.pop("items")[1]["error"] == "blurred"
    assert told == {
        "job_id": "j_1",
        "user_id": "u_1",
        "status": "done",
        "preset": "interior",
        "total_items": 2,
        "done_items": 1,
        "failed_items": 1,
        "progress": {"done": 1, "failed": 1, "total": 2},
        "concepts": RULE,
        "protect": ["Grout", "Frame_Molding", "Glass_highlight"],
        "rule_id": None,
        "output_template": None,
        "photos": {},
        "references": {},
        "reason": None,
        "created_at": "2026-01-01T12:00:00.000000Z",
        "updated_at": "2026-01-01T12:00:00.000000Z",
        "expires_at": None,
    }


def test_questions_check_that_the_job_is_there_and_whose_it_is(no_job, job_in):
    with pytest.raises(JobNotFound):
        no_job.ask(GetJob(user_id="u_1"))
    job = job_in("created")
    with pytest.raises(Forbidden):
        job.ask(GetJob(user_id="u_2"))
    assert job.ask(GetJob())["status"] == "created"


@pytest.mark.parametrize("state", STATES)
@pytest.mark.parametrize(
    ("user_id", "idx", "fits"),
    [("u_1", 0, True), ("u_1", 1, True), ("u_1", 2, False), ("u_1", -1, False), ("u_2", 0, False)],
)
def test_an_upload_is_open_while_the_job_is_created(job_in, state, user_id, idx, fits):
    assert job_in(state).ask(UploadOpen(user_id=user_id, idx=idx)) is (fits and state == "created")
