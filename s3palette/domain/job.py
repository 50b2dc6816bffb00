"""The job: a state machine over its photos, decided.

Waitings and their ends: `created` for an upload, `uploaded` for its execution, a photo under way for its answer. An
infrastructure fault is retried with backoff, a missing answer dispatched again; both give up after a number of times,
and then the photo fails. Whatever ends the job emits `JobEnded` and tells the user to settle.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import datetime
from typing import Any, Final, Literal

from s3palette.domain import codec, rules
from s3palette.domain.errors import (
    AlreadyCanceled,
    Forbidden,
    InvalidTransition,
    JobNotFound,
    PlanRequired,
    RuleNotFound,
    TooLarge,
    UploadIncomplete,
    ValidationFailed,
)
from s3palette.domain.job_messages import (
    CancelJob,
    ConfirmUpload,
    CreateJob,
    Dispatch,
    Execute,
    GetJob,
    GetOffer,
    JobCreated,
    JobEnded,
    JobQueued,
    PhotoDelivered,
    PhotoFailed,
    PhotoRetried,
    PhotoStarted,
    RecordFault,
    RecordResult,
    ReferenceMeasured,
    RefusePhotos,
    ResultOpen,
    StartPhoto,
    UploadConfirmed,
    UploadOpen,
)
from s3palette.domain.job_offers import open_offer, refuse, result_open
from s3palette.domain.job_policy import JobPolicy
from s3palette.domain.job_results import end, finish, open_photo, plain_text, record_result
from s3palette.domain.job_state import FINAL, JobState, Photo, deadline, evolve
from s3palette.domain.job_tasks import answer_due, tasks
from s3palette.domain.materials import Catalogue, load_materials
from s3palette.domain.model import Command, Decision, Event, Query, Wake
from s3palette.domain.palette import Preset
from s3palette.domain.plans import MAX_ITEMS, plan_of
from s3palette.domain.presets import load_presets
from s3palette.domain.references import normalise_references
from s3palette.domain.refinements import normalise_photos

__all__ = [
    "CancelJob",
    "ConfirmUpload",
    "CreateJob",
    "Dispatch",
    "Execute",
    "GetJob",
    "GetOffer",
    "JobBehaviour",
    "JobCreated",
    "JobEnded",
    "JobPolicy",
    "JobQueued",
    "JobState",
    "Photo",
    "PhotoDelivered",
    "PhotoFailed",
    "PhotoRetried",
    "PhotoStarted",
    "RecordFault",
    "RecordResult",
    "ReferenceMeasured",
    "RefusePhotos",
    "ResultOpen",
    "StartPhoto",
    "UploadConfirmed",
    "UploadOpen",
]

_STATE_VERSION: Final = 1


class JobBehaviour:
    """Jobs as the actors run them. `presets` and `catalogue`: what rules are checked against."""

    kind: Literal["job"] = "job"

    def __init__(
        self,
        policy: JobPolicy | None = None,
        presets: Mapping[str, Preset] | None = None,
        catalogue: Catalogue | None = None,
    ) -> None:
        self._policy = policy or JobPolicy()
        self._presets = load_presets() if presets is None else presets
        self._catalogue = load_materials() if catalogue is None else catalogue

    def decide(self, state: JobState | None, command: Command) -> Decision:
        if isinstance(command, CreateJob):
            return self._create(state, command)
        if isinstance(command, Wake):
            return Decision() if state is None else self._wake(state, command)
        job = _known(state)
        match command:
            case ConfirmUpload():
                return self._confirm(_owned(job, command.user_id), command)
            case Execute():
                return self._execute(_owned(job, command.user_id), command)
            case StartPhoto():
                return self._start(job, command)
            case RecordResult():
                return record_result(job, command, self._policy)
            case RecordFault():
                return self._record_fault(job, command)
            case RefusePhotos():
                return refuse(job, command)
            case CancelJob():
                return _cancel(_owned(job, command.user_id), command)
            case _:
                raise TypeError(f"a job does not understand {type(command).__name__}")

    def evolve(self, state: JobState | None, event: Event) -> JobState:
        return evolve(state, event)

    def answer(self, state: JobState | None, query: Query) -> Any:
        match query:
            case GetJob():
                job = _known(state)
                return (job if query.user_id is None else _owned(job, query.user_id)).as_json()
            case GetOffer():
                return open_offer(_known(state), query)
            case ResultOpen():
                return result_open(state, query)
            case UploadOpen():
                return (
                    state is not None
                    and state.status == "created"
                    and state.user_id == query.user_id
                    and 0 <= query.idx < state.total
                )
            case _:
                raise TypeError(f"a job does not understand {type(query).__name__}")

    def deadline(self, state: JobState | None) -> datetime | None:
        return deadline(state)

    def dump(self, state: JobState) -> bytes:
        return codec.dump_state(state, _STATE_VERSION)

    def load(self, data: bytes) -> JobState | None:
        return codec.load_state(JobState, _STATE_VERSION, data)

    def _create(self, state: JobState | None, command: CreateJob) -> Decision:
        reply = {"job_id": command.job_id}
        if state is not None:
            wanted = (command.user_id, command.preset, command.item_count)
            if (state.user_id, state.preset, state.total) != wanted:
                raise InvalidTransition(f"job {command.job_id} exists with other content; it is {state.status}")
            return Decision(reply=reply)
        if command.preset not in self._presets or not 1 <= command.item_count <= MAX_ITEMS:
            raise ValidationFailed(f"job {command.job_id}: {command.item_count} photos of {command.preset}")
        created = JobCreated(
            at=command.at,
            job_id=command.job_id,
            user_id=command.user_id,
            preset=command.preset,
            item_count=command.item_count,
            expires_at=command.at + self._policy.upload_within,
        )
        return Decision((created,), reply=reply)

    def _confirm(self, job: JobState, command: ConfirmUpload) -> Decision:
        _must_be(job, "created", "its upload cannot be confirmed")
        missing = [idx for idx in range(job.total) if command.sizes.get(idx, 0) <= 0]
        if missing:
            raise UploadIncomplete(f"missing or empty: {', '.join(map(str, missing))}")
        # A store that clients write to directly takes whatever they send.
        large = [idx for idx in range(job.total) if command.sizes[idx] > self._policy.max_photo_bytes]
        if large:
            limit = f"a photo may have at most {self._policy.max_photo_bytes:,} bytes"
            raise TooLarge(f"{limit}; upload again: {', '.join(map(str, large))}")
        confirmed = UploadConfirmed(
            at=command.at,
            expires_at=command.at + self._policy.execute_within,
            etags={idx: command.etags[idx] for idx in range(job.total) if idx in command.etags},
        )
        return Decision((confirmed,), reply={"confirmed": True})

    def _execute(self, job: JobState, command: Execute) -> Decision:
        preset = self._presets[job.preset]
        template = None if command.output_template is None else preset.template(command.output_template)
        if command.output_template is not None and template is None:
            names = ", ".join(each.name for each in preset.output_templates)
            raise ValidationFailed(f"output_template: {preset.id} has {names}")
        references = normalise_references(preset, job.total, command.references)
        rule = self._rule(preset, command, references)
        photos = normalise_photos(rule, job.total, command.photos)
        _must_be(job, "uploaded", "it cannot be executed")
        if template not in (None, preset.output_templates[0]) and not plan_of(command.plan).all_templates:
            first = preset.output_templates[0].name
            raise PlanRequired(f"output_template: the {command.plan} plan has {first} only")
        queued = JobQueued(
            at=command.at,
            concepts=rule.concepts,
            protect=rule.protect,
            rule_id=command.rule_id,
            output_template=None if template is None else template.id,
            photos=photos,
            references=references,
            dispatch=command.dispatch,
            due=answer_due(self._policy, command.dispatch, command.at),
        )
        going = set(references.values()) or range(job.total)
        owed = tasks(self._policy, command.dispatch, [(idx, 1, command.at) for idx in going])
        return Decision((queued,), owed, {"queued": True})

    def _rule(self, preset: Preset, command: Execute, referenced: Collection[str]) -> rules.Rule:
        if command.rule_id is None:
            concepts = {} if command.concepts is None and referenced else command.concepts
            if concepts is None:
                raise ValidationFailed("concepts: needed where neither rule_id nor references are given")
            return rules.normalise(preset, self._catalogue, concepts, command.protect, referenced)
        if command.rule is None:
            raise RuleNotFound("there is no such rule")
        if command.rule["preset_id"] != preset.id:
            raise ValidationFailed(f"rule_id: the rule is for {command.rule['preset_id']}, the job for {preset.id}")
        concepts, protect = command.rule["concepts"], command.rule["protect"]
        return rules.normalise(preset, self._catalogue, concepts, protect, referenced)

    def _start(self, job: JobState, command: StartPhoto) -> Decision:
        photo = open_photo(job, command.idx)
        if photo is None or command.attempt != photo.attempt or job.dispatch == "external" or job.holds(command.idx):
            return Decision(reply={"start": False})
        reply = {
            "start": True,
            "user_id": job.user_id,
            "preset": job.preset,
            "concepts": dict(job.concepts or {}),
            "protect": list(job.protect or ()),
            "measure": job.measures(command.idx),
            "refinement": job.refinements.get(str(command.idx)),
            "etag": job.etags.get(command.idx),
        }
        if photo.status == "running":
            # The host was restarted and asks again: the clock of this attempt runs on.
            return Decision(reply=reply)
        due = command.at + self._policy.photo_within
        return Decision((PhotoStarted(at=command.at, idx=command.idx, attempt=photo.attempt, due=due),), (), reply)

    def _record_fault(self, job: JobState, command: RecordFault) -> Decision:
        photo = open_photo(job, command.idx)
        if photo is None or command.attempt != photo.attempt or job.holds(command.idx):
            return Decision(reply={"retried": False})
        error = plain_text(command.error) or "the engine could not be reached"
        if photo.faults >= len(self._policy.fault_backoff):
            failed = PhotoFailed(at=command.at, idx=command.idx, idempotency_key=None, error=error, warnings=())
            return finish(job, command.at, (failed,), reply={"retried": False})
        not_before = command.at + self._policy.fault_backoff[photo.faults]
        event = self._again(job, command.idx, photo, "fault", error, command.at, not_before)
        again = tasks(self._policy, job.dispatch, [(event.idx, event.attempt, not_before)])
        return Decision((event,), again, {"retried": True})

    def _wake(self, job: JobState, command: Wake) -> Decision:
        if job.status in FINAL:
            return Decision()
        if job.expires_at is not None:
            if command.at < job.expires_at:
                return Decision()
            return end(job, command.at, "canceled", "expired", job.done)
        events: list[Event] = []
        again: list[tuple[int, int, datetime]] = []
        for idx, photo in enumerate(job.photos):
            if photo.due is None or command.at < photo.due:
                continue
            error = f"no answer from the {'external ' if job.dispatch == 'external' else ''}engine in time"
            if photo.timeouts + 1 >= self._policy.max_timeouts:
                error += f", {self._policy.max_timeouts} times"
                events.append(PhotoFailed(at=command.at, idx=idx, idempotency_key=None, error=error, warnings=()))
                continue
            event = self._again(job, idx, photo, "timeout", error, command.at, command.at)
            events.append(event)
            again.append((event.idx, event.attempt, event.not_before))
        return finish(job, command.at, events, tasks(self._policy, job.dispatch, again))

    def _again(
        self,
        job: JobState,
        idx: int,
        photo: Photo,
        cause: Literal["fault", "timeout"],
        error: str,
        at: datetime,
        not_before: datetime,
    ) -> PhotoRetried:
        due = answer_due(self._policy, job.dispatch, not_before)
        return PhotoRetried(
            at=at, idx=idx, attempt=photo.attempt + 1, cause=cause, error=error, not_before=not_before, due=due
        )


def _cancel(job: JobState, command: CancelJob) -> Decision:
    if job.status == "canceled":
        raise AlreadyCanceled(f"job {job.job_id} is canceled already")
    if job.status in FINAL:
        raise InvalidTransition(f"job {job.job_id} is {job.status}: it cannot be canceled")
    return end(job, command.at, "canceled", "canceled", job.done, reply={"canceled": True})


def _known(state: JobState | None) -> JobState:
    if state is None:
        raise JobNotFound("there is no such job")
    return state


def _owned(job: JobState, user_id: str) -> JobState:
    if job.user_id != user_id:
        raise Forbidden("this job belongs to somebody else")
    return job


def _must_be(job: JobState, status: str, otherwise: str) -> None:
    if job.status == "canceled":
        raise AlreadyCanceled(f"job {job.job_id} is canceled: {otherwise}")
    if job.status != status:
        raise InvalidTransition(f"job {job.job_id} is {job.status}: {otherwise}")
