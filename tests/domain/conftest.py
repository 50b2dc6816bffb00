"""Given these events, when this command, then these events or this error."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from s3palette.domain import codec
from s3palette.domain.errors import PaletteError
from s3palette.domain.job import CancelJob, ConfirmUpload, CreateJob, Execute, JobBehaviour, RecordResult, StartPhoto
from s3palette.domain.model import Command, Decision, Event, Query
from s3palette.domain.user import SignUp, UserBehaviour

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)
RULE = {"Wall": {"action": "recolor", "value": "#F4F1EA"}}
OUT = "outputs/u_1/j_1/"


def done(noon: Any, idx: int = 0, key: str = "again", **changes: Any) -> RecordResult:
    fields = {"at": noon, "idx": idx, "status": "done", "output_key": f"{OUT}{idx}_result.png", "idempotency_key": key}
    return RecordResult(**{**fields, **changes})


def failed(noon: Any, idx: int = 0, key: str = "again", **changes: Any) -> RecordResult:
    return done(noon, idx, key, status="failed", output_key=None, error="not an image", **changes)


class Scenario:
    """One entity. Every decision is also replayed, encoded and decoded: what does not survive that did not happen."""

    def __init__(self, behaviour: Any) -> None:
        self.behaviour = behaviour
        self.state: Any = None
        self.history: list[Event] = []

    def given(self, *commands: Command) -> Scenario:
        for command in commands:
            self.when(command)
        return self

    def when(self, command: Command) -> Decision:
        before = self.state
        decision = self.behaviour.decide(before, command)
        assert self.behaviour.decide(before, command) == decision, "deciding twice is deciding the same"
        for event in decision.events:
            assert codec.decode_event(*codec.encode_event(event)) == event
            self.state = self.behaviour.evolve(self.state, event)
        for effect in decision.effects:
            assert codec.decode_effect(codec.encode_effect(effect)[1]) == effect
        assert codec.decode_command(*codec.encode_command(command)) == command
        self.history.extend(decision.events)
        replayed = None
        for event in self.history:
            replayed = self.behaviour.evolve(replayed, event)
        assert replayed == self.state
        if self.state is not None:
            assert self.behaviour.load(self.behaviour.dump(self.state)) == self.state
        return decision

    def refused(self, command: Command, error: type[PaletteError], match: str | None = None) -> None:
        before = self.state
        with pytest.raises(error, match=match) as raised:
            self.behaviour.decide(before, command)
        assert type(raised.value) is error
        assert self.state == before

    def unchanged(self, command: Command) -> Any:
        """The reply of a command that must leave neither event nor effect."""
        decision = self.when(command)
        assert (decision.events, decision.effects) == ((), ())
        return decision.reply

    def ask(self, query: Query) -> Any:
        return self.behaviour.answer(self.state, query)


@pytest.fixture
def noon() -> datetime:
    return NOON


@pytest.fixture
def stranger() -> Scenario:
    """A user nobody has signed up."""
    return Scenario(UserBehaviour())


@pytest.fixture
def user(stranger: Scenario) -> Scenario:
    """A user of the free plan with its 10 credits."""
    return stranger.given(SignUp(at=NOON, user_id="u_1", device_key=None))


@pytest.fixture
def no_job() -> Scenario:
    return Scenario(JobBehaviour())


@pytest.fixture
def job_in(no_job: Scenario) -> Callable[..., Scenario]:
    """A job j_1 of u_1 with `photos` photos, brought into a status by commands given at noon."""

    def bring(status: str, photos: int = 2, **execute: Any) -> Scenario:
        def result(idx: int, outcome: Any) -> RecordResult:
            key = f"outputs/u_1/j_1/{idx}_result.png" if outcome == "done" else None
            return RecordResult(
                at=NOON, idx=idx, status=outcome, output_key=key, error="blurred", idempotency_key=f"k{idx}"
            )

        create = CreateJob(at=NOON, job_id="j_1", user_id="u_1", preset="interior", item_count=photos)
        confirm = ConfirmUpload(at=NOON, user_id="u_1", sizes=dict.fromkeys(range(photos), 100))
        run = Execute(**{"at": NOON, "user_id": "u_1", "plan": "free", "concepts": RULE, **execute})
        start = StartPhoto(at=NOON, idx=0, attempt=1)
        to_running = [create, confirm, run, start]
        commands: dict[str, list[Command]] = {
            "none": [],
            "created": [create],
            "uploaded": [create, confirm],
            "queued": [create, confirm, run],
            "running": to_running,
            "done": [*to_running, *(result(idx, "failed" if idx else "done") for idx in range(photos))],
            "failed": [*to_running, *(result(idx, "failed") for idx in range(photos))],
            "canceled": [*to_running, CancelJob(at=NOON, user_id="u_1")],
        }
        no_job.given(*commands[status])
        assert status == "none" or no_job.state.status == status
        return no_job

    return bring


@pytest.fixture
def minutes() -> Callable[[float], datetime]:
    """The time so many minutes after noon."""
    return lambda count: NOON + timedelta(minutes=count)
